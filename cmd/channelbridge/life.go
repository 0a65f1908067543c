package main

import (
	"context"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/lifecycle"
	"channelbridge/connector/order"
	"channelbridge/internal/fault"
)

const (
	rejoinLook   = time.Second     // between two looks whether a channel is reconnecting
	rejoinDenied = 5 * time.Minute // after its credentials were refused
)

// attend takes connections in that were added at run time, starts what brings the news of those
// that may be called, and stops it for one that was removed: from then on nothing is called with
// its credentials.
func (b *bridge) attend() {
	b.adopt()
	for _, l := range b.all() {
		gone := b.removed(l.id)
		b.mu.Lock()
		stop, working := b.work[l.id]
		switch {
		case gone && working:
			delete(b.work, l.id)
		case !gone && !working && b.begin != nil:
			b.work[l.id] = b.begin(l)
		}
		b.mu.Unlock()
		if gone && working {
			stop()
			b.forget(l)
		}
	}
}

// removed reports a connection that a person has taken away.
func (b *bridge) removed(id connector.ConnectionID) bool {
	c, ok := b.states.get(id)
	return ok && c.State == connector.Removed
}

// forget drops what a removed connection's adapter holds. One from the database has lost its
// credentials: it goes altogether, and so do its pushes, which nobody can authenticate any more.
// One of the configuration file is built anew, without tokens, to go on recording pushes.
func (b *bridge) forget(l *link) {
	if l.stored {
		b.door.Remove(l.id)
		b.mu.Lock()
		delete(b.links, l.id)
		b.mu.Unlock()
		b.log.Info("connection removed: its credentials are destroyed", "connection", string(l.id))
		return
	}
	fresh, err := platforms[l.cfg.Platform].build(l.cfg, b.hooks)
	if err == nil {
		err = b.add(fresh)
	}
	if err != nil {
		b.log.Error("removed connection not built anew", "connection", string(l.id), "error", err)
	}
	b.log.Warn("connection removed: take its credentials out of the configuration file", "connection", string(l.id))
}

// rejoiner brings reconnecting channels back.
func (b *bridge) rejoiner() *lifecycle.Rejoiner {
	return &lifecycle.Rejoiner{Store: b.store, Clock: b.clock, Log: b.log, Nudge: b.loop.Nudge, Sweeps: b.rejoinSweeps, Mode: b.mode}
}

// mode is what happens once the plan of a channel's reconnection stands.
func (b *bridge) mode(id connector.ConnectionID) lifecycle.Mode {
	l, ok := b.link(id)
	if !ok {
		return lifecycle.Ask
	}
	return lifecycle.Mode(l.cfg.refunds().Reconnect)
}

// rejoinSweeps are the listings of both sides that a reconnection begins with.
func (b *bridge) rejoinSweeps(id connector.ConnectionID) []connector.Sweep {
	l, ok := b.link(id)
	if !ok || l.channel == nil {
		return nil
	}
	var out []connector.Sweep
	if !l.pushOnly {
		out = append(out, connector.Sweep{Connection: id, Name: "orders", List: order.SweepMarket(id, l.channel, b.clock)})
	}
	if r, ok := l.refunds(); ok {
		out = append(out, connector.Sweep{Connection: id, Name: "refunds", List: order.SweepRefunds(id, r)})
	}
	if shop, ok := b.link(connector.ConnectionID(l.cfg.Store)); ok && shop.shop != nil {
		out = append(out, connector.Sweep{Connection: shop.id, Name: "store", List: order.SweepShop(shop.id, shop.shop, b.clock)})
	}
	return out
}

// rejoin waits for its channel to be reconnected and takes it through, step by step.
func (b *bridge) rejoin(ctx context.Context, l *link) {
	for {
		wait := rejoinLook
		if c, ok := b.states.get(l.id); ok && c.State == connector.Reconnecting && !lifecycle.Waits(c) {
			wait = b.rejoinOnce(ctx, c)
		}
		if !pause(ctx, wait) {
			return
		}
	}
}

func (b *bridge) rejoinOnce(ctx context.Context, c connector.Connection) time.Duration {
	at, err := b.rejoiner().Step(ctx, c)
	if ctx.Err() != nil {
		return 0
	}
	wait := max(at.Sub(b.clock()), rejoinLook)
	if err != nil {
		b.failed("rejoin", c.ID)
		b.log.Error("reconnecting goes on later", "channel", string(c.ID), "class", fault.Of(err).String(), "error", err, "hint", fault.Hint(err))
		if denied(err) {
			wait = max(wait, rejoinDenied)
		}
	}
	if err := b.states.refresh(ctx); err != nil && ctx.Err() == nil {
		b.log.Warn("the state of connections not read", "error", err)
	}
	return wait
}
