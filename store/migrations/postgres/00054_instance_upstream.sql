-- +goose Up
-- Who else answers at an address that the platform gave away is asked at each publish.
CREATE INDEX instance_upstream ON instance (upstream) WHERE upstream <> '';
