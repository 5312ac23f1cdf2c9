-- +goose Up
ALTER TABLE instance ADD COLUMN purpose TEXT NOT NULL DEFAULT '';    -- empty: somebody deployed it
ALTER TABLE instance ADD COLUMN purpose_id TEXT NOT NULL DEFAULT ''; -- of the booking
ALTER TABLE instance ADD COLUMN opens_at INTEGER NOT NULL DEFAULT 0;    -- 0: as soon as it runs

CREATE TABLE booking (
    id         TEXT PRIMARY KEY,
    app        TEXT NOT NULL,
    version    INTEGER NOT NULL,
    owner      TEXT NOT NULL,
    title      TEXT NOT NULL,
    guest      TEXT NOT NULL, -- for whom it is
    from_at    INTEGER NOT NULL,
    to_at      INTEGER NOT NULL,
    deploy_at  INTEGER NOT NULL,
    retry_at   INTEGER NOT NULL, -- 0: no deploy has failed
    attempts   INTEGER NOT NULL, -- deploys that have failed
    overlap    TEXT NOT NULL,
    parameters TEXT NOT NULL, -- JSON
    status     TEXT NOT NULL,
    instance   TEXT NOT NULL,
    reason     TEXT NOT NULL,
    execution  TEXT NOT NULL,
    sequence   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    ended_at   INTEGER NOT NULL, -- 0: it has not ended
    ended_by   TEXT NOT NULL,
    changed    INTEGER NOT NULL
) STRICT;
CREATE INDEX booking_owner ON booking (owner, id);
CREATE INDEX booking_live ON booking (owner, app, from_at) WHERE ended_at = 0;
