-- +goose Up
CREATE TABLE schedule (
    name          TEXT PRIMARY KEY,
    cron          TEXT NOT NULL,
    zone          TEXT NOT NULL,
    state_machine TEXT NOT NULL, -- its name
    input         TEXT NOT NULL,
    grace         INTEGER NOT NULL, -- milliseconds
    paused        INTEGER NOT NULL,
    owner         TEXT NOT NULL,
    built_in      INTEGER NOT NULL,
    next_at       INTEGER NOT NULL,
    next_local    TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    updated_by    TEXT NOT NULL
) STRICT;

-- Each time of a schedule once: by the date and time on its zone's clock.
CREATE TABLE schedule_firing (
    schedule  TEXT NOT NULL,
    local     TEXT NOT NULL,
    due_at    INTEGER NOT NULL,
    fired_at  INTEGER NOT NULL,
    outcome   TEXT NOT NULL,
    execution TEXT NOT NULL,
    reason    TEXT NOT NULL,
    fired_by  TEXT NOT NULL, -- empty: the clock
    skipped   INTEGER NOT NULL,
    PRIMARY KEY (schedule, local)
) STRICT;
CREATE INDEX schedule_firing_age ON schedule_firing (schedule, fired_at);
