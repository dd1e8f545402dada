-- What a project's pods may do, as far as it was decided here; null until it was.
ALTER TABLE projects ADD COLUMN pod_rules TEXT;
