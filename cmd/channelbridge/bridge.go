package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"channelbridge/connector"
	"channelbridge/connector/order"
	"channelbridge/connector/payout"
	"channelbridge/internal/notify"
	"channelbridge/internal/observe"
	"channelbridge/internal/vault"
	"channelbridge/webhooks"
)

// parts are what a bridge is built from.
type parts struct {
	cfg     *Config
	store   connector.Store
	vault   *vault.Vault // nil without a key; then sealed connections cannot be read
	clock   connector.Clock
	log     *slog.Logger
	metrics *observe.Metrics // nil: nothing is counted
}

// bridge is the whole thing, wired but not running. Commands build one to look at the same
// configuration and database; serve runs it.
type bridge struct {
	parts
	hooks   hooks
	door    *webhooks.Server
	loop    *connector.Loop
	orders  *order.Reconciler
	sender  *notify.Sender
	states  *states
	plans   plans
	watched watched
	demand  chan struct{} // a demand about personal data came in

	mu     sync.RWMutex
	links  map[connector.ConnectionID]*link
	broken map[connector.ConnectionID]string             // stored connections that cannot be used, and why
	begin  func(*link) context.CancelFunc                // set while running: starts what brings a connection's news
	work   map[connector.ConnectionID]context.CancelFunc // ends it
}

// newBridge wires everything. It calls nobody outside and does not touch the database.
func newBridge(p parts) (*bridge, error) {
	b := &bridge{parts: p, links: map[connector.ConnectionID]*link{}, broken: map[connector.ConnectionID]string{},
		work: map[connector.ConnectionID]context.CancelFunc{}, demand: make(chan struct{}, 1)}
	lease := time.Duration(p.cfg.Limits.Lease)
	b.hooks = hooks{clock: p.clock, log: p.log, timeout: time.Duration(p.cfg.Limits.CallTimeout)}
	var reg prometheus.Registerer
	if p.metrics != nil {
		b.hooks.observe, reg = p.metrics.Call, p.metrics.Registry
	}
	b.sender = newSender(p, b.hooks)
	b.states = newStates(p.store, p.clock, p.log)
	orders := &order.Reconciler{Store: p.store, Sides: b.sides, Clock: p.clock, Log: p.log, CallTime: time.Duration(p.cfg.Limits.CallTimeout), Denied: b.refused,
		Known: payout.Keeper{Store: p.store}.Known}
	b.orders = orders
	b.loop = &connector.Loop{
		Queue: p.store, Clock: p.clock, Runnable: b.runnable, Workers: p.cfg.Limits.Workers, Recover: true, Lease: lease, Log: p.log,
		Reconcilers: map[connector.Kind]connector.Reconciler{connector.KindOrder: observe.Looking(orders),
			connector.KindLane: observe.Looking(&order.Lanes{Orders: orders, Store: p.store, Clock: p.clock, Log: p.log,
				Gather: time.Duration(p.cfg.Limits.BatchGather), FindFor: time.Duration(p.cfg.Limits.BatchFind)})},
	}
	if p.metrics != nil {
		b.loop.Observe = p.metrics.Looked
	}
	b.door = webhooks.New(webhooks.Config{
		Inbox: p.store, Clock: p.clock, Log: p.log, Metrics: reg, Nudge: b.loop.Nudge,
		Limits: webhooks.Limits{MaxBody: p.cfg.Limits.MaxBody, MaxInFlight: p.cfg.Limits.MaxInFlight, RejectKeep: p.cfg.Limits.RejectsKept},
	})
	for _, c := range p.cfg.Connections {
		l, err := platforms[c.Platform].build(c, b.hooks)
		if err != nil {
			return nil, fmt.Errorf("connection %s: %w", c.ID, err)
		}
		if err := b.add(l); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// add takes a connection in.
func (b *bridge) add(l *link) error {
	src := webhooks.Source{Connection: l.id, Role: l.role, Channel: l.receiver, Lifecycle: b.lifecycle(l.id)}
	if r, ok := l.shop.(receiver); ok {
		src.Store = r
	}
	if src.Channel != nil || src.Store != nil {
		if err := b.door.Put(src); err != nil {
			return err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.links[l.id] = l
	delete(b.broken, l.id)
	return nil
}

// link returns a connection that is configured.
func (b *bridge) link(id connector.ConnectionID) (*link, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	l, ok := b.links[id]
	return l, ok
}

// all are the configured connections by id.
func (b *bridge) all() []*link {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.SortedFunc(maps.Values(b.links), func(x, y *link) int { return compare(x.id, y.id) })
}

// sides is what an order of a channel is kept in agreement with.
func (b *bridge) sides(channel connector.ConnectionID) (order.Sides, bool) {
	c, ok := b.link(channel)
	if !ok || c.channel == nil {
		return order.Sides{}, false
	}
	shop, ok := b.link(connector.ConnectionID(c.cfg.Store))
	if !ok || shop.shop == nil {
		return order.Sides{}, false
	}
	p := c.policy(shop)
	if row, ok := b.states.get(c.id); ok {
		p.Since, p.RemovedAt, p.RejoinedAt = row.Since, row.RemovedAt, row.RejoinedAt
	}
	return order.Sides{Channel: c.channel, Shop: shop.shop, Store: shop.id, Policy: p}, true
}

// runnable are the channels whose orders may be worked on now: they and their store are active.
func (b *bridge) runnable() []connector.ConnectionID {
	var out []connector.ConnectionID
	for _, l := range b.all() {
		if l.role == connector.RoleChannel && b.states.active(l.id) && b.states.active(connector.ConnectionID(l.cfg.Store)) {
			out = append(out, l.id)
		}
	}
	return out
}

// refused is told that a call for one order was denied. When the connection's own check succeeds,
// the denial concerns that order alone; otherwise the whole connection is parked.
func (b *bridge) refused(ctx context.Context, id connector.ConnectionID, cause error) bool {
	if l, ok := b.link(id); ok && !b.removed(id) {
		call, cancel := context.WithTimeout(ctx, callBound)
		defer cancel()
		if _, err := l.checkSoon(call, b.clock()); err == nil {
			b.log.Warn("a single order was denied; the connection itself answers", "connection", string(id), "error", cause)
			return false
		}
	}
	b.denied(ctx, id, cause)
	return true
}

// denied parks a connection whose credentials were refused. A person who paused it is not overruled.
func (b *bridge) denied(ctx context.Context, id connector.ConnectionID, cause error) {
	if c, ok := b.states.get(id); ok && c.State != connector.Active {
		return
	}
	b.park(ctx, id, cause.Error())
}

func (b *bridge) park(ctx context.Context, id connector.ConnectionID, reason string) {
	b.log.Error("connection disconnected: nothing is sent through it until it answers again",
		"connection", string(id), "reason", reason)
	if err := b.states.set(ctx, id, connector.Disconnected, reason); err != nil {
		b.log.Error("state of a connection not kept", "connection", string(id), "error", err)
	}
}

// register tells the database of the connections of the configuration file, and takes in those
// that stand in the database alone.
func (b *bridge) register(ctx context.Context) error {
	for _, l := range b.all() {
		if l.stored {
			continue
		}
		err := b.store.PutConnection(ctx, connector.Connection{ID: l.id, Platform: l.cfg.Platform, Role: l.role,
			Store: connector.ConnectionID(l.cfg.Store), ChangedAt: b.clock(), Since: b.clock()})
		if err != nil {
			return fmt.Errorf("registering connection %s: %w", l.id, err)
		}
	}
	if err := b.states.refresh(ctx); err != nil {
		return fmt.Errorf("reading the state of connections: %w", err)
	}
	b.adopt()
	return nil
}

// adopt takes in connections that were added at run time. One that cannot be used is named in
// the log, once, and does not keep the others from working.
func (b *bridge) adopt() {
	for _, c := range b.states.all() {
		if _, known := b.link(c.ID); known || len(c.Settings) == 0 {
			continue
		}
		l, err := b.unseal(c)
		if err == nil {
			err = b.add(l)
		}
		b.mu.Lock()
		again := err != nil && b.broken[c.ID] == err.Error()
		if err != nil {
			b.broken[c.ID] = err.Error()
		}
		b.mu.Unlock()
		switch {
		case err == nil:
			b.log.Info("connection taken in", "connection", string(c.ID), "platform", c.Platform)
		case !again:
			b.log.Error("stored connection cannot be used", "connection", string(c.ID), "error", err)
		}
	}
}

// unseal builds a connection from its row.
func (b *bridge) unseal(c connector.Connection) (*link, error) {
	raw, err := b.vault.Open(string(c.ID), c.Settings)
	if err != nil {
		return nil, fmt.Errorf("its credentials cannot be read: %w", err)
	}
	cfg, err := parseStored(string(c.ID), raw)
	if err != nil {
		return nil, err
	}
	if cfg.ID != string(c.ID) {
		return nil, fmt.Errorf("the row holds the settings of %q", cfg.ID)
	}
	l, err := platforms[cfg.Platform].build(cfg, b.hooks)
	if err == nil {
		l.stored = true
	}
	return l, err
}

// unusable are the stored connections that could not be taken in, and why.
func (b *bridge) unusable() map[connector.ConnectionID]string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return maps.Clone(b.broken)
}
