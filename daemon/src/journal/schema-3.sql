-- Version 3: what was destroyed after the agreed days, and when.
ALTER TABLE inbound ADD COLUMN destroyed INTEGER;
ALTER TABLE outbound ADD COLUMN destroyed INTEGER;
UPDATE outbound SET destroyed = changed WHERE state = 'destroyed';

-- What came is found by what decides how long it is kept: whether it was refused, the agreement that it names, its flow.
CREATE INDEX inbound_kept
    ON inbound ((iif(refusal IS NULL, 'i', 'r') || ' ' || hex(ifnull(agreement, x'')) || ' ' || ifnull(flow, '')), received)
    WHERE destroyed IS NULL AND state IN ('acknowledged', 'delivered');
CREATE INDEX outbound_kept ON outbound (agreement, flow, changed)
    WHERE destroyed IS NULL AND digest IS NOT NULL AND state IN ('settled', 'returned');
