package kill

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"channelbridge/internal/e2e/rig"
)

// revisions is how often an order is pushed at least.
const revisions = 5

// giveBack is the share of shipped orders that are refunded in part; of the others a quarter of it
// is cancelled.
const giveBack = 0.2

// manyOrders is where further pushes become further versions instead of further orders.
const manyOrders = 20_000

func TestKill(t *testing.T) {
	w, ctx := open(t, rig.Options{Senders: 48, Repeat: .05, Shop: shopFaults, Market: marketFaults})
	require.NoError(t, w.Start(ctx))
	began := time.Now()
	chaos := &rig.Chaos{World: w, Rand: random(1), Between: [2]time.Duration{300 * time.Millisecond, 2500 * time.Millisecond},
		Down: [2]time.Duration{0, 600 * time.Millisecond}}
	ids, staff := live(t, ctx, w, *deliveries, time.Duration(*kills)*2*time.Second, 0.4, func(ctx context.Context) error { return chaos.Run(ctx, *kills) })
	t.Logf("%d kills of the server and %d of PostgreSQL in %s, %d orders, %d parcels, %d refunds and cancellations", chaos.Server, chaos.Database,
		time.Since(began).Round(time.Second), len(ids), staff.Parcels(), staff.GaveBack())

	clean(t, ctx, w, ids, w.Settles+4*time.Minute)
	t.Logf("calm after %s", time.Since(began).Round(time.Second))
}

// live lets channel, staff and the given disturbance run side by side, and returns when traffic
// and disturbance are over. The traffic lasts about as long as it is told to; the staff stays
// until the test ends.
func live(t *testing.T, ctx context.Context, w *rig.World, pushes int, last time.Duration, ship float64, disturb func(context.Context) error) ([]string, *rig.Staff) {
	t.Helper()
	versions := max(revisions, pushes/manyOrders)
	traffic := &rig.Traffic{World: w, Rand: random(2), Orders: max(pushes/versions, 1), Revisions: versions, Ahead: 400, For: last}
	staff := &rig.Staff{World: w, Rand: random(3), Share: ship, Back: giveBack}
	staffed, done := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		staff.Run(staffed)
	}()
	t.Cleanup(func() {
		done()
		<-ended
	})
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return traffic.Run(gctx) })
	g.Go(func() error { return disturb(gctx) })
	require.NoError(t, g.Wait())
	return traffic.Placed, staff
}
