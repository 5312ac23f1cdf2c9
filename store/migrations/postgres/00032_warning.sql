-- +goose Up
ALTER TABLE instance ADD COLUMN warned_of BIGINT NOT NULL DEFAULT 0;     -- the end that its owner was warned of
ALTER TABLE instance ADD COLUMN warned_before BIGINT NOT NULL DEFAULT 0; -- how long before it, in milliseconds

-- Locked by deploys that count what there is.
INSERT INTO setting (name, value) VALUES ('deploys', '');
