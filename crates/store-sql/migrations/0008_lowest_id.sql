-- The lowest uid and gid that people may have in a cluster.
ALTER TABLE clusters ADD COLUMN lowest_id BIGINT NOT NULL DEFAULT 1000;
-- Nobody's numbers: they were refused by nobody before, and are from now on.
DELETE FROM used_uids WHERE uid IN (65534, 65535);
