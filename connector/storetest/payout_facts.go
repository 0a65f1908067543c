package storetest

import (
	"fmt"
	"sync"
	"time"

	"channelbridge/connector"
)

func fact(order, body string, known time.Duration) connector.PayoutFacts {
	return connector.PayoutFacts{Account: channel, Kind: connector.OrderFacts, Order: order, Store: "gid/" + order, KnownAt: later(known), Body: []byte(body)}
}

func (s *story) keepFacts(want int, facts ...connector.PayoutFacts) {
	s.Helper()
	n, err := s.store.KeepFacts(s.ctx, facts)
	s.NoError(err)
	s.Equal(want, n)
}

func (s *story) facts(asOf time.Time) (out []connector.PayoutFacts) {
	s.Helper()
	s.NoError(s.store.Facts(s.ctx, channel, connector.OrderFacts, asOf, func(f connector.PayoutFacts) error {
		out = append(out, f)
		return nil
	}))
	return out
}

func (s *story) tariffs(asOf time.Time) (out []string) {
	s.Helper()
	all, err := s.store.Tariffs(s.ctx, channel, asOf)
	s.NoError(err)
	for _, t := range all {
		out = append(out, t.Key+"="+string(t.Body))
	}
	return out
}

var payoutFacts = []chapter{
	{"facts are added when they say something new", func(s *story) {
		s.keepFacts(0)
		s.keepFacts(2, fact("A", "a1", 0), fact("B", "b1", 0))
		s.keepFacts(0, fact("A", "a1", time.Hour), fact("B", "b1", time.Hour))
		s.keepFacts(1, fact("A", "a2", 2*time.Hour), fact("B", "b1", 2*time.Hour))
		s.keepFacts(1, fact("A", "a1", 3*time.Hour))
		mirrored := fact("A", "a1", 4*time.Hour)
		mirrored.Store = "gid/other"
		s.keepFacts(1, mirrored)
		theirs := fact("A", "a1", 0)
		theirs.Account = "amazon-fr"
		s.keepFacts(1, theirs)
		s.Equal([]connector.PayoutFacts{mirrored, fact("B", "b1", 0)}, s.facts(time.Time{}))
	}},
	{"facts of one order in one call are judged one after the other", func(s *story) {
		s.keepFacts(3, fact("A", "a1", 0), fact("A", "a1", 1), fact("A", "a2", 2*time.Hour), fact("A", "a2", 3*time.Hour), fact("A", "a1", 4*time.Hour))
		s.Equal("a1", string(s.facts(later(time.Hour))[0].Body))
		s.Equal("a2", string(s.facts(later(3 * time.Hour))[0].Body))
		s.same(later(4*time.Hour), s.facts(time.Time{})[0].KnownAt)
	}},
	{"facts are shown as they were known, the later of two at one instant", func(s *story) {
		s.keepFacts(3, fact("A", "a1", 0), fact("A", "a2", time.Hour), fact("B", "b1", time.Hour))
		s.keepFacts(1, fact("A", "a3", time.Hour))
		s.Empty(s.facts(later(-1)))
		s.Equal([]connector.PayoutFacts{fact("A", "a1", 0)}, s.facts(later(time.Hour-time.Microsecond)))
		s.Equal([]connector.PayoutFacts{fact("A", "a3", time.Hour), fact("B", "b1", time.Hour)}, s.facts(later(time.Hour)))
		s.keepFacts(1, fact("A", "a0", -time.Hour)) // heard late of what was known early
		s.Equal("a0", string(s.facts(later(-1))[0].Body))
		s.Equal("a3", string(s.facts(time.Time{})[0].Body))
		s.keepFacts(0, fact("A", "a3", 2*time.Hour))
	}},
	{"facts come sorted by the bytes of the order, and only as long as they are taken", func(s *story) {
		var all []connector.PayoutFacts
		for i := range oddOrders[1:] {
			all = append(all, fact(oddOrders[len(oddOrders)-1-i], "x", 0))
		}
		s.keepFacts(len(all), all...)
		var got []string
		for _, f := range s.facts(noon) {
			got = append(got, f.Order)
		}
		s.Equal(oddOrders[1:], got)
		taken := 0
		s.ErrorIs(s.store.Facts(s.ctx, channel, connector.OrderFacts, noon, func(connector.PayoutFacts) error { taken++; return errTorn }), errTorn)
		s.Equal(1, taken)
	}},
	{"facts of another kind are apart", func(s *story) {
		held := fact("A", "held", 0)
		held.Kind = connector.DeferralFacts
		unsaid := fact("B", "b1", 0)
		unsaid.Kind = ""
		s.keepFacts(3, fact("A", "a1", 0), held, unsaid)
		s.keepFacts(0, fact("A", "a1", 1), held, fact("B", "b1", 0))
		s.Equal([]connector.PayoutFacts{fact("A", "a1", 0), fact("B", "b1", 0)}, s.facts(time.Time{}))
		var got []connector.PayoutFacts
		s.NoError(s.store.Facts(s.ctx, channel, connector.DeferralFacts, time.Time{}, func(f connector.PayoutFacts) error {
			got = append(got, f)
			return nil
		}))
		s.Equal([]connector.PayoutFacts{held}, got)
	}},
	{"facts of many orders, from several at once", func(s *story) {
		const many = 1000
		var facts []connector.PayoutFacts
		for i := range many {
			facts = append(facts, fact(fmt.Sprintf("%05d", i), "x", 0))
		}
		var all sync.WaitGroup
		var lock sync.Mutex
		total := 0
		for range 3 {
			all.Go(func() {
				n, err := s.store.KeepFacts(s.ctx, facts)
				s.check(err == nil, err)
				lock.Lock()
				defer lock.Unlock()
				total += n
			})
		}
		all.Wait()
		s.Equal(many, total)
		s.Equal(facts, s.facts(time.Time{}))
	}},
	{"the newest tariff of a key counts, as it was known", func(s *story) {
		row := func(key, body string, known time.Duration) {
			s.Helper()
			t := connector.Tariff{Account: channel, Key: key, KnownAt: later(known), Author: "ops", Body: []byte(body)}
			kept, err := s.store.KeepTariff(s.ctx, t)
			s.NoError(err)
			s.NotZero(kept.ID)
			t.ID = kept.ID
			s.Equal(t, kept)
		}
		row("b", "1", 0)
		row("a", "1", time.Hour)
		row("B", "1", 0)
		row("b", "2", 2*time.Hour)
		row("b", "3", 2*time.Hour)
		s.Empty(s.tariffs(later(-1)))
		s.Equal([]string{"B=1", "b=1"}, s.tariffs(noon))
		s.Equal([]string{"B=1", "a=1", "b=1"}, s.tariffs(later(time.Hour)))
		s.Equal([]string{"B=1", "a=1", "b=3"}, s.tariffs(later(2*time.Hour)))
		s.Equal([]string{"B=1", "a=1", "b=3"}, s.tariffs(time.Time{}))
		all, err := s.store.Tariffs(s.ctx, "amazon-fr", time.Time{})
		s.NoError(err)
		s.Empty(all)
	}},
}
