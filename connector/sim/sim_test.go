package sim

import (
	"flag"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/connector/memstore"
)

var seeds = flag.Int("seeds", 1000, "how many seeds to play on memory")
var direct = flag.Int("direct", 60, "how many seeds to play with a channel that answers at once")
var from = flag.Int("from", 1, "the first seed")

// TestSeeds plays many worlds, on all processors. With -v a long run tells how far it is.
func TestSeeds(t *testing.T) {
	var next, orders atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(*seeds); i = next.Add(1) - 1 {
				seed := uint64(*from) + uint64(i)
				w := Run(Config{Seed: seed, Store: memstore.New()})
				orders.Add(int64(len(w.Market.All())))
				if len(w.Broken) > 0 {
					t.Errorf("seed %d (%d crashes):\n%s", seed, w.crashes, strings.Join(w.Broken, "\n"))
				}
				if i > 0 && i%1000 == 0 {
					t.Logf("%d seeds, %d orders", i, orders.Load())
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d seeds, %d orders", *seeds, orders.Load())
}

// TestSweepsAlone switches all pushes off: the result is the same.
func TestSweepsAlone(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		require.Empty(t, Run(Config{Seed: 1000 + seed, Store: memstore.New(), NoPush: true}).Broken)
	}
}

// TestACalmOrderCostsTwoReads bounds the dear single reads at the channel: one when the order is
// heard of, one to see its shipment.
func TestACalmOrderCostsTwoReads(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		w := Run(Config{Seed: 2000 + seed, Store: memstore.New(), Calm: true, Orders: 20})
		require.Empty(t, w.Broken)
		shipped := len(w.Market.History)
		require.NotZero(t, shipped)
		parcels := max(0, shipped-len(w.Market.All())) // a further parcel is one more change at the channel
		require.LessOrEqual(t, w.Market.Calls["order"], 2*len(w.Market.All())+parcels, "seed %d", 2000+seed)
	}
}

// TestAnsweredAtOnce plays channels that take single instructions and charge with the order.
func TestAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	given := 0
	for i := range *direct {
		seed := uint64(5000 + i)
		w := Run(Config{Seed: seed, Store: memstore.New(), Direct: true})
		if len(w.Broken) > 0 {
			t.Errorf("seed %d (%d crashes):\n%s", seed, w.crashes, strings.Join(w.Broken, "\n"))
		}
		require.Empty(t, w.Market.Submitted)
		given += len(w.Market.Instructed)
	}
	require.NotZero(t, given)
	t.Logf("%d seeds, %d instructions took effect", *direct, given)
}

func TestOneSeedEndsOneWay(t *testing.T) {
	a := Run(Config{Seed: 7, Store: memstore.New()})
	b := Run(Config{Seed: 7, Store: memstore.New()})
	require.Equal(t, a.Digest(), b.Digest())
}
