package main

import (
	"context"
	"fmt"

	"channelbridge/connector"
	"channelbridge/connector/order"
)

// recordsPage is how many orders are listed at a time where all of them are looked at.
const recordsPage = 500

// eachOrder lists a channel's orders, page by page.
func (b *bridge) eachOrder(ctx context.Context, f connector.OrderFilter, visit func(connector.OrderRow) error) error {
	f.Limit, f.After = recordsPage, ""
	for {
		rows, err := b.store.Orders(ctx, f)
		if err != nil {
			return fmt.Errorf("listing orders of %s: %w", f.Channel, err)
		}
		for _, r := range rows {
			if err := visit(r); err != nil {
				return err
			}
			f.After = r.Subject.String()
		}
		if len(rows) < recordsPage {
			return nil
		}
	}
}

// snapshot puts an order together for planning from what is kept. ok is false when there is
// nothing to plan: its connections are not configured, or what is kept cannot be read.
func (b *bridge) snapshot(ctx context.Context, s connector.Subject) (order.Snapshot, bool, error) {
	sides, ok := b.sides(s.Channel)
	if !ok {
		return order.Snapshot{}, false, nil
	}
	rec, err := b.store.Load(ctx, s)
	if err != nil {
		return order.Snapshot{}, false, fmt.Errorf("order %s: %w", s, err)
	}
	market, shop, err := order.Decode(rec)
	if err != nil {
		b.log.Warn("order not readable", "order", s.String(), "error", err)
		return order.Snapshot{}, false, nil
	}
	return order.SnapshotOf(rec, sides.Policy, market, shop, b.clock()), true, nil
}
