-- +goose Up
ALTER TABLE execution ADD COLUMN owner TEXT COLLATE "C" NOT NULL DEFAULT ''; -- who started it
ALTER TABLE execution ADD COLUMN redrive_count BIGINT NOT NULL DEFAULT 0;
ALTER TABLE execution ADD COLUMN redriven_at BIGINT NOT NULL DEFAULT 0;

-- Where executions ended that did not succeed, for a redrive.
CREATE TABLE ended_state (
    execution TEXT COLLATE "C" PRIMARY KEY,
    state     BYTEA NOT NULL,
    ended_at  BIGINT NOT NULL
);
CREATE INDEX ended_state_age ON ended_state (ended_at);

-- Which task of which execution has started an execution.
CREATE TABLE nested (
    child   TEXT COLLATE "C" PRIMARY KEY,
    parent  TEXT COLLATE "C" NOT NULL,
    frame   BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    suffix  TEXT COLLATE "C" NOT NULL,
    depth   BIGINT NOT NULL
);
CREATE INDEX nested_parent ON nested (parent, frame, attempt);
