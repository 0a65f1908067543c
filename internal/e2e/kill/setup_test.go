package kill

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/e2e/rig"
	"channelbridge/shopadmin/shopify/shopifyfake"
)

var (
	deliveries = flag.Int("deliveries", 20_000, "pushes of the channel in TestKill")
	kills      = flag.Int("kills", 20, "kills in TestKill")
	seed       = flag.Uint64("seed", 0, "seed of every draw; 0: from the clock")
	raced      = flag.Bool("raced", false, "build the program with the race detector")
	keep       = flag.Bool("keep", false, "leave configuration and logs of the children behind")
)

var workshop string // where the program is built

func TestMain(m *testing.M) {
	flag.Parse()
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	dir, err := os.MkdirTemp("", "channelbridge-kill-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	workshop = dir
	code := m.Run()
	if !*keep {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

var program = sync.OnceValues(func() (string, error) {
	if *raced {
		return rig.Build(workshop, "-race")
	}
	return rig.Build(workshop)
})

// faults of both sides: each call has a few percent of going wrong, in every way. Throttling is
// rare because it stops the whole connection for a second or more.
var (
	shopFaults = shopifyfake.Faults{TooMany: .0003, Throttled: .0003, Unavailable: .01, LostBefore: .004, Lost: .006, Internal: .003,
		BadGateway: .003, HookLost: .01, HookTwice: .02}
	marketFaults = rig.MarketFaults{Unavailable: .01, TooMany: .0003, Lost: .01}
)

// open builds a world with the bridge not yet started, and tears it down with the test.
func open(t *testing.T, o rig.Options) (*rig.World, context.Context) {
	t.Helper()
	if testing.Short() {
		t.Skip("runs real processes for a while")
	}
	path, err := program()
	require.NoError(t, err)
	o.Program, o.Seed = path, *seed
	if o.Dir == "" {
		o.Dir, err = os.MkdirTemp(workshop, "world-")
		require.NoError(t, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience(t))
	t.Cleanup(cancel)
	w, err := rig.Open(ctx, o)
	require.NoError(t, err)
	t.Cleanup(func() {
		w.Close()
		if t.Failed() {
			for _, b := range w.Bridges {
				t.Logf("the end of %s:\n%s", b.Log, rig.Tail(b.Log, 4000))
			}
		}
	})
	t.Logf("seed %d", *seed)
	return w, ctx
}

// patience is the time until shortly before the test would be cut off.
func patience(t *testing.T) time.Duration {
	if end, ok := t.Deadline(); ok {
		return time.Until(end) - 5*time.Second
	}
	return 6 * time.Hour
}

func random(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(*seed, stream)) }

// told logs what senders saw.
func told(t *testing.T, w *rig.World) {
	c := &w.Out.Count
	t.Logf("pushes: %d acknowledged (%d sent twice) in %d attempts: %d times 503, %d without an answer, %d other answers",
		c.Acknowledged.Load(), c.Repeated.Load(), c.Attempts.Load(), c.Unavailable.Load(), c.Broken.Load(), c.Strange.Load())
	for i, b := range w.Bridges {
		t.Logf("instance %d ended by itself %d times", i, b.Ended.Load())
	}
}

// clean waits for calm and insists that nothing is wrong or lost.
func clean(t *testing.T, ctx context.Context, w *rig.World, ids []string, patience time.Duration) {
	t.Helper()
	wrong, err := w.Calm(ctx, ids, patience)
	require.NoError(t, err)
	told(t, w)
	lost, err := w.Lost(ctx)
	require.NoError(t, err)
	ids = wrong.Orders()
	for _, id := range ids[max(0, len(ids)-5):] {
		t.Log(w.Explain(ctx, id))
	}
	require.Empty(t, lost.String(), "acknowledged and lost")
	require.Empty(t, wrong.String())
	require.Zero(t, w.Out.Count.Strange.Load(), "a genuine push is taken or put off, never refused")
}
