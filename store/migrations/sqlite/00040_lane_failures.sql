-- +goose Up
-- How many attempts in a row had failed when it was last noted.
ALTER TABLE lane ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
