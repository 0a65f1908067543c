-- +goose Up

-- What was said and done about payouts: findings, claims, lines given to orders by hand, deposits,
-- months that were closed. Acts are only ever added.
create table payout_acts (
    id      bigint generated always as identity primary key,
    account text collate "C" not null check (account <> ''),
    kind    text collate "C" not null check (kind <> ''),
    about   text collate "C" not null,
    at      timestamptz not null,
    actor   text not null default '',
    key     text collate "C" check (key <> ''), -- null: repeating is a further act
    body    bytea not null
);
create unique index payout_acts_once on payout_acts (key);
create index payout_acts_about on payout_acts (account, kind, about, id);

-- What is known is of orders, and of money that a channel holds back.
alter table payout_facts add column kind text collate "C" not null default 'order';
drop index payout_facts_by_order;
create index payout_facts_by_order on payout_facts (account, kind, order_ref, known_at, id);
