package amazon

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"channelbridge/internal/fault"
	"channelbridge/internal/httpx"
	"channelbridge/marketplace"
	"channelbridge/marketplace/amazon/amazonfake"
)

// Sweeps with the overlap the traits name find every change, although calls fail, answers get
// lost and the listing runs late. A confirmation repeated until it is answered stays one parcel.
func TestStorm(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		rate := rapid.Float64Range(0, 0.4)
		faults := amazonfake.Faults{Throttle: rate.Draw(rt, "throttle"), Unavailable: rate.Draw(rt, "unavailable"), Lost: rate.Draw(rt, "lost"),
			ListLag: time.Duration(rapid.IntRange(0, 10).Draw(rt, "lag")) * time.Minute}
		seed := rapid.Uint64().Draw(rt, "seed")
		r := newRig(t, amazonfake.Options{})
		people := rand.New(rand.NewPCG(seed, 1))
		r.fake.SetFaults(faults)
		seen := map[marketplace.OrderID]time.Time{}
		mark := marketplace.Cursor{Since: start.Add(-time.Hour)}
		var ids []string
		for range 30 {
			ids = append(ids, r.fake.Place(amazonfake.OrderSpec{Status: "PENDING", Items: []amazonfake.ItemSpec{{ID: "I1"}}}))
			r.fake.Release(ids[people.IntN(len(ids))])
			mark = r.sweep(mark, seen)
			r.pass(time.Duration(3+people.IntN(20)) * time.Minute)
		}
		for _, id := range ids {
			r.fake.Release(id)
			r.settle(t, shipment(marketplace.OrderID(id), "1", "I1", 1, r.now().Truncate(time.Second)))
			r.pass(time.Duration(3+people.IntN(5)) * time.Minute)
			mark = r.sweep(mark, seen)
		}
		for range 60 {
			mark = r.sweep(mark, seen)
			r.pass(10 * time.Minute)
		}
		for _, o := range r.fake.Orders() {
			require.Equal(t, o.Updated, seen[marketplace.OrderID(o.ID)], "%s", o.ID)
			require.Len(t, o.Packages, 1)
		}
	})
}

// sweep asks for one page, as a sweeper would: a failure leaves the cursor, a finished listing
// moves it with an overlap.
func (r *rig) sweep(c marketplace.Cursor, seen map[marketplace.OrderID]time.Time) marketplace.Cursor {
	ask := c
	if c.Token == "" {
		ask.Since = c.Since.Add(-r.Traits().Overlap)
	}
	p, err := r.Changed(context.Background(), ask)
	if err != nil {
		return c
	}
	for _, o := range p.Orders {
		if o.UpdatedAt.After(seen[o.ID]) {
			seen[o.ID] = o.UpdatedAt
		}
	}
	return p.Next
}

// settle repeats a confirmation the way the ledger does.
func (r *rig) settle(t *testing.T, s marketplace.Shipment) {
	for range 200 {
		_, err := r.ConfirmShipment(context.Background(), "k", s)
		if err == nil {
			return
		}
		require.False(t, fault.Is(err, fault.Refused), "%v", err)
		r.pass(max(fault.After(err), time.Second))
	}
	t.Fatal("never confirmed")
}

// Over a real connection a lost answer closes it, and the write is unknown.
func TestLostOverARealConnection(t *testing.T) {
	t.Parallel()
	fake := amazonfake.New(amazonfake.Options{})
	srv := httptest.NewServer(fake)
	defer srv.Close()
	cfg := testConfig()
	cfg.Endpoint, cfg.TokenURL = srv.URL, srv.URL+"/auth/o2/token"
	cfg.HTTP = httpx.Config{Retries: -1, Transport: &http.Transport{}}
	a, err := New(cfg)
	require.NoError(t, err)
	id := marketplace.OrderID(fake.Place(amazonfake.OrderSpec{Items: []amazonfake.ItemSpec{{ID: "I1"}}}))
	_, err = a.Order(t.Context(), id)
	require.NoError(t, err)
	fake.SetFaults(amazonfake.Faults{Lost: 1})
	_, err = a.ConfirmShipment(t.Context(), "k", shipment(id, "1", "I1", 1, time.Now()))
	require.True(t, fault.Is(err, fault.Unknown), "%v", err)
	require.Len(t, fake.Shipments(string(id)), 1)
	fake.SetFaults(amazonfake.Faults{Unavailable: 1})
	_, err = a.ConfirmShipment(t.Context(), "k", shipment(id, "1", "I1", 1, time.Now()))
	require.True(t, fault.Is(err, fault.Unknown), "%v", err)
	require.Len(t, fake.Shipments(string(id)), 1)
}
