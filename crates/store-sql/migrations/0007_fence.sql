-- The audit log's chain is keyed from some event on; rows before it keep their plain hashes.
ALTER TABLE audit_events ADD COLUMN keyed BOOLEAN NOT NULL DEFAULT FALSE;
-- With which event a uid was given or, without an owner, made free again; when its owner lost it.
ALTER TABLE used_uids ADD COLUMN event BIGINT NOT NULL DEFAULT 0;
ALTER TABLE used_uids ADD COLUMN left_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX used_uids_event ON used_uids (event);
