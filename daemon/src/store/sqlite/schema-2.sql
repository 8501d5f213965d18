-- Version 2: rows of a bundle that were destroyed, and when; its totals go with them.
ALTER TABLE amanah_imports ADD COLUMN destroyed TEXT;
ALTER TABLE amanah_imports ADD COLUMN destroyed_records INTEGER;
