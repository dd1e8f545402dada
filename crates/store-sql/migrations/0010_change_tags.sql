-- Which entry a number of the change log stands for: drawn at random, so that a database that was put back, or a standby that
-- took over and was behind, is told from the one that was read before, though it gives the same numbers.
ALTER TABLE directory_changes ADD COLUMN tag TEXT NOT NULL DEFAULT '';
-- Whether a decision may be another one after the entry.
ALTER TABLE directory_changes ADD COLUMN decides BOOLEAN NOT NULL DEFAULT TRUE;
