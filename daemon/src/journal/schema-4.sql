-- Version 4: legal holds, and destruction in steps that a crash can interrupt.

-- What an operator keeps from being destroyed: a flow with a peer, or one bundle of it (`digest`).
CREATE TABLE holds (
    number INTEGER PRIMARY KEY, peer TEXT NOT NULL, flow TEXT NOT NULL, digest BLOB, reason TEXT NOT NULL, asked_by INTEGER NOT NULL,
    since INTEGER NOT NULL, ended INTEGER, ended_by INTEGER
) STRICT;
CREATE INDEX holds_standing ON holds (peer, flow) WHERE ended IS NULL;

-- Bundles whose destruction has begun, with what was there then; `done` and its record when all of it is gone; `act` the
-- destruction record that says so. Rows stay.
CREATE TABLE destructions (
    side TEXT NOT NULL, digest BLOB NOT NULL, bundle TEXT, peer TEXT NOT NULL, flow TEXT, agreement BLOB, days INTEGER NOT NULL,
    since INTEGER NOT NULL, begun INTEGER NOT NULL, epoch INTEGER, sequence INTEGER, sealed INTEGER NOT NULL, files INTEGER NOT NULL,
    records INTEGER, done INTEGER, record INTEGER, act INTEGER, PRIMARY KEY (side, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX destructions_begun ON destructions (begun) WHERE done IS NULL;
CREATE INDEX destructions_done ON destructions (record) WHERE done IS NOT NULL AND act IS NULL AND agreement IS NOT NULL;

-- Destruction records: the container as long as its file is not written.
CREATE TABLE acts (number INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, peer TEXT NOT NULL, container BLOB) STRICT;
