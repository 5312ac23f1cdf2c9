-- +goose Up
-- A person's own jobs, newest first.
CREATE INDEX job_owner ON job (owner, id);
