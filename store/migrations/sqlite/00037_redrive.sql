-- +goose Up
-- Redrives of all dead letters that are under way: who dies in the middle goes
-- on with them.
CREATE TABLE redrive (
    id         TEXT PRIMARY KEY,
    target     TEXT NOT NULL, -- empty: all
    event_type TEXT NOT NULL, -- empty: all
    up_to      INTEGER NOT NULL, -- number of the last event that takes part
    begun_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
