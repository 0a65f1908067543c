-- +goose Up

-- The life of a connection: it can be taken away and come back.
alter table connections drop constraint connections_state_check;
alter table connections add constraint connections_state_check
    check (state in ('active', 'paused', 'disconnected', 'removed', 'reconnecting'));
alter table connections add column removed_at timestamptz;
alter table connections add column rejoined_at timestamptz;

-- What the channel's finance side says of an order.
alter table subjects add column heard_money timestamptz;
alter table subjects add column heard_money_at timestamptz;
alter table subjects add column looked_money timestamptz;
alter table subjects add column trouble_money text not null default '';
alter table subjects add column redacted_at timestamptz;
create index subjects_by_age on subjects (coalesce(placed_at, first_seen), channel, ref) where kind = 'order';

-- kept_at is when the contents were kept; null in rows older than the column.
alter table snapshots drop constraint snapshots_side_check;
alter table snapshots add constraint snapshots_side_check check (side in ('market', 'shop', 'money'));
alter table snapshots add column kept_at timestamptz;

-- Entries of one lane and site that are handed to a channel together. At most one batch of a lane
-- is not over.
create table batches (
    id         bigint generated always as identity primary key,
    channel    text collate "C" not null check (channel <> ''),
    lane       text collate "C" not null check (lane <> ''),
    site       text not null default '',
    state      text not null check (state in ('formed', 'prepared', 'sending', 'sent', 'done', 'lost', 'dropped')),
    document   text not null default '',
    ticket     text not null default '',
    reason     text not null default '',
    formed_at  timestamptz not null,
    changed_at timestamptz not null,
    sending_at timestamptz,
    deadline   timestamptz
);
create unique index batches_under on batches (channel, lane) where state not in ('done', 'lost', 'dropped');
create index batches_by_channel on batches (channel, id);

alter table effects drop constraint effects_state_check;
alter table effects drop constraint effects_check1;
alter table effects add column money boolean not null default false;
alter table effects add column lane text collate "C" not null default '';
alter table effects add column site text not null default '';
alter table effects add column batch bigint references batches (id);
alter table effects add column message bigint;
alter table effects
    add constraint effects_state_check
        check (state in ('queued', 'sent', 'unknown', 'pending', 'retry', 'refused', 'done', 'proven')),
    add constraint effects_settled_check check (state in ('queued', 'sent') or settled_at is not null),
    add constraint effects_queued_check check (state <> 'queued' or lane <> ''),
    add constraint effects_batch_check check ((batch is null) = (message is null) and (batch is null or lane <> ''));
create unique index effects_by_batch on effects (batch, message) where batch is not null;
create index effects_waiting on effects (lane, id) where state = 'queued';
create index effects_money on effects (intended_at) where money;

-- What people asked for. The key is the request's and unique for ever.
create table wishes (
    id      bigint generated always as identity primary key,
    subject bigint not null references subjects (id),
    kind    text not null check (kind <> ''),
    about   text not null default '',
    body    bytea,
    actor   text not null default '',
    reason  text not null default '',
    at      timestamptz not null,
    key     text collate "C" not null check (key <> '')
);
create unique index wishes_once on wishes (key);
create index wishes_by_subject on wishes (subject, id);

-- The row of a switch that was never set exists where intents must be able to lock it.
create table switches (
    name   text collate "C" primary key check (name <> ''),
    turned boolean not null,
    reason text not null default '',
    actor  text not null default '',
    at     timestamptz
);
insert into switches (name, turned) values ('stop_writes', false);

-- Lines are only ever added; place and hash are filled in once, when a line is sealed.
create table audit (
    id         bigint generated always as identity primary key,
    place      bigint check (place >= 1),
    at         timestamptz not null,
    actor      text not null default '',
    action     text not null check (action <> ''),
    subject    text not null default '',
    reason     text not null default '',
    planned_on text not null default '',
    detail     text not null default '',
    hash       text,
    check ((place is null) = (hash is null))
);
create unique index audit_place on audit (place) where place is not null;
create index audit_unsealed on audit (id) where place is null;

-- The last line that was sealed.
create table audit_head (
    id    bigint primary key check (id = 1),
    place bigint not null,
    hash  text not null
);
insert into audit_head (id, place, hash) values (1, 0, '');

create table tokens (
    id         text collate "C" primary key check (id <> ''),
    name       text collate "C" not null,
    hash       bytea not null,
    scopes     text not null default '[]',
    created_at timestamptz,
    expires_at timestamptz,
    revoked_at timestamptz,
    used_at    timestamptz
);

-- Answers to writes with an idempotency key.
create table replies (
    token  text collate "C" not null,
    key    text collate "C" not null check (key <> ''),
    hash   bytea not null,
    at     timestamptz not null,
    status bigint not null default 0,
    body   bytea,
    primary key (token, key)
);
create index replies_by_time on replies (at);
