package kill

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"channelbridge/internal/e2e/rig"
	"channelbridge/marketplace/amazon/amazonfake"
)

// amazonFaults are rarer than a batch is handed in often: what arrives nowhere is held for a
// person, and a test wants to see most of it through.
var amazonFaults = amazonfake.Faults{Lost: .01, Unavailable: .005, Duplicate: .1, Drop: .02}

// Staff ships, refunds and cancels while the server and PostgreSQL are killed: whatever was given
// back in the store is at Amazon once, or held because nobody can know.
func TestKillWithRefunds(t *testing.T) {
	t.Parallel()      // it mostly waits
	const orders = 10 // Amazon takes few calls a second, and the bridge keeps to that
	w, ctx := open(t, rig.Options{Senders: 8, Repeat: .1, Shop: shopFaults, Market: marketFaults, Amazon: &amazonFaults})
	require.NoError(t, w.Start(ctx))
	chaos := &rig.Chaos{World: w, Rand: random(21), Between: [2]time.Duration{time.Second, 3 * time.Second},
		Down: [2]time.Duration{0, 600 * time.Millisecond}}
	staffed, home := context.WithCancel(ctx)
	var staff errgroup.Group
	staff.Go(func() error { return w.Till.Run(staffed) })
	var g errgroup.Group
	g.Go(func() error { return chaos.Run(ctx, 8) })
	for range orders {
		w.Amazon.PlaceTea()
		time.Sleep(time.Second)
	}
	require.NoError(t, g.Wait())
	t.Logf("%d kills of the server and %d of PostgreSQL", chaos.Server, chaos.Database)
	clean(t, ctx, w, nil, w.Settles+2*time.Minute)
	home()
	require.NoError(t, staff.Wait())
	t.Logf("%d cancellations, %d refunds, %d feeds", w.Till.Count.Cancelled, w.Till.Count.Refunded, len(w.Amazon.Feeds()))
	require.Positive(t, w.Till.Count.Cancelled)
	require.Positive(t, w.Till.Count.Refunded)
}
