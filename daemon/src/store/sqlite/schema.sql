-- The store's own tables. Those of the flows are made from their schemas.
CREATE TABLE amanah_store (
    one INTEGER PRIMARY KEY CHECK (one = 1), store_id TEXT NOT NULL, party TEXT NOT NULL, imports INTEGER NOT NULL,
    made TEXT NOT NULL, opened TEXT NOT NULL
) STRICT;
-- One row for each bundle, in the transaction of its rows.
CREATE TABLE amanah_imports (
    import INTEGER PRIMARY KEY, manifest TEXT NOT NULL UNIQUE, bundle TEXT NOT NULL, peer TEXT NOT NULL, flow TEXT NOT NULL,
    epoch INTEGER NOT NULL, sequence INTEGER NOT NULL, agreement TEXT NOT NULL, agreement_id TEXT NOT NULL,
    agreement_version INTEGER NOT NULL, schema TEXT NOT NULL, mode TEXT NOT NULL, table_name TEXT NOT NULL,
    entries INTEGER NOT NULL, records INTEGER NOT NULL, totals TEXT NOT NULL, received TEXT NOT NULL, imported TEXT NOT NULL
) STRICT;
-- Which table a flow of a peer lands in, and by which columns rows are named.
CREATE TABLE amanah_tables (
    name TEXT NOT NULL UNIQUE COLLATE NOCASE, peer TEXT NOT NULL, flow TEXT NOT NULL, agreement_id TEXT NOT NULL,
    agreement_version INTEGER NOT NULL, row_key TEXT NOT NULL, made_by INTEGER NOT NULL, PRIMARY KEY (peer, flow)
) STRICT, WITHOUT ROWID;
-- What each column of them was agreed to be.
CREATE TABLE amanah_columns (
    table_name TEXT NOT NULL COLLATE NOCASE, name TEXT NOT NULL COLLATE NOCASE, kind TEXT NOT NULL,
    PRIMARY KEY (table_name, name)
) STRICT, WITHOUT ROWID;
