package sim

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/order"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// Mistakes about money. They are planted between the machinery and what it keeps.
var moneyMutants = []mutant{
	{"a lost answer is handed in again", 100, plant(func(_ *World, t *twisted, s connector.Store) {
		t.under = func(ctx context.Context, ch connector.ConnectionID, lane string) (connector.Batch, error) {
			b, err := s.Under(ctx, ch, lane)
			if b.State == connector.BatchSending {
				b.State, b.FormedAt = connector.BatchPrepared, time.Time{}
			}
			return b, err
		}
	})},
	{"a batch given up is taken for failed", 100, plant(func(_ *World, t *twisted, s connector.Store) {
		t.step = func(ctx context.Context, x connector.Work, id int64, step connector.BatchStep) (connector.Batch, error) {
			for k, o := range step.Outcomes {
				if o.State == connector.Unknown {
					o.State = connector.Retry
					step.Outcomes[k] = o
				}
			}
			return s.Step(ctx, x, id, step)
		}
	})},
	{"pending money is not counted as spent", 100, loads(func(w *World, rec *connector.Record) {
		for i, e := range rec.Entries {
			if e.Verb == order.RefundMarket && (e.State == connector.Taken || e.State == connector.Unknown) {
				rec.Entries[i].State, rec.Entries[i].Class = connector.Refused, order.Withdrawn
			}
		}
	})},
	{"a doubt is sent again under another key", 100, func(c *Config) {
		c.Direct = true
		loads(func(w *World, rec *connector.Record) {
			for i, e := range rec.Entries {
				if e.Side == connector.Market && e.Verb != order.ConfirmShipment && e.State == connector.Unknown {
					rec.Entries[i].State, rec.Entries[i].Class = connector.Refused, order.Withdrawn
				}
			}
		})(c)
	}},
	{"a cancellation counts beside its refund", 100, loads(func(w *World, rec *connector.Record) {
		changeShop(rec, func(o *shopadmin.Order) {
			if n := len(o.Refunds); n > 0 && !o.CancelledAt.IsZero() {
				again := o.Refunds[n-1]
				again.ID += "-cancelled"
				o.Refunds = append(o.Refunds, again)
			}
		})
	})},
	{"a reconnection forgets what was given back", 300, func(c *Config) {
		c.Away = time.Hour
		plant(func(w *World, t *twisted, s connector.Store) {
			t.load = func(ctx context.Context, sub connector.Subject) (connector.Record, error) {
				rec, err := s.Load(ctx, sub)
				at := w.connection().RejoinedAt
				rec.Entries = slices.DeleteFunc(rec.Entries, func(e connector.Entry) bool {
					return !at.IsZero() && e.IntendedAt.Before(at) && e.Verb == order.RefundMarket
				})
				rec.Refunds = nil
				return rec, err
			}
			t.intend = func(ctx context.Context, x connector.Work, c connector.Command, at, dl time.Time, on string) (connector.Entry, error) {
				if c.Verb == order.RefundMarket && !w.connection().RejoinedAt.IsZero() {
					c.Key += "/rejoined"
				}
				return s.Intend(ctx, x, c, at, dl, on)
			}
		})(c)
	}},
	{"an order is cancelled after a part of it has shipped", 200, loads(func(w *World, rec *connector.Record) {
		gone := false
		changeShop(rec, func(o *shopadmin.Order) {
			if gone = !o.CancelledAt.IsZero(); gone {
				o.Fulfillments = nil
			}
		})
		if !gone || rec.Market == nil {
			return
		}
		rec.Entries = slices.DeleteFunc(rec.Entries, func(e connector.Entry) bool { return e.Verb == order.ConfirmShipment })
		var m marketplace.Order
		if json.Unmarshal(rec.Market.Body, &m) != nil {
			return
		}
		for i := range m.Lines {
			m.Lines[i].Shipped = 0
		}
		if m.Lifecycle == marketplace.Closed {
			m.Lifecycle = marketplace.Open
		}
		rec.Market.Body, _ = json.Marshal(m)
	})},
	{"what waits in a lane is handed in without another look", 200, func(c *Config) { c.NoRecheck, c.Gather = true, 8*time.Hour }},
	{"a removed channel is written to", 200, func(c *Config) {
		c.Away = 24 * time.Hour
		plant(func(w *World, t *twisted, s connector.Store) {
			w.stateless = true
			t.intend = func(ctx context.Context, x connector.Work, c connector.Command, at, dl time.Time, on string) (connector.Entry, error) {
				e, err := s.Intend(ctx, x, c, at, dl, on)
				if err != nil && strings.Contains(err.Error(), "not active") {
					was := w.state()
					must(w.base.SetState(ctx, Channel, connector.Active, "", at))
					e, err = s.Intend(ctx, x, c, at, dl, on)
					must(w.base.SetState(ctx, Channel, was, "", at))
				}
				return e, err
			}
		})(c)
	}},
}

// loads plants a mistake into what the machinery reads.
func loads(change func(w *World, rec *connector.Record)) func(*Config) {
	return plant(func(w *World, t *twisted, s connector.Store) {
		t.load = func(ctx context.Context, sub connector.Subject) (connector.Record, error) {
			rec, err := s.Load(ctx, sub)
			if err == nil {
				change(w, &rec)
			}
			return rec, err
		}
	})
}

func changeShop(rec *connector.Record, change func(*shopadmin.Order)) {
	if rec.Store == nil {
		return
	}
	var o shopadmin.Order
	if json.Unmarshal(rec.Store.Body, &o) != nil {
		return
	}
	change(&o)
	rec.Store.Body, _ = json.Marshal(o)
}

func (t *twisted) Load(ctx context.Context, sub connector.Subject) (connector.Record, error) {
	if t.load != nil {
		return t.load(ctx, sub)
	}
	return t.Store.Load(ctx, sub)
}

func (t *twisted) Under(ctx context.Context, ch connector.ConnectionID, lane string) (connector.Batch, error) {
	if t.under != nil {
		return t.under(ctx, ch, lane)
	}
	return t.Store.Under(ctx, ch, lane)
}

func (t *twisted) Step(ctx context.Context, x connector.Work, id int64, step connector.BatchStep) (connector.Batch, error) {
	if t.step != nil {
		return t.step(ctx, x, id, step)
	}
	return t.Store.Step(ctx, x, id, step)
}
