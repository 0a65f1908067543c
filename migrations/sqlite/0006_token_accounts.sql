-- +goose Up

-- The same as for PostgreSQL.

-- The channels whose payouts a token sees, as a JSON list; null: all.
alter table tokens add column accounts text not null default 'null';
