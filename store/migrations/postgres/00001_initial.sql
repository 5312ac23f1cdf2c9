-- +goose Up
-- Times are milliseconds since 1970 in UTC, 0 where there is none. JSON is
-- text, empty where there is none. Text sorts by its bytes, as on SQLite.

CREATE TABLE setting (
    name  TEXT COLLATE "C" PRIMARY KEY,
    value BYTEA NOT NULL
);

-- Numbers are taken from here as the last thing before a commit.
CREATE TABLE counter (
    name  TEXT COLLATE "C" PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counter (name, value) VALUES ('event', 0);

CREATE TABLE event (
    number   BIGINT PRIMARY KEY,
    id       TEXT COLLATE "C" NOT NULL,
    source   TEXT COLLATE "C" NOT NULL,
    type     TEXT COLLATE "C" NOT NULL,
    subject  TEXT COLLATE "C" NOT NULL,
    happened_at BIGINT NOT NULL,
    owner    TEXT COLLATE "C" NOT NULL,
    group_id TEXT COLLATE "C" NOT NULL,
    data     TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX event_id ON event (source, id);
CREATE INDEX event_group ON event (group_id, number) WHERE group_id <> '';

CREATE TABLE app (
    slug       TEXT COLLATE "C" PRIMARY KEY,
    latest     BIGINT NOT NULL,
    retired    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE app_version (
    app        TEXT COLLATE "C" NOT NULL,
    number     BIGINT NOT NULL,
    manifest   TEXT COLLATE "C" NOT NULL,
    bundle_sha TEXT COLLATE "C" NOT NULL,
    icon_type  TEXT COLLATE "C" NOT NULL,
    icon_sha   TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (app, number)
);

CREATE TABLE instance (
    id         TEXT COLLATE "C" PRIMARY KEY,
    app        TEXT COLLATE "C" NOT NULL,
    version    BIGINT NOT NULL,
    owner      TEXT COLLATE "C" NOT NULL,
    host_name  TEXT COLLATE "C" NOT NULL UNIQUE, -- rows stay for ever, and so no name is given out twice
    status     TEXT COLLATE "C" NOT NULL,
    waiting    TEXT COLLATE "C" NOT NULL,
    upstream   TEXT COLLATE "C" NOT NULL,
    parameters TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    ready_at   BIGINT NOT NULL,
    ends_at    BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL,
    ended_by   TEXT COLLATE "C" NOT NULL,
    end_reason TEXT COLLATE "C" NOT NULL,
    reason     TEXT COLLATE "C" NOT NULL,
    receipt    TEXT COLLATE "C" NOT NULL,
    execution  TEXT COLLATE "C" NOT NULL,
    changed    BIGINT NOT NULL
);
CREATE UNIQUE INDEX instance_live ON instance (owner, app)
    WHERE status NOT IN ('destroyed', 'deploy_failed', 'destroy_failed');
CREATE INDEX instance_live_id ON instance (id)
    WHERE status NOT IN ('destroyed', 'deploy_failed', 'destroy_failed');
CREATE INDEX instance_owner ON instance (owner, app, id);
CREATE INDEX instance_app ON instance (app, id);
CREATE INDEX instance_status ON instance (status, id);
CREATE INDEX instance_ready ON instance (app, ready_at) WHERE ready_at > 0;

CREATE TABLE job (
    id           TEXT COLLATE "C" PRIMARY KEY,
    instance     TEXT COLLATE "C" NOT NULL,
    app          TEXT COLLATE "C" NOT NULL,
    version      BIGINT NOT NULL,
    owner        TEXT COLLATE "C" NOT NULL,
    kind         TEXT COLLATE "C" NOT NULL,
    status       TEXT COLLATE "C" NOT NULL,
    waiting      TEXT COLLATE "C" NOT NULL,
    token        TEXT COLLATE "C" NOT NULL,
    steps        TEXT COLLATE "C" NOT NULL,
    upstream     TEXT COLLATE "C" NOT NULL,
    error        TEXT COLLATE "C" NOT NULL,
    reason       TEXT COLLATE "C" NOT NULL,
    cancelled_by TEXT COLLATE "C" NOT NULL,
    created_at   BIGINT NOT NULL,
    started_at   BIGINT NOT NULL,
    ended_at     BIGINT NOT NULL
);
CREATE INDEX job_instance ON job (instance, id);
CREATE INDEX job_status ON job (status, id);

CREATE TABLE state_version (
    instance   TEXT COLLATE "C" NOT NULL,
    number     BIGINT NOT NULL,
    serial     BIGINT NOT NULL,
    lineage    TEXT COLLATE "C" NOT NULL,
    data       BYTEA, -- NULL when the state was deleted
    created_at BIGINT NOT NULL,
    job        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (instance, number)
);

CREATE TABLE state_lock (
    instance   TEXT COLLATE "C" PRIMARY KEY,
    id         TEXT COLLATE "C" NOT NULL,
    job        TEXT COLLATE "C" NOT NULL,
    info       BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE state_machine (
    id         TEXT COLLATE "C" PRIMARY KEY,
    name       TEXT COLLATE "C" NOT NULL,
    definition BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE execution (
    id           TEXT COLLATE "C" PRIMARY KEY,
    name         TEXT COLLATE "C" NOT NULL,
    machine      TEXT COLLATE "C" NOT NULL,
    machine_name TEXT COLLATE "C" NOT NULL,
    status       TEXT COLLATE "C" NOT NULL,
    input        TEXT COLLATE "C" NOT NULL,
    output       TEXT COLLATE "C" NOT NULL,
    error        TEXT COLLATE "C" NOT NULL,
    cause        TEXT COLLATE "C" NOT NULL,
    state        BYTEA, -- NULL when ended
    version      BIGINT NOT NULL,
    started_at   BIGINT NOT NULL,
    ended_at     BIGINT NOT NULL,
    UNIQUE (machine_name, name)
);
CREATE INDEX execution_status ON execution (status, id);

CREATE TABLE history (
    execution TEXT COLLATE "C" NOT NULL,
    number    BIGINT NOT NULL,
    previous  BIGINT NOT NULL,
    type      TEXT COLLATE "C" NOT NULL,
    happened_at  BIGINT NOT NULL,
    details   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (execution, number)
);

CREATE TABLE task (
    execution   TEXT COLLATE "C" NOT NULL,
    kind        TEXT COLLATE "C" NOT NULL,
    frame       BIGINT NOT NULL,
    number      BIGINT NOT NULL,
    state       TEXT COLLATE "C" NOT NULL,
    resource    TEXT COLLATE "C" NOT NULL,
    payload     TEXT COLLATE "C" NOT NULL,
    run_at      BIGINT NOT NULL,
    owner       TEXT COLLATE "C" NOT NULL,
    lease_until BIGINT NOT NULL,
    attempt     BIGINT NOT NULL,
    PRIMARY KEY (execution, kind, frame, number)
);
CREATE INDEX task_due ON task (owner, run_at);
