package storetest

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	"channelbridge/connector"
)

var inbox = []chapter{
	{"a delivery is kept and its orders are due", func(s *story) {
		v, err := s.store.Record(s.ctx, push("d1", "A", "B"))
		s.NoError(err)
		s.Equal(connector.Accepted, v)
		s.Len(s.claim(noon, 10), 2)

		d := s.onlyDelivery(connector.DeliveryFilter{})
		s.Equal("d1", d.ID)
		s.Equal("ORDER_CHANGE", d.Topic)
		s.Equal(connector.Accepted, d.Verdict)
		s.Empty(d.Body, "lists have no bodies")
		whole, err := s.store.Delivery(s.ctx, d.Row)
		s.NoError(err)
		s.Equal(`{"id":"d1"}`, string(whole.Body))
		s.Equal(len(whole.Body), whole.Size)
		s.Equal(map[string][]string{"X-Signature": {"abc"}}, whole.Header)
		s.same(noon, whole.ReceivedAt)
	}},
	{"a delivery that comes again is a duplicate and touches nothing", func(s *story) {
		s.record(connector.Accepted, push("d1", "A"))
		s.record(connector.Duplicate, push("d1", "A", "B"))
		s.record(connector.Duplicate, push("d1", "A"))
		s.Equal(int64(1), s.load("A").Revision)
		_, err := s.store.Load(s.ctx, order("B"))
		s.ErrorIs(err, connector.ErrNotFound)
		s.Equal(2, s.onlyDelivery(connector.DeliveryFilter{}).Repeats)
	}},
	{"the same id of another connection is another delivery", func(s *story) {
		s.record(connector.Accepted, push("d1", "A"))
		other := push("d1", "B")
		other.Connection = shop
		s.record(connector.Accepted, other)
	}},
	{"of many that come at once each id is accepted once", func(s *story) {
		const ids, times = 20, 8
		var mu sync.Mutex
		got := map[connector.Verdict]int{}
		var wg sync.WaitGroup
		for i := range ids * times {
			wg.Go(func() {
				v, err := s.store.Record(s.ctx, push(fmt.Sprint("d", i%ids), fmt.Sprint("o", i%7)))
				s.check(err == nil, err)
				mu.Lock()
				got[v]++
				mu.Unlock()
			})
		}
		wg.Wait()
		s.Equal(map[connector.Verdict]int{connector.Accepted: ids, connector.Duplicate: ids * (times - 1)}, got)
		s.Len(s.claim(noon, 100), 7)
	}},
	{"a push that carries whole orders brings their snapshots", func(s *story) {
		d := push("d1", "A")
		d.Observed = []connector.Observation{read(connector.Market, "A", noon, noon, "one"), read(connector.Market, "A", later(time.Microsecond), noon, "two")}
		s.record(connector.Accepted, d)
		s.Equal("two", string(s.load("A").Market.Body))
		d = push("d1", "A")
		d.Observed = []connector.Observation{read(connector.Market, "A", later(time.Hour), noon, "three")}
		s.record(connector.Duplicate, d)
		s.Equal("two", string(s.load("A").Market.Body))
	}},
	{"a delivery nobody understands is kept and can be replayed", func(s *story) {
		d := push("d1")
		d.Verdict, d.Reason = connector.Quarantined, "unknown topic"
		s.record(connector.Quarantined, d)
		s.Empty(s.claim(noon, 10))
		kept := s.onlyDelivery(connector.DeliveryFilter{Verdict: connector.Quarantined})
		s.Equal("unknown topic", kept.Reason)

		s.NoError(s.store.Replayed(s.ctx, kept.Row, later(time.Hour), push("", "A").Touch,
			[]connector.Observation{read(connector.Market, "A", noon, noon, "one")}))
		after := s.onlyDelivery(connector.DeliveryFilter{})
		s.Equal(connector.Accepted, after.Verdict)
		s.same(later(time.Hour), after.ReplayedAt)
		s.Equal("one", string(s.load("A").Market.Body))
		s.same(later(time.Hour), s.load("A").NextAt)
		s.ErrorIs(s.store.Replayed(s.ctx, 987654, noon, nil, nil), connector.ErrNotFound)
	}},
	{"a forged delivery does not use up the id of the genuine one", func(s *story) {
		forged := push("d1", "A")
		forged.Reason = "signature"
		s.NoError(s.store.Reject(s.ctx, forged, 10))
		s.Empty(s.claim(noon, 10), "a refused delivery touches nothing")
		s.record(connector.Accepted, push("d1", "A"))
		s.NoError(s.store.Reject(s.ctx, forged, 10))
		s.record(connector.Duplicate, push("d1", "A"))
	}},
	{"refused deliveries are counted, cut and kept within a bound", func(s *story) {
		s.record(connector.Accepted, push("good"))
		for i := range 12 {
			d := push(fmt.Sprint("bad", i))
			d.Reason, d.Body = "signature", bytes.Repeat([]byte("x"), 5000)
			s.NoError(s.store.Reject(s.ctx, d, 5))
		}
		elsewhere := push("bad")
		elsewhere.Connection = shop
		s.NoError(s.store.Reject(s.ctx, elsewhere, 5))

		kept := s.deliveries(connector.DeliveryFilter{Connection: channel, Verdict: connector.Rejected})
		s.Len(kept, 5)
		s.Equal("bad11", kept[0].ID, "the newest are kept")
		s.Equal(5000, kept[0].Size)
		whole, err := s.store.Delivery(s.ctx, kept[0].Row)
		s.NoError(err)
		s.Len(whole.Body, 2<<10)
		s.Len(s.deliveries(connector.DeliveryFilter{Connection: shop}), 1)
		s.Len(s.deliveries(connector.DeliveryFilter{Verdict: connector.Accepted}), 1)
		st, err := s.store.Stats(s.ctx, noon)
		s.NoError(err)
		s.Equal(13, st.Deliveries[connector.Rejected], "those dropped count too")
	}},
	{"odd bytes in what a sender says break nothing", func(s *story) {
		d := push("d\x00\xff", "A")
		d.Topic, d.EventID, d.Reason = "to\x00pic", "\xff", "\x00"
		d.Header = map[string][]string{"A\x00": {"\xff\x00"}}
		d.Body = []byte("\x00\xff\xfe")
		s.record(connector.Accepted, d)
		s.record(connector.Duplicate, d)
		d.ID = "d\x00\xfe"
		s.record(connector.Accepted, d)
		list := s.deliveries(connector.DeliveryFilter{})
		s.Len(list, 2)
		whole, err := s.store.Delivery(s.ctx, list[0].Row)
		s.NoError(err)
		s.Equal("\x00\xff\xfe", string(whole.Body), "the body is kept as it came")
	}},
	{"old deliveries are purged, oldest first and a few at a time", func(s *story) {
		for i := range 5 {
			d := push(fmt.Sprint("d", i), "A")
			d.ReceivedAt = later(time.Duration(i) * time.Hour)
			s.record(connector.Accepted, d)
		}
		n, err := s.store.Purge(s.ctx, later(3*time.Hour), 2)
		s.NoError(err)
		s.Equal(2, n)
		n, err = s.store.Purge(s.ctx, later(3*time.Hour), 2)
		s.NoError(err)
		s.Equal(1, n)
		left := s.deliveries(connector.DeliveryFilter{})
		s.Len(left, 2)
		s.Equal("d4", left[0].ID)
		s.NotEmpty(s.load("A").NextAt, "what they touched stays")
	}},
	{"deliveries are listed newest first, page by page", func(s *story) {
		for i := range 5 {
			s.record(connector.Accepted, push(fmt.Sprint("d", i)))
		}
		first := s.deliveries(connector.DeliveryFilter{Limit: 2})
		s.Len(first, 2)
		s.Equal("d4", first[0].ID)
		next := s.deliveries(connector.DeliveryFilter{Limit: 2, Before: first[1].Row})
		s.Len(next, 2)
		s.Equal("d2", next[0].ID)
		_, err := s.store.Delivery(s.ctx, 987654)
		s.ErrorIs(err, connector.ErrNotFound)
	}},
}

func (s *story) record(want connector.Verdict, d connector.Delivery) {
	s.Helper()
	v, err := s.store.Record(s.ctx, d)
	s.NoError(err)
	s.Equal(want, v)
}

func (s *story) deliveries(f connector.DeliveryFilter) []connector.Delivery {
	s.Helper()
	d, err := s.store.Deliveries(s.ctx, f)
	s.NoError(err)
	return d
}

func (s *story) onlyDelivery(f connector.DeliveryFilter) connector.Delivery {
	s.Helper()
	d := s.deliveries(f)
	s.Len(d, 1)
	return d[0]
}
