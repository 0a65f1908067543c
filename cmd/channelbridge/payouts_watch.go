package main

import (
	"context"
	"encoding/json"
	"fmt"
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
		err = b.tellBooks(ctx, seen)
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
	data, err := json.Marshal(f.JSON())
	if err != nil {
		return fmt.Errorf("telling of finding %s: %w", f.ID, err)
	}
	var events []connector.Event
	for _, t := range types {
		events = append(events, connector.Event{ID: connector.EventID(t, n.ID), Type: t, At: n.At, Account: f.Account, Subject: f.ID, Data: data})
	}
	if f.ClaimOver() {
		t := connector.EventClaimSettled
		events = append(events, connector.Event{ID: connector.EventID(t, f.Progress.Claim.ID, string(f.Claim)), Type: t, At: n.At, Account: f.Account, Subject: f.Progress.Claim.ID, Data: data})
	}
	return b.emit(ctx, events...)
}

// tellBooks tells of payouts in which everything is placed, and of months that were closed or opened
// again, of the last days: who heard of them already does not hear again.
func (b *bridge) tellBooks(ctx context.Context, seen *payout.Books) error {
	since := b.clock().Add(-retellFor)
	var events []connector.Event
	add := func(t, subject string, at time.Time, data any, contents ...string) error {
		body, err := json.Marshal(data)
		if err != nil {
			return fmt.Errorf("telling of %s: %w", subject, err)
		}
		events = append(events, connector.Event{ID: connector.EventID(t, contents...), Type: t, At: at, Account: seen.Account.ID, Subject: subject, Data: body})
		return nil
	}
	for _, p := range seen.Reconciled() {
		if p.ImportedAt.Before(since) {
			continue
		}
		data := map[string]any{"payout_id": p.Name, "account": p.Account, "external_id": p.External, "revision": p.Revision, "currency": p.Currency, "paid": p.Payout.Paid.Decimal(), "orders": p.Bridge.Orders, "lines": p.Lines}
		if err := add(connector.EventPayoutReconciled, p.Name, b.clock(), data, p.Name); err != nil {
			return err
		}
	}
	acts, err := b.store.Acts(ctx, seen.Account.ID, time.Time{})
	if err != nil {
		return fmt.Errorf("telling of closed months: %w", err)
	}
	for _, c := range payout.Closings(acts, since) {
		t := connector.EventCloseCreated
		if c.Undone {
			t = connector.EventCloseUndone
		}
		data := map[string]any{"account": seen.Account.ID, "month": c.Month, "by": c.By, "known_at": c.KnownAt, "snapshot_id": c.Snapshot, "reason": c.Reason, "totals": c.Totals}
		if err := add(t, c.Month, c.At, data, string(seen.Account.ID), c.Month, c.At.UTC().Format(time.RFC3339Nano)); err != nil {
			return err
		}
	}
	return b.emit(ctx, events...)
}
