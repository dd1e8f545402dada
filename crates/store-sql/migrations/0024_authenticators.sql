-- Authenticators of local users: what makes one-time codes is sealed, the last step whose code was used is remembered, and so are wrong
-- codes. Recovery codes are kept as hashes, each until it is used.
CREATE TABLE authenticators (
    user_id TEXT NOT NULL PRIMARY KEY,
    sealed TEXT NOT NULL,
    confirmed BOOLEAN NOT NULL,
    last_step BIGINT NOT NULL,
    wrong BIGINT NOT NULL,
    wrong_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE recovery_codes (
    user_id TEXT NOT NULL,
    code TEXT NOT NULL,
    PRIMARY KEY (user_id, code)
);
