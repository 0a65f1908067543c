package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// factsAtOnce is how many facts one statement takes.
const factsAtOnce = 200

// orderKey names what facts of an account are about.
type orderKey struct{ account, kind, order string }

// lastFacts is the newest that is kept of an order.
type lastFacts struct {
	store string
	known time.Time
	body  []byte
}

// KeepFacts adds facts of orders; see connector.Payouts. Most looks at an order learn nothing new,
// so what is kept is read first, and only what says something new is locked and written.
func (s *Store) KeepFacts(ctx context.Context, facts []connector.PayoutFacts) (added int, err error) {
	for part := range slices.Chunk(facts, factsAtOnce) {
		n, err := s.keepFacts(ctx, part)
		if err != nil {
			return added, fmt.Errorf("keep facts of %d orders: %w", len(facts), err)
		}
		added += n
	}
	return added, nil
}

func (s *Store) keepFacts(ctx context.Context, facts []connector.PayoutFacts) (added int, err error) {
	newest, err := s.newestFacts(ctx, s.reader, facts)
	if err != nil {
		return 0, err
	}
	if facts = saying(newest, facts); len(facts) == 0 {
		return 0, nil
	}
	err = s.write(ctx, func(tx *sqlx.Tx) error {
		if err := s.alone(ctx, tx, locksOf(facts)...); err != nil {
			return err
		}
		newest, err := s.newestFacts(ctx, tx, facts)
		if err != nil {
			return err
		}
		added, err = insertFacts(ctx, tx, saying(newest, facts))
		return err
	})
	return added, err
}

// locksOf names the orders whose facts are written, each once.
func locksOf(facts []connector.PayoutFacts) []string {
	var out []string
	for _, key := range ordersOf(facts) {
		out = append(out, "payout facts/"+key.account+"/"+key.kind+"/"+key.order)
	}
	return out
}

func keyOf(f connector.PayoutFacts) orderKey {
	if f.Kind == "" {
		f.Kind = connector.OrderFacts
	}
	return orderKey{string(f.Account), string(f.Kind), clean(f.Order)}
}

// ordersOf are the orders facts are of, each once.
func ordersOf(facts []connector.PayoutFacts) (out []orderKey) {
	seen := map[orderKey]bool{}
	for _, f := range facts {
		if key := keyOf(f); !seen[key] {
			seen[key] = true
			out = append(out, key)
		}
	}
	return out
}

// saying are those that say something new, one after the other.
func saying(newest map[orderKey]lastFacts, facts []connector.PayoutFacts) (out []connector.PayoutFacts) {
	newest = maps.Clone(newest)
	for _, f := range facts {
		key, store, known := keyOf(f), clean(f.Store), sameMicro(f.KnownAt)
		old, kept := newest[key]
		if kept && old.store == store && bytes.Equal(old.body, f.Body) {
			continue
		}
		if !kept || !known.Before(old.known) {
			newest[key] = lastFacts{store, known, f.Body}
		}
		out = append(out, f)
	}
	return out
}

func insertFacts(ctx context.Context, tx *sqlx.Tx, facts []connector.PayoutFacts) (int, error) {
	const width = 6
	args := make([]any, 0, width*len(facts))
	for _, f := range facts {
		key := keyOf(f)
		args = append(args, key.account, key.kind, key.order, clean(f.Store), version(sameMicro(f.KnownAt)), bytesOf(f.Body))
	}
	if len(facts) == 0 {
		return 0, nil
	}
	return len(facts), exec(ctx, tx, `
		insert into payout_facts (account, kind, order_ref, store_ref, known_at, body) values `+values(len(facts), width), args...)
}

// newestFacts reads the newest kept of each order concerned.
func (s *Store) newestFacts(ctx context.Context, q sqlx.ExtContext, facts []connector.PayoutFacts) (map[orderKey]lastFacts, error) {
	var asked [][]any
	for _, key := range ordersOf(facts) {
		asked = append(asked, []any{key.account, key.kind, key.order})
	}
	source, args, err := s.dialect.source([]column{{"account", "text"}, {"kind", "text"}, {"order_ref", "text"}}, asked, new([]byte))
	if err != nil {
		return nil, err
	}
	// Each column is looked up by itself, through the index and never by joining: a plan that was made
	// while the table was small would read all of it for every order.
	column := func(name string) string {
		return `(select n.` + name + ` from payout_facts n where n.account = a.account and n.kind = a.kind and n.order_ref = a.order_ref
			order by n.known_at desc, n.id desc limit 1) as ` + name
	}
	var rows []struct {
		factsRow
		Store sql.NullString `db:"store_ref"` // null: nothing is kept of the order
	}
	if err := sqlx.SelectContext(ctx, q, &rows, sqlx.Rebind(sqlx.BindType(q.DriverName()), `
		with asked (account, kind, order_ref) as (`+source+`)
		select a.account, a.kind, a.order_ref, `+column("store_ref")+`, `+column("known_at")+`, `+column("body")+` from asked a`), args...); err != nil {
		return nil, err
	}
	out := make(map[orderKey]lastFacts, len(rows))
	for _, r := range rows {
		if r.Store.Valid {
			out[orderKey{r.Account, r.Kind, r.Order}] = lastFacts{r.Store.String, r.KnownAt.Time, r.Body}
		}
	}
	return out, nil
}

type factsRow struct {
	Account string `db:"account"`
	Kind    string `db:"kind"`
	Order   string `db:"order_ref"`
	Store   string `db:"store_ref"`
	KnownAt stamp  `db:"known_at"`
	Body    []byte `db:"body"`
}

// Facts hands over what was known of each order; see connector.Payouts.
func (s *Store) Facts(ctx context.Context, account connector.ConnectionID, kind connector.FactsKind, asOf time.Time, yield func(connector.PayoutFacts) error) error {
	known, args := knownBy(asOf)
	err := s.each(ctx, `
		select order_ref, store_ref, known_at, body from (
			select order_ref, store_ref, known_at, body,
				row_number() over (partition by order_ref order by known_at desc, id desc) as age
			from payout_facts where account = ? and kind = ?`+known+`) f
		where age = 1 order by order_ref`, append([]any{string(account), string(kind)}, args...), func(rows *sql.Rows) error {
		var r factsRow
		if err := rows.Scan(&r.Order, &r.Store, &r.KnownAt, &r.Body); err != nil {
			return err
		}
		return yield(connector.PayoutFacts{Account: account, Kind: kind, Order: r.Order, Store: r.Store, KnownAt: r.KnownAt.Time, Body: r.Body})
	})
	if err != nil {
		return fmt.Errorf("facts of %s: %w", account, err)
	}
	return nil
}

// knownBy is the condition that a row was known by then; zero: by now.
func knownBy(asOf time.Time) (cond string, args []any) {
	if asOf.IsZero() {
		return "", nil
	}
	return " and known_at <= ?", []any{stamped(asOf)}
}
