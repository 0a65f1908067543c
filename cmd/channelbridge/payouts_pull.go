package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/payout"
	"channelbridge/internal/fault"
	"channelbridge/marketplace"
)

const (
	pullLease = 10 * time.Minute
	pullReach = 89 * 24 * time.Hour // of the first look: channels keep their documents for three months
	pullName  = "statements"
)

// pull fetches the payout documents of a channel until ctx ends. One process does so at a time.
func (b *bridge) pull(ctx context.Context, l *link, src marketplace.StatementSource) {
	for {
		if c, ok := b.states.get(l.id); ok && c.State != connector.Disconnected && c.State != connector.Removed {
			if err := b.pullOnce(ctx, l.id, src); err != nil && ctx.Err() == nil {
				b.failed("payouts", l.id)
				b.log.Warn("fetching payout documents ended early", "connection", string(l.id), "class", fault.Of(err).String(), "error", err)
			}
		}
		if !pause(ctx, time.Duration(l.cfg.payouts().PullEvery)) {
			return
		}
	}
}

// pullOnce takes in what is new. The place is kept after every page, so a process that dies goes
// on there; what it takes in again changes nothing.
func (b *bridge) pullOnce(ctx context.Context, id connector.ConnectionID, src marketplace.StatementSource) error {
	cur, ours, err := b.store.TakeCursor(ctx, id, pullName, b.clock(), pullLease)
	if err != nil || !ours {
		return err
	}
	place := marketplace.Cursor{Since: b.clock().Add(-pullReach)}
	if len(cur.Value) > 0 {
		if err := json.Unmarshal(cur.Value, &place); err != nil {
			return fmt.Errorf("the place in the list of payout documents: %w", err)
		}
	}
	for {
		page, err := src.Statements(ctx, place)
		if err != nil {
			return fmt.Errorf("listing payout documents: %w", err)
		}
		for _, ref := range page.Statements {
			if err := b.pullDocument(ctx, id, src, ref); err != nil {
				return err
			}
		}
		place = page.Next
		if cur.Value, err = json.Marshal(place); err != nil {
			return err
		}
		cur.Watermark = place.Since
		until := b.clock().Add(pullLease)
		if !page.More {
			until = time.Time{}
		}
		if err := b.store.KeepCursor(ctx, cur, b.clock(), until); err != nil {
			return fmt.Errorf("keeping the place in the list of payout documents: %w", err)
		}
		if !page.More {
			return nil
		}
	}
}

// pullDocument takes one document in. One that cannot be understood is kept, told of, and does
// not hold up the others.
func (b *bridge) pullDocument(ctx context.Context, id connector.ConnectionID, src marketplace.StatementSource, ref marketplace.StatementRef) error {
	body, err := src.OpenStatement(ctx, ref.ID)
	if err != nil {
		return fmt.Errorf("fetching the payout document %s: %w", ref.ID, err)
	}
	defer func() { _ = body.Close() }()
	_, err = books{b}.Import(ctx, payout.File{Account: id, Name: ref.ID, Origin: "pull", By: "channel", Body: body})
	if rejected(err) {
		b.failed("payouts", id)
		return nil
	}
	return err
}
