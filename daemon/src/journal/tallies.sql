-- Counts by peer, flow and state, and what finds the oldest of a flow: all of it follows from the bundles' rows. Made with a
-- new journal; counted anew where an older one lacks it.
CREATE TABLE tallies (
    way TEXT NOT NULL, peer TEXT NOT NULL, flow TEXT NOT NULL, state TEXT NOT NULL, is_refused INTEGER NOT NULL,
    rows INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (way, peer, flow, state, is_refused)
) STRICT, WITHOUT ROWID;
INSERT INTO tallies SELECT 'outbound', peer, flow, state, refusal IS NOT NULL, COUNT(*), SUM(payload_bytes)
    FROM outbound GROUP BY peer, flow, state, refusal IS NOT NULL;
INSERT INTO tallies SELECT 'inbound', peer, COALESCE(flow, ''), state, refusal IS NOT NULL, COUNT(*), SUM(payload_bytes)
    FROM inbound GROUP BY peer, COALESCE(flow, ''), state, refusal IS NOT NULL;

CREATE INDEX outbound_oldest ON outbound (peer, flow, age)
    WHERE state NOT IN ('settled', 'returned', 'put-back', 'destroyed');
CREATE INDEX inbound_oldest ON inbound (peer, flow, age) WHERE state <> 'delivered';

CREATE TRIGGER outbound_came AFTER INSERT ON outbound BEGIN
    INSERT INTO tallies VALUES ('outbound', NEW.peer, NEW.flow, NEW.state, NEW.refusal IS NOT NULL, 1, NEW.payload_bytes)
        ON CONFLICT DO UPDATE SET rows = rows + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER outbound_moved AFTER UPDATE OF state, refusal, payload_bytes ON outbound BEGIN
    UPDATE tallies SET rows = rows - 1, bytes = bytes - OLD.payload_bytes WHERE way = 'outbound'
        AND peer = OLD.peer AND flow = OLD.flow AND state = OLD.state AND is_refused = (OLD.refusal IS NOT NULL);
    INSERT INTO tallies VALUES ('outbound', NEW.peer, NEW.flow, NEW.state, NEW.refusal IS NOT NULL, 1, NEW.payload_bytes)
        ON CONFLICT DO UPDATE SET rows = rows + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER inbound_came AFTER INSERT ON inbound BEGIN
    INSERT INTO tallies VALUES ('inbound', NEW.peer, COALESCE(NEW.flow, ''), NEW.state, NEW.refusal IS NOT NULL, 1,
        NEW.payload_bytes) ON CONFLICT DO UPDATE SET rows = rows + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER inbound_moved AFTER UPDATE OF state, flow, refusal, payload_bytes ON inbound BEGIN
    UPDATE tallies SET rows = rows - 1, bytes = bytes - OLD.payload_bytes WHERE way = 'inbound' AND peer = OLD.peer
        AND flow = COALESCE(OLD.flow, '') AND state = OLD.state AND is_refused = (OLD.refusal IS NOT NULL);
    INSERT INTO tallies VALUES ('inbound', NEW.peer, COALESCE(NEW.flow, ''), NEW.state, NEW.refusal IS NOT NULL, 1,
        NEW.payload_bytes) ON CONFLICT DO UPDATE SET rows = rows + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER inbound_gone AFTER DELETE ON inbound BEGIN
    UPDATE tallies SET rows = rows - 1, bytes = bytes - OLD.payload_bytes WHERE way = 'inbound' AND peer = OLD.peer
        AND flow = COALESCE(OLD.flow, '') AND state = OLD.state AND is_refused = (OLD.refusal IS NOT NULL);
END;
