-- +goose Up
-- Of those that did not succeed: no redrive can have it go on.
ALTER TABLE map_child ADD COLUMN final BIGINT NOT NULL DEFAULT 0;
-- Those that ended and were not counted yet are found without going through all that run.
DROP INDEX map_child_open;
CREATE INDEX map_child_running ON map_child (map_run) WHERE counted = 0 AND status = 'RUNNING';
CREATE INDEX map_child_ended ON map_child (map_run) WHERE counted = 0 AND status <> 'RUNNING';
