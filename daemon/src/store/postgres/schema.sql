-- The store's own tables. Those of the flows are made from their schemas.
CREATE TABLE amanah_store (
    one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL, store_id TEXT NOT NULL, party TEXT NOT NULL,
    imports BIGINT NOT NULL, made TIMESTAMPTZ NOT NULL DEFAULT now()
);
-- One row for each bundle, in the transaction of its rows.
CREATE TABLE amanah_imports (
    import BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, manifest TEXT NOT NULL UNIQUE, bundle TEXT NOT NULL,
    peer TEXT NOT NULL, flow TEXT NOT NULL, epoch BIGINT NOT NULL, sequence BIGINT NOT NULL, agreement TEXT NOT NULL,
    agreement_id TEXT NOT NULL, agreement_version BIGINT NOT NULL, schema TEXT NOT NULL, mode TEXT NOT NULL,
    table_name TEXT NOT NULL, entries BIGINT NOT NULL, records BIGINT NOT NULL, totals JSONB NOT NULL,
    received TIMESTAMPTZ NOT NULL, imported TIMESTAMPTZ NOT NULL, destroyed TIMESTAMPTZ, destroyed_records BIGINT
);
-- Which table a flow of a peer lands in, and by which columns rows are named.
CREATE TABLE amanah_tables (
    name TEXT PRIMARY KEY, peer TEXT NOT NULL, flow TEXT NOT NULL, agreement_id TEXT NOT NULL,
    agreement_version BIGINT NOT NULL, row_key TEXT NOT NULL, made_by BIGINT NOT NULL, UNIQUE (peer, flow)
);
-- What each column of them was agreed to be.
CREATE TABLE amanah_columns (
    table_name TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, PRIMARY KEY (table_name, name)
);
