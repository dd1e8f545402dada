-- Which run of a server wrote which revisions, in the order in which they began.
CREATE TABLE histories (
    number BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    started_at BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('history', 0);

-- With which revision of each cluster that was there a history began.
CREATE TABLE history_beginnings (
    history BIGINT NOT NULL REFERENCES histories (number),
    cluster_id TEXT NOT NULL REFERENCES clusters (id),
    revision BIGINT NOT NULL,
    PRIMARY KEY (cluster_id, history)
);

-- What is left of a deleted cluster: enough to tell its operator, and nobody else, that it was deleted.
CREATE TABLE deleted_clusters (
    id TEXT NOT NULL PRIMARY KEY,
    credential TEXT NOT NULL,
    deleted_at BIGINT NOT NULL
);
