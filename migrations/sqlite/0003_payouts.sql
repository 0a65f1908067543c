-- +goose Up

-- The same as for PostgreSQL.

-- Payout files as they arrived. The hash is known when the last byte is: until then a file is
-- arriving, seen by nobody, and swept away if it never ends.
create table payout_sources (
    id         integer primary key autoincrement,
    account    text not null check (account <> ''),
    hash       text check (hash <> ''),
    name       text not null default '',
    origin     text not null default '',
    brought_by text not null default '',
    format     text not null default '',
    size       integer not null default 0 check (size >= 0),
    state      text not null check (state in ('arriving', 'kept', 'imported', 'rejected')),
    reason     text not null default '',
    kept_at    text not null,
    check ((hash is null) = (state = 'arriving'))
);
create unique index payout_sources_once on payout_sources (account, hash);
create index payout_sources_by_time on payout_sources (kept_at, id);
create index payout_sources_arriving on payout_sources (kept_at) where state = 'arriving';

-- Their bytes, in order.
create table payout_source_chunks (
    source integer not null references payout_sources (id),
    chunk  integer not null check (chunk >= 1),
    body   blob not null,
    primary key (source, chunk)
);

-- One row for each revision of a payout; the one that is not superseded counts. An amount that the
-- channel does not name is null.
create table payouts (
    id            integer primary key autoincrement,
    account       text not null check (account <> ''),
    external      text not null check (external <> ''),
    revision      integer not null check (revision >= 1),
    currency      text not null check (currency <> ''),
    period_start  text,
    period_end    text,
    state         text not null check (state in ('open', 'closed', 'paid', 'failed', 'returned')),
    paid_at       text,
    opening_minor integer,
    closing_minor integer,
    paid_minor    integer,
    declared      integer not null default 0 check (declared >= 0),
    lines         integer not null default 0 check (lines >= 0),
    sum_minor     integer not null default 0,
    digest        text not null default '',
    source        text not null default '',
    imported_at   text not null,
    superseded_at text,
    bank_ref      text not null default ''
);
create unique index payouts_once on payouts (account, external, revision);
create unique index payouts_current on payouts (account, external) where superseded_at is null;
create index payouts_by_time on payouts (imported_at, id);

-- Lines are only ever added.
create table payout_lines (
    payout       integer not null references payouts (id),
    line_no      integer not null check (line_no >= 1),
    key          text not null default '',
    category     text not null default '',
    native_type  text not null default '',
    native_text  text not null default '',
    amount_minor integer not null,
    currency     text not null check (currency <> ''),
    order_ref    text not null default '',
    order_alias  text not null default '',
    item_ref     text not null default '',
    refund_ref   text not null default '',
    shipment_ref text not null default '',
    sku          text not null default '',
    quantity     integer not null default 0,
    posted_at    text,
    primary key (payout, line_no)
) without rowid;
create unique index payout_lines_once on payout_lines (payout, key) where key <> '';
create index payout_lines_by_order on payout_lines (order_ref, payout, line_no);

-- What was known of orders, and when. Facts are only ever added.
create table payout_facts (
    id        integer primary key autoincrement,
    account   text not null check (account <> ''),
    order_ref text not null check (order_ref <> ''),
    store_ref text not null default '',
    known_at  text not null,
    body      blob not null
);
create index payout_facts_by_order on payout_facts (account, order_ref, known_at, id);

-- Dated rules of what channels take. They are only ever added.
create table tariffs (
    id       integer primary key autoincrement,
    account  text not null,
    key      text not null check (key <> ''),
    known_at text not null,
    author   text not null default '',
    body     blob not null
);
create index tariffs_newest on tariffs (account, key, known_at, id);
