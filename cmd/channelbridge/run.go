package main

import (
	"context"
	"sync"

	"channelbridge/connector"
)

// run works until ctx ends, then finishes the looks under way. Everything that brings news
// stops first.
func (b *bridge) run(ctx context.Context) {
	var wg sync.WaitGroup
	b.mu.Lock()
	b.begin = func(l *link) context.CancelFunc { return b.bring(ctx, &wg, l) }
	b.mu.Unlock()
	b.attend()
	wg.Go(func() { b.states.run(ctx, b.attend) })
	wg.Go(func() { b.probe(ctx) })
	wg.Go(func() { b.purge(ctx) })
	wg.Go(func() { b.seal(ctx) })
	wg.Go(func() { b.redact(ctx) })
	wg.Go(func() { b.comply(ctx) })
	wg.Go(func() { b.sender.Run(ctx) })
	wg.Go(func() { b.retell(ctx) })
	wg.Go(func() { _ = b.loop.Run(ctx) }) // it returns nil; its troubles are in the log
	wg.Wait()
}

// bring starts everything that brings a connection's news, until it is cancelled.
func (b *bridge) bring(ctx context.Context, wg *sync.WaitGroup, l *link) context.CancelFunc {
	ctx, cancel := context.WithCancel(ctx)
	for _, sw := range l.sweeps(b.clock) {
		sw.List = b.guard().Watch(sw.List)
		wg.Go(func() { b.sweep(ctx, sw) })
	}
	if l.subscribes() {
		wg.Go(func() { b.subscribe(ctx, l) })
	}
	if l.poller != nil {
		wg.Go(func() { b.poll(ctx, l) })
	}
	wg.Go(func() { b.watch(ctx, l) })
	if l.role == connector.RoleChannel {
		wg.Go(func() { b.rejoin(ctx, l) })
		wg.Go(func() { b.catchUp(ctx, l.id) })
		wg.Go(func() { b.watchFindings(ctx, l) })
		if l.cfg.pulls() {
			for _, list := range b.paying(l) {
				wg.Go(func() { b.follow(ctx, l, list) })
			}
		}
		if l.cfg.payouts().Folder != "" {
			wg.Go(func() { b.fromFolder(ctx, l) })
		}
	}
	return cancel
}

// summary is what is told at the start: no secrets, only whether they are there.
func (b *bridge) summary() {
	channels, stores := 0, 0
	for _, l := range b.all() {
		if l.role == connector.RoleChannel {
			channels++
		} else {
			stores++
		}
		state, _ := b.states.get(l.id)
		b.log.Info("connection", "connection", string(l.id), "platform", l.cfg.Platform, "store", l.cfg.Store,
			"state", string(state.State), "reason", state.Reason, "queue", l.poller != nil, "stored", l.stored,
			"callback", b.cfg.callback(l.id))
	}
	b.log.Info("started", "version", version, "database", b.cfg.DatabaseURL.masked(), "listen", b.cfg.Listen,
		"metrics_listen", b.cfg.MetricsListen, "public_url", b.cfg.PublicURL, "channels", channels, "stores", stores,
		"workers", b.cfg.Limits.Workers, "key", b.vault != nil, "tracing", b.cfg.Tracing.Endpoint != "")
	if channels+stores == 0 {
		b.log.Warn("no connections are configured: nothing will happen")
	}
}
