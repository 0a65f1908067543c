package main

import (
	"context"
	"fmt"

	"channelbridge/connector"
	"channelbridge/connector/order"
)

// guard is the brake on listings that cancel an unlikely share of a channel's open orders.
func (b *bridge) guard() *order.Guard {
	return &order.Guard{Store: b.store, Clock: b.clock, Percent: b.massCancel, Braked: func(id connector.ConnectionID, reason string) {
		if b.metrics != nil {
			b.metrics.Braked(id)
		}
		b.log.Error("channel paused by its brake", "channel", string(id), "reason", reason,
			"hint", "look at both sides, then run: channelbridge channels resume "+string(id))
	}}
}

// massCancel is the share of its open orders that a listing may turn into cancelled ones.
func (b *bridge) massCancel(id connector.ConnectionID) int {
	l, ok := b.link(id)
	if !ok {
		return 0
	}
	return l.cfg.refunds().MassCancel
}

// release lets the listing that has paused a channel through once; a channel that was paused by a
// person is only resumed.
func (b *bridge) release(ctx context.Context, id connector.ConnectionID, actor string) error {
	c, ok := b.states.get(id)
	if !ok || !order.Braked(c) {
		return nil
	}
	consent := connector.Switch{Name: order.BrakeSwitch(id), On: true, Actor: or(actor, connector.Operator), At: b.clock(), Reason: "resumed after " + c.Reason}
	if err := b.store.SetSwitch(ctx, consent); err != nil {
		return fmt.Errorf("channel %s: keeping that its listing may pass: %w", id, err)
	}
	return nil
}
