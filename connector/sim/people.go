package sim

import (
	"context"
	"fmt"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// story is what really happened to an order, for the judge.
type story struct {
	placed    time.Time
	foreign   bool // the merchant shipped some of it at the channel itself
	cancelled bool
	ready     map[string]time.Time // fulfillment → when it could first be confirmed
	noTrack   map[string]bool
	badName   map[string]bool

	unpaidCancel bool // staff cancelled it in the store without giving money back
}

var carriers = []string{"UPS", "usps"}

// people plans what buyers, the merchant and the operator do.
func (w *World) people() {
	n := w.cfg.Orders
	if n == 0 {
		n = 6 + w.rnd.IntN(14)
	}
	for i := range n {
		id := marketplace.OrderID(fmt.Sprintf("111-%07d-%07d", w.cfg.Seed%1e7, i))
		w.at(start.Add(time.Duration(w.rnd.IntN(4*24*3600))*time.Second), func() { w.buy(id) })
	}
	w.moneyPeople()
	if !w.cfg.Calm && w.rnd.IntN(3) == 0 {
		from := start.Add(time.Duration(w.rnd.IntN(4*24*3600)) * time.Second)
		w.at(from, func() { w.pause(from.Add(time.Duration(1+w.rnd.IntN(10)) * time.Hour)) })
	}
}

// pause is the operator stopping the channel for a while.
func (w *World) pause(until time.Time) {
	if w.gone() {
		return
	}
	w.paused = append(w.paused, span{w.now, until})
	must(w.base.SetState(context.Background(), Channel, connector.Paused, "operator", w.now))
	w.at(until, func() {
		if w.state() != connector.Paused {
			return // it was removed meanwhile
		}
		must(w.base.SetState(context.Background(), Channel, connector.Active, "", w.now))
		w.tick(w.now)
	})
}

func usd(minor int64) money.Money { return money.New(minor, "USD") }

// buy places an order: most are paid at once, some later, some are the channel's own to ship.
func (w *World) buy(id marketplace.OrderID) {
	o := marketplace.Order{ID: id, Site: "ATVPDKIKX0DER", Zone: Zone, PlacedAt: w.now, Lifecycle: marketplace.Open, External: "UNSHIPPED",
		FulfilledBy: marketplace.ByMerchant, Currency: "USD", ShipBy: marketplace.TimeWindow{To: w.now.Add(48 * time.Hour)}, Service: "STANDARD",
		ShipTo: &marketplace.Address{Name: "A Buyer", Line1: "1 Main St", City: "Austin", Region: "TX", PostalCode: "78701", Country: "US"}}
	total := int64(0)
	for i := range 1 + w.rnd.IntN(3) {
		price, tax := int64(100+w.rnd.IntN(9000)), int64(w.rnd.IntN(500))
		o.Lines = append(o.Lines, marketplace.Line{ID: fmt.Sprintf("%s-%d", id, i), SKU: fmt.Sprintf("SKU-%d", w.rnd.IntN(40)), Title: "Thing",
			Ordered: 1 + w.rnd.IntN(3), Parts: []marketplace.Component{{Kind: marketplace.Item, Amount: usd(price), Tax: usd(tax), TaxByChannel: true}}})
		total += price + tax
	}
	o.Total = usd(total)
	w.truth[id] = &story{placed: w.now, ready: map[string]time.Time{}, noTrack: map[string]bool{}, badName: map[string]bool{}}
	if !w.cfg.Calm {
		w.oddities(&o)
	}
	w.Market.Put(o)
	w.regrets(id)
	if o.FulfilledBy == marketplace.ByMerchant {
		w.at(w.now.Add(w.span(time.Hour, 40*time.Hour)), func() { w.ship(id) })
	} else {
		w.at(w.now.Add(w.span(time.Hour, 30*time.Hour)), func() { w.channelShips(id) })
	}
}

func (w *World) oddities(o *marketplace.Order) {
	id := o.ID
	switch w.rnd.IntN(10) {
	case 0, 1: // paid later, or never
		o.Lifecycle, o.External, o.ShipTo = marketplace.Pending, "PENDING", nil
		w.at(w.now.Add(w.span(10*time.Minute, 20*time.Hour)), func() { w.pay(id) })
	case 2:
		o.FulfilledBy = marketplace.ByChannel
	case 3:
		w.at(w.now.Add(w.span(time.Minute, 20*time.Hour)), func() { w.askCancel(id) })
	case 4:
		w.at(w.now.Add(w.span(time.Minute, 20*time.Hour)), func() { w.buyerCancels(id) })
	case 5:
		w.at(w.now.Add(w.span(time.Minute, 20*time.Hour)), func() {
			w.Market.Change(id, func(o *marketplace.Order) {
				if o.ShipTo != nil {
					a := *o.ShipTo
					a.Line1 = "2 Side St"
					o.ShipTo = &a
				}
			})
		})
	}
}

func (w *World) span(from, to time.Duration) time.Duration {
	return from + time.Duration(w.rnd.Int64N(int64((to-from)/time.Second)))*time.Second
}

func (w *World) pay(id marketplace.OrderID) {
	if w.rnd.IntN(6) == 0 {
		w.buyerCancels(id)
		return
	}
	w.Market.Change(id, func(o *marketplace.Order) {
		if o.Lifecycle == marketplace.Pending {
			o.Lifecycle, o.External = marketplace.Open, "UNSHIPPED"
			o.ShipTo = &marketplace.Address{Name: "A Buyer", Line1: "1 Main St", City: "Austin", Region: "TX", PostalCode: "78701", Country: "US"}
		}
	})
}

// buyerCancels works only before anything has shipped.
func (w *World) buyerCancels(id marketplace.OrderID) {
	o := w.Market.Get(id)
	for _, l := range o.Lines {
		if l.Shipped > 0 {
			return
		}
	}
	w.truth[id].cancelled = true
	w.Market.Change(id, func(o *marketplace.Order) { o.Lifecycle, o.External = marketplace.Cancelled, "CANCELLED" })
	w.at(w.now.Add(w.span(5*time.Hour, 20*time.Hour)), func() { // the merchant follows the notice and cancels the mirror
		if m := w.mirror(id); m != nil {
			if m.CancelledAt.IsZero() && len(m.Fulfillments) > 0 { // otherwise the bridge has done it
				w.Shop.Change(m.ID, false, func(o *shopadmin.Order) { o.CancelledAt = w.now })
			}
		}
	})
}

// askCancel is a buyer's wish; the merchant ships anyway half of the time.
func (w *World) askCancel(id marketplace.OrderID) {
	if w.Market.Get(id).Lifecycle != marketplace.Open {
		return
	}
	w.Market.Change(id, func(o *marketplace.Order) { o.CancelRequest = &marketplace.CancelRequest{Reason: "changed my mind"} })
	w.at(w.now.Add(w.span(4*time.Hour, 12*time.Hour)), func() {
		if m := w.mirror(id); m != nil {
			w.Shop.Release(m.ID)
		}
		w.Market.Change(id, func(o *marketplace.Order) { o.CancelRequest = nil })
	})
}

func (w *World) channelShips(id marketplace.OrderID) {
	w.Market.Change(id, func(o *marketplace.Order) {
		if o.Lifecycle != marketplace.Open {
			return
		}
		for i := range o.Lines {
			o.Lines[i].Shipped = o.Lines[i].Ordered - o.Lines[i].Cancelled
		}
		o.Lifecycle, o.External = marketplace.Closed, "SHIPPED"
	})
}

func (w *World) mirror(id marketplace.OrderID) *shopadmin.Order {
	for _, o := range w.Shop.Orders() {
		if o.Mark.Order == string(id) {
			return &o
		}
	}
	return nil
}

// ship is the merchant packing an order: whole or in two parcels, sometimes with mistakes that
// are corrected later, sometimes at the channel instead of in the store.
func (w *World) ship(id marketplace.OrderID) {
	m := w.mirror(id)
	if m == nil || len(m.Held) > 0 {
		if w.now.Before(w.end.Add(-10 * time.Hour)) {
			w.at(w.now.Add(3*time.Hour), func() { w.ship(id) })
		}
		return
	}
	if !m.CancelledAt.IsZero() || w.Market.Get(id).Lifecycle == marketplace.Cancelled {
		return
	}
	awkward := !w.cfg.Calm
	if awkward && w.rnd.IntN(15) == 0 && w.Market.Get(id).Lifecycle == marketplace.Open {
		w.truth[id].foreign = true
		w.channelShips(id)
		return
	}
	lines, rest := map[string]int{}, false
	for _, l := range m.Lines {
		n := l.Unfulfilled
		if n > 0 && w.rnd.IntN(3) == 0 {
			n, rest = w.rnd.IntN(n), true
		}
		lines[l.ID] = n
	}
	t := shopadmin.Tracking{Company: carriers[w.rnd.IntN(2)], Number: fmt.Sprintf("1Z%09d", w.rnd.IntN(1e9))}
	f, err := w.Shop.Fulfill(m.ID, lines, t)
	if err == nil {
		w.shipped(id, m.ID, f, t, awkward)
	}
	if rest || err != nil {
		if w.now.Before(w.end.Add(-10 * time.Hour)) {
			w.at(w.now.Add(w.span(time.Minute, 12*time.Hour)), func() { w.ship(id) })
		}
	}
}

// shipped notes when a parcel could first be confirmed, and plans corrections.
func (w *World) shipped(id marketplace.OrderID, shop shopadmin.OrderID, f string, t shopadmin.Tracking, awkward bool) {
	s := w.truth[id]
	s.ready[f] = w.now
	if !awkward {
		return
	}
	later := w.now.Add(w.span(time.Minute, 8*time.Hour))
	switch w.rnd.IntN(12) {
	case 0: // no number at first
		w.Shop.Track(shop, f)
		s.noTrack[f] = true
		w.at(later, func() { w.Shop.Track(shop, f, t); s.ready[f] = w.now; delete(s.noTrack, f) })
	case 1: // a carrier nobody has mapped, corrected later
		w.Shop.Track(shop, f, shopadmin.Tracking{Company: "Pigeon Post", Number: t.Number})
		s.badName[f] = true
		w.at(later, func() { w.Shop.Track(shop, f, t); s.ready[f] = w.now; delete(s.badName, f) })
	case 2, 4: // a wrong number, corrected soon
		w.at(w.now.Add(w.span(10*time.Second, 15*time.Minute)), func() { w.Shop.Track(shop, f, shopadmin.Tracking{Company: t.Company, Number: t.Number + "X"}) })
	case 3: // taken back, and shipped again
		w.at(later, func() {
			w.Shop.TakeBack(shop, f)
			w.at(w.now.Add(w.span(time.Minute, 3*time.Hour)), func() { w.ship(id) })
		})
	}
}
