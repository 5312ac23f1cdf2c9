-- +goose Up
ALTER TABLE instance ADD COLUMN purpose TEXT COLLATE "C" NOT NULL DEFAULT '';    -- empty: somebody deployed it
ALTER TABLE instance ADD COLUMN purpose_id TEXT COLLATE "C" NOT NULL DEFAULT ''; -- of the booking
ALTER TABLE instance ADD COLUMN opens_at BIGINT NOT NULL DEFAULT 0;    -- 0: as soon as it runs

CREATE TABLE booking (
    id         TEXT COLLATE "C" PRIMARY KEY,
    app        TEXT COLLATE "C" NOT NULL,
    version    BIGINT NOT NULL,
    owner      TEXT COLLATE "C" NOT NULL,
    title      TEXT COLLATE "C" NOT NULL,
    guest      TEXT COLLATE "C" NOT NULL, -- for whom it is
    from_at    BIGINT NOT NULL,
    to_at      BIGINT NOT NULL,
    deploy_at  BIGINT NOT NULL,
    retry_at   BIGINT NOT NULL, -- 0: no deploy has failed
    attempts   BIGINT NOT NULL, -- deploys that have failed
    overlap    TEXT COLLATE "C" NOT NULL,
    parameters TEXT COLLATE "C" NOT NULL, -- JSON
    status     TEXT COLLATE "C" NOT NULL,
    instance   TEXT COLLATE "C" NOT NULL,
    reason     TEXT COLLATE "C" NOT NULL,
    execution  TEXT COLLATE "C" NOT NULL,
    sequence   BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL, -- 0: it has not ended
    ended_by   TEXT COLLATE "C" NOT NULL,
    changed    BIGINT NOT NULL
);
CREATE INDEX booking_owner ON booking (owner, id);
CREATE INDEX booking_live ON booking (owner, app, from_at) WHERE ended_at = 0;
