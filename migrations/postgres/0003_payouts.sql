-- +goose Up

-- Payout files as they arrived. The hash is known when the last byte is: until then a file is
-- arriving, seen by nobody, and swept away if it never ends.
create table payout_sources (
    id         bigint generated always as identity primary key,
    account    text collate "C" not null check (account <> ''),
    hash       text collate "C" check (hash <> ''),
    name       text not null default '',
    origin     text not null default '',
    brought_by text not null default '',
    format     text not null default '',
    size       bigint not null default 0 check (size >= 0),
    state      text not null check (state in ('arriving', 'kept', 'imported', 'rejected')),
    reason     text not null default '',
    kept_at    timestamptz not null,
    check ((hash is null) = (state = 'arriving'))
);
create unique index payout_sources_once on payout_sources (account, hash);
create index payout_sources_by_time on payout_sources (kept_at, id);
create index payout_sources_arriving on payout_sources (kept_at) where state = 'arriving';

-- Their bytes, in order.
create table payout_source_chunks (
    source bigint not null references payout_sources (id),
    chunk  bigint not null check (chunk >= 1),
    body   bytea not null,
    primary key (source, chunk)
);

-- One row for each revision of a payout; the one that is not superseded counts. An amount that the
-- channel does not name is null.
create table payouts (
    id            bigint generated always as identity primary key,
    account       text collate "C" not null check (account <> ''),
    external      text collate "C" not null check (external <> ''),
    revision      bigint not null check (revision >= 1),
    currency      text not null check (currency <> ''),
    period_start  timestamptz,
    period_end    timestamptz,
    state         text not null check (state in ('open', 'closed', 'paid', 'failed', 'returned')),
    paid_at       timestamptz,
    opening_minor bigint,
    closing_minor bigint,
    paid_minor    bigint,
    declared      bigint not null default 0 check (declared >= 0),
    lines         bigint not null default 0 check (lines >= 0),
    sum_minor     bigint not null default 0,
    digest        text not null default '',
    source        text not null default '',
    imported_at   timestamptz not null,
    superseded_at timestamptz,
    bank_ref      text not null default ''
);
create unique index payouts_once on payouts (account, external, revision);
create unique index payouts_current on payouts (account, external) where superseded_at is null;
create index payouts_by_time on payouts (imported_at, id);

-- Lines are only ever added.
create table payout_lines (
    payout       bigint not null references payouts (id),
    line_no      bigint not null check (line_no >= 1),
    key          text collate "C" not null default '',
    category     text not null default '',
    native_type  text not null default '',
    native_text  text not null default '',
    amount_minor bigint not null,
    currency     text not null check (currency <> ''),
    order_ref    text collate "C" not null default '',
    order_alias  text not null default '',
    item_ref     text not null default '',
    refund_ref   text not null default '',
    shipment_ref text not null default '',
    sku          text not null default '',
    quantity     bigint not null default 0,
    posted_at    timestamptz,
    primary key (payout, line_no)
);
create unique index payout_lines_once on payout_lines (payout, key) where key <> '';
create index payout_lines_by_order on payout_lines (order_ref, payout, line_no);

-- What was known of orders, and when. Facts are only ever added.
create table payout_facts (
    id        bigint generated always as identity primary key,
    account   text collate "C" not null check (account <> ''),
    order_ref text collate "C" not null check (order_ref <> ''),
    store_ref text not null default '',
    known_at  timestamptz not null,
    body      bytea not null
);
create index payout_facts_by_order on payout_facts (account, order_ref, known_at, id);

-- Dated rules of what channels take. They are only ever added.
create table tariffs (
    id       bigint generated always as identity primary key,
    account  text collate "C" not null,
    key      text collate "C" not null check (key <> ''),
    known_at timestamptz not null,
    author   text not null default '',
    body     bytea not null
);
create index tariffs_newest on tariffs (account, key, known_at, id);
