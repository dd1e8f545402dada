-- What was, as far as it must not be taken up again by somebody else.

-- An e-mail rests until the last token that named it is worth nothing in any cluster.
CREATE TABLE former_emails (
    email TEXT NOT NULL PRIMARY KEY,
    deleted_at BIGINT NOT NULL
);

-- A namespace outlives its project, with everything in it. The department of its last project is remembered.
CREATE TABLE former_namespaces (
    cluster_id TEXT NOT NULL REFERENCES clusters (id),
    namespace TEXT NOT NULL,
    department_id BIGINT NOT NULL,
    PRIMARY KEY (cluster_id, namespace)
);
