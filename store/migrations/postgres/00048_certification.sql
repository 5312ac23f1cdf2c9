-- +goose Up
ALTER TABLE app ADD COLUMN newest BIGINT NOT NULL DEFAULT 0; -- number of the newest version; latest is the one that people have
UPDATE app SET newest = latest;
ALTER TABLE app_version ADD COLUMN certification TEXT COLLATE "C" NOT NULL DEFAULT ''; -- JSON; empty: added before there was one
