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
	n.Market = stale(r.Market, r.LookMarket, r.HeardMarket, p.SettleMarket, now) || unseen(r, connector.Market, r.Market, market, p, now)
	if r.Shop.Set() {
		n.Shop = stale(r.Store, r.LookShop, r.HeardShop, p.SettleShop, now) || unseen(r, connector.Shop, r.Store, market, p, now)
		return n
	}
	n.Search = market != nil && searchable(r, p, market, now)
	return n
}

// troubleEvery is how often a side that cannot be read, or understood, is asked again by itself.
const troubleEvery = 6 * time.Hour

// lastRead is when a side was last read, by itself or in a listing.
func lastRead(s *connector.Snapshot, l connector.Look) time.Time {
	if s != nil && s.ObservedAt.After(l.At) {
		return s.ObservedAt
	}
	return l.At
}

// trouble is what keeps the newest read of a side from being used; "" when nothing does.
func trouble(s *connector.Snapshot, l connector.Look) string {
	switch {
	case l.Trouble != "" && (s == nil || s.Fault != "" || !s.ObservedAt.After(l.At)):
		return l.Trouble
	case s != nil:
		return s.Fault
	}
	return ""
}

// stale reports that there is no readable snapshot, or that a newer version was heard of and the
// side has not been read since it must show it. What cannot be read is asked again when there is
// news, and a few times a day.
func stale(s *connector.Snapshot, l connector.Look, h connector.Heard, settle time.Duration, now time.Time) bool {
	if s == nil && l.At.IsZero() {
		return true
	}
	if s == nil || trouble(s, l) != "" {
		return h.At.After(l.At) || now.Sub(l.At) >= troubleEvery
	}
	if !h.Version.After(s.Version) {
		return false
	}
	read := lastRead(s, l)
	return read.Before(h.At) || read.Before(h.At.Add(settle)) && !now.Before(h.At.Add(settle))
}

// unseen reports an effect on the side that should show by now and has not been looked for.
func unseen(r connector.Record, side connector.Side, s *connector.Snapshot, m *marketplace.Order, p Policy, now time.Time) bool {
	if s == nil {
		return false
	}
	pl := &planner{Snapshot: Snapshot{Market: m, Ledger: r.Entries}}
	if m != nil {
		pl.MarketAt = r.Market.ObservedAt
	}
	settle, look := p.SettleMarket, r.LookMarket
	if side == connector.Shop {
		settle, look = p.SettleShop, r.LookShop
	}
	for _, e := range r.Entries {
		if e.Side != side {
			continue
		}
		switch e.State {
		case connector.Sent, connector.Unknown:
			end := e.Deadline.Add(settle)
			if !now.Before(end) && lastRead(s, look).Before(end) {
				return true
			}
		case connector.Done:
			if side == connector.Shop && s.ObservedAt.After(e.SettledAt) || side == connector.Market && m != nil && pl.confirmed(e) {
				continue // the plan will see it
			}
			show := e.SettledAt.Add(max(settle, p.ProveAfter))
			if read := lastRead(s, look); now.After(show) && (read.Before(show) || now.Sub(read) >= troubleEvery) {
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

// askAgain is when a side is to be read again if nothing is heard: because it answered with less
// than we have heard of, or could not be read at all. It never lies before the last read.
func askAgain(s *connector.Snapshot, l connector.Look, h connector.Heard, settle time.Duration) time.Time {
	if s == nil || trouble(s, l) != "" {
		return l.At.Add(troubleEvery)
	}
	if end := h.At.Add(settle); h.Version.After(s.Version) && lastRead(s, l).Before(end) {
		return end
	}
	return time.Time{}
}
