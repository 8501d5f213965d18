//! Every bound of tables, one constant each, with its reason. FORMAT.md §17 repeats those that the other party meets.
//! A schema or table beyond one is refused with a message, never cut short.

/// Longest schema file: 256 columns with their texts fit well within.
pub const SCHEMA_BYTES_MAX: u64 = 256 * 1024;
/// Most columns: the widest sheet of the ministries has 32.
pub const FIELDS_MAX: usize = 256;
/// Longest column name in bytes: PostgreSQL keeps 63.
pub const FIELD_NAME_BYTES_MAX: usize = 63;
/// Most values of one `enum`: a code list, not a register.
pub const ENUM_VALUES_MAX: usize = 10_000;
/// Longest regular expression in bytes.
pub const PATTERN_BYTES_MAX: usize = 1024;
/// Most regular expressions of one schema: each may take [`PATTERN_MEMORY_BYTES`] twice.
pub const PATTERNS_MAX: usize = 64;
/// Memory for one compiled expression, and again for its cache where it is not built whole.
pub const PATTERN_MEMORY_BYTES: usize = 256 * 1024;
/// Most keys (primary, unique, `unique` columns, foreign within the file): each sorts all rows.
pub const KEYS_MAX: usize = 16;
/// Most columns of one key.
pub const KEY_FIELDS_MAX: usize = 16;
/// Most rules across fields.
pub const RULES_MAX: usize = 64;
/// Most texts that mean "missing".
pub const MISSING_VALUES_MAX: usize = 32;
/// Longest row in bytes: it is held whole while it is checked.
pub const ROW_BYTES_MAX: usize = 1024 * 1024;
/// Most cells of one row that are told apart: more are a fault whatever the schema says, and would take memory.
pub const CELLS_MAX: usize = 4_096;
/// Most rows of one table: what 1 TiB could hold of short ones; row numbers stay far below 2^53.
pub const ROWS_MAX: u64 = 1 << 36;
/// Row numbers that a finding names: enough to look at, few enough to read.
pub const FIRST_ROWS_MAX: usize = 5;
/// Bytes read from the table at a time.
pub const READ_BYTES: usize = 256 * 1024;
/// Memory in which the hashes of all keys wait before they spill, half of it for their way out.
pub const SORT_MEMORY_BYTES: usize = 8 * 1024 * 1024;
/// Memory in which hashes that begin alike are compared, half of it for finding them.
pub const BUCKET_MEMORY_BYTES: usize = 4 * 1024 * 1024;
/// Most spilled runs of one level; so many become one of the next.
pub const RUNS_MAX: usize = 64;
/// Bytes of text in one hand-over of rows between threads: some hundred rows, so that waking a thread costs nothing beside them.
pub const BATCH_TEXT_BYTES_MAX: usize = 64 * 1024;
/// Most cells of one hand-over: those of numbers and dates have no text.
pub const BATCH_CELLS_MAX: usize = 8 * 1024;
/// Most rows of a stretch that is checked by itself: what their keys leave behind stays below 3 MiB.
pub const STRETCH_ROWS_MAX: u64 = 4_096;
/// Bytes of text in one block for a thread: a millisecond's work, so that handing it over costs little beside.
pub const BLOCK_BYTES: usize = 128 * 1024;
