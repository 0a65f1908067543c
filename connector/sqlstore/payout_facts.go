package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// factsAtOnce is how many facts one statement takes.
const factsAtOnce = 200

// orderKey names an order of an account.
type orderKey struct{ account, order string }

// lastFacts is the newest that is kept of an order.
type lastFacts struct {
	store string
	known time.Time
	body  []byte
}

// KeepFacts adds facts of orders; see connector.Payouts.
func (s *Store) KeepFacts(ctx context.Context, facts []connector.PayoutFacts) (added int, err error) {
	if len(facts) == 0 {
		return 0, nil
	}
	err = s.write(ctx, func(tx *sqlx.Tx) error {
		added = 0
		for _, account := range accountsOf(facts) {
			if err := s.alone(ctx, tx, "payout facts/"+account); err != nil {
				return err
			}
		}
		for part := range slices.Chunk(facts, factsAtOnce) {
			n, err := s.keepFacts(ctx, tx, part)
			if err != nil {
				return err
			}
			added += n
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("keep facts of %d orders: %w", len(facts), err)
	}
	return added, nil
}

// accountsOf names the accounts in the order they are locked in.
func accountsOf(facts []connector.PayoutFacts) []string {
	var out []string
	for _, f := range facts {
		if !slices.Contains(out, string(f.Account)) {
			out = append(out, string(f.Account))
		}
	}
	slices.Sort(out)
	return out
}

// keepFacts adds those that say something new, one after the other.
func (s *Store) keepFacts(ctx context.Context, tx *sqlx.Tx, facts []connector.PayoutFacts) (int, error) {
	newest, err := s.newestFacts(ctx, tx, facts)
	if err != nil {
		return 0, err
	}
	var args []any
	for _, f := range facts {
		key, store, known := orderKey{string(f.Account), clean(f.Order)}, clean(f.Store), sameMicro(f.KnownAt)
		old, kept := newest[key]
		if kept && old.store == store && bytes.Equal(old.body, f.Body) {
			continue
		}
		if !kept || !known.Before(old.known) {
			newest[key] = lastFacts{store, known, f.Body}
		}
		args = append(args, key.account, key.order, store, version(known), bytesOf(f.Body))
	}
	if len(args) == 0 {
		return 0, nil
	}
	const width = 5
	n := len(args) / width
	return n, exec(ctx, tx, `
		insert into payout_facts (account, order_ref, store_ref, known_at, body) values `+values(n, width), args...)
}

// newestFacts reads the newest kept of each order concerned.
func (s *Store) newestFacts(ctx context.Context, tx *sqlx.Tx, facts []connector.PayoutFacts) (map[orderKey]lastFacts, error) {
	var asked [][]any
	seen := map[orderKey]bool{}
	for _, f := range facts {
		key := orderKey{string(f.Account), clean(f.Order)}
		if !seen[key] {
			seen[key] = true
			asked = append(asked, []any{key.account, key.order})
		}
	}
	source, args, err := s.dialect.source([]column{{"account", "text"}, {"order_ref", "text"}}, asked)
	if err != nil {
		return nil, err
	}
	var rows []factsRow
	if err := selects(ctx, tx, &rows, `
		with asked (account, order_ref) as (`+source+`)
		select f.account, f.order_ref, f.store_ref, f.known_at, f.body from asked a join payout_facts f on f.id = (
			select n.id from payout_facts n where n.account = a.account and n.order_ref = a.order_ref
			order by n.known_at desc, n.id desc limit 1)`, args...); err != nil {
		return nil, err
	}
	out := make(map[orderKey]lastFacts, len(rows))
	for _, r := range rows {
		out[orderKey{r.Account, r.Order}] = lastFacts{r.Store, r.KnownAt.Time, r.Body}
	}
	return out, nil
}

type factsRow struct {
	Account string `db:"account"`
	Order   string `db:"order_ref"`
	Store   string `db:"store_ref"`
	KnownAt stamp  `db:"known_at"`
	Body    []byte `db:"body"`
}

// Facts hands over what was known of each order; see connector.Payouts.
func (s *Store) Facts(ctx context.Context, account connector.ConnectionID, asOf time.Time, yield func(connector.PayoutFacts) error) error {
	known, args := knownBy(asOf)
	err := s.each(ctx, `
		select order_ref, store_ref, known_at, body from (
			select order_ref, store_ref, known_at, body,
				row_number() over (partition by order_ref order by known_at desc, id desc) as age
			from payout_facts where account = ?`+known+`) f
		where age = 1 order by order_ref`, append([]any{string(account)}, args...), func(rows *sql.Rows) error {
		var r factsRow
		if err := rows.Scan(&r.Order, &r.Store, &r.KnownAt, &r.Body); err != nil {
			return err
		}
		return yield(connector.PayoutFacts{Account: account, Order: r.Order, Store: r.Store, KnownAt: r.KnownAt.Time, Body: r.Body})
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
