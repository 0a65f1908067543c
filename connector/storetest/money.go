package storetest

import (
	"time"

	"channelbridge/connector"
)

var moneySide = []chapter{
	{"what the finance side says is kept beside the other two", func(s *story) {
		s.mirrored("A", "gid/1")
		before := s.load("A")
		s.Nil(before.Refunds)
		o := read(connector.Money, "A", later(time.Hour), later(time.Hour), "refunds")
		o.Note = "a refund was seen"
		s.Equal(1, s.seen(later(time.Hour), o))
		r := s.load("A")
		s.Equal("refunds", string(r.Refunds.Body))
		s.Equal(before.Market, r.Market)
		s.Equal(before.Store, r.Store)
		s.Equal(before.Revision+1, r.Revision)
		s.Contains(s.notes("A"), "a refund was seen")
		s.Equal(0, s.seen(later(time.Hour), read(connector.Money, "A", noon, later(2*time.Hour), "older")))
		s.Equal("refunds", string(s.load("A").Refunds.Body))
	}},
	{"the finance side makes no orders", func(s *story) {
		s.Equal(0, s.seen(noon, read(connector.Money, "X", noon, noon, "somebody's")))
		s.NoError(s.store.Touch(s.ctx, noon, connector.Touch{Subject: order("X"), Side: connector.Money, Heard: noon}))
		_, err := s.store.Load(s.ctx, order("X"))
		s.ErrorIs(err, connector.ErrNotFound)
		d := push("d1")
		d.Touch = []connector.Touch{{Subject: order("X"), Side: connector.Money}, {Subject: order("A"), Side: connector.Market}}
		s.record(connector.Accepted, d)
		s.Len(s.claim(noon, 10), 1, "the other hint of the delivery is taken")
	}},
	{"a hint about money makes a known order due and is remembered apart", func(s *story) {
		s.touch(noon, "A")
		s.release(s.claimOne(noon), noon, connector.Next{})
		s.NoError(s.store.Touch(s.ctx, later(time.Hour), connector.Touch{Subject: order("A"), Side: connector.Money, Heard: later(time.Minute)}))
		r := s.load("A")
		s.same(later(time.Hour), r.NextAt)
		s.same(later(time.Minute), r.HeardMoney.Version)
		s.same(later(time.Hour), r.HeardMoney.At)
		s.True(r.HeardShop.Version.IsZero())
		s.NoError(s.store.Touch(s.ctx, later(2*time.Hour), connector.Touch{Subject: order("A"), Side: connector.Money, Heard: noon}))
		s.same(later(time.Minute), s.load("A").HeardMoney.Version)
		s.same(noon, s.load("A").HeardMarket.Version)
	}},
	{"how the finance side was read is kept until it is read again", func(s *story) {
		s.touch(noon, "A")
		s.release(s.claimOne(noon), noon, connector.Next{Wake: noon, Money: connector.Look{At: noon, Trouble: "refused"}})
		s.Equal("refused", s.load("A").LookMoney.Trouble)
		s.release(s.claimOne(noon), noon, connector.Next{Wake: noon})
		s.same(noon, s.load("A").LookMoney.At)
		s.release(s.claimOne(noon), noon, connector.Next{Wake: noon, Money: connector.Look{At: later(time.Hour)}})
		s.same(later(time.Hour), s.load("A").LookMoney.At)
		s.Empty(s.load("A").LookMoney.Trouble)
		s.True(s.load("A").LookMarket.At.IsZero())
	}},
}
