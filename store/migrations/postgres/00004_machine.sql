-- +goose Up
-- Named state machines, with versions and aliases. Their definitions are rows
-- of state_machine.
CREATE TABLE machine (
    name         TEXT COLLATE "C" PRIMARY KEY,
    type         TEXT COLLATE "C" NOT NULL,
    status       TEXT COLLATE "C" NOT NULL,
    definition   TEXT COLLATE "C" NOT NULL,
    settings     TEXT COLLATE "C" NOT NULL, -- role, logging, tracing: JSON
    revision     TEXT COLLATE "C" NOT NULL, -- empty until the first change
    last_version BIGINT NOT NULL,
    read_only    BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL
);

CREATE TABLE machine_version (
    machine     TEXT COLLATE "C" NOT NULL,
    number      BIGINT NOT NULL,
    definition  TEXT COLLATE "C" NOT NULL,
    settings    TEXT COLLATE "C" NOT NULL,
    revision    TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (machine, number)
);

CREATE TABLE machine_alias (
    machine     TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    routes      TEXT COLLATE "C" NOT NULL, -- versions and weights: JSON
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (machine, name)
);

CREATE TABLE tag (
    resource TEXT COLLATE "C" NOT NULL, -- ARN
    key      TEXT COLLATE "C" NOT NULL,
    value    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (resource, key)
);

CREATE TABLE activity (
    name       TEXT COLLATE "C" PRIMARY KEY,
    created_at BIGINT NOT NULL
);

-- What workers have not taken yet.
CREATE TABLE activity_task (
    execution TEXT COLLATE "C" NOT NULL,
    frame     BIGINT NOT NULL,
    attempt   BIGINT NOT NULL,
    id        TEXT COLLATE "C" NOT NULL, -- gives the order
    activity  TEXT COLLATE "C" NOT NULL,
    input     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (execution, frame, attempt)
);
CREATE INDEX activity_task_order ON activity_task (activity, id);

-- By which version and alias an execution was started; none: by the name.
CREATE TABLE execution_origin (
    execution TEXT COLLATE "C" PRIMARY KEY,
    machine   TEXT COLLATE "C" NOT NULL,
    version   BIGINT NOT NULL,
    alias     TEXT COLLATE "C" NOT NULL -- empty: by the version
);
CREATE INDEX execution_origin_version ON execution_origin (machine, version, execution);
CREATE INDEX execution_origin_alias ON execution_origin (machine, alias, execution);

CREATE INDEX execution_machine ON execution (machine_name, id);
