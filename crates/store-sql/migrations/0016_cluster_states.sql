-- A cluster's link secret, sealed with the master key, so that an installer can be shown it again; null where it cannot be. Since when
-- its operator has been connected, and since when each thing that is wrong has been, as JSON by what it is about.
ALTER TABLE clusters ADD COLUMN sealed_secret TEXT;
ALTER TABLE clusters ADD COLUMN connected_since BIGINT;
ALTER TABLE clusters ADD COLUMN wrong_since TEXT;
