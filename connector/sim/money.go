package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/lifecycle"
	"channelbridge/connector/order"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
	sfake "channelbridge/shopadmin/fake"
)

// moneyPolicy is what the channel takes of money and what the operator chose.
func (w *World) moneyPolicy() {
	t := w.channel.Traits()
	p := &w.policy
	p.Instructions, p.CaptureOnShip, p.Repeat, p.Reasons = t.Instructions, t.CaptureOnShip, t.Repeat, t.Reasons
	p.Lanes = map[marketplace.Operation]string{}
	if sub, ok := w.channel.(marketplace.Submitter); ok {
		for _, op := range t.Instructions {
			p.Lanes[op] = sub.Lane(op)
		}
	}
	p.ReadsRefunds, p.RefundsIn, p.Fresh = true, w.Market.RefundLag, 2*time.Minute
	p.CancelsShop, p.Restock = true, true
	p.Budget = &connector.Budget{Per: time.Hour, Count: 6}
}

// rejoined is the policy with the channel's present life in it.
func (w *World) rejoined() order.Policy {
	p := w.policy
	c := w.connection()
	p.RemovedAt, p.RejoinedAt = c.RemovedAt, c.RejoinedAt
	return p
}

func (w *World) connection() connector.Connection {
	all, err := w.base.Connections(context.Background())
	must(err)
	for _, c := range all {
		if c.ID == Channel {
			return c
		}
	}
	panic("no channel")
}

func (w *World) state() connector.State { return w.connection().State }

// gone reports that the channel cannot be read: it was removed.
func (w *World) gone() bool { return len(w.removed) > 0 && w.state() == connector.Removed }

func (w *World) wireRejoin(clock connector.Clock, quiet *slog.Logger) {
	w.rejoiner = &lifecycle.Rejoiner{Store: w.store, Clock: clock, Log: quiet, Mode: func(connector.ConnectionID) lifecycle.Mode { return lifecycle.Run },
		Nudge: func() { w.tick(w.now) },
		Sweeps: func(connector.ConnectionID) []connector.Sweep {
			return []connector.Sweep{
				{Connection: Channel, Name: "orders", List: order.SweepMarket(Channel, w.channel, clock)},
				{Connection: Channel, Name: "refunds", List: order.SweepRefunds(Channel, w.channel)},
				{Connection: ShopID, Name: "store", List: order.SweepShop(ShopID, w.Shop, clock)},
			}
		}}
}

// remove takes the channel away; it comes back after a while.
func (w *World) remove(away time.Duration) {
	if w.state() == connector.Removed || w.state() == connector.Reconnecting {
		return
	}
	w.removed = append(w.removed, span{w.now, w.now.Add(away)})
	must(w.base.SetState(context.Background(), Channel, connector.Removed, "operator", w.now))
	for _, id := range w.Market.All() { // staff go on working in the store
		if w.rnd.IntN(6) == 0 {
			w.at(w.now.Add(away/2), func() { w.staffCancel(id, w.rnd.IntN(4) > 0) })
		}
	}
	w.at(w.now.Add(away), func() {
		must(w.base.SetState(context.Background(), Channel, connector.Reconnecting, "", w.now))
		w.rejoin()
	})
}

func (w *World) rejoin() {
	var next time.Time
	w.survive(func() {
		next = w.now.Add(time.Minute)
		c := w.connection()
		if c.State != connector.Reconnecting {
			next = time.Time{}
			return
		}
		if at, err := w.rejoiner.Step(context.Background(), c); err != nil || !at.IsZero() {
			next = w.now.Add(time.Minute)
		} else {
			next = time.Time{}
		}
	})
	if !next.IsZero() || w.state() == connector.Reconnecting {
		w.at(w.now.Add(time.Minute), w.rejoin)
	}
}

// refundPush is the channel's own push about a refund.
func (w *World) refundPush(id marketplace.OrderID, at time.Time) {
	w.push(fmt.Sprintf("r/%s/%d", id, at.UnixNano()), connector.Delivery{Connection: Channel, Topic: "transaction_update", Verdict: connector.Accepted,
		Touch: []connector.Touch{{Subject: w.subject(id), Side: connector.Money, Heard: at}}})
}

// moneyPeople plans an operator who looks after what machines cannot know, and in some worlds
// removes the channel.
func (w *World) moneyPeople() {
	if w.cfg.NoMoney || w.cfg.Calm {
		return
	}
	w.at(start.Add(3*time.Hour), w.tend)
	away := w.cfg.Away
	if away == 0 && w.rnd.IntN(4) == 0 {
		away = []time.Duration{time.Hour, 24 * time.Hour}[w.rnd.IntN(2)]
	}
	if away > 0 {
		w.at(start.Add(w.span(20*time.Hour, 90*time.Hour)), func() { w.remove(away) })
	}
}

// tend is the operator's round: doubts are settled by looking at the channel, refusals tried again.
func (w *World) tend() {
	ctx := context.Background()
	for _, id := range w.Market.All() {
		rec, err := w.base.Load(ctx, w.subject(id))
		if err != nil {
			continue
		}
		for _, e := range rec.Entries {
			if doubtful(e) && w.now.Sub(e.IntendedAt) > 7*time.Hour {
				o := connector.Outcome{State: connector.Refused, At: w.now, Class: "resolved"}
				if w.applied(e.Key) > 0 {
					o.State = connector.Done
				}
				must(w.base.Resolve(ctx, e.ID, o, "operator", "looked at the channel"))
				w.tick(w.now)
			}
		}
		for _, h := range rec.Holds {
			if h.Kind == "refund_refused" || h.Kind == "cancel_refused" || h.Kind == "mirror_not_cancelled" || h.Kind == "store_refund_refused" {
				_, err := w.base.Reopen(ctx, w.subject(id), w.now, "try once more")
				must(err)
				w.tick(w.now)
				break
			}
		}
	}
	if w.ended.IsZero() || w.now.Before(w.ended.Add(-4*time.Hour)) {
		w.at(w.now.Add(3*time.Hour), w.tend)
	}
}

// doubtful reports a money command that machines cannot find out about.
func doubtful(e connector.Entry) bool {
	switch e.Verb {
	case order.CancelMarket, order.CancelUnits, order.RefundMarket:
		return e.State == connector.Unknown
	}
	return false
}

// applied counts how often an instruction took effect.
func (w *World) applied(key string) (n int) {
	for _, a := range w.Market.Instructed {
		if a.Key == key {
			n++
		}
	}
	return n
}

// regrets plans what happens to the money of an order some time after it was placed.
func (w *World) regrets(id marketplace.OrderID) {
	if w.cfg.NoMoney || w.cfg.Calm {
		return
	}
	for range 1 + w.rnd.IntN(2) {
		at := w.now.Add(w.span(30*time.Minute, 70*time.Hour))
		if at.After(w.end) {
			at = w.end.Add(-time.Minute)
		}
		switch w.rnd.IntN(14) {
		case 0, 1:
			w.at(at, func() { w.staffRefund(id, false) })
		case 2:
			w.at(at, func() { w.staffRefund(id, true) })
		case 3, 4:
			w.at(at, func() { w.staffCancel(id, true) })
		case 5:
			w.at(at, func() { w.staffCancel(id, false) })
		case 6:
			w.at(at, func() { w.channelRefund(id) })
		case 7:
			w.at(at, func() { w.wish(id, connector.WishRefund) })
		case 8:
			w.at(at, func() { w.wish(id, connector.WishCancel) })
		}
	}
}

// staffRefund is staff giving money back in the store: units, sometimes with something kept or
// added, sometimes money alone, sometimes money that moves later.
func (w *World) staffRefund(id marketplace.OrderID, odd bool) {
	m := w.mirror(id)
	if m == nil || !m.CancelledAt.IsZero() || w.Market.Get(id).FulfilledBy == marketplace.ByChannel {
		return
	}
	t := sfake.Take{Units: map[string]int{}, Reason: "customer"}
	for _, l := range m.Lines {
		if l.Current > 0 && w.rnd.IntN(2) == 0 {
			t.Units[l.ID] = 1 + w.rnd.IntN(l.Current)
			if w.rnd.IntN(2) == 0 && t.Units[l.ID] <= l.Unfulfilled {
				t.Restock = shopadmin.RestockCancel
			}
		}
	}
	if odd {
		switch w.rnd.IntN(3) {
		case 0:
			t = sfake.Take{Beyond: int64(50 + w.rnd.IntN(500)), Reason: "other"}
		case 1:
			t.Beyond = -int64(1 + w.rnd.IntN(40))
		case 2:
			t.Pending = true
		}
	}
	ref, err := w.Shop.GiveBack(m.ID, t)
	if err != nil {
		return
	}
	if t.Pending && w.rnd.IntN(2) == 0 {
		w.at(w.now.Add(w.span(time.Minute, 10*time.Hour)), func() { w.Shop.PendingMoved(m.ID, ref) })
	}
}

func (w *World) staffCancel(id marketplace.OrderID, refund bool) {
	m := w.mirror(id)
	if m == nil || w.Market.Get(id).FulfilledBy == marketplace.ByChannel {
		return
	}
	if w.Shop.CancelByStaff(m.ID, []string{"customer", "inventory", "other"}[w.rnd.IntN(3)], refund) == nil {
		w.truth[id].unpaidCancel = !refund && w.movedInStore(*m) == 0
	}
}

func (w *World) movedInStore(o shopadmin.Order) (sum int64) {
	for _, r := range o.Refunds {
		sum += r.Moved.Minor + r.Pending.Minor
	}
	return sum
}

// channelRefund is a refund made at the channel itself.
func (w *World) channelRefund(id marketplace.OrderID) {
	o := w.Market.Get(id)
	l := o.Lines[w.rnd.IntN(len(o.Lines))]
	gross := int64(0)
	for _, c := range l.Parts {
		gross += c.Amount.Minor + c.Tax.Minor
	}
	if w.rnd.IntN(2) == 0 {
		gross = 1 + w.rnd.Int64N(max(gross, 2)-1)
	}
	w.Market.RefundThere(id, l.ID, gross)
}

// wish is an operator asking for a refund or a cancellation here.
func (w *World) wish(id marketplace.OrderID, kind connector.WishKind) {
	m, o := w.mirror(id), w.Market.Get(id)
	if m == nil || !m.CancelledAt.IsZero() || o.FulfilledBy == marketplace.ByChannel || o.Lifecycle == marketplace.Cancelled {
		return
	}
	var body any = order.CancelWish{Reason: "inventory", Restock: true}
	if kind == connector.WishRefund {
		l := o.Lines[w.rnd.IntN(len(o.Lines))]
		i := -1
		for k, s := range m.Lines {
			if s.ChannelLine == l.ID && s.Current > 0 {
				i = k
			}
		}
		if i < 0 || l.Ordered-l.Cancelled == 0 {
			return
		}
		body = order.RefundWish{Lines: []order.RefundWishLine{{Line: l.ID, Quantity: 1}}, Reason: "customer"}
	} else {
		for _, l := range o.Lines {
			if l.Shipped > 0 {
				return
			}
		}
		if len(m.Fulfillments) > 0 || len(m.Refunds) > 0 {
			return
		}
	}
	raw, err := json.Marshal(body)
	must(err)
	w.survive(func() {
		_, _, err := w.base.Wish(context.Background(), connector.Wish{Subject: w.subject(id), Kind: kind, Body: raw, Actor: "operator", At: w.now,
			Key: fmt.Sprintf("%s/%s/%d", id, kind, w.now.UnixNano())})
		if err == nil {
			w.wished[id] = true
			w.tick(w.now)
		}
	})
}

// about is the thing an instruction's key names, without its generation.
func aboutOf(key string) (verb connector.Verb, about string) {
	parts := strings.Split(key, "/")
	return connector.Verb(parts[2]), parts[3]
}
