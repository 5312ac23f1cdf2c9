-- +goose Up
ALTER TABLE execution ADD COLUMN owner TEXT NOT NULL DEFAULT ''; -- who started it
ALTER TABLE execution ADD COLUMN redrive_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE execution ADD COLUMN redriven_at INTEGER NOT NULL DEFAULT 0;

-- Where executions ended that did not succeed, for a redrive.
CREATE TABLE ended_state (
    execution TEXT PRIMARY KEY,
    state     BLOB NOT NULL,
    ended_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX ended_state_age ON ended_state (ended_at);

-- Which task of which execution has started an execution.
CREATE TABLE nested (
    child   TEXT PRIMARY KEY,
    parent  TEXT NOT NULL,
    frame   INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    suffix  TEXT NOT NULL,
    depth   INTEGER NOT NULL
) STRICT;
CREATE INDEX nested_parent ON nested (parent, frame, attempt);
