package storetest

import (
	"time"

	"channelbridge/connector"
)

var release = []chapter{
	{"a released order sleeps until its wake, and shows what it was released with", func(s *story) {
		sum := connector.Summary{Lifecycle: "open", Fulfillment: "unfulfilled", FulfilledBy: "merchant", Number: "#1001",
			PlacedAt: later(-time.Hour), ShipBy: later(24 * time.Hour), Mirrored: true, Expected: true}
		w := s.working("A")["A"]
		s.release(w, later(time.Second), connector.Next{Wake: later(time.Hour), Due: later(2 * time.Hour), Summary: sum})
		r := s.load("A")
		s.same(later(time.Hour), r.NextAt)
		s.same(later(2*time.Hour), r.DueAt)
		s.same(sum.PlacedAt, r.Summary.PlacedAt)
		s.same(sum.ShipBy, r.Summary.ShipBy)
		r.Summary.PlacedAt, r.Summary.ShipBy = sum.PlacedAt, sum.ShipBy
		s.Equal(sum, r.Summary)
		s.False(r.Final)
		s.Empty(s.claim(later(59*time.Minute), 10))
		s.Equal("A", s.claimOne(later(time.Hour)).Subject.ID)
	}},
	{"an order without a wake sleeps until it is touched", func(s *story) {
		s.release(s.working("A")["A"], noon, connector.Next{Final: true})
		r := s.load("A")
		s.True(r.NextAt.IsZero())
		s.True(r.DueAt.IsZero())
		s.True(r.Final)
		s.Empty(s.claim(later(1000*time.Hour), 10))
		s.touch(later(time.Hour), "A")
		s.False(s.load("A").Final, "a touch reopens")
		s.Equal("A", s.claimOne(later(time.Hour)).Subject.ID)
	}},
	{"how each side was read is kept until it is read again", func(s *story) {
		w := s.working("A")["A"]
		s.release(w, noon, connector.Next{Wake: noon, Market: connector.Look{At: noon, Trouble: "not found"}, Shop: connector.Look{At: later(time.Second)}})
		s.same(noon, s.load("A").LookMarket.At)
		s.Equal("not found", s.load("A").LookMarket.Trouble)
		s.release(s.claimOne(noon), noon, connector.Next{Wake: noon, Market: connector.Look{At: later(time.Minute)}})
		s.Empty(s.load("A").LookMarket.Trouble)
		s.same(later(time.Minute), s.load("A").LookMarket.At)
		s.same(later(time.Second), s.load("A").LookShop.At)
	}},
	{"an order touched during the work is due at once", func(s *story) {
		w := s.working("A")["A"]
		s.touch(later(time.Second), "A")
		s.release(w, later(2*time.Second), connector.Next{Wake: later(time.Hour), Final: true})
		r := s.load("A")
		s.same(later(2*time.Second), r.NextAt)
		s.False(r.Final)
		s.Equal(w.Token+1, s.claimOne(later(2*time.Second)).Token)
	}},
	{"news during the work counts as a touch", func(s *story) {
		w := s.working("A")["A"]
		s.seen(later(time.Second), read(connector.Market, "A", later(time.Second), later(time.Second), "news"))
		s.release(w, later(2*time.Second), connector.Next{Wake: later(time.Hour)})
		s.same(later(2*time.Second), s.load("A").NextAt)
	}},
	{"an urgent touch during the work still leads the queue", func(s *story) {
		w := s.working("A")["A"]
		s.NoError(s.store.Touch(s.ctx, later(time.Second), connector.Touch{Subject: order("A"), Side: connector.Shop, Urgent: true}))
		s.release(w, later(2*time.Second), connector.Next{Wake: later(time.Hour)})
		s.same(later(time.Second), s.load("A").DueAt)
	}},
	{"a claim is released once", func(s *story) {
		w := s.working("A")["A"]
		s.release(w, noon, connector.Next{Wake: later(time.Hour)})
		s.ErrorIs(s.store.Release(s.ctx, w, noon, connector.Next{}), connector.ErrLeaseLost)
		s.same(later(time.Hour), s.load("A").NextAt)
		s.ErrorIs(s.store.Release(s.ctx, connector.Work{Subject: order("nobody"), Token: 1}, noon, connector.Next{}), connector.ErrLeaseLost)
	}},
	{"failures are counted until a look succeeds", func(s *story) {
		w := s.working("A")["A"]
		s.Equal(0, w.Failures)
		for i := 1; i <= 3; i++ {
			s.release(w, noon, connector.Next{Failed: true, Wake: noon})
			w = s.claimOne(noon)
			s.Equal(i, w.Failures)
		}
		s.release(w, noon, connector.Next{Wake: noon})
		s.Equal(0, s.claimOne(noon).Failures)
	}},
	{"holds open, change their words, and close", func(s *story) {
		carrier := connector.Hold{Kind: "carrier", About: "F81", Level: connector.Blocks, Reason: "carrier unknown", Hint: "map it"}
		other := connector.Hold{Kind: "carrier", About: "F82", Level: connector.Warns, Reason: "carrier odd", Hint: "look"}
		w := s.working("A")["A"]
		s.release(w, noon, connector.Next{Wake: noon, Holds: []connector.Hold{carrier, other, carrier}})
		s.Equal([]string{"hold opened: carrier unknown", "hold opened: carrier odd"}, s.notes("A"))
		s.Len(s.load("A").Holds, 2)

		w = s.claimOne(later(time.Hour))
		carrier.Reason, carrier.Hint, carrier.Level = "carrier still unknown", "map it now", connector.Warns
		s.release(w, later(time.Hour), connector.Next{Wake: noon, Holds: []connector.Hold{carrier}})
		s.Equal([]string{"hold opened: carrier unknown", "hold opened: carrier odd", "hold cleared: carrier odd"}, s.notes("A"))
		open := s.load("A").Holds
		s.Len(open, 1)
		s.same(noon, open[0].Since)
		carrier.Since = open[0].Since
		s.Equal(carrier, open[0])

		w = s.claimOne(later(2 * time.Hour))
		s.release(w, later(2*time.Hour), connector.Next{Wake: noon})
		s.Empty(s.load("A").Holds)
		w = s.claimOne(later(3 * time.Hour))
		s.release(w, later(3*time.Hour), connector.Next{Holds: []connector.Hold{carrier}})
		s.same(later(3*time.Hour), s.load("A").Holds[0].Since)
		s.Len(s.notes("A"), 5)
	}},
}
