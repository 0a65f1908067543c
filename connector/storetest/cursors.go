package storetest

import (
	"sync"
	"time"

	"channelbridge/connector"
)

var cursors = []chapter{
	{"one holder at a time moves a cursor", func(s *story) {
		c := s.take(noon)
		s.Empty(c.Value)
		s.True(c.Watermark.IsZero())
		_, ok, err := s.store.TakeCursor(s.ctx, channel, "changes", later(59*time.Second), time.Minute)
		s.NoError(err)
		s.False(ok)
		_, ok, err = s.store.TakeCursor(s.ctx, channel, "wide", noon, time.Minute)
		s.NoError(err)
		s.True(ok, "another sweep of the same connection has its own cursor")

		c.Value, c.Watermark = []byte(`{"page":2}`), later(-time.Hour)
		s.NoError(s.store.KeepCursor(s.ctx, c, later(time.Second), time.Time{}))
		next := s.take(later(2 * time.Second))
		s.JSONEq(`{"page":2}`, string(next.Value))
		s.same(later(-time.Hour), next.Watermark)
		s.same(later(time.Second), next.RanAt)
		s.Greater(next.Token, c.Token)
	}},
	{"a kept cursor stays leased until the instant given", func(s *story) {
		c := s.take(noon)
		s.NoError(s.store.KeepCursor(s.ctx, c, later(time.Second), later(time.Hour)))
		_, ok, err := s.store.TakeCursor(s.ctx, channel, "changes", later(59*time.Minute), time.Minute)
		s.NoError(err)
		s.False(ok)
		s.take(later(time.Hour))
	}},
	{"who lost the cursor cannot move it", func(s *story) {
		old := s.take(noon)
		now := s.take(later(time.Minute))
		old.Value = []byte(`{"page":9}`)
		s.ErrorIs(s.store.KeepCursor(s.ctx, old, later(time.Minute), time.Time{}), connector.ErrLeaseLost)
		s.NoError(s.store.KeepCursor(s.ctx, now, later(time.Minute), time.Time{}))
		s.ErrorIs(s.store.KeepCursor(s.ctx, connector.Cursor{Connection: "nobody", Name: "x", Token: 1}, noon, time.Time{}), connector.ErrLeaseLost)
	}},
	{"of many who take a cursor at once one gets it", func(s *story) {
		var mu sync.Mutex
		won := 0
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				_, ok, err := s.store.TakeCursor(s.ctx, channel, "changes", noon, time.Minute)
				s.check(err == nil, err)
				mu.Lock()
				defer mu.Unlock()
				if ok {
					won++
				}
			})
		}
		wg.Wait()
		s.Equal(1, won)
	}},
	{"all cursors are listed for people", func(s *story) {
		s.take(noon)
		_, _, err := s.store.TakeCursor(s.ctx, "a-channel", "wide", noon, time.Minute)
		s.NoError(err)
		all, err := s.store.Cursors(s.ctx)
		s.NoError(err)
		s.Len(all, 2)
		s.Equal(connector.ConnectionID("a-channel"), all[0].Connection)
	}},
}

func (s *story) take(now time.Time) connector.Cursor {
	s.Helper()
	c, ok, err := s.store.TakeCursor(s.ctx, channel, "changes", now, time.Minute)
	s.NoError(err)
	s.True(ok)
	return c
}

var connections = []chapter{
	{"connections are listed with their state", func(s *story) {
		all, err := s.store.Connections(s.ctx)
		s.NoError(err)
		s.Len(all, 2)
		s.Equal(channel, all[0].ID)
		s.Equal(shop, all[0].Store)
		s.Equal(connector.RoleChannel, all[0].Role)
		s.Equal(connector.Active, all[0].State)
	}},
	{"a state is changed with its reason", func(s *story) {
		s.NoError(s.store.SetState(s.ctx, channel, connector.Disconnected, "token refused", later(time.Hour)))
		c := s.connection(channel)
		s.Equal(connector.Disconnected, c.State)
		s.Equal("token refused", c.Reason)
		s.same(later(time.Hour), c.ChangedAt)
		s.ErrorIs(s.store.SetState(s.ctx, "nobody", connector.Active, "", noon), connector.ErrNotFound)
	}},
	{"replacing a connection keeps its state unless one is given", func(s *story) {
		s.NoError(s.store.SetState(s.ctx, channel, connector.Paused, "holidays", later(time.Hour)))
		c := connector.Connection{ID: channel, Platform: "amazon-eu", Role: connector.RoleChannel, Store: shop, Settings: []byte("sealed")}
		s.NoError(s.store.PutConnection(s.ctx, c))
		got := s.connection(channel)
		s.Equal("amazon-eu", got.Platform)
		s.Equal("sealed", string(got.Settings))
		s.Equal(connector.Paused, got.State)
		s.Equal("holidays", got.Reason)
		s.same(later(time.Hour), got.ChangedAt)
		c.State = connector.Active
		s.NoError(s.store.PutConnection(s.ctx, c))
		s.Equal(connector.Active, s.connection(channel).State)
	}},
	{"a new connection without a state is active", func(s *story) {
		s.NoError(s.store.PutConnection(s.ctx, connector.Connection{ID: "new", Platform: "x", Role: connector.RoleStore}))
		s.Equal(connector.Active, s.connection("new").State)
	}},
	{"when a connection was first made is kept", func(s *story) {
		c := connector.Connection{ID: "new", Platform: "x", Role: connector.RoleStore, Since: noon}
		s.NoError(s.store.PutConnection(s.ctx, c))
		c.Since, c.State = later(time.Hour), connector.Active
		s.NoError(s.store.PutConnection(s.ctx, c))
		s.same(noon, s.connection("new").Since)
	}},
	{"the store can be reached", func(s *story) {
		s.NoError(s.store.Ping(s.ctx))
		s.NoError(s.store.Ping(s.ctx))
	}},
}

func (s *story) connection(id connector.ConnectionID) connector.Connection {
	s.Helper()
	all, err := s.store.Connections(s.ctx)
	s.NoError(err)
	for _, c := range all {
		if c.ID == id {
			return c
		}
	}
	s.Fail("no connection " + string(id))
	return connector.Connection{}
}
