-- Refresh tokens: a hash of the one that is good now and of the one before it, the client they are given to, when the last was given, and
-- until when it is good unless it is used. They stand in the session's row, so that they end with it.
ALTER TABLE sessions ADD COLUMN refresh_token TEXT;
ALTER TABLE sessions ADD COLUMN refresh_before TEXT;
ALTER TABLE sessions ADD COLUMN refresh_client TEXT;
ALTER TABLE sessions ADD COLUMN refresh_at BIGINT;
ALTER TABLE sessions ADD COLUMN refresh_until BIGINT;
