package fake_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"channelbridge/internal/money"
	"channelbridge/marketplace"
	"channelbridge/marketplace/fake"
	"channelbridge/marketplace/markettest"
)

func TestExercise(t *testing.T) {
	exercise(t, func(m *fake.Market) marketplace.Adapter { return m })
}

func TestExerciseOfOneThatAnswersAtOnce(t *testing.T) {
	exercise(t, func(m *fake.Market) marketplace.Adapter { return m.Direct() })
}

func exercise(t *testing.T, as func(*fake.Market) marketplace.Adapter) {
	t.Helper()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	m := fake.New(func() time.Time { return now }, rand.New(rand.NewPCG(1, 1)))
	m.RefundLag = time.Hour
	n := 0
	place := func(edit func(*marketplace.Order)) func(*testing.T) marketplace.OrderID {
		return func(*testing.T) marketplace.OrderID {
			n++
			now = now.Add(time.Second)
			usd := func(v int64) money.Money { return money.New(v, "USD") }
			o := marketplace.Order{ID: marketplace.OrderID(fmt.Sprintf("O-%d", n)), Site: "US", Zone: "UTC", PlacedAt: now, Lifecycle: marketplace.Open,
				External: "open", FulfilledBy: marketplace.ByMerchant, Currency: "USD", Total: usd(3498), Lines: []marketplace.Line{
					{ID: fmt.Sprintf("%d-1", n), SKU: "A", Ordered: 2, Parts: []marketplace.Component{{Kind: marketplace.Item, Amount: usd(2998)}}},
					{ID: fmt.Sprintf("%d-2", n), SKU: "B", Ordered: 1, Parts: []marketplace.Component{{Kind: marketplace.Item, Amount: usd(500)}}}}}
			edit(&o)
			m.Put(o)
			return o.ID
		}
	}
	markettest.Exercise(t, markettest.Harness{Adapter: as(m), Now: func() time.Time { return now }, Page: 3,
		Advance:        func(d time.Duration) { now = now.Add(d); m.Faults = fake.Faults{} },
		Place:          place(func(*marketplace.Order) {}),
		PlacePending:   place(func(o *marketplace.Order) { o.Lifecycle = marketplace.Pending }),
		PlaceByChannel: place(func(o *marketplace.Order) { o.FulfilledBy = marketplace.ByChannel }),
		Shipments:      func(id marketplace.OrderID) int { return len(m.Get(id).Packages) },
		LoseNextAnswer: func() { m.Faults.Lost = 1 },
		ThrottleNext:   func() { m.Faults.Fail = 1 },

		LoseNextInstruction: func() { m.Faults.Lost = 1 },
		PayOut: func(_ *testing.T, refused bool) (string, money.Money) {
			n++
			amount := money.New(12345, "USD")
			return m.PayOut(fmt.Sprintf("S-%d", n), amount, refused), amount
		},
		HoldBack: func(t *testing.T) (marketplace.OrderID, money.Money) {
			id := place(func(*marketplace.Order) {})(t)
			amount := money.New(2973, "USD")
			m.HoldBack(id, amount, "new seller")
			return id, amount
		},
		RefundCount: func(id marketplace.OrderID) int {
			ours, theirs := m.Given(id)
			return len(ours) + len(theirs)
		},
	})
}
