package order

import (
	"time"

	"channelbridge/connector"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// Needs says which sides must be looked at before deciding. It is pure. Looking costs calls and
// some channels allow few, so the stored snapshots serve unless there is no snapshot, a newer
// version was heard of, or an effect waits to be seen.
type Needs struct {
	Market bool
	Shop   bool
	Money  bool // the refunds the channel shows
	Search bool // the mirror is not known: search the store for the mark
}

// needs decides what to look at for a record.
func needs(r connector.Record, p Policy, market *marketplace.Order, shop *shopadmin.Order, now time.Time) Needs {
	pl := &planner{Snapshot: SnapshotOf(r, p, market, shop, now)}
	pl.matched, pl.foreign = matchRefunds(pl.Refunds, pl.Ledger, p.CaptureOnShip)
	var n Needs
	n.Market = stale(r.Market, r.LookMarket, r.HeardMarket, p.SettleMarket, now) || unseen(pl, connector.Market, r.Market, r.LookMarket, p.SettleMarket)
	n.Money = p.ReadsRefunds && market != nil && (laggard(r, now) ||
		unseen(pl, connector.Money, r.Refunds, r.LookMoney, p.SettleMarket))
	if r.Shop.Set() {
		n.Shop = stale(r.Store, r.LookShop, r.HeardShop, p.SettleShop, now) || unseen(pl, connector.Shop, r.Store, r.LookShop, p.SettleShop)
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

// laggard reports that the channel has told of a refund that its finance side did not show when
// it was last read. That side lags behind by hours, so it is asked again in a while.
func laggard(r connector.Record, now time.Time) bool {
	h, read := r.HeardMoney, lastRead(r.Refunds, r.LookMoney)
	if h.At.IsZero() || r.Refunds != nil && !h.Version.After(r.Refunds.Version) {
		return false
	}
	return read.Before(h.At) || now.Sub(read) >= laggardEvery
}

const laggardEvery = 30 * time.Minute

// unseen reports an effect that a read of the side should show by now and that has not been
// looked for. Money given back is looked for on the channel's finance side.
func unseen(pl *planner, side connector.Side, s *connector.Snapshot, look connector.Look, settle time.Duration) bool {
	if s == nil && side != connector.Money {
		return false
	}
	now, read := pl.Now, lastRead(s, look)
	for _, e := range pl.Ledger {
		if shownBy(e) != side {
			continue
		}
		switch e.State {
		case connector.Sent, connector.Unknown:
			end := e.Deadline.Add(settle)
			if !now.Before(end) && (read.Before(end) || side == connector.Money && now.Sub(read) >= doubtEvery) {
				return true
			}
		case connector.Done:
			if pl.visible(e) {
				continue // the plan will see it
			}
			show := e.SettledAt.Add(max(settle, pl.Policy.ProveAfter))
			if now.After(show) && (read.Before(show) || now.Sub(read) >= troubleEvery) {
				return true
			}
		}
	}
	return false
}

// visible reports that the record as it is kept shows a done entry.
func (p *planner) visible(e connector.Entry) bool {
	if p.Market == nil {
		return false
	}
	shown, _, _ := p.shows(e)
	return shown
}

// shownBy is the side on which an entry's effect can be read.
func shownBy(e connector.Entry) connector.Side {
	if e.Verb == RefundMarket {
		return connector.Money
	}
	return e.Side
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
