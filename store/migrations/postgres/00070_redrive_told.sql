-- +goose Up
-- A redrive is kept until its end has been told: who began it, whether it has
-- taken all its letters, and how far it was when that was told last.
ALTER TABLE redrive ADD COLUMN begun_by TEXT NOT NULL DEFAULT '';
ALTER TABLE redrive ADD COLUMN taken BIGINT NOT NULL DEFAULT 0;
ALTER TABLE redrive ADD COLUMN told BIGINT NOT NULL DEFAULT -1;
