package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/fault"
	"channelbridge/marketplace"
)

// listing is one list of a channel that is read on and on: what it is called, how far back the
// first look reaches, and how one page is taken in.
type listing struct {
	name  string
	reach time.Duration
	every time.Duration
	page  func(ctx context.Context, after marketplace.Cursor) (next marketplace.Cursor, more bool, err error)
}

// follow reads a list until ctx ends. One process does so at a time.
func (b *bridge) follow(ctx context.Context, l *link, list listing) {
	for {
		if c, ok := b.states.get(l.id); ok && c.State != connector.Disconnected && c.State != connector.Removed {
			if err := b.readOn(ctx, l.id, list); err != nil && ctx.Err() == nil {
				b.failed(list.name, l.id)
				b.log.Warn("reading a list ended early", "list", list.name, "connection", string(l.id), "class", fault.Of(err).String(), "error", err)
			}
		}
		if !pause(ctx, list.every) {
			return
		}
	}
}

// readOn takes in what is new. The place is kept after every page, so a process that dies goes on
// there; what it takes in again changes nothing.
func (b *bridge) readOn(ctx context.Context, id connector.ConnectionID, list listing) error {
	cur, ours, err := b.store.TakeCursor(ctx, id, list.name, b.clock(), pullLease)
	if err != nil || !ours {
		return err
	}
	place := marketplace.Cursor{Since: b.clock().Add(-list.reach)}
	if len(cur.Value) > 0 {
		if err := json.Unmarshal(cur.Value, &place); err != nil {
			return fmt.Errorf("the place in the list of %s: %w", list.name, err)
		}
	}
	for more := true; more; {
		if place, more, err = list.page(ctx, place); err != nil {
			return err
		}
		if cur.Value, err = json.Marshal(place); err != nil {
			return err
		}
		cur.Watermark = place.Since
		until := b.clock().Add(pullLease)
		if !more {
			until = time.Time{}
		}
		if err := b.store.KeepCursor(ctx, cur, b.clock(), until); err != nil {
			return fmt.Errorf("keeping the place in the list of %s: %w", list.name, err)
		}
	}
	return nil
}
