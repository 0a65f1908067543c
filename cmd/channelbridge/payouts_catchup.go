package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/payout"
)

const (
	catchUpName = "payout-facts" // of the cursor
	catchUpDone = `"done"`
	catchUpPage = 100
	catchUpRest = 100 * time.Millisecond // between pages: deliveries go first

	catchUpRetry = time.Minute
)

// catchUp keeps what is known of orders that came before facts were kept, or while they were not:
// once for each channel, from the newest to the oldest, going on where an earlier process ended.
func (b *bridge) catchUp(ctx context.Context, id connector.ConnectionID) {
	for {
		wait, err := b.catchUpOnce(ctx, id)
		if err != nil && ctx.Err() == nil {
			b.failed("payouts", id)
			b.log.Warn("keeping what is known of earlier orders for their payouts ended early", "connection", string(id), "error", err)
			wait = catchUpRetry
		}
		if wait == 0 || !pause(ctx, wait) {
			return
		}
	}
}

// catchUpOnce does one page. It says how long to rest before the next; 0: there is none.
func (b *bridge) catchUpOnce(ctx context.Context, id connector.ConnectionID) (time.Duration, error) {
	cur, ours, err := b.store.TakeCursor(ctx, id, catchUpName, b.clock(), time.Minute)
	switch {
	case err != nil:
		return 0, err
	case !ours:
		return catchUpRetry, nil // another process is at it
	case string(cur.Value) == catchUpDone:
		return 0, b.store.KeepCursor(ctx, cur, b.clock(), time.Time{})
	}
	f := connector.OrderFilter{Channel: id, Limit: catchUpPage, After: unquoted(cur.Value)}
	rows, err := b.store.Orders(ctx, f)
	if errors.Is(err, connector.ErrNotFound) { // the order the place named is not there any more
		f.After = ""
		rows, err = b.store.Orders(ctx, f)
	}
	if err != nil {
		return 0, fmt.Errorf("listing orders: %w", err)
	}
	for _, r := range rows {
		if err := b.known(ctx, r.Subject); err != nil {
			return 0, err
		}
	}
	wait := time.Duration(0)
	cur.Value = []byte(catchUpDone)
	if len(rows) == catchUpPage {
		wait, cur.Value = catchUpRest, []byte(`"`+rows[len(rows)-1].Subject.String()+`"`)
	}
	return wait, b.store.KeepCursor(ctx, cur, b.clock(), time.Time{})
}

func unquoted(v []byte) string {
	if len(v) < 2 {
		return ""
	}
	return string(v[1 : len(v)-1])
}

// known keeps what is known of one order now.
func (b *bridge) known(ctx context.Context, s connector.Subject) error {
	sides, ok := b.sides(s.Channel)
	if !ok {
		return nil
	}
	rec, err := b.store.Load(ctx, s)
	if err != nil {
		return fmt.Errorf("order %s: %w", s, err)
	}
	snap, err := moneyDesk{b}.snapshot(rec, sides.Policy)
	if err != nil {
		return nil // it is shown as unreadable already; nothing can be said of its payout
	}
	return payout.Keeper{Store: b.store}.Known(ctx, snap)
}
