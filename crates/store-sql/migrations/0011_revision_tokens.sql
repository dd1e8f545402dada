-- Which of all possible states the last revisions of a cluster are of: the token of a revision is made of the one before and of
-- what changed. An operator resumes with both. What is here when this is applied gets its first token at the next start.
CREATE TABLE revision_tokens (
    cluster_id TEXT NOT NULL REFERENCES clusters (id),
    revision BIGINT NOT NULL,
    token TEXT NOT NULL,
    PRIMARY KEY (cluster_id, revision)
);

-- Tombstones up to this revision are gone: nobody resumes from before it.
ALTER TABLE cluster_revisions ADD COLUMN forgotten BIGINT NOT NULL DEFAULT 0;
UPDATE cluster_revisions SET forgotten = COALESCE(
    (SELECT b.revision FROM history_beginnings b JOIN counters n ON n.name = 'history'
     WHERE b.cluster_id = cluster_revisions.cluster_id AND b.history = n.value - 99), 0);

-- Runs of a server, which counted instead.
DROP TABLE history_beginnings;
DROP TABLE histories;
DELETE FROM counters WHERE name = 'history';
