-- +goose Up

-- The same as for PostgreSQL.

-- What was said and done about payouts: findings, claims, lines given to orders by hand, deposits,
-- months that were closed. Acts are only ever added.
create table payout_acts (
    id      integer primary key autoincrement,
    account text not null check (account <> ''),
    kind    text not null check (kind <> ''),
    about   text not null,
    at      text not null,
    actor   text not null default '',
    key     text check (key <> ''), -- null: repeating is a further act
    body    blob not null
);
create unique index payout_acts_once on payout_acts (key);
create index payout_acts_about on payout_acts (account, kind, about, id);

-- What is known is of orders, and of money that a channel holds back.
alter table payout_facts add column kind text not null default 'order';
drop index payout_facts_by_order;
create index payout_facts_by_order on payout_facts (account, kind, order_ref, known_at, id);
