package storetest

import (
	"time"

	"channelbridge/connector"
)

var reading = []chapter{
	{"orders are listed, newest first, and narrowed", func(s *story) {
		s.shown("A-1", connector.Next{Summary: connector.Summary{PlacedAt: later(-3 * time.Hour), Number: "#1001"}})
		s.shown("B-2", connector.Next{Summary: connector.Summary{PlacedAt: later(-time.Hour), Number: "#1002"},
			Holds: []connector.Hold{{Kind: "carrier", Level: connector.Warns, Reason: "r"}}})
		s.shown("C_3%", connector.Next{Summary: connector.Summary{PlacedAt: later(-2 * time.Hour)}})
		s.Equal([]string{"B-2", "C_3%", "A-1"}, s.orders(connector.OrderFilter{}))
		s.Equal([]string{"B-2"}, s.orders(connector.OrderFilter{Held: true}))
		s.Equal([]string{"A-1"}, s.orders(connector.OrderFilter{Text: "a-"}))
		s.Equal([]string{"B-2"}, s.orders(connector.OrderFilter{Text: "1002"}))
		s.Equal([]string{"C_3%"}, s.orders(connector.OrderFilter{Text: "_"}))
		s.Equal([]string{"C_3%"}, s.orders(connector.OrderFilter{Text: "%"}))
		s.Equal([]string{"C_3%"}, s.orders(connector.OrderFilter{Limit: 1, Offset: 1}))
		s.Empty(s.orders(connector.OrderFilter{Offset: 7}))
		s.Empty(s.orders(connector.OrderFilter{Channel: "ebay"}))
		rows, err := s.store.Orders(s.ctx, connector.OrderFilter{Held: true})
		s.NoError(err)
		s.Equal("carrier", rows[0].Holds[0].Kind)
		s.Equal("#1002", rows[0].Summary.Number)
	}},
	{"orders that are finished can be left out", func(s *story) {
		s.shown("A", connector.Next{Final: true})
		s.shown("B", connector.Next{Wake: later(time.Hour)})
		s.Equal([]string{"B"}, s.orders(connector.OrderFilter{Open: true}))
		s.touch(later(time.Minute), "A")
		s.Equal([]string{"A", "B"}, s.orders(connector.OrderFilter{Open: true}))
	}},
	{"deliveries can be narrowed to topics", func(s *story) {
		for i, topic := range []string{"orders/create", "shop/redact", "customers/redact", "orders/create"} {
			d := push("d" + number(int64(i)))
			d.Topic = topic
			s.record(connector.Accepted, d)
		}
		var got []string
		for _, d := range s.deliveries(connector.DeliveryFilter{Topics: []string{"shop/redact", "customers/redact", "nothing"}}) {
			got = append(got, d.Topic)
		}
		s.Equal([]string{"customers/redact", "shop/redact"}, got)
		s.Len(s.deliveries(connector.DeliveryFilter{}), 4)
	}},
	{"a timeline is told in order", func(s *story) {
		for i, text := range []string{"placed", "paid", "shipped"} {
			o := read(connector.Market, "A", later(time.Duration(i)*time.Minute), noon, text)
			o.Note = text
			s.seen(noon, o)
		}
		s.Equal([]string{"placed", "paid", "shipped"}, s.notes("A"))
		all, err := s.store.Timeline(s.ctx, order("A"))
		s.NoError(err)
		s.NotEmpty(all[0].Actor)
		s.NotEmpty(all[0].Kind)
		s.same(noon, all[0].At)
		none, err := s.store.Timeline(s.ctx, order("nobody"))
		s.NoError(err)
		s.Empty(none)
	}},
	{"stats count what waits, what is held and what was in time", func(s *story) {
		s.touch(later(-time.Hour), "A", "B")
		s.touch(later(time.Hour), "C")
		w := s.claim(noon, 2)
		intime, late := command("k1"), command("k2")
		intime.Due, late.Due = later(time.Minute), later(-time.Minute)
		s.settle(s.intend(nil, w[0], intime, noon), connector.Outcome{State: connector.Done, At: noon})
		s.settle(s.intend(nil, w[0], late, noon), connector.Outcome{State: connector.Proven, At: noon})
		s.intend(nil, w[1], command("k3"), noon)
		s.release(w[0], noon, connector.Next{Wake: later(-time.Minute), Due: later(-time.Second),
			Holds: []connector.Hold{{Kind: "carrier", Level: connector.Blocks, Reason: "r"}}})
		s.record(connector.Accepted, push("d1"))
		s.record(connector.Duplicate, push("d1"))

		st, err := s.store.Stats(s.ctx, noon)
		s.NoError(err)
		s.Equal(3, st.Subjects)
		s.Equal(1, st.Due, "one is leased, one not yet due")
		s.Equal(time.Minute, st.OldestDue)
		s.Equal(1, st.Deadlines)
		s.Equal(map[connector.EntryState]int{connector.Done: 1, connector.Proven: 1, connector.Sent: 1}, st.Entries)
		s.Equal(map[string]int{"carrier": 1}, st.Holds)
		s.Equal(1, st.SameDay)
		s.Equal(1, st.Late)
		s.Equal(1, st.Deliveries[connector.Accepted])
		s.Equal(1, st.Deliveries[connector.Duplicate])
	}},
	{"completeness counts by the channel's own day, from that day on", func(s *story) {
		zone, err := time.LoadLocation("Europe/Berlin") // the clock goes forward on the 29th
		s.NoError(err)
		for id, placed := range map[string]time.Time{
			"before":   time.Date(2026, 3, 27, 23, 59, 59, 0, zone),
			"first":    time.Date(2026, 3, 28, 0, 0, 0, 0, zone),
			"last":     time.Date(2026, 3, 28, 23, 59, 59, 0, zone),
			"next":     time.Date(2026, 3, 29, 0, 0, 0, 0, zone),
			"next-end": time.Date(2026, 3, 29, 23, 30, 0, 0, zone),
			"after":    time.Date(2026, 3, 30, 0, 30, 0, 0, zone),
		} {
			s.shown(id, connector.Next{Summary: connector.Summary{PlacedAt: placed, Expected: id != "last", Mirrored: id != "next"}})
		}
		days, err := s.store.Completeness(s.ctx, channel, time.Date(2026, 3, 28, 15, 0, 0, 0, zone), zone)
		s.NoError(err)
		s.Equal([]connector.DayCount{
			{Day: "2026-03-28", Seen: 2, Expected: 1, Mirrored: 1},
			{Day: "2026-03-29", Seen: 2, Expected: 2, Mirrored: 1},
			{Day: "2026-03-30", Seen: 1, Expected: 1, Mirrored: 1},
		}, days)
		none, err := s.store.Completeness(s.ctx, "ebay", noon, zone)
		s.NoError(err)
		s.Empty(none)
	}},
}

// shown is an order that was looked at once.
func (s *story) shown(id string, n connector.Next) {
	s.Helper()
	s.touch(noon, id)
	s.release(s.claimOne(noon), noon, n)
}

func (s *story) orders(f connector.OrderFilter) []string {
	s.Helper()
	rows, err := s.store.Orders(s.ctx, f)
	s.NoError(err)
	out := []string{}
	for _, r := range rows {
		out = append(out, r.Subject.ID)
	}
	return out
}
