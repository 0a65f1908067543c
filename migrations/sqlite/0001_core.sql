-- +goose Up

-- The same tables as for PostgreSQL. Instants are fixed-width text in UTC, which sorts as they do.

create table connections (
    id         text primary key check (id <> ''),
    platform   text not null,
    role       text not null check (role in ('sales_channel', 'store')),
    store      text not null default '',
    state      text not null check (state in ('active', 'paused', 'disconnected')),
    reason     text not null default '',
    changed_at text,
    since      text,
    settings   blob
);

create table secrets (
    name   text primary key check (name <> ''),
    sealed blob not null
);

create table cursors (
    connection  text not null,
    name        text not null,
    value       blob,
    watermark   text,
    ran_at      text,
    token       integer not null,
    lease_until text,
    primary key (connection, name)
);

-- A sender's delivery id is unique among what was believed. Refused deliveries keep the id they
-- claimed to have, but it takes nothing away from anybody.
create table deliveries (
    id          integer primary key autoincrement,
    connection  text not null,
    delivery_id text,
    event_id    text not null default '',
    topic       text not null default '',
    received_at text not null,
    verdict     text not null check (verdict in ('accepted', 'quarantined', 'rejected')),
    reason      text not null default '',
    header      text not null default '',
    body        blob not null,
    size        integer not null,
    repeats     integer not null default 0 check (repeats >= 0),
    replayed_at text
);
create unique index deliveries_once on deliveries (connection, delivery_id) where verdict <> 'rejected';
create index deliveries_rejected on deliveries (connection, id) where verdict = 'rejected';
create index deliveries_by_connection on deliveries (connection, id);
create index deliveries_by_time on deliveries (received_at);
create index deliveries_quarantined on deliveries (id) where verdict = 'quarantined';
create index deliveries_repeated on deliveries (repeats) where repeats > 0;

create table rejections (
    connection text primary key,
    total      integer not null
);

-- One row per thing kept in agreement; these rows are the work queue.
create table subjects (
    id              integer primary key autoincrement,
    kind            text not null check (kind <> ''),
    channel         text not null check (channel <> ''),
    ref             text not null check (ref <> ''),
    revision        integer not null default 0,
    token           integer not null default 0,
    next_at         text,
    lease_until     text,
    due_at          text,
    failures        integer not null default 0 check (failures >= 0),
    heard_market    text,
    heard_market_at text,
    heard_shop      text,
    heard_shop_at   text,
    looked_market   text,
    trouble_market  text not null default '',
    looked_shop     text,
    trouble_shop    text not null default '',
    shop_store      text,
    shop_id         text,
    first_seen      text not null,
    lifecycle       text not null default '',
    fulfillment     text not null default '',
    fulfilled_by    text not null default '',
    number          text not null default '',
    placed_at       text,
    ship_by         text,
    mirrored        boolean not null default false,
    expected        boolean not null default false,
    final           boolean not null default false,
    unique (kind, channel, ref),
    check ((shop_store is null) = (shop_id is null))
);
create unique index subjects_shop on subjects (shop_store, shop_id) where shop_id is not null;
create index subjects_dated on subjects (due_at, next_at) where due_at is not null and next_at is not null;
create index subjects_undated on subjects (next_at, channel, ref) where due_at is null and next_at is not null;
create index subjects_placed on subjects (channel, placed_at) where placed_at is not null;

create table snapshots (
    subject     integer not null references subjects (id),
    side        text not null check (side in ('market', 'shop')),
    version     text not null,
    observed_at text not null,
    body        blob not null,
    fault       text not null default '',
    primary key (subject, side)
);

-- Every intended outside write. The key is unique for ever: a thing can be meant only once.
create table effects (
    id           integer primary key autoincrement,
    subject      integer not null references subjects (id),
    key          text not null check (key <> ''),
    verb         text not null check (verb <> ''),
    side         text not null check (side in ('market', 'shop')),
    about        text not null default '',
    amount_minor integer,
    currency     text,
    due          text,
    body         blob,
    why          text not null default '',
    state        text not null check (state in ('sent', 'unknown', 'pending', 'retry', 'refused', 'done', 'proven')),
    attempts     integer not null check (attempts >= 1),
    intended_at  text not null,
    deadline     text not null,
    settled_at   text,
    retry_at     text,
    ref          text not null default '',
    class        text not null default '',
    reason       text not null default '',
    planned_on   text not null default '',
    check ((amount_minor is null) = (currency is null)),
    check (state = 'sent' or settled_at is not null)
);
create unique index effects_once on effects (key);
create index effects_by_subject on effects (subject, id);
create index effects_by_state on effects (state);
create index effects_by_due on effects (due) where due is not null;

create table holds (
    id         integer primary key autoincrement,
    subject    integer not null references subjects (id),
    kind       text not null check (kind <> ''),
    about      text not null default '',
    level      text not null check (level in ('blocks', 'warns')),
    reason     text not null default '',
    hint       text not null default '',
    since      text not null,
    cleared_at text
);
create unique index holds_open on holds (subject, kind, about) where cleared_at is null;

create table timeline (
    id      integer primary key autoincrement,
    subject integer not null references subjects (id),
    at      text not null,
    actor   text not null,
    kind    text not null,
    text    text not null
);
create index timeline_by_subject on timeline (subject, id);

-- Written to by the health check, and by nothing else.
create table pulse (
    id    integer primary key check (id = 1),
    beats integer not null
);
