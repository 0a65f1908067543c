package main

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"sync"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/lifecycle"
	"channelbridge/connector/order"
	"channelbridge/internal/fault"
	"channelbridge/internal/httpx"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// hooks are what every adapter is given from outside. The zero value serves.
type hooks struct {
	clock     connector.Clock
	log       *slog.Logger
	observe   func(httpx.Event)
	transport http.RoundTripper
	timeout   time.Duration
}

// link is one configured connection with its adapter: channel or shop is set, by role.
type link struct {
	checking  sync.Mutex
	checked   health // the last check that succeeded, of checkSoon
	checkedAt time.Time

	cfg      ConnectionConfig
	id       connector.ConnectionID
	role     connector.Role
	channel  marketplace.Adapter
	shop     shopadmin.Admin
	receiver marketplace.Receiver // of a channel; nil when it has none
	poller   marketplace.Poller   // set when a queue is configured
	pushOnly bool                 // cannot be asked what changed
	privacy  []string             // topics of demands about personal data that it passes on
	stored   bool                 // from the database, not from the file
}

// health is what a check of either side learned.
type health struct {
	Account  string        `json:"account"`
	Details  string        `json:"details,omitempty"`
	Skew     time.Duration `json:"clock_skew"`
	Warnings []string      `json:"warnings,omitempty"`
}

// check makes one cheap real call.
func (l *link) check(ctx context.Context) (health, error) {
	if c, ok := l.channel.(marketplace.Checker); ok {
		h, err := c.Check(ctx)
		return health{h.Account, listed("sites ", h.Sites), h.ClockSkew, h.Warnings}, err
	}
	if c, ok := l.shop.(shopadmin.Checker); ok {
		h, err := c.Check(ctx)
		return health{h.Account, words(h.Currency, h.Zone), h.ClockSkew, h.Warnings}, err
	}
	return health{Account: "not checkable"}, nil
}

// checkEvery is how long a check that succeeded stands for a connection that denies single calls.
const checkEvery = time.Minute

// checkSoon is check, but not more than once in a while.
func (l *link) checkSoon(ctx context.Context, now time.Time) (health, error) {
	l.checking.Lock()
	defer l.checking.Unlock()
	if now.Sub(l.checkedAt) < checkEvery {
		return l.checked, nil
	}
	h, err := l.check(ctx)
	if err == nil {
		l.checked, l.checkedAt = h, now
	}
	return h, err
}

// subscribes reports whether the other side pushes by subscription at all.
func (l *link) subscribes() bool {
	_, channel := l.channel.(marketplace.Subscriber)
	_, shop := l.shop.(shopadmin.Subscriber)
	return shop || channel && (l.cfg.Amazon == nil || l.cfg.Amazon.Queue.ARN != "")
}

// needsCallback reports whether pushes come to our public address.
func (l *link) needsCallback() bool { return l.role == connector.RoleStore }

// subscriptions compares wanted pushes with existing ones, and repairs them when asked.
func (l *link) subscriptions(ctx context.Context, callback string, repair bool) ([]marketplace.Subscription, error) {
	if s, ok := l.channel.(marketplace.Subscriber); ok {
		return s.Subscriptions(ctx, callback, repair)
	}
	s, ok := l.shop.(shopadmin.Subscriber)
	if !ok {
		return nil, nil
	}
	subs, err := s.Subscriptions(ctx, callback, repair)
	out := make([]marketplace.Subscription, len(subs))
	for i, x := range subs {
		out[i] = marketplace.Subscription(x)
	}
	return out, err
}

// callback is the address for a connection's pushes; empty without a public one.
func (c *Config) callback(id connector.ConnectionID) string {
	if c.PublicURL == "" {
		return ""
	}
	return trimSlash(c.PublicURL) + "/webhooks/" + string(id)
}

// sweeps are a connection's repeated listings.
func (l *link) sweeps(clock connector.Clock) []connector.Sweep {
	if l.pushOnly {
		return nil
	}
	s := connector.Sweep{Connection: l.id, Name: "changes", Reach: sweepReach}
	if l.role == connector.RoleChannel {
		t := l.channel.Traits()
		s.Every, s.Overlap, s.List = t.SweepEvery, t.Overlap, order.SweepMarket(l.id, l.channel, clock)
	} else {
		t := l.shop.Traits()
		s.Every, s.Overlap, s.List = t.SweepEvery, t.Overlap, order.SweepShop(l.id, l.shop, clock)
	}
	if every := time.Duration(l.cfg.SweepEvery); every > 0 {
		s.Every = every
	}
	if s.Every <= 0 {
		s.Every = 5 * time.Minute
	}
	wide := s
	wide.Name, wide.Every, wide.Reach, wide.Wide = "wide", wideEvery, wideReach, true
	if r, ok := l.refunds(); ok {
		in := l.channel.Traits().RefundsIn
		return []connector.Sweep{s, wide, {Connection: l.id, Name: "refunds", Every: max(s.Every, refundsEvery), Overlap: in + time.Hour,
			Reach: max(sweepReach, 2*in), List: order.SweepRefunds(l.id, r)}}
	}
	return []connector.Sweep{s, wide}
}

// refunds is the channel's finance side, if it has one that can be read.
func (l *link) refunds() (marketplace.RefundReader, bool) {
	r, ok := l.channel.(marketplace.RefundReader)
	return r, ok && !l.pushOnly
}

const (
	sweepReach   = 7 * 24 * time.Hour  // of the very first pass
	refundsEvery = 15 * time.Minute    // between two listings of refunds; that side lags by hours
	wideEvery    = 24 * time.Hour      // between two wide passes
	wideReach    = 30 * 24 * time.Hour // how far a wide pass looks back
)

// policy is what the operator chose for a channel and what its two sides can do.
func (l *link) policy(shop *link) order.Policy {
	t := l.channel.Traits()
	carriers := map[string]marketplace.Carrier{}
	for name, c := range t.Carriers {
		carriers[lowerTrim(name)] = c
	}
	maps.Copy(carriers, l.cfg.carriers())
	_, canUpdate := shop.shop.(shopadmin.Updater)
	_, canHold := shop.shop.(shopadmin.Holder)
	name := platforms[l.cfg.Platform].name
	if name == "" {
		name = l.cfg.Tag
	}
	_, canCancel := shop.shop.(shopadmin.Canceller)
	_, reads := l.refunds()
	r := l.cfg.refunds()
	p := order.Policy{
		Instructions: t.Instructions, WholeOnly: t.WholeOnly, CaptureOnShip: t.CaptureOnShip, Repeat: t.Repeat, Reasons: t.Reasons,
		Lanes: map[marketplace.Operation]string{}, ReadsRefunds: reads, RefundsIn: t.RefundsIn, Fresh: 2 * time.Minute,
		CancelsShop: canCancel && unlessNo(r.CancelMirror), Restock: unlessNo(r.Restock), Goodwill: r.Goodwill, Budget: r.budget(),
		Tag: l.cfg.Tag, Tags: l.cfg.Tags, Gateway: name, SourceName: l.cfg.Platform,
		NamePrefix: l.cfg.NamePrefix, OrderURL: l.cfg.OrderURL, Stock: shopadmin.StockBehaviour(l.cfg.Stock),
		Carriers: carriers, NeedTrack: t.NeedTrack,
		SettleMarket: t.SettleIn, SettleShop: shop.shop.Traits().SettleIn,
		RepeatConfirm: repeatClass(t.Repeat[marketplace.OpConfirmShipment]),
		CanUpdate:     canUpdate, CanHold: canHold,
		ProveAfter: 15 * time.Minute, AlarmLead: time.Hour, ShipByWarn: 6 * time.Hour,
	}
	if lifecycle.Mode(r.Reconnect) == lifecycle.AskAbove {
		p.AskAbove = r.AskAbove.Money
	}
	if s, ok := l.channel.(marketplace.Submitter); ok {
		for _, op := range t.Instructions {
			p.Lanes[op] = s.Lane(op)
		}
	}
	return p
}

// carriers is the operator's own table, by the store's names in lower case.
func (c ConnectionConfig) carriers() map[string]marketplace.Carrier {
	out := map[string]marketplace.Carrier{}
	for name, to := range c.Carriers {
		out[lowerTrim(name)] = marketplace.Carrier(to)
	}
	return out
}

func repeatClass(c marketplace.RepeatClass) marketplace.RepeatClass {
	if c == "" {
		return marketplace.RepeatNone
	}
	return c
}

// denied reports an error that stops the whole connection.
func denied(err error) bool { return fault.Is(err, fault.Denied) }
