-- Which events of the audit log sum up failed attempts, and until when: these alone are pruned.
CREATE TABLE audit_attempts (
    sequence BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL
);
CREATE INDEX audit_attempts_at ON audit_attempts (at);

-- Which events say what was pruned. Where they stand; what they say is in the chain itself.
CREATE TABLE audit_prunings (
    sequence BIGINT NOT NULL PRIMARY KEY
);
