package order

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// observe compares the refunds the channel shows with the ledger. What it shows of ours is proof;
// what nobody here has asked for was made there: it is shown in the store, listed as a difference
// and never repeated.
func (p *planner) observe() {
	p.matched, p.foreign = matchRefunds(p.Refunds, p.Ledger, p.Policy.CaptureOnShip)
	p.paired = make([]bool, len(p.foreign))
	for _, e := range p.Ledger {
		if r, ok := p.matched[e.ID]; ok && e.Verb == CancelMarket && p.Market.Lifecycle != marketplace.Cancelled {
			p.warns("cancelled_after_shipping", "", fmt.Sprintf("the order was shipped at the channel while it was being cancelled; the channel has given %s back", r.Amount),
				"stop the parcel if you can")
		}
	}
	if len(p.foreign) == 0 {
		return
	}
	p.warns("refunded_at_channel", "", fmt.Sprintf("the marketplace has given %s back by itself, last on %s; the store's figures do not contain it",
		p.foreignSum(), p.foreign[len(p.foreign)-1].PostedAt.UTC().Format(time.DateOnly)),
		"do not refund it again in the store; it stays listed as a difference")
}

// foreignSum is what the channel gave back by itself, for people.
func (p *planner) foreignSum() string {
	var sum int64
	for _, r := range p.foreign {
		sum += r.Amount.Minor
	}
	return money.New(sum, p.Market.Currency).String()
}

// matchRefunds pairs each refund the channel shows with at most one entry that may have made it:
// by our own key, else by the amount, with or without tax, and a time not before the entry's. The
// cancellation of an order that was shipped at the channel at the same moment shows as a refund.
func matchRefunds(seen []marketplace.Refund, ledger []connector.Entry, onShip bool) (matched map[int64]marketplace.Refund, foreign []marketplace.Refund) {
	matched = map[int64]marketplace.Refund{}
	rest := slices.Clone(seen)
	slices.SortStableFunc(rest, func(a, b marketplace.Refund) int {
		return cmp.Or(a.PostedAt.Compare(b.PostedAt), cmp.Compare(a.ID, b.ID))
	})
	late := func(e connector.Entry, r marketplace.Refund) bool { return e.Verb == CancelMarket && sameAmount(e, r) }
	for i, same := range []func(connector.Entry, marketplace.Refund) bool{sameKey, sameAmount, sameUntaxed, late} {
		rest = slices.DeleteFunc(rest, func(r marketplace.Refund) bool {
			for _, e := range ledger {
				if _, done := matched[e.ID]; done || !mayHaveRefunded(e, onShip && i < 3) || !same(e, r) {
					continue
				}
				matched[e.ID] = r
				return true
			}
			return false
		})
	}
	return matched, rest
}

// mayHaveRefunded reports an entry that money at the channel may come from: a refund, and where
// the buyer is charged before anything ships a cancellation too.
func mayHaveRefunded(e connector.Entry, onShip bool) bool {
	return e.State.Happened() && (e.Verb == RefundMarket || instructs(e.Verb) && !onShip)
}

func sameKey(e connector.Entry, r marketplace.Refund) bool { return r.Ref != "" && r.Ref == e.Key }

func sameAmount(e connector.Entry, r marketplace.Refund) bool {
	return r.Amount == e.Amount && posted(e, r)
}

func sameUntaxed(e connector.Entry, r marketplace.Refund) bool {
	if r.Untaxed.Currency != e.Amount.Currency {
		return false
	}
	var net int64
	for _, l := range instructionOf(e.Command).Lines {
		for _, c := range l.Parts {
			net += c.Amount.Minor
		}
	}
	return r.Untaxed.Minor == net && posted(e, r)
}

// skew is how far the channel's clock may be behind ours.
const skew = 5 * time.Minute

func posted(e connector.Entry, r marketplace.Refund) bool {
	return !r.PostedAt.Before(e.IntendedAt.Add(-skew))
}

// meanwhile reports that something happened before the channel was connected again.
func (p *planner) meanwhile(at time.Time) bool {
	return at.Before(p.Policy.RejoinedAt) // also what an earlier absence left open
}

// instructed reports whether the snapshot shows the effect of a money command at the channel.
func (p *planner) instructed(e connector.Entry) bool {
	switch e.Verb {
	case CancelMarket:
		_, refunded := p.matched[e.ID]
		return refunded || p.Market.Lifecycle == marketplace.Cancelled && p.MarketAt.After(e.IntendedAt)
	case CancelUnits:
		return p.unitsGone(e)
	}
	_, ok := p.matched[e.ID]
	return ok || !p.Policy.ReadsRefunds && e.State == connector.Done // its word is all there is
}

// unitsGone reports that the channel counts no more units of any line than were to stay.
func (p *planner) unitsGone(e connector.Entry) bool {
	if !p.MarketAt.After(e.IntendedAt) {
		return false
	}
	if p.Market.Lifecycle == marketplace.Cancelled {
		return true
	}
	for _, l := range instructionOf(e.Command).Lines {
		if m, ok := p.line(l.Line); ok && m.Ordered-m.Cancelled > l.Left {
			return false
		}
	}
	return true
}

// proveDoubts settles commands about money whose effect shows before their answer is known. In
// the store it may also have been a person who did the same.
func (p *planner) proveDoubts() {
	for _, e := range p.Ledger {
		store := e.Verb == CancelMirror || e.Verb == RefundShop
		if !instructs(e.Verb) && !store || e.State != connector.Unknown && e.State != connector.Sent && e.State != connector.Taken && (e.State != connector.Retry || !store) {
			continue
		}
		if e.State == connector.Sent && !p.Now.After(e.Deadline) {
			continue // its answer may still come
		}
		if shown, _, _ := p.shows(e); shown {
			p.d.Proven = append(p.d.Proven, Proof{Entry: e.ID, Text: string(e.Verb) + " seen on the other side"})
		}
	}
}

// noteOf is the note of a store refund that the bridge makes; noteNames finds the wish in it.
func noteOf(about, text string) string {
	return strings.TrimSpace(noteMark + about + " " + text)
}

func noteNames(note, about string) bool {
	_, rest, ok := strings.Cut(note, noteMark)
	name, _, _ := strings.Cut(rest, " ")
	return ok && strings.TrimSpace(name) == about
}
