CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE ledger (idx INTEGER PRIMARY KEY, line BLOB NOT NULL, leaf BLOB NOT NULL) STRICT;

-- Outgoing bundles; `age` is the order in which they were claimed.
CREATE TABLE outbound (
    age INTEGER PRIMARY KEY, bundle TEXT NOT NULL UNIQUE, peer TEXT NOT NULL, flow TEXT NOT NULL,
    lane INTEGER NOT NULL, state TEXT NOT NULL, seen_millis INTEGER NOT NULL,
    agreement_id TEXT, agreement_version INTEGER, agreement BLOB, epoch INTEGER, sequence INTEGER,
    manifest BLOB, digest BLOB UNIQUE, signature TEXT, payload_bytes INTEGER NOT NULL DEFAULT 0,
    receipt_digest BLOB, receipt BLOB, refusal TEXT, return_reason TEXT, held TEXT,
    changed INTEGER NOT NULL, changed_millis INTEGER NOT NULL
) STRICT;
CREATE INDEX outbound_state ON outbound (state, age);
CREATE INDEX outbound_waiting ON outbound (peer, state, lane, age) WHERE state IN ('queued', 'handed-over');
CREATE INDEX outbound_settled ON outbound (changed) WHERE state = 'settled';
CREATE INDEX outbound_active ON outbound (age) WHERE state NOT IN ('settled', 'returned', 'put-back', 'destroyed');

CREATE TABLE items (
    bundle TEXT NOT NULL REFERENCES outbound (bundle), position INTEGER NOT NULL, name BLOB NOT NULL,
    claim_name TEXT NOT NULL, is_folder INTEGER NOT NULL, inode INTEGER NOT NULL, bytes INTEGER NOT NULL,
    ctime_nanos BLOB NOT NULL, resting_place TEXT, PRIMARY KEY (bundle, position)
) STRICT, WITHOUT ROWID;

-- The next number of each stream that goes out, and the manifest before it.
CREATE TABLE streams_out (
    peer TEXT NOT NULL, agreement_id TEXT NOT NULL, flow TEXT NOT NULL, epoch INTEGER NOT NULL,
    next INTEGER NOT NULL, previous BLOB, PRIMARY KEY (peer, agreement_id, flow, epoch)
) STRICT, WITHOUT ROWID;

-- Incoming bundles; `holds_place`: its place in the stream is taken by it.
CREATE TABLE inbound (
    age INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, peer TEXT NOT NULL, state TEXT NOT NULL, bundle TEXT,
    agreement_id TEXT, agreement BLOB, flow TEXT, epoch INTEGER, sequence INTEGER, holds_place INTEGER NOT NULL,
    received INTEGER NOT NULL, manifest BLOB NOT NULL, signature BLOB NOT NULL, payload_bytes INTEGER NOT NULL,
    held TEXT, refusal TEXT, receipt BLOB, receipt_signature TEXT, was_delivered INTEGER NOT NULL DEFAULT 0,
    changed INTEGER NOT NULL, changed_millis INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX inbound_place ON inbound (peer, agreement_id, flow, epoch, sequence) WHERE holds_place = 1;
CREATE UNIQUE INDEX inbound_bundle ON inbound (peer, bundle) WHERE holds_place = 1;
CREATE INDEX inbound_state ON inbound (state, age);
CREATE INDEX inbound_waiting ON inbound (peer, age) WHERE state = 'acknowledged';
CREATE INDEX inbound_active ON inbound (age) WHERE state <> 'delivered';

-- The highest number of each incoming stream up to which none is missing; it never falls.
CREATE TABLE streams_in (
    peer TEXT NOT NULL, agreement_id TEXT NOT NULL, flow TEXT NOT NULL, epoch INTEGER NOT NULL,
    contiguous INTEGER NOT NULL, PRIMARY KEY (peer, agreement_id, flow, epoch)
) STRICT, WITHOUT ROWID;

-- Slips that wait for their peer, and the last number of each kind per peer and way.
CREATE TABLE slips (age INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, peer TEXT NOT NULL, container BLOB NOT NULL)
    STRICT;
CREATE INDEX slips_peer ON slips (peer, age);
CREATE TABLE slip_numbers (
    way TEXT NOT NULL, peer TEXT NOT NULL, kind TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (way, peer, kind)
) STRICT, WITHOUT ROWID;
