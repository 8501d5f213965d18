-- Version 2: what is missing in a stream, what was asked for again, what is stopped.

-- `highest`: the highest place that a bundle took; `told`: how far its sender says that we took bundles over.
ALTER TABLE streams_in ADD COLUMN highest INTEGER NOT NULL DEFAULT 0;
ALTER TABLE streams_in ADD COLUMN highest_digest BLOB;
ALTER TABLE streams_in ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
INSERT INTO streams_in (peer, agreement_id, flow, epoch, contiguous)
    SELECT DISTINCT peer, agreement_id, flow, epoch, 0 FROM inbound WHERE holds_place = 1 ON CONFLICT DO NOTHING;
UPDATE streams_in SET (highest, highest_digest) = (
    SELECT sequence, digest FROM inbound WHERE inbound.peer = streams_in.peer
        AND inbound.agreement_id = streams_in.agreement_id AND inbound.flow = streams_in.flow
        AND inbound.epoch = streams_in.epoch AND inbound.holds_place = 1 ORDER BY sequence DESC LIMIT 1)
    WHERE EXISTS (SELECT 1 FROM inbound WHERE inbound.peer = streams_in.peer
        AND inbound.agreement_id = streams_in.agreement_id AND inbound.flow = streams_in.flow
        AND inbound.epoch = streams_in.epoch AND inbound.holds_place = 1);

-- Places that count as consumed without a bundle that holds them: `digest` is the bundle of it where one is known.
CREATE TABLE closed_in (
    peer TEXT NOT NULL, agreement_id TEXT NOT NULL, flow TEXT NOT NULL, epoch INTEGER NOT NULL,
    sequence INTEGER NOT NULL, digest BLOB, PRIMARY KEY (peer, agreement_id, flow, epoch, sequence)
) STRICT, WITHOUT ROWID;

-- Which slip: a later one of the same subject takes the place of one that still waits.
ALTER TABLE slips ADD COLUMN about TEXT NOT NULL DEFAULT '';

-- Bundles of ours that their recipient asked for again: what is still to be given, and when it was asked.
CREATE TABLE again (
    digest BLOB PRIMARY KEY, peer TEXT NOT NULL, receipt_due INTEGER NOT NULL, bundle_due INTEGER NOT NULL,
    asked INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX again_due ON again (peer, digest) WHERE receipt_due = 1 OR bundle_due = 1;
CREATE INDEX outbound_place ON outbound (peer, agreement_id, flow, epoch, sequence) WHERE sequence IS NOT NULL;

-- For the last bundle of a flow, either way.
CREATE INDEX outbound_flow ON outbound (peer, flow, age);
CREATE INDEX inbound_flow ON inbound (peer, flow, age);

-- Streams of ours in which nothing is sealed: their recipient has seen this place, and we have not.
CREATE TABLE stopped (
    peer TEXT NOT NULL, flow TEXT NOT NULL, agreement_id TEXT NOT NULL, epoch INTEGER NOT NULL,
    sequence INTEGER NOT NULL, manifest BLOB NOT NULL, since INTEGER NOT NULL, PRIMARY KEY (peer, flow)
) STRICT, WITHOUT ROWID;
