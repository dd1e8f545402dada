-- Wrong passwords of a local user since when, in the quarter of an hour that began then.
ALTER TABLE users ADD COLUMN wrong_passwords BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN wrong_since BIGINT NOT NULL DEFAULT 0;
