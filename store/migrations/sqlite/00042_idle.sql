-- +goose Up
-- ends_at is when an instance's own time is up.
ALTER TABLE instance ADD COLUMN idle_limit INTEGER NOT NULL DEFAULT 0; -- milliseconds; 0: none
ALTER TABLE instance ADD COLUMN active_at INTEGER NOT NULL DEFAULT 0;  -- the last use of its app
ALTER TABLE instance ADD COLUMN active_kind TEXT NOT NULL DEFAULT '';
