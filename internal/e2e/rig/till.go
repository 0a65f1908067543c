package rig

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"channelbridge/shopadmin/shopify/shopifyfake"
)

// Till is staff giving money back: it cancels every fourth of Amazon's orders with a refund, ships
// the others and refunds units of them, never, once or twice.
type Till struct {
	World *World
	Rand  *rand.Rand

	mu    sync.Mutex
	due   map[string][]step // by store order: what is still to be done with it
	seen  map[string]bool
	Count struct{ Cancelled, Refunded int }
}

// step is one thing a person does, not before an instant.
type step struct {
	at time.Time
	do func() error
}

// Run works until ctx ends.
func (t *Till) Run(ctx context.Context) error {
	for {
		if err := t.work(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Open is how many things are still to be done.
func (t *Till) Open() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, steps := range t.due {
		n += len(steps)
	}
	return n
}

func (t *Till) work() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, o := range t.World.Shop.Orders() {
		if strings.HasPrefix(o.Mark(), AmazonID+":") && !t.seen[o.ID] {
			t.plan(o)
		}
		if steps := t.due[o.ID]; len(steps) > 0 && !time.Now().Before(steps[0].at) {
			if err := steps[0].do(); err != nil {
				return fmt.Errorf("staff and order %s: %w", o.Name, err)
			}
			t.due[o.ID] = steps[1:]
		}
	}
	return nil
}

// plan decides what will be done with an order. The store's update times have whole seconds, so
// steps lie more than one apart.
func (t *Till) plan(o shopifyfake.Order) {
	if t.seen == nil {
		t.seen, t.due = map[string]bool{}, map[string][]step{}
	}
	t.seen[o.ID] = true
	nth := len(t.seen)
	at := time.Now()
	then := func(do func() error) {
		at = at.Add(1100*time.Millisecond + time.Duration(t.Rand.Int64N(int64(4*time.Second))))
		t.due[o.ID] = append(t.due[o.ID], step{at, do})
	}
	if nth%4 == 2 {
		restock := t.Rand.IntN(2) == 0
		then(func() error {
			t.Count.Cancelled++
			return t.World.Shop.Cancel(o.ID, shopifyfake.Cancellation{Reason: "CUSTOMER", Refund: true, Restock: restock})
		})
		return
	}
	then(func() error {
		_, err := t.World.Shop.Fulfill(o.ID, nil, shopifyfake.Tracking{Company: "UPS", Number: fmt.Sprintf("1Z%s", o.ID[len(o.ID)-9:])})
		return err
	})
	for range max(nth%2, t.Rand.IntN(3)) {
		then(func() error {
			t.Count.Refunded++
			_, err := t.World.Shop.Refund(o.ID, shopifyfake.StaffRefund{Lines: []shopifyfake.RefundQty{{Line: o.Lines[0].ID, Quantity: 1}}})
			return err
		})
	}
}
