package order_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/memstore"
	"channelbridge/connector/order"
	"channelbridge/internal/fault"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

func TestUnlikely(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cancelled, open, percent int
		want                     bool
	}{
		{20, 20, 25, false}, // a few are nothing to wonder about
		{21, 21, 25, true},
		{21, 84, 25, false},
		{22, 84, 25, true},
		{1000, 1000, 100, false},
		{1000, 1000, 0, false}, // switched off
		{0, 0, 25, false},
	} {
		require.Equal(t, c.want, order.Unlikely(c.cancelled, c.open, c.percent), "%+v", c)
	}
}

var start = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// guarded is a store with open orders of one channel, and its sweeps under a guard.
type guarded struct {
	*testing.T
	store  *memstore.Store
	now    time.Time
	told   []string
	listed []connector.Observation
	sweeps map[string]connector.Sweep
}

const (
	channel = connector.ConnectionID("amazon-us")
	shop    = connector.ConnectionID("shop")
)

func newGuarded(t *testing.T, open int) *guarded {
	g := &guarded{T: t, store: memstore.New(), now: start}
	for _, c := range []connector.Connection{{ID: channel, Role: connector.RoleChannel, Store: shop, State: connector.Active}, {ID: shop, Role: connector.RoleStore, State: connector.Active}} {
		require.NoError(t, g.store.PutConnection(t.Context(), c))
	}
	for i := range open {
		_, err := g.store.Seen(t.Context(), g.now, g.market(i, marketplace.Open), g.shop(i, time.Time{}))
		require.NoError(t, err)
	}
	work, err := g.store.Claim(t.Context(), g.now, open, time.Minute, []connector.ConnectionID{channel})
	require.NoError(t, err)
	for _, w := range work {
		require.NoError(t, g.store.Release(t.Context(), w, g.now, connector.Next{Summary: connector.Summary{Lifecycle: "open", PlacedAt: start}}))
	}
	guard := &order.Guard{Store: g.store, Clock: func() time.Time { return g.now }, Percent: func(connector.ConnectionID) int { return 25 },
		Braked: func(_ connector.ConnectionID, reason string) { g.told = append(g.told, reason) }}
	list := guard.Watch(func(_ context.Context, cursor []byte, _ time.Time) (connector.SweepPage, error) {
		from := 0
		if len(cursor) > 0 {
			_, err := fmt.Sscan(string(cursor), &from)
			require.NoError(t, err)
		}
		to := min(from+10, len(g.listed)) // ten orders a page
		return connector.SweepPage{Observations: g.listed[from:to], Next: fmt.Append(nil, to), More: to < len(g.listed), Watermark: g.now}, nil
	})
	g.sweeps = map[string]connector.Sweep{"changes": {Connection: shop, Name: "changes", Every: time.Minute, Reach: time.Hour, List: list}}
	return g
}

func (g *guarded) market(i int, l marketplace.Lifecycle) connector.Observation {
	return order.MarketObservation(channel, marketplace.Order{ID: marketplace.OrderID(fmt.Sprintf("114-%03d", i)), Lifecycle: l, UpdatedAt: g.now, PlacedAt: start}, g.now)
}

func (g *guarded) shop(i int, cancelled time.Time) connector.Observation {
	return order.ShopObservation(shop, shopadmin.Order{ID: shopadmin.OrderID(fmt.Sprintf("S%03d", i)), UpdatedAt: g.now, CancelledAt: cancelled,
		Mark: shopadmin.Mark{Channel: string(channel), Order: fmt.Sprintf("114-%03d", i)}}, connector.Subject{}, g.now)
}

func (g *guarded) cancelInStore(from, n int) {
	g.now = g.now.Add(time.Hour)
	g.listed = nil
	for i := range n {
		g.listed = append(g.listed, g.shop(from+i, g.now))
	}
}

func (g *guarded) pass() error {
	_, err := (&connector.Sweeper{Store: g.store, Clock: func() time.Time { return g.now }}).Pass(g.Context(), g.sweeps["changes"])
	return err
}

func (g *guarded) connection() connector.Connection {
	all, err := g.store.Connections(g.Context())
	require.NoError(g, err)
	return all[0]
}

// cancelled counts the orders that are kept as cancelled in the store.
func (g *guarded) cancelled() (n int) {
	rows, err := g.store.Orders(g.Context(), connector.OrderFilter{Limit: 1000})
	require.NoError(g, err)
	for _, r := range rows {
		rec, err := g.store.Load(g.Context(), r.Subject)
		require.NoError(g, err)
		_, s, err := order.Decode(rec)
		require.NoError(g, err)
		if !s.CancelledAt.IsZero() {
			n++
		}
	}
	return n
}

func TestAMassCancellationPausesTheChannelUntilAPersonAgrees(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, 100)
	g.cancelInStore(0, 40)
	err := g.pass()
	require.True(t, fault.Is(err, fault.Refused), "%v", err)
	require.Equal(t, 20, g.cancelled(), "the pages before the one that was too much")
	require.True(t, order.Braked(g.connection()))
	require.Contains(t, g.connection().Reason, "brake: one listing cancels 30 of 100 open orders")
	require.Len(t, g.told, 1)

	g.now = g.now.Add(time.Minute)
	require.NoError(t, g.pass(), "twenty more are not too much by themselves")
	require.Equal(t, 40, g.cancelled())
}

func TestTheSameListingIsLetThroughOnce(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, 30)
	g.cancelInStore(0, 30)
	g.listed[0], g.listed[29] = g.listed[29], g.listed[0]
	require.Error(t, g.pass())
	kept := g.cancelled()
	require.Less(t, kept, 30)
	g.cancelInStore(0, 30) // the store changes them all once more, and 40 new ones
	for i := range 40 {
		_, err := g.store.Seen(t.Context(), g.now, g.market(100+i, marketplace.Open), g.shop(100+i, time.Time{}))
		require.NoError(t, err)
		g.listed = append(g.listed, g.shop(100+i, g.now))
	}
	require.Error(t, g.pass(), "it is not let through by itself")
	require.Len(t, g.told, 1, "the channel is paused already")

	agree := connector.Switch{Name: order.BrakeSwitch(channel), On: true, Actor: "anna", At: g.now}
	require.NoError(t, g.store.SetSwitch(t.Context(), agree))
	require.NoError(t, g.store.SetState(t.Context(), channel, connector.Active, "", g.now))
	g.now = g.now.Add(time.Minute)
	require.NoError(t, g.pass())
	require.Equal(t, 70, g.cancelled())
	sw, err := g.store.Switch(t.Context(), agree.Name)
	require.NoError(t, err)
	require.False(t, sw.On, "consent is for one pass")
	require.Equal(t, connector.Active, g.connection().State)
}

func TestConsentDoesNotLastForEver(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, 30)
	require.NoError(t, g.store.SetSwitch(t.Context(), connector.Switch{Name: order.BrakeSwitch(channel), On: true, At: g.now}))
	g.now = g.now.Add(3 * time.Hour)
	g.cancelInStore(0, 30)
	require.Error(t, g.pass())
}

func TestTheGuardKnowsWhatIsNoMassCancellation(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		open  int
		setup func(g *guarded)
	}{
		"a few":            {30, func(g *guarded) { g.cancelInStore(0, 20) }},
		"a small share":    {200, func(g *guarded) { g.cancelInStore(0, 45) }},
		"while it rejoins": {30, func(g *guarded) { g.cancelInStore(0, 30); g.state(connector.Reconnecting) }},
		"known before": {30, func(g *guarded) {
			g.cancelInStore(0, 30)
			_, err := g.store.Seen(g.Context(), g.now, g.listed...)
			require.NoError(g, err)
		}},
		"the mirrors of what was cancelled at the channel": {30, func(g *guarded) {
			g.now = g.now.Add(time.Hour)
			for i := range 30 {
				_, err := g.store.Seen(g.Context(), g.now, g.market(i, marketplace.Cancelled))
				require.NoError(g, err)
			}
			g.cancelInStore(0, 30)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGuarded(t, c.open)
			c.setup(g)
			require.NoError(t, g.pass())
			require.Equal(t, len(g.listed), g.cancelled())
			require.Empty(t, g.told)
		})
	}
}

func (g *guarded) state(s connector.State) {
	require.NoError(g, g.store.SetState(g.Context(), channel, s, "", g.now))
}
