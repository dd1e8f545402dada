-- Identity providers, whom they speak of, and what of a sign-in may be used once.
CREATE TABLE identity_providers (
    alias TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    settings TEXT NOT NULL,
    sealed TEXT NOT NULL,
    mappers TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE TABLE identities (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id TEXT NOT NULL,
    alias TEXT NOT NULL,
    email TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX identities_user ON identities (user_id);
CREATE TABLE used_once (
    id TEXT NOT NULL PRIMARY KEY,
    until BIGINT NOT NULL
);
CREATE INDEX used_once_until ON used_once (until);
ALTER TABLE sessions ADD COLUMN provider TEXT;
ALTER TABLE sessions ADD COLUMN renewal TEXT;
ALTER TABLE sessions ADD COLUMN checked_at BIGINT;
CREATE INDEX sessions_checked ON sessions (checked_at);
