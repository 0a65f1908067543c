package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/payout"
)

const (
	watchName  = "findings"
	watchTick  = 10 * time.Second // between two questions whether anything was added
	watchRest  = 20               // a look that took long rests so many times as long
	watchAtAll = time.Hour        // things fall due although nothing was added
)

// watchFindings looks at a channel's findings whenever something was added to its books, and writes
// down and tells what has changed, until ctx ends.
func (b *bridge) watchFindings(ctx context.Context, l *link) {
	var last string
	var looked, again time.Time
	for {
		mark, err := b.store.PayoutMark(ctx)
		now := b.clock()
		if err == nil && (mark != last && !now.Before(again) || now.Sub(looked) >= watchAtAll) {
			if err = b.findOnce(ctx, l); err == nil {
				last, looked = mark, now
				again = b.clock().Add(watchRest * b.clock().Sub(now))
			}
		}
		if err != nil && ctx.Err() == nil {
			b.failed(watchName, l.id)
			b.log.Warn("findings not looked at", "connection", string(l.id), "error", err)
		}
		if !pause(ctx, watchTick) {
			return
		}
	}
}

// findOnce looks once. One process does so at a time.
func (b *bridge) findOnce(ctx context.Context, l *link) error {
	cur, ours, err := b.store.TakeCursor(ctx, l.id, watchName, b.clock(), pullLease)
	if err != nil || !ours {
		return err
	}
	account := l.cfg.payoutAccount(b.cfg.TimeZone)
	if err := (books{b}).Desk().KeepSettings(ctx, account); err != nil {
		return err
	}
	seen, found, err := books{b}.Desk().Watch(ctx, account, func(n payout.News) error { return b.tellNews(ctx, n) })
	if err == nil {
		cur.Value, err = b.tellBooks(ctx, seen, cur.Value)
	}
	if kept := b.store.KeepCursor(context.WithoutCancel(ctx), cur, b.clock(), time.Time{}); err == nil {
		err = kept
	}
	if err != nil {
		return err
	}
	if b.metrics != nil {
		counts := map[[2]string]int{}
		for _, f := range found {
			if f.Outcome != "" {
				counts[[2]string{string(f.Outcome), string(f.State)}]++
			}
		}
		b.metrics.Findings(l.id, counts)
	}
	return nil
}

// tellNews tells of a finding that has opened, changed or gone.
func (b *bridge) tellNews(ctx context.Context, n payout.News) error {
	f := n.Finding
	types := []string{connector.EventFindingChanged}
	if n.Opened {
		types[0] = connector.EventFindingOpened
		switch f.Outcome {
		case payout.MissingInSettlement:
			types = append(types, connector.EventSettlementOverdue)
		case payout.ToleranceDrift:
			types = append(types, connector.EventToleranceDrift)
		}
	}
	data, err := json.Marshal(f.EventJSON())
	if err != nil {
		return fmt.Errorf("telling of finding %s: %w", f.ID, err)
	}
	var events []connector.Event
	for _, t := range types {
		events = append(events, connector.Event{ID: connector.EventID(t, n.ID), Type: t, At: n.At, Account: f.Account, Subject: f.ID, Data: data})
	}
	if n.Settled {
		t := connector.EventClaimSettled
		events = append(events, connector.Event{ID: connector.EventID(t, f.Progress.Claim.ID, string(f.Claim)), Type: t, At: n.At, Account: f.Account, Subject: f.Progress.Claim.ID, Data: data})
	}
	return b.emit(ctx, events...)
}

// unplaced are the payouts in which something had no place at the last look, by their names outside.
// It is kept in the place of a cursor: when everything is placed at last, that is told, however long
// ago the payout came.
type unplaced struct {
	Payouts []string `json:"unplaced,omitempty"`
}

// tellBooks tells of payouts in which everything is placed, and of months that were closed or opened
// again: of what was not so at the last look, and of the last days. Who heard of it already does not
// hear again. It gives what is to be kept for the next look.
func (b *bridge) tellBooks(ctx context.Context, seen *payout.Books, kept []byte) ([]byte, error) {
	var was, is unplaced
	if len(kept) > 0 {
		if err := json.Unmarshal(kept, &was); err != nil {
			return kept, fmt.Errorf("what was not placed at the last look: %w", err)
		}
	}
	since := b.clock().Add(-retellFor)
	placed, open := seen.Placed()
	for _, p := range open {
		is.Payouts = append(is.Payouts, p.Name)
	}
	var all tidings
	for _, p := range placed {
		if p.ImportedAt.Before(since) && !slices.Contains(was.Payouts, p.Name) {
			continue
		}
		data := map[string]any{"payout_id": p.Name, "account": p.Account, "external_id": p.External, "revision": p.Revision, "currency": p.Currency, "paid": p.Payout.Paid.Decimal(), "orders": p.Bridge.Orders, "lines": p.Lines}
		if err := all.add(connector.EventPayoutReconciled, seen.Account.ID, p.Name, b.clock(), data, p.Name); err != nil {
			return kept, err
		}
	}
	if err := b.closings(ctx, seen.Account.ID, since, &all); err != nil {
		return kept, err
	}
	if err := b.emit(ctx, all...); err != nil {
		return kept, err
	}
	next, err := json.Marshal(is)
	if err != nil {
		return kept, fmt.Errorf("keeping what is not placed: %w", err)
	}
	return next, nil
}

// tidings are events on their way.
type tidings []connector.Event

func (t *tidings) add(kind string, account connector.ConnectionID, subject string, at time.Time, data any, contents ...string) error {
	body, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("telling of %s: %w", subject, err)
	}
	*t = append(*t, connector.Event{ID: connector.EventID(kind, contents...), Type: kind, At: at, Account: account, Subject: subject, Data: body})
	return nil
}

// closings adds the months that were closed or opened again since an instant. Who did so, and why, is
// not told.
func (b *bridge) closings(ctx context.Context, account connector.ConnectionID, since time.Time, all *tidings) error {
	acts, err := b.store.Acts(ctx, account, time.Time{})
	if err != nil {
		return fmt.Errorf("telling of closed months: %w", err)
	}
	for _, c := range payout.Closings(acts, since) {
		kind := connector.EventCloseCreated
		if c.Undone {
			kind = connector.EventCloseUndone
		}
		data := map[string]any{"account": account, "month": c.Month, "known_at": c.KnownAt, "snapshot_id": c.Snapshot, "totals": c.Totals}
		if err := all.add(kind, account, c.Month, c.At, data, string(account), c.Month, c.At.UTC().Format(time.RFC3339Nano)); err != nil {
			return err
		}
	}
	return nil
}
