-- +goose Up
-- What outlived its instance, from when it was found. A resource is there once.
CREATE TABLE leak (
    id       TEXT PRIMARY KEY,
    platform TEXT NOT NULL,
    kind     TEXT NOT NULL,
    resource TEXT NOT NULL, -- its ID on the platform
    gone_at  INTEGER NOT NULL, -- 0: it is there
    leak     TEXT NOT NULL -- JSON
) STRICT;
CREATE UNIQUE INDEX leak_open ON leak (platform, kind, resource) WHERE gone_at = 0;

-- The row that checks lock, so that two do not find the same at once.
INSERT INTO setting (name, value) VALUES ('leaks', x'');
