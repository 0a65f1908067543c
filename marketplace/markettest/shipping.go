package markettest

import (
	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/marketplace"
)

var shipping = []chapter{
	{"a part is shipped, then the rest", func(s *story) {
		id, o := s.placed()
		one, other := o.Lines[0].ID, o.Lines[1].ID
		_, err := s.h.Adapter.ConfirmShipment(s.ctx, "k1/"+string(id), s.parcel(o, "1", marketplace.ShipmentLine{Line: one, Quantity: 1}))
		require.NoError(s, err)
		s.settle()
		part := s.read(id)
		require.Equal(s, marketplace.Open, part.Lifecycle)
		require.Equal(s, 1, line(part, one).Shipped)
		require.Zero(s, line(part, other).Shipped)
		require.True(s, part.UpdatedAt.After(o.UpdatedAt), "a change has a newer version")
		require.Len(s, part.Packages, 1)
		require.Equal(s, "1", part.Packages[0].Ref)
		require.Equal(s, s.parcel(o, "1").Tracking, part.Packages[0].Tracking)

		rest := s.parcel(o, "2", marketplace.ShipmentLine{Line: one, Quantity: 1}, marketplace.ShipmentLine{Line: other, Quantity: 1})
		_, err = s.h.Adapter.ConfirmShipment(s.ctx, "k2/"+string(id), rest)
		require.NoError(s, err)
		s.settle()
		whole := s.read(id)
		require.Equal(s, marketplace.Closed, whole.Lifecycle)
		require.Equal(s, 2, line(whole, one).Shipped)
		require.Equal(s, 1, line(whole, other).Shipped)
		require.Len(s, whole.Packages, 2)
		require.Equal(s, 2, s.h.Shipments(id))
	}},
	{"the same confirmation again does what the traits say", func(s *story) {
		id, o := s.placed()
		p := s.parcel(o, "1", marketplace.ShipmentLine{Line: o.Lines[0].ID, Quantity: 1})
		_, err := s.h.Adapter.ConfirmShipment(s.ctx, "again/"+string(id), p)
		require.NoError(s, err)
		s.settle()
		_, err = s.h.Adapter.ConfirmShipment(s.ctx, "again/"+string(id), p)
		s.settle()
		s.repeated(id, err)
	}},
	{"what cannot be shipped is refused", func(s *story) {
		id, o := s.placed()
		_, err := s.h.Adapter.ConfirmShipment(s.ctx, "much/"+string(id), s.parcel(o, "1", marketplace.ShipmentLine{Line: o.Lines[1].ID, Quantity: 5}))
		s.class(fault.Refused, err)
		_, err = s.h.Adapter.ConfirmShipment(s.ctx, "other/"+string(id), s.parcel(o, "1", marketplace.ShipmentLine{Line: "no-such-line", Quantity: 1}))
		s.class(fault.Refused, err)
		require.Zero(s, s.h.Shipments(id))
	}},
	{"a lost answer is unknown, and a later look tells", func(s *story) {
		s.need(s.h.LoseNextAnswer != nil, "lost answer")
		id, o := s.placed()
		p := s.parcel(o, "1", marketplace.ShipmentLine{Line: o.Lines[0].ID, Quantity: 1})
		s.h.LoseNextAnswer()
		_, err := s.h.Adapter.ConfirmShipment(s.ctx, "lost/"+string(id), p)
		s.class(fault.Unknown, err)
		s.settle()
		seen := s.read(id)
		require.Len(s, seen.Packages, s.h.Shipments(id), "the read shows the effect, or its absence")
		require.Equal(s, s.h.Shipments(id), line(seen, o.Lines[0].ID).Shipped)

		if s.repeat() == marketplace.RepeatNone {
			return // nobody sends again without having looked
		}
		_, err = s.h.Adapter.ConfirmShipment(s.ctx, "lost/"+string(id), p)
		s.settle()
		s.repeated(id, err)
	}},
	{"throttling is temporary and leaves nothing behind", func(s *story) {
		s.need(s.h.ThrottleNext != nil, "throttling")
		id, o := s.placed()
		p := s.parcel(o, "1", marketplace.ShipmentLine{Line: o.Lines[0].ID, Quantity: 1})
		s.h.ThrottleNext()
		_, err := s.h.Adapter.ConfirmShipment(s.ctx, "slow/"+string(id), p)
		s.class(fault.Temporary, err)
		require.Zero(s, s.h.Shipments(id))
		s.need(s.h.Advance != nil, "clock, so the second half is left out")
		s.pass(max(fault.After(err), s.h.Adapter.Traits().SettleIn))
		_, err = s.h.Adapter.ConfirmShipment(s.ctx, "slow/"+string(id), p)
		require.NoError(s, err)
		require.Equal(s, 1, s.h.Shipments(id))
	}},
}

func (s *story) repeat() marketplace.RepeatClass {
	if c := s.h.Adapter.Traits().Repeat[marketplace.OpConfirmShipment]; c != "" {
		return c
	}
	return marketplace.RepeatNone
}

// repeated judges a second send of the same confirmation.
func (s *story) repeated(id marketplace.OrderID, err error) {
	s.Helper()
	switch s.repeat() {
	case marketplace.RepeatNative:
		require.NoError(s, err, "the channel drops a repeated key")
		require.Equal(s, 1, s.h.Shipments(id))
	case marketplace.RepeatNatural:
		if err != nil {
			s.class(fault.Refused, err)
		}
		require.Equal(s, 1, s.h.Shipments(id), "a second one edits the first or is refused")
	default:
		if err == nil {
			require.Equal(s, 2, s.h.Shipments(id), "a channel that acts once should say so in its traits")
		}
	}
	require.Len(s, s.read(id).Packages, s.h.Shipments(id))
}

func line(o marketplace.Order, id string) marketplace.Line {
	for _, l := range o.Lines {
		if l.ID == id {
			return l
		}
	}
	return marketplace.Line{}
}
