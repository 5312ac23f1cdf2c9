-- +goose Up
-- A row of history holds the events of one commit: numbers number to last.
CREATE TABLE history_row (
    execution TEXT NOT NULL,
    number    INTEGER NOT NULL,
    last      INTEGER NOT NULL,
    events    TEXT NOT NULL, -- JSON: [[previous, type, happened at, details], …]
    PRIMARY KEY (execution, number)
) STRICT, WITHOUT ROWID;
INSERT INTO history_row (execution, number, last, events)
    SELECT execution, number, number, '[[' || previous || ',' || json_quote(type) || ',' || happened_at || ',' ||
        CASE details WHEN '' THEN 'null' ELSE details END || ']]' FROM history;
DROP TABLE history;
ALTER TABLE history_row RENAME TO history;

-- The parts of the States that are too large to be written as a whole.
CREATE TABLE execution_part (
    execution TEXT NOT NULL,
    name      TEXT NOT NULL,
    data      TEXT NOT NULL,
    PRIMARY KEY (execution, name)
) STRICT;
