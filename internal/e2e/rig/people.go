package rig

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"channelbridge/marketplace/generic/genericfake"
	"channelbridge/shopadmin/shopify/shopifyfake"
)

// Traffic is what the channel's buyers do: orders are placed and change several times, and every
// version is pushed.
type Traffic struct {
	World     *World
	Rand      *rand.Rand
	Orders    int
	Revisions int           // pushes per order, the first included
	Ahead     int           // pushes under way at most
	For       time.Duration // the traffic lasts about this long, if the bridge keeps up

	Placed []string // ids of all orders
}

// Run places and changes all orders, spread over time by what the bridge takes.
func (t *Traffic) Run(ctx context.Context) error {
	m := t.World.Market
	var open []string // an order stands here once for each revision to come
	began, gap := time.Now(), t.For/time.Duration(t.Orders*t.Revisions)
	for n := 0; len(t.Placed) < t.Orders || len(open) > 0; n++ {
		if err := t.breathe(ctx, began.Add(time.Duration(n)*gap)); err != nil {
			return err
		}
		if len(t.Placed) < t.Orders && (len(open) == 0 || t.Rand.IntN(t.Revisions) == 0) {
			id := m.Place(genericfake.Order{})
			t.Placed = append(t.Placed, id)
			for range t.Revisions - 1 {
				open = append(open, id)
			}
			if err := t.push(id); err != nil {
				return err
			}
			continue
		}
		i := t.Rand.IntN(len(open))
		id := open[i]
		open[i] = open[len(open)-1]
		open = open[:len(open)-1]
		m.Change(id, func(o *genericfake.Order) { o.ShipBy = o.UpdatedAt.Add(48 * time.Hour) })
		if err := t.push(id); err != nil {
			return err
		}
	}
	return nil
}

func (t *Traffic) push(id string) error {
	msg, err := t.World.Market.Message(id)
	if err == nil {
		t.World.Out.Put(msg)
	}
	return err
}

// breathe waits for the time of the next push, and while enough are under way.
func (t *Traffic) breathe(ctx context.Context, at time.Time) error {
	for t.World.Out.Open() >= t.Ahead || time.Until(at) > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
	return ctx.Err()
}

// Staff ships a share of the store's orders, some of them in two parcels. Where it gives money
// back, a share of those shipped is refunded in part, and fewer of the others are cancelled.
type Staff struct {
	World *World
	Rand  *rand.Rand
	Share float64
	Back  float64 // share of the shipped orders that are refunded

	mu      sync.Mutex
	seen    map[string]bool
	Shipped int // fulfillments made
	Given   int // refunds and cancellations made
}

// Run looks at the store's new orders until ctx ends.
func (s *Staff) Run(ctx context.Context) {
	s.seen = map[string]bool{}
	for {
		for _, o := range s.World.Shop.Orders() {
			if !s.seen[o.ID] {
				s.seen[o.ID] = true
				s.ship(o)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// Parcels is how many fulfillments were made so far.
func (s *Staff) Parcels() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Shipped
}

func (s *Staff) ship(o shopifyfake.Order) {
	if !strings.HasPrefix(o.Mark(), MarketID+":") {
		return
	}
	if s.Rand.Float64() >= s.Share {
		if s.Rand.Float64() < s.Back/4 {
			s.given(s.World.Shop.Cancel(o.ID, shopifyfake.Cancellation{Reason: "CUSTOMER", Refund: true}))
		}
		return
	}
	var first []shopifyfake.LineQty // nil: all at once
	if s.Rand.IntN(4) == 0 {
		first = []shopifyfake.LineQty{{Line: o.Lines[0].ID, Quantity: 1}}
	}
	for n, lines := 1, first; ; n++ {
		_, err := s.World.Shop.Fulfill(o.ID, lines, shopifyfake.Tracking{Company: "UPS", Number: fmt.Sprintf("1Z%s%d", o.ID[len(o.ID)-9:], n)})
		if err != nil {
			return // a hold: somebody else's case
		}
		s.mu.Lock()
		s.Shipped++
		s.mu.Unlock()
		if lines == nil {
			break
		}
		lines = nil
	}
	if s.Rand.Float64() < s.Back {
		_, err := s.World.Shop.Refund(o.ID, shopifyfake.StaffRefund{Lines: []shopifyfake.RefundQty{{Line: o.Lines[0].ID, Quantity: 1}}})
		s.given(err)
	}
}

// given counts what was given back; what the store refused was not.
func (s *Staff) given(err error) {
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Given++
}

// GaveBack is how many refunds and cancellations were made so far.
func (s *Staff) GaveBack() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Given
}
