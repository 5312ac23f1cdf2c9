-- +goose Up
ALTER TABLE instance ADD COLUMN price BIGINT NOT NULL DEFAULT 0;       -- millionths of money an hour
ALTER TABLE instance ADD COLUMN watts BIGINT NOT NULL DEFAULT 0;       -- thousandths
ALTER TABLE instance ADD COLUMN saved_by TEXT NOT NULL DEFAULT '';      -- what ended it before it would have ended otherwise
ALTER TABLE instance ADD COLUMN saved_until BIGINT NOT NULL DEFAULT 0; -- when that would have been
CREATE INDEX instance_ran ON instance (ready_at);
