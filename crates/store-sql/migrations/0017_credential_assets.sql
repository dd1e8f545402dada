-- Credentials that the control plane keeps. `sealed` is what is secret in one, sealed for this row with the key of that number;
-- `shown` is what of it may be shown; `stamp` changes with the values and says nothing of them.
CREATE TABLE credential_assets (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    scope_type TEXT NOT NULL,
    scope_id TEXT NOT NULL,
    cluster_id TEXT,
    department_id BIGINT,
    project_id BIGINT,
    shown TEXT NOT NULL,
    key_id BIGINT NOT NULL,
    sealed TEXT NOT NULL,
    stamp TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    update_count BIGINT NOT NULL,
    UNIQUE (scope_type, scope_id, name)
);
CREATE INDEX credential_assets_cluster ON credential_assets (cluster_id);
CREATE INDEX credential_assets_department ON credential_assets (department_id);
CREATE INDEX credential_assets_project ON credential_assets (project_id);
CREATE INDEX credential_assets_key ON credential_assets (key_id);
