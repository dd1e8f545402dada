-- What was asked for, apart from what lists read: a list touches no page of it. The cluster's copy is in desired_objects.
-- (As the file for SQLite, without moving rows: no version before this one ran on PostgreSQL.)
CREATE TABLE workload_requests (
    workload_id TEXT NOT NULL PRIMARY KEY REFERENCES workloads (id) ON DELETE CASCADE,
    request TEXT NOT NULL
);
ALTER TABLE workloads ADD COLUMN image TEXT NOT NULL DEFAULT '';
ALTER TABLE workloads DROP COLUMN request;
ALTER TABLE workloads DROP COLUMN desired;

-- Where people reach the API server: what is served, and what the operator says that differs from it and waits for an
-- administrator's word. What was reported before counts as pinned.
ALTER TABLE clusters ADD COLUMN kubernetes_endpoint TEXT;
ALTER TABLE clusters ADD COLUMN reported_endpoint TEXT;
-- How often the link secret was replaced: a token of the link is good as long as it carries this number.
ALTER TABLE clusters ADD COLUMN credential_number BIGINT NOT NULL DEFAULT 0;
