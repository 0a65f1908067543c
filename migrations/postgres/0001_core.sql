-- +goose Up

-- Keys are compared byte by byte (collate "C") so that both engines sort them alike.

create table connections (
    id         text collate "C" primary key check (id <> ''),
    platform   text not null,
    role       text not null check (role in ('sales_channel', 'store')),
    store      text collate "C" not null default '',
    state      text not null check (state in ('active', 'paused', 'disconnected')),
    reason     text not null default '',
    changed_at timestamptz,
    since      timestamptz,
    settings   bytea
);

create table secrets (
    name   text collate "C" primary key check (name <> ''),
    sealed bytea not null
);

create table cursors (
    connection  text collate "C" not null,
    name        text collate "C" not null,
    value       bytea,
    watermark   timestamptz,
    ran_at      timestamptz,
    token       bigint not null,
    lease_until timestamptz,
    primary key (connection, name)
);

-- A sender's delivery id is unique among what was believed. Refused deliveries keep the id they
-- claimed to have, but it takes nothing away from anybody.
create table deliveries (
    id          bigint generated always as identity primary key,
    connection  text collate "C" not null,
    delivery_id text collate "C",
    event_id    text not null default '',
    topic       text not null default '',
    received_at timestamptz not null,
    verdict     text not null check (verdict in ('accepted', 'quarantined', 'rejected')),
    reason      text not null default '',
    header      text not null default '',
    body        bytea not null,
    size        bigint not null,
    repeats     bigint not null default 0 check (repeats >= 0),
    replayed_at timestamptz
);
create unique index deliveries_once on deliveries (connection, delivery_id) where verdict <> 'rejected';
create index deliveries_rejected on deliveries (connection, id) where verdict = 'rejected';
create index deliveries_by_connection on deliveries (connection, id);
create index deliveries_by_time on deliveries (received_at);
create index deliveries_quarantined on deliveries (id) where verdict = 'quarantined';
create index deliveries_repeated on deliveries (repeats) where repeats > 0;

create table rejections (
    connection text collate "C" primary key,
    total      bigint not null
);

-- One row per thing kept in agreement; these rows are the work queue.
create table subjects (
    id              bigint generated always as identity primary key,
    kind            text collate "C" not null check (kind <> ''),
    channel         text collate "C" not null check (channel <> ''),
    ref             text collate "C" not null check (ref <> ''),
    revision        bigint not null default 0,
    token           bigint not null default 0,
    next_at         timestamptz,
    lease_until     timestamptz,
    due_at          timestamptz,
    failures        bigint not null default 0 check (failures >= 0),
    heard_market    timestamptz,
    heard_market_at timestamptz,
    heard_shop      timestamptz,
    heard_shop_at   timestamptz,
    looked_market   timestamptz,
    trouble_market  text not null default '',
    looked_shop     timestamptz,
    trouble_shop    text not null default '',
    shop_store      text collate "C",
    shop_id         text collate "C",
    first_seen      timestamptz not null,
    lifecycle       text not null default '',
    fulfillment     text not null default '',
    fulfilled_by    text not null default '',
    number          text not null default '',
    placed_at       timestamptz,
    ship_by         timestamptz,
    mirrored        boolean not null default false,
    expected        boolean not null default false,
    final           boolean not null default false,
    unique (kind, channel, ref),
    check ((shop_store is null) = (shop_id is null))
) with (fillfactor = 80);
create unique index subjects_shop on subjects (shop_store, shop_id) where shop_id is not null;
create index subjects_dated on subjects (due_at, next_at) where due_at is not null and next_at is not null;
create index subjects_undated on subjects (next_at, channel, ref) where due_at is null and next_at is not null;
create index subjects_placed on subjects (channel, placed_at) where placed_at is not null;

create table snapshots (
    subject     bigint not null references subjects (id),
    side        text collate "C" not null check (side in ('market', 'shop')),
    version     timestamptz not null,
    observed_at timestamptz not null,
    body        bytea not null,
    fault       text not null default '',
    primary key (subject, side)
);

-- Every intended outside write. The key is unique for ever: a thing can be meant only once.
create table effects (
    id           bigint generated always as identity primary key,
    subject      bigint not null references subjects (id),
    key          text collate "C" not null check (key <> ''),
    verb         text not null check (verb <> ''),
    side         text not null check (side in ('market', 'shop')),
    about        text not null default '',
    amount_minor bigint,
    currency     text,
    due          timestamptz,
    body         bytea,
    why          text not null default '',
    state        text not null check (state in ('sent', 'unknown', 'pending', 'retry', 'refused', 'done', 'proven')),
    attempts     bigint not null check (attempts >= 1),
    intended_at  timestamptz not null,
    deadline     timestamptz not null,
    settled_at   timestamptz,
    retry_at     timestamptz,
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
    id         bigint generated always as identity primary key,
    subject    bigint not null references subjects (id),
    kind       text collate "C" not null check (kind <> ''),
    about      text collate "C" not null default '',
    level      text not null check (level in ('blocks', 'warns')),
    reason     text not null default '',
    hint       text not null default '',
    since      timestamptz not null,
    cleared_at timestamptz
);
create unique index holds_open on holds (subject, kind, about) where cleared_at is null;

create table timeline (
    id      bigint generated always as identity primary key,
    subject bigint not null references subjects (id),
    at      timestamptz not null,
    actor   text not null,
    kind    text not null,
    text    text not null
);
create index timeline_by_subject on timeline (subject, id);

-- Written to by the health check, and by nothing else.
create table pulse (
    id    bigint primary key check (id = 1),
    beats bigint not null
);

-- Bodies are text: lz4 costs little and keeps most of them inside the row. Servers before 14 and
-- servers built without lz4 keep the default.
-- +goose StatementBegin
do $$
begin
    execute 'alter table deliveries alter column body set compression lz4';
    execute 'alter table snapshots alter column body set compression lz4';
    execute 'alter table effects alter column body set compression lz4';
exception when others then
    raise notice 'bodies keep the default compression: %', sqlerrm;
end
$$;
-- +goose StatementEnd
