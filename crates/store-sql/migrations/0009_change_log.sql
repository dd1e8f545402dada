-- What changed in the directory that decisions are made from, numbered in the order of commits: every process brings its memory
-- up to date by it, the one that wrote it included. Only the last ones are kept; who is further behind reads the directory anew.
CREATE TABLE directory_changes (
    number BIGINT NOT NULL PRIMARY KEY,
    body TEXT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('directory', 0);

-- Clusters that were deleted while their secret was suspended: their operators are told, too.
UPDATE deleted_clusters SET credential = substr(credential, 11) WHERE credential LIKE 'suspended:%';
