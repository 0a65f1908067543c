package lifecycle

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/order"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// Kinds of what is owed at a channel.
const (
	ToShip   = "to_ship"   // orders whose goods have to be shipped, or whose shipment is to be confirmed
	ToRefund = "to_refund" // money to be given back
	ToCancel = "to_cancel" // orders or units to be cancelled
	InDoubt  = "in_doubt"  // writes whose outcome nobody knows
	Held     = "held"      // orders that wait for a person
)

// Due is something that is owed at a channel and would stay undone without it.
type Due struct {
	Kind  string
	Count int
	Sums  []money.Money // by currency
}

// Dues adds up what is owed at a channel, order by order. The zero value is empty.
type Dues struct{ kinds map[string]*due }

type due struct {
	count int
	sums  Sums
}

// Add counts one order. It is planned from what is kept, as if both sides had been read just now.
func (d *Dues) Add(s order.Snapshot) {
	s = asRead(s)
	plan := order.Plan(s)
	if toShip(s) {
		d.count(ToShip, s.Market.Total)
	}
	for _, c := range meant(s) {
		d.count(kindOf(c.Verb), c.Amount)
	}
	for _, e := range s.Ledger {
		if e.Side != connector.Market {
			continue
		}
		switch {
		case e.Doubtful(s.Now):
			d.count(InDoubt, e.Amount)
		case e.Money && (e.State == connector.Queued || e.State == connector.Sent):
			d.count(kindOf(e.Verb), e.Amount)
		}
	}
	if slices.ContainsFunc(plan.Holds, func(h connector.Hold) bool { return h.Level == connector.Blocks }) {
		d.count(Held, money.Money{})
	}
}

// List is what is owed, by kind.
func (d *Dues) List() []Due {
	out := []Due{}
	for kind, x := range d.kinds {
		out = append(out, Due{Kind: kind, Count: x.count, Sums: x.sums.List()})
	}
	slices.SortFunc(out, func(a, b Due) int { return cmp.Compare(a.Kind, b.Kind) })
	return out
}

func (d *Dues) count(kind string, amount money.Money) {
	if d.kinds == nil {
		d.kinds = map[string]*due{}
	}
	if d.kinds[kind] == nil {
		d.kinds[kind] = &due{}
	}
	d.kinds[kind].count++
	d.kinds[kind].sums.Add(amount)
}

func kindOf(v connector.Verb) string {
	if v == order.CancelMarket || v == order.CancelUnits {
		return ToCancel
	}
	return ToRefund
}

// toShip reports an order that the merchant has to ship and the channel does not count as shipped.
func toShip(s order.Snapshot) bool {
	m := s.Market
	if m == nil || m.Lifecycle != marketplace.Open || m.FulfilledBy == marketplace.ByChannel || m.NoShip != "" || m.Elsewhere != "" ||
		s.Shop != nil && !s.Shop.CancelledAt.IsZero() {
		return false
	}
	return slices.ContainsFunc(m.Lines, func(l marketplace.Line) bool { return l.Ordered-l.Cancelled > l.Shipped })
}

// asRead is the snapshot as if both sides had been read just now, so that its plan shows what
// would be sent.
func asRead(s order.Snapshot) order.Snapshot {
	s.MarketRead, s.ShopRead, s.RefundsRead = s.Now, s.Now, s.Now
	return s
}

// meant are the money commands at the channel that follow from a snapshot, one after the other:
// each is planned as if those before it had worked.
func meant(s order.Snapshot) []connector.Command {
	s.Ledger = slices.Clone(s.Ledger)
	var out []connector.Command
	for range maxMeant {
		n := len(out)
		for _, c := range order.Plan(s).Commands {
			if !c.Counts() {
				continue
			}
			s.Ledger = slices.DeleteFunc(s.Ledger, func(e connector.Entry) bool { return c.Again != 0 && e.ID == c.Again })
			s.Ledger = append(s.Ledger, connector.Entry{ID: -int64(len(out) + 1), Subject: s.Subject, Command: c, State: connector.Done,
				Attempts: 1, IntendedAt: s.Now, Deadline: s.Now, SettledAt: s.Now})
			out = append(out, c)
		}
		if len(out) == n {
			break
		}
	}
	return out
}

// maxMeant bounds the commands foreseen for one order.
const maxMeant = 50

// Sums adds amounts up by currency. The zero value is empty.
type Sums struct{ by map[string]money.Money }

// Add adds an amount; none is no amount. What does not fit is left at the most that does.
func (s *Sums) Add(m money.Money) {
	if m.Currency == "" {
		return
	}
	if s.by == nil {
		s.by = map[string]money.Money{}
	}
	sum := s.by[m.Currency]
	if next, err := sum.Add(m); err == nil {
		s.by[m.Currency] = next
	}
}

// List is the sums by currency.
func (s *Sums) List() []money.Money {
	out := []money.Money{}
	for _, cur := range slices.Sorted(maps.Keys(s.by)) {
		out = append(out, s.by[cur])
	}
	return out
}

// within reports an instant from a removal until the reconnection after it; zero: still away. A
// store's instants may have whole seconds.
func within(at, removed, rejoined time.Time) bool {
	return !at.IsZero() && !at.Before(removed.Truncate(time.Second)) && (rejoined.IsZero() || at.Before(rejoined))
}
