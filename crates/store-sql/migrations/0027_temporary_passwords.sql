-- Whether a local user's password is one that an administrator made: with it she can only choose another.
ALTER TABLE users ADD COLUMN temporary_password BOOLEAN NOT NULL DEFAULT FALSE;
