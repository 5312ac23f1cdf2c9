-- +goose Up
ALTER TABLE instance ADD COLUMN keep_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE instance ADD COLUMN keep_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE instance ADD COLUMN kept_by TEXT NOT NULL DEFAULT '';

-- What a sweep has done, by the execution that did it.
CREATE TABLE sweep (
    execution   TEXT PRIMARY KEY,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER NOT NULL, -- 0: it goes on
    report      TEXT NOT NULL  -- JSON, without the results
) STRICT;
CREATE TABLE sweep_result (
    execution TEXT NOT NULL,
    instance  TEXT NOT NULL,
    outcome   TEXT NOT NULL,
    result    TEXT NOT NULL, -- JSON
    PRIMARY KEY (execution, instance)
) STRICT;
