-- +goose Up
CREATE TABLE rule (
    name         TEXT PRIMARY KEY,
    condition    TEXT NOT NULL,
    targets      TEXT NOT NULL,
    paused       INTEGER NOT NULL,
    after_number INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    updated_by   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE target (
    name       TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    settings   TEXT NOT NULL,
    secret     TEXT NOT NULL, -- sealed
    attempts   INTEGER NOT NULL,
    backoff    INTEGER NOT NULL, -- milliseconds
    timeout    INTEGER NOT NULL, -- milliseconds
    rate       REAL NOT NULL,
    ordered    INTEGER NOT NULL,
    paused     INTEGER NOT NULL,
    disabled   TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Which process delivers to a target, and how the last attempts went.
CREATE TABLE lane (
    target         TEXT PRIMARY KEY,
    owner          TEXT NOT NULL,
    lease_until    INTEGER NOT NULL,
    last_ok_at     INTEGER NOT NULL DEFAULT 0,
    last_failed_at INTEGER NOT NULL DEFAULT 0,
    last_error     TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE TABLE delivery (
    target     TEXT NOT NULL,
    number     INTEGER NOT NULL,
    rule       TEXT NOT NULL,
    subject    TEXT NOT NULL,
    event_type TEXT NOT NULL,
    status     TEXT NOT NULL,
    attempt    INTEGER NOT NULL,
    since      INTEGER NOT NULL,
    next_at    INTEGER NOT NULL,
    ended_at   INTEGER NOT NULL,
    reason     TEXT NOT NULL,
    redrive    TEXT NOT NULL,
    PRIMARY KEY (target, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_due ON delivery (target, next_at, number) WHERE status = 'waiting';
CREATE INDEX delivery_subject ON delivery (target, subject, number) WHERE status = 'waiting';
CREATE INDEX delivery_dead ON delivery (number, target) WHERE status = 'dead';
CREATE INDEX delivery_open ON delivery (number) WHERE status IN ('waiting', 'dead');
CREATE INDEX delivery_event ON delivery (number, target);
CREATE INDEX delivery_redrive ON delivery (redrive, status) WHERE redrive <> '';

CREATE TABLE delivery_attempt (
    target  TEXT NOT NULL,
    number  INTEGER NOT NULL,
    redrive TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    made_at INTEGER NOT NULL,
    took    INTEGER NOT NULL, -- milliseconds
    code    INTEGER NOT NULL,
    answer  TEXT NOT NULL,
    error   TEXT NOT NULL,
    PRIMARY KEY (number, target, redrive, attempt)
) STRICT, WITHOUT ROWID;

-- The number of the last event that the rules were applied to.
INSERT INTO counter (name, value) SELECT 'matched', value FROM counter WHERE name = 'event';
