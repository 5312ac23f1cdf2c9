-- +goose Up
-- Of a redrive of those that died not before a time.
ALTER TABLE redrive ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
