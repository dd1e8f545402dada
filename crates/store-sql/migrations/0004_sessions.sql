-- Sessions end by a number that is raised, not by moments: clocks go wrong. Tokens from before carry none and are over.
ALTER TABLE users ADD COLUMN session_number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users DROP COLUMN not_before;
ALTER TABLE service_accounts ADD COLUMN session_number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE service_accounts DROP COLUMN not_before;
