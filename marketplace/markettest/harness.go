// Package markettest is one exercise for every channel adapter. It tells the story of a few
// orders, from the first read to the odd corners, against a channel that behaves like the real
// one, and skips with a reason what the harness does not offer.
package markettest

import (
	"context"
	"testing"
	"time"

	"channelbridge/internal/fault"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// Harness is an adapter and the channel behind it. The first group is required.
type Harness struct {
	Adapter marketplace.Adapter
	Now     func() time.Time
	// Place makes a paid order that the merchant ships: two lines, two pieces of the first and
	// one of the second.
	Place func(t *testing.T) marketplace.OrderID
	// Shipments is how many parcels the channel counts for an order; one that was edited by a
	// second confirmation counts once.
	Shipments func(id marketplace.OrderID) int

	// Carrier of the parcels; zero: the code "ups".
	Carrier marketplace.Carrier
	// Advance lets time pass for adapter and channel; nil: time stands still or passes by itself.
	Advance func(d time.Duration)
	// Missing is an order id in the channel's form that does not exist; empty: "no-such-order".
	Missing marketplace.OrderID

	PlacePending   func(t *testing.T) marketplace.OrderID // not released yet
	PlaceByChannel func(t *testing.T) marketplace.OrderID // shipped by the channel's own warehouse

	// Push is the channel's push about an order, genuine and fresh.
	Push func(t *testing.T, id marketplace.OrderID) marketplace.Inbound
	// Forge turns a genuine push into one a stranger could have sent; nil: one byte of the body
	// is changed. Channels that sign nothing have to say how theirs is forged.
	Forge func(in marketplace.Inbound) marketplace.Inbound

	// LoseNextInstruction: the next instruction, or batch of them, is carried out, its answer lost.
	LoseNextInstruction func()
	// RefundCount is how often the channel has given money back on an order, without any lag.
	RefundCount func(id marketplace.OrderID) int

	// PayOut makes the channel close a statement and send its money to the bank, which takes it or
	// refuses it, within 30 days. The results are the statement's number and what is sent.
	PayOut func(t *testing.T, refused bool) (statement string, amount money.Money)
	// HoldBack makes a sale whose money the channel holds back, for 30 days at most. The results
	// are its order and the money.
	HoldBack func(t *testing.T) (marketplace.OrderID, money.Money)

	LoseNextAnswer func()         // the next shipment is carried out, its answer lost
	ThrottleNext   func()         // the next call is refused for coming too fast
	Deny           func() func()  // from now on no credentials are good; the result ends it
	Missed         []string       // chapters to skip, by name, each with a known reason
	Reason         string         // that reason
	Page           int            // orders per page of a listing, if known: more are placed. 0: unknown
	Limit          time.Duration  // how soon a cancelled call must return; 0: 3 s
	Site           string         // expected site of orders; empty: not checked
	Zone           *time.Location // expected zone of orders; nil: not checked
}

// story is one run through the exercise.
type story struct {
	*testing.T
	h    Harness
	ctx  context.Context
	keys int // given out so far
}

func (s *story) pass(d time.Duration) {
	if s.h.Advance != nil {
		s.h.Advance(d)
	}
}

// settle waits until a read shows every earlier write.
func (s *story) settle() { s.pass(s.h.Adapter.Traits().SettleIn + time.Second) }

// need skips the chapter when the harness cannot tell it.
func (s *story) need(offered bool, what string) {
	s.Helper()
	if !offered {
		s.Skip("the harness offers no " + what)
	}
}

// read reads an order that must be readable.
func (s *story) read(id marketplace.OrderID) marketplace.Order {
	s.Helper()
	o, err := s.h.Adapter.Order(s.ctx, id)
	if err != nil {
		s.Fatalf("reading order %s: %v", id, err)
	}
	return o
}

// placed is an order that was bought a little while ago.
func (s *story) placed() (marketplace.OrderID, marketplace.Order) {
	s.Helper()
	id := s.h.Place(s.T)
	s.pass(time.Minute)
	return id, s.read(id)
}

// parcel is a shipment of these lines, with a tracking number that follows from its reference.
func (s *story) parcel(o marketplace.Order, ref string, lines ...marketplace.ShipmentLine) marketplace.Shipment {
	carrier := s.h.Carrier
	if carrier == (marketplace.Carrier{}) {
		carrier.Code = "ups"
	}
	shipped := s.h.Now().Add(-time.Second).UTC().Truncate(time.Second)
	if shipped.Before(o.PlacedAt) { // nothing leaves before it was bought
		shipped = o.PlacedAt
	}
	return marketplace.Shipment{Order: o.ID, Site: o.Site, Ref: ref, Carrier: carrier, Tracking: "1Z00000000000000" + ref,
		ShippedAt: shipped, Lines: lines}
}

// class fails unless err has the class.
func (s *story) class(want fault.Class, err error) {
	s.Helper()
	if !fault.Is(err, want) {
		s.Fatalf("the error must be %s: %v", want, err)
	}
}
