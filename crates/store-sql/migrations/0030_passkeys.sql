-- Passkeys of local users: public keys, what their authenticators counted last, and whether they came with a restored backup. Recovery codes
-- are those of an authenticator, or of the first passkey of whoever has none.
CREATE TABLE passkeys (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    credential TEXT NOT NULL,
    public_key TEXT NOT NULL,
    counter BIGINT NOT NULL,
    backup_eligible BOOLEAN NOT NULL,
    backed_up BOOLEAN NOT NULL,
    suspended BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    last_used BIGINT
);
CREATE UNIQUE INDEX passkeys_by_credential ON passkeys (credential);
CREATE UNIQUE INDEX passkeys_by_user ON passkeys (user_id, name);
