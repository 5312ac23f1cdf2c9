-- +goose Up
-- Redrives of all dead letters that are under way: who dies in the middle goes
-- on with them.
CREATE TABLE redrive (
    id         TEXT COLLATE "C" PRIMARY KEY,
    target     TEXT COLLATE "C" NOT NULL, -- empty: all
    event_type TEXT COLLATE "C" NOT NULL, -- empty: all
    up_to      BIGINT NOT NULL, -- number of the last event that takes part
    begun_at   BIGINT NOT NULL
);
