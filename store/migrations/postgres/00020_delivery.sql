-- +goose Up
CREATE TABLE rule (
    name         TEXT COLLATE "C" PRIMARY KEY,
    condition    TEXT COLLATE "C" NOT NULL,
    targets      TEXT COLLATE "C" NOT NULL,
    paused       BIGINT NOT NULL,
    after_number BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    updated_by   TEXT COLLATE "C" NOT NULL
);

CREATE TABLE target (
    name       TEXT COLLATE "C" PRIMARY KEY,
    kind       TEXT COLLATE "C" NOT NULL,
    settings   TEXT COLLATE "C" NOT NULL,
    secret     TEXT COLLATE "C" NOT NULL, -- sealed
    attempts   BIGINT NOT NULL,
    backoff    BIGINT NOT NULL, -- milliseconds
    timeout    BIGINT NOT NULL, -- milliseconds
    rate       DOUBLE PRECISION NOT NULL,
    ordered    BIGINT NOT NULL,
    paused     BIGINT NOT NULL,
    disabled   TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT COLLATE "C" NOT NULL
);

-- Which process delivers to a target, and how the last attempts went.
CREATE TABLE lane (
    target         TEXT COLLATE "C" PRIMARY KEY,
    owner          TEXT COLLATE "C" NOT NULL,
    lease_until    BIGINT NOT NULL,
    last_ok_at     BIGINT NOT NULL DEFAULT 0,
    last_failed_at BIGINT NOT NULL DEFAULT 0,
    last_error     TEXT COLLATE "C" NOT NULL DEFAULT ''
);

CREATE TABLE delivery (
    target     TEXT COLLATE "C" NOT NULL,
    number     BIGINT NOT NULL,
    rule       TEXT COLLATE "C" NOT NULL,
    subject    TEXT COLLATE "C" NOT NULL,
    event_type TEXT COLLATE "C" NOT NULL,
    status     TEXT COLLATE "C" NOT NULL,
    attempt    BIGINT NOT NULL,
    since      BIGINT NOT NULL,
    next_at    BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL,
    reason     TEXT COLLATE "C" NOT NULL,
    redrive    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (target, number)
);
CREATE INDEX delivery_due ON delivery (target, next_at, number) WHERE status = 'waiting';
CREATE INDEX delivery_subject ON delivery (target, subject, number) WHERE status = 'waiting';
CREATE INDEX delivery_dead ON delivery (number, target) WHERE status = 'dead';
CREATE INDEX delivery_open ON delivery (number) WHERE status IN ('waiting', 'dead');
CREATE INDEX delivery_event ON delivery (number, target);
CREATE INDEX delivery_redrive ON delivery (redrive, status) WHERE redrive <> '';

CREATE TABLE delivery_attempt (
    target  TEXT COLLATE "C" NOT NULL,
    number  BIGINT NOT NULL,
    redrive TEXT COLLATE "C" NOT NULL,
    attempt BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    took    BIGINT NOT NULL, -- milliseconds
    code    BIGINT NOT NULL,
    answer  TEXT COLLATE "C" NOT NULL,
    error   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (number, target, redrive, attempt)
);

-- The number of the last event that the rules were applied to.
INSERT INTO counter (name, value) SELECT 'matched', value FROM counter WHERE name = 'event';
