-- +goose Up

-- What is told to the operator's own systems. An id is made of contents.
create table events (
    id          bigint generated always as identity primary key,
    event_id    text collate "C" not null check (event_id <> ''),
    type        text collate "C" not null check (type <> ''),
    happened_at timestamptz not null,
    account     text collate "C" not null default '',
    subject     text not null default '',
    data        bytea not null
);
create unique index events_once on events (event_id);
create index events_by_time on events (happened_at, id);

-- One row for each endpoint an event goes to.
create table event_deliveries (
    event       bigint not null references events (id),
    endpoint    text collate "C" not null check (endpoint <> ''),
    state       text not null check (state in ('waiting', 'delivered', 'given_up')),
    attempts    bigint not null default 0 check (attempts >= 0),
    next_at     timestamptz,
    lease_until timestamptz,
    token       bigint not null default 0,
    tried_at    timestamptz,
    status      bigint not null default 0,
    reason      text not null default '',
    primary key (event, endpoint),
    check ((next_at is not null) = (state = 'waiting')),
    check (lease_until is null or state = 'waiting')
);
create index event_deliveries_due on event_deliveries (endpoint, next_at, event) where state = 'waiting';
create index event_deliveries_given_up on event_deliveries (endpoint, event) where state = 'given_up';
