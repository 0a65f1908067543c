package storetest

import (
	"fmt"
	"sync"
	"time"

	"channelbridge/connector"
)

var queue = []chapter{
	{"a touched order is due at once and keeps what was heard", func(s *story) {
		s.NoError(s.store.Touch(s.ctx, noon, connector.Touch{Subject: order("A"), Side: connector.Market, Heard: later(-time.Minute)}))
		r := s.load("A")
		s.Equal(order("A"), r.Subject)
		s.Equal(int64(1), r.Revision)
		s.same(noon, r.NextAt)
		s.same(noon, r.FirstSeen)
		s.True(r.DueAt.IsZero())
		s.same(later(-time.Minute), r.HeardMarket.Version)
		s.same(noon, r.HeardMarket.At)
		s.True(r.HeardShop.Version.IsZero())
	}},
	{"what was heard only grows", func(s *story) {
		hear := func(at, version time.Time) connector.Heard {
			s.NoError(s.store.Touch(s.ctx, at, connector.Touch{Subject: order("A"), Side: connector.Shop, Heard: version}))
			return s.load("A").HeardShop
		}
		hear(noon, later(time.Minute))
		h := hear(later(time.Second), later(-time.Minute))
		s.same(later(time.Minute), h.Version)
		s.same(noon, h.At)
		h = hear(later(time.Hour), time.Time{}) // no version: look afresh
		s.same(later(time.Hour), h.Version)
		s.same(later(time.Hour), h.At)
	}},
	{"a second touch does not make an order due later", func(s *story) {
		s.touch(noon, "A")
		s.touch(later(time.Hour), "A")
		s.same(noon, s.load("A").NextAt)
		s.Equal(int64(2), s.load("A").Revision)
		s.touch(later(-time.Hour), "A")
		s.same(later(-time.Hour), s.load("A").NextAt)
	}},
	{"several touches of one call are all taken", func(s *story) {
		s.NoError(s.store.Touch(s.ctx, noon,
			connector.Touch{Subject: order("A"), Side: connector.Market, Heard: later(time.Second)},
			connector.Touch{Subject: order("A"), Side: connector.Shop, Heard: later(time.Minute)},
			connector.Touch{Subject: order("A"), Side: connector.Market, Heard: later(2 * time.Second), Urgent: true},
			connector.Touch{Subject: order("B"), Side: connector.Market}))
		r := s.load("A")
		s.Equal(int64(3), r.Revision)
		s.same(later(2*time.Second), r.HeardMarket.Version)
		s.same(later(time.Minute), r.HeardShop.Version)
		s.same(noon, r.DueAt)
		s.Len(s.claim(noon, 10), 2)
		s.NoError(s.store.Touch(s.ctx, noon))
	}},
	{"hints about store orders find the order they mirror; others are dropped", func(s *story) {
		s.mirrored("A", "gid/1")
		before := s.load("A").Revision
		s.NoError(s.store.Touch(s.ctx, later(time.Hour),
			connector.Touch{Shop: mirror("gid/1"), Side: connector.Shop, Urgent: true},
			connector.Touch{Shop: mirror("gid/unknown"), Side: connector.Shop}))
		r := s.load("A")
		s.Equal(before+1, r.Revision)
		s.same(later(time.Hour), r.HeardShop.Version)
		s.same(later(time.Hour), r.DueAt)
		rows, err := s.store.Orders(s.ctx, connector.OrderFilter{})
		s.NoError(err)
		s.Len(rows, 1)
	}},
	{"claims go by deadline, then by how long an order waits, then by key", func(s *story) {
		s.touch(later(-time.Hour), "C")
		s.touch(later(-2*time.Hour), "B", "A")
		s.NoError(s.store.Touch(s.ctx, later(-time.Second), connector.Touch{Subject: order("Z"), Side: connector.Shop, Urgent: true}))
		s.NoError(s.store.Touch(s.ctx, later(-time.Minute), connector.Touch{Subject: order("Y"), Side: connector.Shop, Urgent: true}))
		s.touch(later(time.Second), "not yet")
		s.Equal([]string{"Y", "Z", "A", "B", "C"}, ids(s.claim(noon, 10)))
	}},
	{"a claim takes no more than asked, of the channels asked", func(s *story) {
		s.touch(noon, "A", "B", "C")
		other := connector.Subject{Kind: connector.KindOrder, Channel: "ebay", ID: "E"}
		s.NoError(s.store.Touch(s.ctx, later(-time.Hour), connector.Touch{Subject: other, Side: connector.Market}))
		s.Equal([]string{"A", "B"}, ids(s.claim(noon, 2)))
		s.Equal([]string{"C"}, ids(s.claim(noon, 2)))
		none, err := s.store.Claim(s.ctx, noon, 5, time.Minute, nil)
		s.NoError(err)
		s.Empty(none)
		both, err := s.store.Claim(s.ctx, noon, 5, time.Minute, []connector.ConnectionID{channel, "ebay"})
		s.NoError(err)
		s.Equal([]string{"E"}, ids(both))
	}},
	{"a leased order is nobody else's until the lease ends, and the token rises", func(s *story) {
		s.touch(noon, "A")
		first := s.claimOne(noon)
		s.same(later(time.Minute), first.LeaseUntil)
		s.Equal(int64(1), first.Revision)
		s.Empty(s.claim(later(59*time.Second), 10))
		second := s.claimOne(later(time.Minute))
		s.Equal(first.Token+1, second.Token)
		s.ErrorIs(s.store.Release(s.ctx, first, later(time.Minute), connector.Next{}), connector.ErrLeaseLost)
		s.release(second, later(time.Minute), connector.Next{})
	}},
	{"two who claim at once never share an order", func(s *story) {
		const n = 60
		for i := range n {
			s.touch(noon, fmt.Sprintf("o%02d", i))
		}
		var mu sync.Mutex
		got := map[string]int{}
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				for range 20 {
					w, err := s.store.Claim(s.ctx, noon, 7, time.Minute, []connector.ConnectionID{channel})
					s.check(err == nil, err)
					mu.Lock()
					for _, id := range ids(w) {
						got[id]++
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		s.Len(got, n)
		for id, times := range got {
			s.Equal(1, times, id)
		}
	}},
	{"an unknown order cannot be loaded", func(s *story) {
		_, err := s.store.Load(s.ctx, order("nobody"))
		s.ErrorIs(err, connector.ErrNotFound)
	}},
}

func ids(work []connector.Work) []string {
	out := []string{}
	for _, w := range work {
		out = append(out, w.Subject.ID)
	}
	return out
}

// mirrored makes an order whose mirror exists, and which is not due.
func (s *story) mirrored(id, shopID string) {
	s.Helper()
	s.seen(noon, read(connector.Market, id, noon, noon, "market"))
	o := read(connector.Shop, id, noon, noon, "shop")
	o.Shop = mirror(shopID)
	s.Equal(1, s.seen(noon, o))
	for _, w := range s.claim(noon, 10) {
		s.release(w, noon, connector.Next{})
	}
}
