//! Every bound of the formats, one constant each, with its reason. FORMAT.md §2 repeats them.
//! A reader refuses what exceeds them; a writer never produces it.

/// Bytes from the start of a bundle to the first byte of its payload: the writer puts the head last, at offset 0.
pub const BUNDLE_HEAD_BYTES: u64 = 16 * 1024;
/// Longest JSON document other than `contents.json` and agreements: it is held in memory while it is verified.
pub const DOCUMENT_BYTES_MAX: u64 = 64 * 1024;
/// Longest agreement text: a hundred flows with their legal basis fit well within.
pub const AGREEMENT_BYTES_MAX: u64 = 1024 * 1024;
/// Longest SSHSIG armour: an Ed25519 one has about 300 bytes.
pub const SIGNATURE_BYTES_MAX: u64 = 4 * 1024;
/// Longest `contents.json`: the entries at their longest paths.
pub const CONTENTS_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Most entries of one bundle (without `contents.json`): the opener keeps one line per entry in memory.
pub const ENTRIES_MAX: u64 = 65_536;
/// Longest entry path in bytes (UTF-8, NFC).
pub const ENTRY_PATH_BYTES_MAX: usize = 255;
/// Deepest entry path, in components.
pub const ENTRY_PATH_DEPTH_MAX: usize = 16;
/// Deepest nesting of a JSON document.
pub const JSON_DEPTH_MAX: usize = 16;
/// Largest magnitude of a JSON integer: what every reader can hold exactly (RFC 8259 §6, RFC 7493 §2.2).
pub const JSON_INTEGER_MAX: i64 = (1 << 53) - 1;
/// Largest age header: `age` itself parses it without bound.
pub const AGE_HEADER_BYTES_MAX: u64 = 64 * 1024;
/// Most recipients of one payload; one grease stanza may come on top.
pub const RECIPIENTS_MAX: usize = 16;
/// zstd window: 2^23 = 8 MiB.
pub const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// How far `created` may lie after `received` before a bundle is held: clocks of two ministries differ.
pub const CLOCK_SKEW_SECS: i64 = 300;
/// Most bundles in one destruction record: with the longest numbers they stay within [`DOCUMENT_BYTES_MAX`].
pub const DESTROYED_MAX: usize = 128;
/// How far beyond the first gap of a stream a sequence number is still accepted.
pub const SEQUENCE_AHEAD_MAX: u64 = 1_024;
/// Longest party id, flow name and other short names, in bytes.
pub const NAME_BYTES_MAX: usize = 64;
