package sim

import (
	"flag"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/connector/memstore"
)

var seeds = flag.Int("seeds", 500, "how many seeds to play on memory")
var from = flag.Int("from", 1, "the first seed")

func TestSeeds(t *testing.T) {
	for i := range *seeds {
		seed := uint64(*from + i)
		w := Run(Config{Seed: seed, Store: memstore.New()})
		if len(w.Broken) > 0 {
			t.Errorf("seed %d (%d crashes):\n%s", seed, w.crashes, fmt.Sprint(w.Broken))
		}
	}
}

func TestOneSeedEndsOneWay(t *testing.T) {
	a := Run(Config{Seed: 7, Store: memstore.New()})
	b := Run(Config{Seed: 7, Store: memstore.New()})
	require.Equal(t, a.Digest(), b.Digest())
}
