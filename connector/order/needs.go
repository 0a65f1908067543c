package order

import (
	"time"

	"channelbridge/connector"
	"channelbridge/marketplace"
)

// Needs says which sides must be looked at before deciding. It is pure. Looking costs calls and
// some channels allow few, so the stored snapshots serve unless there is no snapshot, a newer
// version was heard of, or an effect waits to be seen.
type Needs struct {
	Market bool
	Shop   bool
	Search bool // the mirror is not known: search the store for the mark
}

// any reports whether there is anything to look at.
func (n Needs) any() bool { return n.Market || n.Shop || n.Search }

// needs decides what to look at for a record.
func needs(r connector.Record, p Policy, market *marketplace.Order, now time.Time) Needs {
	var n Needs
	n.Market = stale(r.Market, r.HeardMarket, p.SettleMarket, now) || unseen(r, connector.Market, r.Market, market, p, now)
	if r.Shop.Set() {
		n.Shop = stale(r.Store, r.HeardShop, p.SettleShop, now) || unseen(r, connector.Shop, r.Store, market, p, now)
		return n
	}
	n.Search = market != nil && searchable(r, p, market, now)
	return n
}

// stale reports that there is no snapshot, or that a newer version was heard of and the side has
// not been read since it must show it.
func stale(s *connector.Snapshot, h connector.Heard, settle time.Duration, now time.Time) bool {
	if s == nil {
		return true
	}
	if !h.Version.After(s.Version) || s.Fault != "" && !s.ObservedAt.Before(h.At) {
		return false
	}
	if s.ObservedAt.Before(h.At) {
		return true
	}
	return s.ObservedAt.Before(h.At.Add(settle)) && !now.Before(h.At.Add(settle))
}

// unseen reports an effect on the side that should show by now and has not been looked for.
func unseen(r connector.Record, side connector.Side, s *connector.Snapshot, m *marketplace.Order, p Policy, now time.Time) bool {
	if s == nil {
		return true
	}
	pl := &planner{Snapshot: Snapshot{Market: m, Ledger: r.Entries}}
	if r.Market != nil {
		pl.MarketAt = r.Market.ObservedAt
	}
	settle := p.SettleMarket
	if side == connector.Shop {
		settle = p.SettleShop
	}
	for _, e := range r.Entries {
		if e.Side != side {
			continue
		}
		switch e.State {
		case connector.Sent, connector.Unknown:
			end := e.Deadline.Add(settle)
			if !now.Before(end) && s.ObservedAt.Before(end) {
				return true
			}
		case connector.Done:
			if side == connector.Shop && s.ObservedAt.After(e.SettledAt) || side == connector.Market && m != nil && pl.confirmed(e) {
				continue // the plan will see it
			}
			show := e.SettledAt.Add(max(settle, p.ProveAfter))
			if now.After(show) && (s.ObservedAt.Before(show) || now.Sub(s.ObservedAt) >= time.Hour) {
				return true
			}
		}
	}
	return false
}

// searchable reports whether the store has to be searched for the mark: before every create, and
// whenever a create is in doubt. A mark that is found settles the doubt at once; its absence
// proves nothing before the window is over.
func searchable(r connector.Record, p Policy, m *marketplace.Order, now time.Time) bool {
	for i := len(r.Entries) - 1; i >= 0; i-- {
		if e := r.Entries[i]; e.Verb == CreateMirror {
			return e.State == connector.Sent || e.State == connector.Unknown || e.State == connector.Retry && !now.Before(e.RetryAt)
		}
	}
	pl := &planner{Snapshot: Snapshot{Market: m, ShopRef: r.Shop, Policy: p}}
	return pl.expected()
}

// heardAgain is when a side that answered with less than we have heard of is to be asked again.
func heardAgain(s *connector.Snapshot, h connector.Heard, settle time.Duration) time.Time {
	if s == nil || !h.Version.After(s.Version) || !s.ObservedAt.Before(h.At.Add(settle)) || s.Fault != "" {
		return time.Time{}
	}
	return h.At.Add(settle)
}
