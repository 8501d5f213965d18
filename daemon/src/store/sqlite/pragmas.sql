-- Deleted rows are overwritten. What does not fit into 24 MiB of cache goes to the log before the commit, where nobody sees it:
-- memory does not grow with the table. Nothing is sorted in another folder: an index is in memory, up to a bound (SORTED_BYTES_MAX).
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = OFF;
PRAGMA trusted_schema = OFF;
PRAGMA cell_size_check = ON;
PRAGMA temp_store = MEMORY;
PRAGMA secure_delete = ON;
PRAGMA cache_size = -24576;
PRAGMA journal_size_limit = 16777216;
