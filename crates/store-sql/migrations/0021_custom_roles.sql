-- Roles that were made here. One that was deleted stays, for the names of the access rules that gave it once.
CREATE TABLE custom_roles (
    id BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_folded TEXT NOT NULL,
    description TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    permission_sets TEXT NOT NULL,
    in_clusters_as BIGINT,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX custom_roles_name ON custom_roles (name_folded) WHERE deleted_at IS NULL;
INSERT INTO counters (name, value) VALUES ('custom_role', 1000);
