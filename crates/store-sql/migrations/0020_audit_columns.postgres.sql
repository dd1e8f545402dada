-- As the file for SQLite, with text compared byte by byte.
-- What the audit log is filtered, searched and sorted by, beside each event: text in lower case as the program makes it, `at` in
-- milliseconds, and the name that the event's cluster had. They are made of the event, which alone the chain covers. Absent until the
-- program has filled them in, which it does when it opens the database.
ALTER TABLE audit_events ADD COLUMN at BIGINT;
ALTER TABLE audit_events ADD COLUMN subject TEXT COLLATE "C";
ALTER TABLE audit_events ADD COLUMN subject_type TEXT COLLATE "C";
ALTER TABLE audit_events ADD COLUMN source_ip TEXT COLLATE "C";
ALTER TABLE audit_events ADD COLUMN action TEXT COLLATE "C";
ALTER TABLE audit_events ADD COLUMN http_method TEXT COLLATE "C";
ALTER TABLE audit_events ADD COLUMN result TEXT COLLATE "C";
ALTER TABLE audit_events ADD COLUMN url TEXT COLLATE "C";
ALTER TABLE audit_events ADD COLUMN entity_type TEXT COLLATE "C";
ALTER TABLE audit_events ADD COLUMN entity_name TEXT COLLATE "C";
ALTER TABLE audit_events ADD COLUMN entity_id TEXT COLLATE "C";
ALTER TABLE audit_events ADD COLUMN cluster_name TEXT COLLATE "C";
ALTER TABLE audit_events ADD COLUMN cluster_name_folded TEXT COLLATE "C";
CREATE INDEX audit_events_at ON audit_events (at, sequence);
CREATE INDEX audit_events_unfilled ON audit_events (sequence) WHERE at IS NULL;
