-- +goose Up
-- Times are milliseconds since 1970 in UTC, 0 where there is none. JSON is
-- text, empty where there is none.

CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Numbers are taken from here as the last thing before a commit.
CREATE TABLE counter (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counter (name, value) VALUES ('event', 0);

CREATE TABLE event (
    number   INTEGER PRIMARY KEY,
    id       TEXT NOT NULL,
    source   TEXT NOT NULL,
    type     TEXT NOT NULL,
    subject  TEXT NOT NULL,
    happened_at INTEGER NOT NULL,
    owner    TEXT NOT NULL,
    group_id TEXT NOT NULL,
    data     TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX event_id ON event (source, id);
CREATE INDEX event_group ON event (group_id, number) WHERE group_id <> '';

CREATE TABLE app (
    slug       TEXT PRIMARY KEY,
    latest     INTEGER NOT NULL,
    retired    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE app_version (
    app        TEXT NOT NULL,
    number     INTEGER NOT NULL,
    manifest   TEXT NOT NULL,
    bundle_sha TEXT NOT NULL,
    icon_type  TEXT NOT NULL,
    icon_sha   TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (app, number)
) STRICT;

CREATE TABLE instance (
    id         TEXT PRIMARY KEY,
    app        TEXT NOT NULL,
    version    INTEGER NOT NULL,
    owner      TEXT NOT NULL,
    host_name  TEXT NOT NULL UNIQUE, -- rows stay for ever, and so no name is given out twice
    status     TEXT NOT NULL,
    waiting    TEXT NOT NULL,
    upstream   TEXT NOT NULL,
    parameters TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ready_at   INTEGER NOT NULL,
    ends_at    INTEGER NOT NULL,
    ended_at   INTEGER NOT NULL,
    ended_by   TEXT NOT NULL,
    end_reason TEXT NOT NULL,
    reason     TEXT NOT NULL,
    receipt    TEXT NOT NULL,
    execution  TEXT NOT NULL,
    changed    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX instance_live ON instance (owner, app)
    WHERE status NOT IN ('destroyed', 'deploy_failed', 'destroy_failed');
CREATE INDEX instance_live_id ON instance (id)
    WHERE status NOT IN ('destroyed', 'deploy_failed', 'destroy_failed');
CREATE INDEX instance_owner ON instance (owner, app, id);
CREATE INDEX instance_app ON instance (app, id);
CREATE INDEX instance_status ON instance (status, id);
CREATE INDEX instance_ready ON instance (app, ready_at) WHERE ready_at > 0;

CREATE TABLE job (
    id           TEXT PRIMARY KEY,
    instance     TEXT NOT NULL,
    app          TEXT NOT NULL,
    version      INTEGER NOT NULL,
    owner        TEXT NOT NULL,
    kind         TEXT NOT NULL,
    status       TEXT NOT NULL,
    waiting      TEXT NOT NULL,
    token        TEXT NOT NULL,
    steps        TEXT NOT NULL,
    upstream     TEXT NOT NULL,
    error        TEXT NOT NULL,
    reason       TEXT NOT NULL,
    cancelled_by TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    started_at   INTEGER NOT NULL,
    ended_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX job_instance ON job (instance, id);
CREATE INDEX job_status ON job (status, id);

CREATE TABLE state_version (
    instance   TEXT NOT NULL,
    number     INTEGER NOT NULL,
    serial     INTEGER NOT NULL,
    lineage    TEXT NOT NULL,
    data       BLOB, -- NULL when the state was deleted
    created_at INTEGER NOT NULL,
    job        TEXT NOT NULL,
    PRIMARY KEY (instance, number)
) STRICT;

CREATE TABLE state_lock (
    instance   TEXT PRIMARY KEY,
    id         TEXT NOT NULL,
    job        TEXT NOT NULL,
    info       BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE state_machine (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    definition BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE execution (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    machine      TEXT NOT NULL,
    machine_name TEXT NOT NULL,
    status       TEXT NOT NULL,
    input        TEXT NOT NULL,
    output       TEXT NOT NULL,
    error        TEXT NOT NULL,
    cause        TEXT NOT NULL,
    state        BLOB, -- NULL when ended
    version      INTEGER NOT NULL,
    started_at   INTEGER NOT NULL,
    ended_at     INTEGER NOT NULL,
    UNIQUE (machine_name, name)
) STRICT;
CREATE INDEX execution_status ON execution (status, id);

CREATE TABLE history (
    execution TEXT NOT NULL,
    number    INTEGER NOT NULL,
    previous  INTEGER NOT NULL,
    type      TEXT NOT NULL,
    happened_at  INTEGER NOT NULL,
    details   TEXT NOT NULL,
    PRIMARY KEY (execution, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE task (
    execution   TEXT NOT NULL,
    kind        TEXT NOT NULL,
    frame       INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    state       TEXT NOT NULL,
    resource    TEXT NOT NULL,
    payload     TEXT NOT NULL,
    run_at      INTEGER NOT NULL,
    owner       TEXT NOT NULL,
    lease_until INTEGER NOT NULL,
    attempt     INTEGER NOT NULL,
    PRIMARY KEY (execution, kind, frame, number)
) STRICT;
CREATE INDEX task_due ON task (owner, run_at);
