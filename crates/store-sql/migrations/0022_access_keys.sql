-- Access keys: secrets with which programs act as the person who made them. A session that one began names it, and the owner's own
-- session whose groups count.
CREATE TABLE access_keys (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    secret TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_login BIGINT,
    UNIQUE (user_id, name)
);
ALTER TABLE sessions ADD COLUMN access_key TEXT;
ALTER TABLE sessions ADD COLUMN behind TEXT;
