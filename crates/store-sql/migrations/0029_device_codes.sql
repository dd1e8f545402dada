-- Devices that wait for a person to sign them in (RFC 8628): keyed hashes of both codes, who asks, and what became of it. And how often
-- wrong codes were typed, by whom and from where, since when.
CREATE TABLE device_codes (
    device_code TEXT NOT NULL PRIMARY KEY,
    user_code TEXT NOT NULL UNIQUE,
    client TEXT NOT NULL,
    address TEXT,
    network TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    polled_at BIGINT NOT NULL,
    pause BIGINT NOT NULL,
    early BOOLEAN NOT NULL,
    state TEXT NOT NULL,
    session_id TEXT
);
CREATE TABLE user_code_guesses (
    who TEXT NOT NULL PRIMARY KEY,
    wrong BIGINT NOT NULL,
    since BIGINT NOT NULL
);
