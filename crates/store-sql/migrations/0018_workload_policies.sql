-- Workload policies: one for each scope and kind of workload.
CREATE TABLE workload_policies (
    id TEXT NOT NULL PRIMARY KEY,
    scope_type TEXT NOT NULL,
    scope_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    policy TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    UNIQUE (scope_type, scope_id, kind)
);
-- What they come to in a project; null where there are none.
ALTER TABLE projects ADD COLUMN workload_limits TEXT;
