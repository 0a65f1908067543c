-- +goose Up

-- The same as for PostgreSQL.

-- What is told to the operator's own systems. An id is made of contents.
create table events (
    id          integer primary key autoincrement,
    event_id    text not null check (event_id <> ''),
    type        text not null check (type <> ''),
    happened_at text not null,
    account     text not null default '',
    subject     text not null default '',
    data        blob not null
);
create unique index events_once on events (event_id);
create index events_by_time on events (happened_at, id);

-- One row for each endpoint an event goes to.
create table event_deliveries (
    event       integer not null references events (id),
    endpoint    text not null check (endpoint <> ''),
    state       text not null check (state in ('waiting', 'delivered', 'given_up')),
    attempts    integer not null default 0 check (attempts >= 0),
    next_at     text,
    lease_until text,
    token       integer not null default 0,
    tried_at    text,
    status      integer not null default 0,
    reason      text not null default '',
    primary key (event, endpoint),
    check ((next_at is not null) = (state = 'waiting')),
    check (lease_until is null or state = 'waiting')
) without rowid;
create index event_deliveries_due on event_deliveries (endpoint, next_at, event) where state = 'waiting';
create index event_deliveries_given_up on event_deliveries (endpoint, event) where state = 'given_up';
