-- +goose Up

-- The same as for PostgreSQL. A check cannot be altered here, so the tables with a wider one are
-- made anew; nothing points at them.

-- The life of a connection: it can be taken away and come back.
create table connections_new (
    id          text primary key check (id <> ''),
    platform    text not null,
    role        text not null check (role in ('sales_channel', 'store')),
    store       text not null default '',
    state       text not null check (state in ('active', 'paused', 'disconnected', 'removed', 'reconnecting')),
    reason      text not null default '',
    changed_at  text,
    since       text,
    settings    blob,
    removed_at  text,
    rejoined_at text
);
insert into connections_new (id, platform, role, store, state, reason, changed_at, since, settings)
    select id, platform, role, store, state, reason, changed_at, since, settings from connections;
drop table connections;
alter table connections_new rename to connections;

-- What the channel's finance side says of an order.
alter table subjects add column heard_money text;
alter table subjects add column heard_money_at text;
alter table subjects add column looked_money text;
alter table subjects add column trouble_money text not null default '';
alter table subjects add column redacted_at text;
create index subjects_by_age on subjects (coalesce(placed_at, first_seen), channel, ref) where kind = 'order';

-- kept_at is when the contents were kept; null in rows older than the column.
create table snapshots_new (
    subject     integer not null references subjects (id),
    side        text not null check (side in ('market', 'shop', 'money')),
    version     text not null,
    observed_at text not null,
    body        blob not null,
    fault       text not null default '',
    kept_at     text,
    primary key (subject, side)
);
insert into snapshots_new (subject, side, version, observed_at, body, fault)
    select subject, side, version, observed_at, body, fault from snapshots;
drop table snapshots;
alter table snapshots_new rename to snapshots;

-- Entries of one lane and site that are handed to a channel together. At most one batch of a lane
-- is not over.
create table batches (
    id         integer primary key autoincrement,
    channel    text not null check (channel <> ''),
    lane       text not null check (lane <> ''),
    site       text not null default '',
    state      text not null check (state in ('formed', 'prepared', 'sending', 'sent', 'done', 'lost', 'dropped')),
    document   text not null default '',
    ticket     text not null default '',
    reason     text not null default '',
    formed_at  text not null,
    changed_at text not null,
    sending_at text,
    deadline   text
);
create unique index batches_under on batches (channel, lane) where state not in ('done', 'lost', 'dropped');
create index batches_by_channel on batches (channel, id);

create table effects_new (
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
    state        text not null check (state in ('queued', 'sent', 'unknown', 'pending', 'retry', 'refused', 'done', 'proven')),
    attempts     integer not null check (attempts >= 1),
    intended_at  text not null,
    deadline     text not null,
    settled_at   text,
    retry_at     text,
    ref          text not null default '',
    class        text not null default '',
    reason       text not null default '',
    planned_on   text not null default '',
    money        boolean not null default false,
    lane         text not null default '',
    site         text not null default '',
    batch        integer references batches (id),
    message      integer,
    check ((amount_minor is null) = (currency is null)),
    check (state in ('queued', 'sent') or settled_at is not null),
    check (state <> 'queued' or lane <> ''),
    check ((batch is null) = (message is null) and (batch is null or lane <> ''))
);
insert into effects_new (id, subject, key, verb, side, about, amount_minor, currency, due, body, why, state, attempts,
        intended_at, deadline, settled_at, retry_at, ref, class, reason, planned_on)
    select id, subject, key, verb, side, about, amount_minor, currency, due, body, why, state, attempts,
        intended_at, deadline, settled_at, retry_at, ref, class, reason, planned_on from effects;
drop table effects;
alter table effects_new rename to effects;
create unique index effects_once on effects (key);
create index effects_by_subject on effects (subject, id);
create index effects_by_state on effects (state);
create index effects_by_due on effects (due) where due is not null;
create unique index effects_by_batch on effects (batch, message) where batch is not null;
create index effects_waiting on effects (lane, id) where state = 'queued';
create index effects_money on effects (intended_at) where money;

-- What people asked for. The key is the request's and unique for ever.
create table wishes (
    id      integer primary key autoincrement,
    subject integer not null references subjects (id),
    kind    text not null check (kind <> ''),
    about   text not null default '',
    body    blob,
    actor   text not null default '',
    reason  text not null default '',
    at      text not null,
    key     text not null check (key <> '')
);
create unique index wishes_once on wishes (key);
create index wishes_by_subject on wishes (subject, id);

-- The row of a switch that was never set exists where intents must be able to lock it.
create table switches (
    name   text primary key check (name <> ''),
    turned boolean not null,
    reason text not null default '',
    actor  text not null default '',
    at     text
);
insert into switches (name, turned) values ('stop_writes', false);

-- Lines are only ever added; place and hash are filled in once, when a line is sealed.
create table audit (
    id         integer primary key autoincrement,
    place      integer check (place >= 1),
    at         text not null,
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
    id    integer primary key check (id = 1),
    place integer not null,
    hash  text not null
);
insert into audit_head (id, place, hash) values (1, 0, '');

create table tokens (
    id         text primary key check (id <> ''),
    name       text not null,
    hash       blob not null,
    scopes     text not null default '[]',
    created_at text,
    expires_at text,
    revoked_at text,
    used_at    text
);

-- Answers to writes with an idempotency key.
create table replies (
    token  text not null,
    key    text not null check (key <> ''),
    hash   blob not null,
    at     text not null,
    status integer not null default 0,
    body   blob,
    primary key (token, key)
);
create index replies_by_time on replies (at);
