-- One text for SQLite and PostgreSQL: times are BIGINT milliseconds, UUIDs and JSON are TEXT, no dialect type.

-- Numbers are drawn here inside the writing transaction: a sequence's order is not the order of commits.
CREATE TABLE counters (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('department', 0), ('project', 0), ('access_rule', 0), ('audit', 0);

CREATE TABLE installation (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE clusters (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    domain TEXT,
    version TEXT,
    credential TEXT NOT NULL,
    settings TEXT,
    last_liveness BIGINT,
    applied_revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL
);

-- One row a cluster, raised by one in each writing transaction that touches it, locked in id order.
CREATE TABLE cluster_revisions (
    cluster_id TEXT NOT NULL PRIMARY KEY REFERENCES clusters (id),
    revision BIGINT NOT NULL
);

CREATE TABLE departments (
    id BIGINT NOT NULL PRIMARY KEY,
    cluster_id TEXT NOT NULL REFERENCES clusters (id),
    name TEXT NOT NULL,
    details TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    UNIQUE (cluster_id, name)
);

CREATE TABLE projects (
    id BIGINT NOT NULL PRIMARY KEY,
    cluster_id TEXT NOT NULL REFERENCES clusters (id),
    department_id BIGINT NOT NULL REFERENCES departments (id),
    name TEXT NOT NULL,
    namespace TEXT NOT NULL,
    namespace_requested BOOLEAN NOT NULL,
    details TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    UNIQUE (cluster_id, name)
);
CREATE UNIQUE INDEX projects_namespace ON projects (cluster_id, namespace);
CREATE INDEX projects_department ON projects (department_id);

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    password TEXT,
    posix TEXT,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    last_login BIGINT,
    not_before BIGINT
);

-- A uid stays its first owner's for ever: files may outlive her.
CREATE TABLE used_uids (
    uid BIGINT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL
);

CREATE TABLE service_accounts (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    secret TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    last_login BIGINT,
    not_before BIGINT
);

-- Of cluster, department and project those that the scope lies in are set, the scope's own included.
CREATE TABLE access_rules (
    id BIGINT NOT NULL PRIMARY KEY,
    subject_kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    role_id BIGINT NOT NULL,
    scope_type TEXT NOT NULL,
    scope_id TEXT NOT NULL,
    scope_name TEXT NOT NULL,
    cluster_id TEXT,
    department_id BIGINT,
    project_id BIGINT,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX access_rules_once ON access_rules (subject_kind, subject, role_id, scope_type, scope_id)
    WHERE deleted_at IS NULL;
CREATE INDEX access_rules_cluster ON access_rules (cluster_id);
CREATE INDEX access_rules_department ON access_rules (department_id);
CREATE INDEX access_rules_project ON access_rules (project_id);

CREATE TABLE workloads (
    id TEXT NOT NULL PRIMARY KEY,
    cluster_id TEXT NOT NULL REFERENCES clusters (id),
    project_id BIGINT NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    submitted_by TEXT NOT NULL,
    request TEXT NOT NULL,
    desired TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (project_id, name)
);

-- What a cluster is to have. A row without a body is a tombstone.
CREATE TABLE desired_objects (
    cluster_id TEXT NOT NULL REFERENCES clusters (id),
    kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    body TEXT,
    PRIMARY KEY (cluster_id, kind, object_id)
);
CREATE INDEX desired_objects_revision ON desired_objects (cluster_id, revision);

CREATE TABLE object_status (
    cluster_id TEXT NOT NULL REFERENCES clusters (id),
    kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    phase TEXT NOT NULL,
    message TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (cluster_id, kind, object_id)
);
CREATE INDEX object_status_object ON object_status (kind, object_id);

CREATE TABLE audit_events (
    sequence BIGINT NOT NULL PRIMARY KEY,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL,
    body TEXT NOT NULL
);
