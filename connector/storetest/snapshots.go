package storetest

import (
	"time"

	"channelbridge/connector"
)

var snapshots = []chapter{
	{"a first read is news: the order exists, is due, and the timeline says so", func(s *story) {
		o := read(connector.Market, "A", noon, later(time.Second), "one")
		o.Note = "order placed"
		s.Equal(1, s.seen(later(time.Minute), o))
		r := s.load("A")
		s.Equal("one", string(r.Market.Body))
		s.same(noon, r.Market.Version)
		s.same(later(time.Second), r.Market.ObservedAt)
		s.Nil(r.Store)
		s.same(later(time.Minute), r.NextAt)
		s.Equal([]string{"order placed"}, s.notes("A"))
	}},
	{"a newer read is news, an older one is dropped", func(s *story) {
		s.seen(noon, read(connector.Market, "A", noon, noon, "one"))
		s.Equal(1, s.seen(noon, read(connector.Market, "A", later(time.Minute), noon, "two")))
		old := read(connector.Market, "A", later(time.Second), later(time.Hour), "stale")
		old.Note = "never written"
		s.Equal(0, s.seen(later(time.Hour), old))
		r := s.load("A")
		s.Equal("two", string(r.Market.Body))
		s.same(noon, r.Market.ObservedAt)
		s.Equal(int64(2), r.Revision)
		s.Empty(s.notes("A"))
	}},
	{"the same read again only moves the time of the look forward", func(s *story) {
		s.seen(noon, read(connector.Market, "A", noon, noon, "one"))
		s.release(s.claimOne(noon), noon, connector.Next{})
		s.Equal(0, s.seen(later(time.Hour), read(connector.Market, "A", noon, later(time.Hour), "one")))
		r := s.load("A")
		s.same(later(time.Hour), r.Market.ObservedAt)
		s.Equal(int64(1), r.Revision)
		s.True(r.NextAt.IsZero())
		s.seen(later(time.Hour), read(connector.Market, "A", noon, later(time.Minute), "one"))
		s.same(later(time.Hour), s.load("A").Market.ObservedAt)
	}},
	{"an equal version with other contents is news", func(s *story) {
		s.seen(noon, read(connector.Market, "A", noon, noon, "one"))
		s.Equal(1, s.seen(later(time.Hour), read(connector.Market, "A", noon, later(time.Hour), "other")))
		s.Equal("other", string(s.load("A").Market.Body))
	}},
	{"what could not be understood is kept with its fault, and its cure is news", func(s *story) {
		broken := read(connector.Market, "A", noon, noon, "???")
		broken.Fault = "unmapped status"
		s.Equal(1, s.seen(noon, broken))
		s.Equal("unmapped status", s.load("A").Market.Fault)
		s.Equal(0, s.seen(noon, broken))
		broken.Fault = ""
		s.Equal(1, s.seen(noon, broken))
		s.Empty(s.load("A").Market.Fault)
	}},
	{"a snapshot without a version is kept until one with a version comes", func(s *story) {
		s.Equal(1, s.seen(noon, read(connector.Market, "A", time.Time{}, noon, "one")))
		s.True(s.load("A").Market.Version.IsZero())
		s.Equal(1, s.seen(noon, read(connector.Market, "A", noon, noon, "one")))
	}},
	{"one call may hold many orders, and one order several times", func(s *story) {
		s.Equal(4, s.seen(noon,
			read(connector.Market, "B", noon, noon, "b"),
			read(connector.Market, "A", noon, noon, "one"),
			read(connector.Market, "A", later(2*time.Microsecond), noon, "two"),
			read(connector.Market, "A", later(time.Microsecond), noon, "stale"),
			read(connector.Market, "C", noon, noon, "c")))
		s.Equal("two", string(s.load("A").Market.Body))
		s.Equal(0, s.seen(noon))
	}},
	{"the store's order is tied to the channel's by the first read that names both", func(s *story) {
		s.mirrored("A", "gid/1")
		r := s.load("A")
		s.Equal(mirror("gid/1"), r.Shop)
		s.Equal("shop", string(r.Store.Body))

		byShop := connector.Observation{Shop: mirror("gid/1"), Side: connector.Shop,
			Snapshot: connector.Snapshot{Version: later(time.Hour), ObservedAt: later(time.Hour), Body: []byte("newer")}}
		s.Equal(1, s.seen(later(time.Hour), byShop))
		s.Equal("newer", string(s.load("A").Store.Body))
		s.Equal("A", s.claimOne(later(time.Hour)).Subject.ID)
	}},
	{"a store order that mirrors nothing is dropped", func(s *story) {
		s.Equal(0, s.seen(noon, connector.Observation{Shop: mirror("gid/9"), Side: connector.Shop,
			Snapshot: connector.Snapshot{Version: noon, ObservedAt: noon, Body: []byte("somebody's")}}))
		s.Empty(s.claim(noon, 10))
	}},
	{"a second mirror neither replaces the first nor its snapshot", func(s *story) {
		s.mirrored("A", "gid/1")
		o := read(connector.Shop, "A", later(time.Hour), later(time.Hour), "impostor")
		o.Shop = mirror("gid/2")
		s.Equal(0, s.seen(later(time.Hour), o))
		s.Equal(mirror("gid/1"), s.load("A").Shop)
		s.Equal("shop", string(s.load("A").Store.Body))
	}},
	{"a store order is the mirror of one order only", func(s *story) {
		s.mirrored("A", "gid/1")
		s.seen(noon, read(connector.Market, "B", noon, noon, "b"))
		o := read(connector.Shop, "B", later(time.Hour), later(time.Hour), "shared")
		o.Shop = mirror("gid/1")
		s.Equal(0, s.seen(later(time.Hour), o))
		s.False(s.load("B").Shop.Set())
		s.Nil(s.load("B").Store)
	}},
}
