package sqlstore

import (
	"context"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// Touch marks subjects due; see connector.Queue.
func (s *Store) Touch(ctx context.Context, at time.Time, t ...connector.Touch) error {
	if len(t) == 0 {
		return nil
	}
	return s.write(ctx, func(tx *sqlx.Tx) error {
		_, err := s.take(ctx, tx, touches(at, t))
		return err
	})
}

// nudge is all that happened to one subject in one transaction.
type nudge struct {
	times             int
	first, next, lead time.Time

	market, shop, money connector.Heard
}

// nudge makes a subject due.
func (in *intake) nudge(sub connector.Subject, at time.Time) *nudge {
	n := in.due[sub]
	if n == nil {
		n = &nudge{first: at, next: at}
		in.due[sub] = n
	}
	n.times++
	n.first, n.next = earlier(n.first, at), earlier(n.next, at)
	return n
}

// touched merges one touch.
func (in *intake) touched(at time.Time, t connector.Touch) {
	sub, ok := in.subject(event{touch: &t})
	if !ok {
		return
	}
	if t.Side == connector.Money && in.rows[sub] == nil {
		return // the finance side does not make orders
	}
	n := in.nudge(sub, at)
	if t.Urgent {
		n.lead = earlier(n.lead, at)
	}
	heard := connector.Heard{Version: t.Heard, At: at}
	if heard.Version.IsZero() {
		heard.Version = at
	}
	side := &n.market
	switch t.Side {
	case connector.Shop:
		side = &n.shop
	case connector.Money:
		side = &n.money
	}
	if heard.Version.After(side.Version) {
		*side = heard
	}
}

var nudgeKinds = []column{{"kind", "text"}, {"channel", "text"}, {"ref", "text"}, {"revision", "bigint"},
	{"first_seen", "timestamptz"}, {"next_at", "timestamptz"}, {"due_at", "timestamptz"},
	{"heard_market", "timestamptz"}, {"heard_market_at", "timestamptz"}, {"heard_shop", "timestamptz"}, {"heard_shop_at", "timestamptz"},
	{"heard_money", "timestamptz"}, {"heard_money_at", "timestamptz"}}

var nudgeColumns = listed(nudgeKinds)

// row is what the nudge brings to its subject, in the order of nudgeKinds.
func (n *nudge) row(sub connector.Subject) []any {
	return []any{string(sub.Kind), string(sub.Channel), sub.ID, n.times, optional(n.first), optional(n.next), optional(n.lead),
		optional(n.market.Version), optional(n.market.At), optional(n.shop.Version), optional(n.shop.At),
		optional(n.money.Version), optional(n.money.At)}
}

// write brings the merged nudges to the rows, in the order of their keys.
func (in *intake) write(ctx context.Context) error {
	subs := make([]connector.Subject, 0, len(in.due))
	for sub := range in.due {
		subs = append(subs, sub)
	}
	slices.SortFunc(subs, bySubject)
	for part := range slices.Chunk(subs, 350) {
		given := make([][]any, 0, len(part))
		for _, sub := range part {
			given = append(given, in.due[sub].row(sub))
		}
		source, args, err := in.source(nudgeKinds, given, new([]byte))
		if err != nil {
			return err
		}
		if err := exec(ctx, in.tx, `
			insert into subjects (`+nudgeColumns+`) `+source+`
			on conflict (kind, channel, ref) do update set
				revision = subjects.revision + excluded.revision,
				final = false,
				next_at = case when subjects.next_at <= excluded.next_at then subjects.next_at else excluded.next_at end,
				due_at = case when excluded.due_at is null or subjects.due_at <= excluded.due_at
					then subjects.due_at else excluded.due_at end,
				heard_market_at = case when excluded.heard_market is null or subjects.heard_market >= excluded.heard_market
					then subjects.heard_market_at else excluded.heard_market_at end,
				heard_market = case when excluded.heard_market is null or subjects.heard_market >= excluded.heard_market
					then subjects.heard_market else excluded.heard_market end,
				heard_shop_at = case when excluded.heard_shop is null or subjects.heard_shop >= excluded.heard_shop
					then subjects.heard_shop_at else excluded.heard_shop_at end,
				heard_shop = case when excluded.heard_shop is null or subjects.heard_shop >= excluded.heard_shop
					then subjects.heard_shop else excluded.heard_shop end,
				heard_money_at = case when excluded.heard_money is null or subjects.heard_money >= excluded.heard_money
					then subjects.heard_money_at else excluded.heard_money_at end,
				heard_money = case when excluded.heard_money is null or subjects.heard_money >= excluded.heard_money
					then subjects.heard_money else excluded.heard_money end`, args...); err != nil {
			return err
		}
	}
	return nil
}
