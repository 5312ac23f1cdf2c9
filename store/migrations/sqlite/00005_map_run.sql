-- +goose Up
-- Children of map runs are executions, known by this column.
ALTER TABLE execution ADD COLUMN map_run TEXT NOT NULL DEFAULT '';
ALTER TABLE execution ADD COLUMN graph INTEGER NOT NULL DEFAULT 0;
CREATE INDEX execution_map_run ON execution (map_run, id) WHERE map_run > '';
-- Lists leave them out.
CREATE INDEX execution_own ON execution (id) WHERE map_run = '';
CREATE INDEX execution_own_status ON execution (status, id) WHERE map_run = '';
CREATE INDEX execution_own_machine ON execution (machine_name, id) WHERE map_run = '';

CREATE TABLE map_run (
    id        TEXT PRIMARY KEY,
    execution TEXT NOT NULL,
    document  TEXT NOT NULL -- settings and counts: JSON
) STRICT;
CREATE INDEX map_run_execution ON map_run (execution, id);

-- What a map run is to do. It never changes and may be large.
CREATE TABLE map_order (
    map_run  TEXT PRIMARY KEY,
    document TEXT NOT NULL
) STRICT;

-- Children of map runs: those that are executions of their own, and what became
-- of those that ran in memory.
CREATE TABLE map_child (
    map_run    TEXT NOT NULL,
    number     INTEGER NOT NULL,
    items      INTEGER NOT NULL,
    execution  TEXT NOT NULL, -- empty: it ran in memory
    status     TEXT NOT NULL,
    counted    INTEGER NOT NULL,
    input      TEXT NOT NULL,
    output     TEXT NOT NULL,
    error      TEXT NOT NULL,
    cause      TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER NOT NULL,
    PRIMARY KEY (map_run, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX map_child_execution ON map_child (execution) WHERE execution > '';
CREATE INDEX map_child_open ON map_child (map_run, status) WHERE counted = 0;
