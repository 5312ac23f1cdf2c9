-- +goose Up
-- Attributes of an event from elsewhere that have no column, as a JSON object.
ALTER TABLE event ADD COLUMN extensions TEXT NOT NULL DEFAULT '';
