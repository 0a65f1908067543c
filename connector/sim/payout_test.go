package sim

import (
	"flag"
	"strings"
	"testing"

	"channelbridge/connector/memstore"
)

var paid = flag.Int("paid", 40, "how many seeds to play to their payouts")

// TestTheChannelPaysOut plays worlds to the channel's payouts: each is proven, and every order is
// matched or explained.
func TestTheChannelPaysOut(t *testing.T) {
	t.Parallel()
	t.Run("R-141_a_refund_made_at_the_channel_alone_is_a_difference", func(t *testing.T) {
		for i := range *paid {
			seed := uint64(*from) + 700_000 + uint64(i)
			w := Run(Config{Seed: seed, Store: memstore.New(), PaysOut: true})
			if len(w.Broken) > 0 {
				t.Errorf("seed %d (%d crashes):\n%s", seed, w.crashes, strings.Join(w.Broken, "\n"))
			}
		}
	})
}
