-- Credentials as sources of data: which credential, and where workloads find it. A credential that goes leaves its assets behind, and
-- they say so.
CREATE TABLE secret_assets (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT,
    scope_type TEXT NOT NULL,
    scope_id TEXT NOT NULL,
    cluster_id TEXT,
    department_id BIGINT,
    project_id BIGINT,
    credential_id TEXT NOT NULL,
    mount_path TEXT,
    default_mode TEXT,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    update_count BIGINT NOT NULL,
    UNIQUE (scope_type, scope_id, name)
);
CREATE INDEX secret_assets_cluster ON secret_assets (cluster_id);
CREATE INDEX secret_assets_department ON secret_assets (department_id);
CREATE INDEX secret_assets_project ON secret_assets (project_id);
