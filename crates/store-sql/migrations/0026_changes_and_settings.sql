-- When a department was last changed, and by whom; null until it was. And the settings of signing in that were ever set, as JSON.
ALTER TABLE departments ADD COLUMN updated_at BIGINT;
ALTER TABLE departments ADD COLUMN updated_by TEXT;
CREATE TABLE security_settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
