-- +goose Up
-- Of a redrive of those that died not before a time.
ALTER TABLE redrive ADD COLUMN since BIGINT NOT NULL DEFAULT 0;
