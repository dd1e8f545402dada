-- The order in which lists of credentials and of secret assets are read, with what breaks ties.
CREATE INDEX credential_assets_name ON credential_assets (name, id);
CREATE INDEX secret_assets_name ON secret_assets (name, id);
