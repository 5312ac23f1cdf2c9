-- +goose Up
-- Named state machines, with versions and aliases. Their definitions are rows
-- of state_machine.
CREATE TABLE machine (
    name         TEXT PRIMARY KEY,
    type         TEXT NOT NULL,
    status       TEXT NOT NULL,
    definition   TEXT NOT NULL,
    settings     TEXT NOT NULL, -- role, logging, tracing: JSON
    revision     TEXT NOT NULL, -- empty until the first change
    last_version INTEGER NOT NULL,
    read_only    INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE machine_version (
    machine     TEXT NOT NULL,
    number      INTEGER NOT NULL,
    definition  TEXT NOT NULL,
    settings    TEXT NOT NULL,
    revision    TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (machine, number)
) STRICT;

CREATE TABLE machine_alias (
    machine     TEXT NOT NULL,
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    routes      TEXT NOT NULL, -- versions and weights: JSON
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    PRIMARY KEY (machine, name)
) STRICT;

CREATE TABLE tag (
    resource TEXT NOT NULL, -- ARN
    key      TEXT NOT NULL,
    value    TEXT NOT NULL,
    PRIMARY KEY (resource, key)
) STRICT;

CREATE TABLE activity (
    name       TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL
) STRICT;

-- What workers have not taken yet.
CREATE TABLE activity_task (
    execution TEXT NOT NULL,
    frame     INTEGER NOT NULL,
    attempt   INTEGER NOT NULL,
    id        TEXT NOT NULL, -- gives the order
    activity  TEXT NOT NULL,
    input     TEXT NOT NULL,
    PRIMARY KEY (execution, frame, attempt)
) STRICT;
CREATE INDEX activity_task_order ON activity_task (activity, id);

-- By which version and alias an execution was started; none: by the name.
CREATE TABLE execution_origin (
    execution TEXT PRIMARY KEY,
    machine   TEXT NOT NULL,
    version   INTEGER NOT NULL,
    alias     TEXT NOT NULL -- empty: by the version
) STRICT;
CREATE INDEX execution_origin_version ON execution_origin (machine, version, execution);
CREATE INDEX execution_origin_alias ON execution_origin (machine, alias, execution);

CREATE INDEX execution_machine ON execution (machine_name, id);
