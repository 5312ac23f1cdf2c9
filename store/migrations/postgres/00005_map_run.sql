-- +goose Up
-- Children of map runs are executions, known by this column.
ALTER TABLE execution ADD COLUMN map_run TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE execution ADD COLUMN graph BIGINT NOT NULL DEFAULT 0;
CREATE INDEX execution_map_run ON execution (map_run, id) WHERE map_run > '';
-- Lists leave them out.
CREATE INDEX execution_own ON execution (id) WHERE map_run = '';
CREATE INDEX execution_own_status ON execution (status, id) WHERE map_run = '';
CREATE INDEX execution_own_machine ON execution (machine_name, id) WHERE map_run = '';

CREATE TABLE map_run (
    id        TEXT COLLATE "C" PRIMARY KEY,
    execution TEXT COLLATE "C" NOT NULL,
    document  TEXT COLLATE "C" NOT NULL -- settings and counts: JSON
);
CREATE INDEX map_run_execution ON map_run (execution, id);

-- What a map run is to do. It never changes and may be large.
CREATE TABLE map_order (
    map_run  TEXT COLLATE "C" PRIMARY KEY,
    document TEXT COLLATE "C" NOT NULL
);

-- Children of map runs: those that are executions of their own, and what became
-- of those that ran in memory.
CREATE TABLE map_child (
    map_run    TEXT COLLATE "C" NOT NULL,
    number     BIGINT NOT NULL,
    items      BIGINT NOT NULL,
    execution  TEXT COLLATE "C" NOT NULL, -- empty: it ran in memory
    status     TEXT COLLATE "C" NOT NULL,
    counted    BIGINT NOT NULL,
    input      TEXT COLLATE "C" NOT NULL,
    output     TEXT COLLATE "C" NOT NULL,
    error      TEXT COLLATE "C" NOT NULL,
    cause      TEXT COLLATE "C" NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL,
    PRIMARY KEY (map_run, number)
);
CREATE INDEX map_child_execution ON map_child (execution) WHERE execution > '';
CREATE INDEX map_child_open ON map_child (map_run, status) WHERE counted = 0;
