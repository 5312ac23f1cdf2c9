-- +goose Up
-- What outlived its instance, from when it was found. A resource is there once.
CREATE TABLE leak (
    id       TEXT COLLATE "C" PRIMARY KEY,
    platform TEXT COLLATE "C" NOT NULL,
    kind     TEXT COLLATE "C" NOT NULL,
    resource TEXT COLLATE "C" NOT NULL, -- its ID on the platform
    gone_at  BIGINT NOT NULL, -- 0: it is there
    leak     TEXT COLLATE "C" NOT NULL -- JSON
);
CREATE UNIQUE INDEX leak_open ON leak (platform, kind, resource) WHERE gone_at = 0;

-- The row that checks lock, so that two do not find the same at once.
INSERT INTO setting (name, value) VALUES ('leaks', '');
