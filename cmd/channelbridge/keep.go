package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/fault"
	"channelbridge/shopadmin"
)

const (
	probeEvery     = 5 * time.Minute // a disconnected connection is asked whether it answers again
	subscribeEvery = 24 * time.Hour
	subscribeRetry = 10 * time.Minute
	purgeEvery     = time.Hour
	purgeBatch     = 500
	sealEvery      = time.Second
	sealBatch      = 500
	repliesKept    = 7 * 24 * time.Hour     // answers to writes of the API, by their keys
	purgeRest      = 200 * time.Millisecond // between batches: deliveries go first
	pollRetry      = 10 * time.Second
	pollDenied     = 5 * time.Minute
	callBound      = time.Minute // of a check, and of looking after subscriptions
)

// failed counts a failure of the work beside the orders.
func (b *bridge) failed(task string, id connector.ConnectionID) {
	if b.metrics != nil {
		b.metrics.Failed(task, id)
	}
}

// receiver is the store's side of taking pushes.
type receiver = shopadmin.Receiver

// sweep repeats one sweep until ctx ends. A connection that refuses us is left alone until the
// prober has brought it back, one that is reconnecting until its own listings are done; one that
// a person paused is still read.
func (b *bridge) sweep(ctx context.Context, sw connector.Sweep) {
	s := &connector.Sweeper{Store: b.store, Clock: b.clock, Lease: time.Duration(b.cfg.Limits.Lease), Nudge: b.loop.Nudge, Observe: func(sw connector.Sweep, seen, news int) {
		if b.metrics != nil {
			b.metrics.Swept(sw, b.clock(), seen, news)
		}
	}}
	for {
		wait := 5 * time.Second
		if c, ok := b.states.get(sw.Connection); ok && c.State != connector.Disconnected && c.State != connector.Reconnecting {
			next, err := s.Pass(ctx, sw)
			if err != nil && ctx.Err() == nil {
				b.failed("sweep", sw.Connection)
				b.log.Warn("sweep ended early", "connection", string(sw.Connection), "sweep", sw.Name,
					"class", fault.Of(err).String(), "error", err)
				if denied(err) {
					b.denied(ctx, sw.Connection, err)
				}
			}
			wait = max(next.Sub(b.clock()), 100*time.Millisecond)
		}
		if !pause(ctx, wait) {
			return
		}
	}
}

// poll reads a channel's queue until ctx ends. Pushes are the speed and not the guarantee, so a
// queue that fails does not stop the connection.
func (b *bridge) poll(ctx context.Context, l *link) {
	for {
		err := l.poller.Poll(ctx, b.door.Poll(l.id))
		if ctx.Err() != nil {
			return
		}
		wait := max(pollRetry, fault.After(err))
		if denied(err) || fault.Is(err, fault.Refused) {
			wait = pollDenied
		}
		b.failed("queue", l.id)
		b.log.Error("queue not read; sweeps bring the news meanwhile", "connection", string(l.id), "error", err,
			"hint", fault.Hint(err), "again", wait)
		if !pause(ctx, wait) {
			return
		}
	}
}

// subscribe keeps the other side's pushes pointed at us: at the start and daily.
func (b *bridge) subscribe(ctx context.Context, l *link) {
	for {
		wait := subscribeEvery
		if c, ok := b.states.get(l.id); ok && c.State == connector.Disconnected {
			wait = probeEvery
		} else if err := b.subscribeOnce(ctx, l); err != nil && ctx.Err() == nil {
			b.log.Warn("push subscriptions not looked after; sweeps bring the news meanwhile",
				"connection", string(l.id), "error", err, "hint", fault.Hint(err))
			wait = subscribeRetry
		}
		if !pause(ctx, wait) {
			return
		}
	}
}

func (b *bridge) subscribeOnce(ctx context.Context, l *link) error {
	callback := b.cfg.callback(l.id)
	if callback == "" && l.needsCallback() {
		b.log.Warn("no public_url is configured: this connection cannot push to us, sweeps bring the news", "connection", string(l.id))
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, callBound)
	defer cancel()
	subs, err := l.subscriptions(ctx, callback, true)
	count := map[string]int{}
	for _, s := range subs {
		count[s.State]++
		if s.State == "created" || s.State == "repaired" {
			b.log.Info("push subscription "+s.State, "connection", string(l.id), "topic", s.Topic, "details", s.Details)
		}
	}
	if err != nil {
		// Even a refusal stops nothing: orders may be readable where subscriptions are not.
		count["unchecked"] = 1
		b.failed("subscriptions", l.id)
	}
	if b.metrics != nil {
		b.metrics.Subscriptions(l.id, count)
	}
	return err
}

// probe asks disconnected connections whether they answer again. Orders that were parked
// meanwhile are due already.
func (b *bridge) probe(ctx context.Context) {
	for {
		for _, l := range b.all() {
			b.probeOne(ctx, l)
		}
		if !pause(ctx, probeEvery) {
			return
		}
	}
}

func (b *bridge) probeOne(ctx context.Context, l *link) {
	if c, ok := b.states.get(l.id); !ok || c.State != connector.Disconnected {
		return
	}
	call, cancel := context.WithTimeout(ctx, callBound)
	defer cancel()
	h, err := l.check(call)
	if err != nil {
		b.failed("probe", l.id)
		b.log.Info("connection still refuses", "connection", string(l.id), "error", err, "hint", fault.Hint(err))
		return
	}
	if c, ok := b.states.get(l.id); !ok || c.State != connector.Disconnected {
		return // a person was faster
	}
	if err := b.states.set(ctx, l.id, connector.Active, ""); err != nil {
		b.log.Error("state of a connection not kept", "connection", string(l.id), "error", err)
		return
	}
	b.log.Info("connection answers again", "connection", string(l.id), "account", h.Account)
	b.loop.Nudge()
}

// lifecycle is told of a store's push about the connection itself.
func (b *bridge) lifecycle(id connector.ConnectionID) func(context.Context, shopadmin.Hint) {
	return func(ctx context.Context, h shopadmin.Hint) {
		c, ok := b.states.get(id)
		switch {
		case h.Privacy != nil:
			b.demanded()
		case h.Lifecycle == shopadmin.ScopesChanged:
			b.log.Warn("the store changed what we may do there: run channelbridge doctor", "connection", string(id))
		case h.Lifecycle != shopadmin.Uninstalled || !ok || c.State != connector.Active:
		case !h.TriggeredAt.IsZero() && h.TriggeredAt.Before(c.ChangedAt):
			b.log.Info("push about an uninstall is older than the connection's present life", "connection", string(id))
		default:
			b.park(ctx, id, "the app was uninstalled from the store")
		}
	}
}

// seal puts the audit record into its chain, soon after it is written.
func (b *bridge) seal(ctx context.Context) {
	for {
		for {
			n, err := b.store.SealAudit(ctx, sealBatch)
			if err != nil && ctx.Err() == nil {
				b.failed("seal", "")
				b.log.Warn("audit record not sealed; it is tried again", "error", err)
			}
			if err != nil || n < sealBatch {
				break
			}
		}
		if !pause(ctx, sealEvery) {
			return
		}
	}
}

// purge deletes old deliveries, hourly and in small batches.
func (b *bridge) purge(ctx context.Context) {
	for {
		if n, err := b.purgeOnce(ctx); err != nil && ctx.Err() == nil {
			b.failed("purge", "")
			b.log.Warn("old deliveries not deleted", "deleted", n, "error", err)
		} else if n > 0 {
			b.log.Info("old deliveries deleted", "deleted", n)
		}
		if _, err := b.store.ForgetReplies(ctx, b.clock().Add(-repliesKept)); err != nil && ctx.Err() == nil {
			b.failed("purge", "")
			b.log.Warn("old answers of the API not deleted", "error", err)
		}
		if _, err := b.purgeEvents(ctx); err != nil && ctx.Err() == nil {
			b.failed("purge", "")
			b.log.Warn("old events not deleted", "error", err)
		}
		if !pause(ctx, purgeEvery) {
			return
		}
	}
}

func (b *bridge) purgeOnce(ctx context.Context) (total int, err error) {
	before := b.clock().Add(-time.Duration(b.cfg.Retention.Deliveries))
	for {
		n, err := b.store.Purge(ctx, before, purgeBatch)
		total += n
		if b.metrics != nil {
			b.metrics.Purged(n)
		}
		if err != nil {
			return total, fmt.Errorf("deleting deliveries received before %s: %w", before.UTC().Format(time.RFC3339), err)
		}
		if n < purgeBatch {
			return total, nil
		}
		if !pause(ctx, purgeRest) {
			return total, errors.New("stopped")
		}
	}
}
