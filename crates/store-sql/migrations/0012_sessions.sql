-- A sign-in begins a session, and a token is good as long as its session is. Numbers of sessions are no more: tokens of before
-- carry one and are over.
CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    method TEXT NOT NULL,
    group_names TEXT NOT NULL,
    posix TEXT,
    created_at BIGINT NOT NULL,
    refreshed_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX sessions_subject ON sessions (subject_kind, subject_id);
CREATE INDEX sessions_ends ON sessions (ends_at);
-- How often the database was found restored: numbers said it until now.
INSERT INTO counters (name, value)
    SELECT 'era', COALESCE(MAX(number), 0) / 4294967296
    FROM (SELECT session_number AS number FROM users
          UNION ALL SELECT session_number FROM service_accounts
          UNION ALL SELECT credential_number FROM clusters) numbers;
ALTER TABLE users DROP COLUMN session_number;
ALTER TABLE service_accounts DROP COLUMN session_number;
-- The groups that the last sign-in showed.
ALTER TABLE users ADD COLUMN group_names TEXT;

-- Signing keys, as many as there are: sealed for their id. The two of before keep theirs.
CREATE TABLE signing_keys (
    id TEXT NOT NULL PRIMARY KEY,
    sealed TEXT NOT NULL,
    key_use TEXT NOT NULL,
    published_at BIGINT NOT NULL,
    since BIGINT NOT NULL
);
INSERT INTO signing_keys (id, sealed, key_use, published_at, since)
    SELECT k.name, k.value, CASE k.name WHEN 'signing-key-current' THEN 'current' ELSE 'next' END,
           CAST(made.value AS BIGINT), CAST(made.value AS BIGINT)
    FROM installation k JOIN installation made ON made.name = 'account-created-at'
    WHERE k.name IN ('signing-key-current', 'signing-key-next');
DELETE FROM installation WHERE name IN ('signing-key-current', 'signing-key-next');
