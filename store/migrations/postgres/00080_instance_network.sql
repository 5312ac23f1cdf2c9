-- +goose Up
-- The network that was made ahead and given to an instance; no two have the same one.
ALTER TABLE instance ADD COLUMN network TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX instance_network ON instance (network) WHERE network <> '';
