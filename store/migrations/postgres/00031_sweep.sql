-- +goose Up
ALTER TABLE instance ADD COLUMN keep_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE instance ADD COLUMN keep_reason TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE instance ADD COLUMN kept_by TEXT COLLATE "C" NOT NULL DEFAULT '';

-- What a sweep has done, by the execution that did it.
CREATE TABLE sweep (
    execution   TEXT COLLATE "C" PRIMARY KEY,
    started_at  BIGINT NOT NULL,
    finished_at BIGINT NOT NULL, -- 0: it goes on
    report      TEXT COLLATE "C" NOT NULL  -- JSON, without the results
);
CREATE TABLE sweep_result (
    execution TEXT COLLATE "C" NOT NULL,
    instance  TEXT COLLATE "C" NOT NULL,
    outcome   TEXT COLLATE "C" NOT NULL,
    result    TEXT COLLATE "C" NOT NULL, -- JSON
    PRIMARY KEY (execution, instance)
);
