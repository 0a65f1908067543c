package markettest

import (
	"context"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/marketplace"
)

var failing = []chapter{
	{"credentials that are not good are told apart from everything else", func(s *story) {
		s.need(s.h.Deny != nil, "way to take the credentials away")
		id, o := s.placed()
		restore := sync.OnceFunc(s.h.Deny())
		defer restore()
		_, err := s.h.Adapter.Order(s.ctx, id)
		s.class(fault.Denied, err)
		_, err = s.h.Adapter.ConfirmShipment(s.ctx, "denied/"+string(id), s.parcel(o, "1", marketplace.ShipmentLine{Line: o.Lines[0].ID, Quantity: 1}))
		s.class(fault.Denied, err)
		require.Zero(s, s.h.Shipments(id))
		if c, ok := s.h.Adapter.(marketplace.Checker); ok {
			_, err = c.Check(s.ctx)
			s.class(fault.Denied, err)
		}
		restore()
		s.settle()
		require.Equal(s, o, s.read(id), "and it recovers by itself")
	}},
	{"a check says who we are", func(s *story) {
		c, ok := s.h.Adapter.(marketplace.Checker)
		s.need(ok, "check")
		health, err := c.Check(s.ctx)
		require.NoError(s, err)
		require.NotEmpty(s, health.Account)
	}},
	{"a cancelled call returns promptly and sends nothing", func(s *story) {
		id, o := s.placed()
		ctx, cancel := context.WithCancel(s.ctx)
		cancel()
		began := time.Now()
		_, err := s.h.Adapter.Order(ctx, id)
		require.Error(s, err)
		_, err = s.h.Adapter.Changed(ctx, marketplace.Cursor{Since: s.h.Now().Add(-time.Minute)})
		require.Error(s, err)
		_, err = s.h.Adapter.ConfirmShipment(ctx, "gone/"+string(id), s.parcel(o, "1", marketplace.ShipmentLine{Line: o.Lines[0].ID, Quantity: 1}))
		require.Error(s, err)
		require.False(s, fault.Is(err, fault.Refused) || fault.Is(err, fault.Denied) || fault.Is(err, fault.NotFound),
			"cancelling says nothing about the order: %v", err)
		require.Less(s, time.Since(began), s.h.Limit)
		require.Zero(s, s.h.Shipments(id))
	}},
}
