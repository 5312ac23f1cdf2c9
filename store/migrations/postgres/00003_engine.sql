-- +goose Up
-- A row of history holds the events of one commit: numbers number to last.
CREATE TABLE history_row (
    execution TEXT COLLATE "C" NOT NULL,
    number    BIGINT NOT NULL,
    last      BIGINT NOT NULL,
    events    TEXT NOT NULL, -- JSON: [[previous, type, happened at, details], …]
    PRIMARY KEY (execution, number)
);
INSERT INTO history_row (execution, number, last, events)
    SELECT execution, number, number, '[[' || previous || ',' || to_json(type)::text || ',' || happened_at || ',' ||
        CASE details WHEN '' THEN 'null' ELSE details END || ']]' FROM history;
DROP TABLE history;
ALTER TABLE history_row RENAME TO history;
ALTER INDEX history_row_pkey RENAME TO history_pkey;

-- The parts of the States that are too large to be written as a whole.
CREATE TABLE execution_part (
    execution TEXT COLLATE "C" NOT NULL,
    name      TEXT COLLATE "C" NOT NULL,
    data      TEXT NOT NULL,
    PRIMARY KEY (execution, name)
);

-- Room in each page, so that a step's new version of a row needs no new entry in an index.
ALTER TABLE execution SET (fillfactor = 60);
ALTER TABLE task SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);
