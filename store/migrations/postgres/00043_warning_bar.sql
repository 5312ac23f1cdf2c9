-- +goose Up
ALTER TABLE instance ADD COLUMN warning_bar BIGINT NOT NULL DEFAULT 0; -- 1: the app allows it in its pages
