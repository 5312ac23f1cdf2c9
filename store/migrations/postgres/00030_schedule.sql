-- +goose Up
CREATE TABLE schedule (
    name          TEXT COLLATE "C" PRIMARY KEY,
    cron          TEXT COLLATE "C" NOT NULL,
    zone          TEXT COLLATE "C" NOT NULL,
    state_machine TEXT COLLATE "C" NOT NULL, -- its name
    input         TEXT COLLATE "C" NOT NULL,
    grace         BIGINT NOT NULL, -- milliseconds
    paused        BIGINT NOT NULL,
    owner         TEXT COLLATE "C" NOT NULL,
    built_in      BIGINT NOT NULL,
    next_at       BIGINT NOT NULL,
    next_local    TEXT COLLATE "C" NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    updated_by    TEXT COLLATE "C" NOT NULL
);

-- Each time of a schedule once: by the date and time on its zone's clock.
CREATE TABLE schedule_firing (
    schedule  TEXT COLLATE "C" NOT NULL,
    local     TEXT COLLATE "C" NOT NULL,
    due_at    BIGINT NOT NULL,
    fired_at  BIGINT NOT NULL,
    outcome   TEXT COLLATE "C" NOT NULL,
    execution TEXT COLLATE "C" NOT NULL,
    reason    TEXT COLLATE "C" NOT NULL,
    fired_by  TEXT COLLATE "C" NOT NULL, -- empty: the clock
    skipped   BIGINT NOT NULL,
    PRIMARY KEY (schedule, local)
);
CREATE INDEX schedule_firing_age ON schedule_firing (schedule, fired_at);
