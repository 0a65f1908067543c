package sim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/memstore"
	"channelbridge/connector/order"
)

// TestAChannelComesBack removes the channel for an hour, a day and a year. What was cancelled or
// refunded in the store meanwhile is given back once it is connected again, also of orders that
// had shipped, and each once.
func TestAChannelComesBack(t *testing.T) {
	for _, c := range []struct {
		name  string
		away  time.Duration
		seeds int
		sweep func(*connector.Sweep)
	}{
		{"R-144_R-145_after an hour", time.Hour, 30, nil},
		{"R-144_R-145_after a day", 24 * time.Hour, 30, nil},
		{"R-144_R-145_after a year", 365 * 24 * time.Hour, 8, func(sw *connector.Sweep) {
			sw.Every, sw.Overlap = 12*time.Hour, 24*time.Hour
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			back, shipped := 0, 0
			for seed := range uint64(c.seeds) {
				w := Run(Config{Seed: 9000 + seed, Store: memstore.New(), Away: c.away, Sweep: c.sweep})
				require.Empty(t, w.Broken, "seed %d", 9000+seed)
				b, s := w.givenBackLater()
				back, shipped = back+b, shipped+s
			}
			require.NotZero(t, back, "no seed has anything to give back")
			if c.away > time.Hour {
				require.NotZero(t, shipped, "no seed has a shipped order to give back")
			}
		})
	}
}

// givenBackLater counts instructions that took effect after the reconnection for what the store
// had given back before it, and those of them about orders that had shipped.
func (w *World) givenBackLater() (all, shipped int) {
	if len(w.removed) == 0 {
		return 0, 0
	}
	gone := w.removed[0]
	for _, a := range w.Market.Instructed {
		s := w.mirror(a.In.Order)
		verb, about := aboutOf(a.Key)
		if s == nil || a.At.Before(gone.to) {
			continue
		}
		meanwhile := func(at time.Time) bool { return at.After(gone.from) && at.Before(gone.to) }
		found := meanwhile(s.CancelledAt)
		for _, r := range s.Refunds {
			found = found || r.ID == about && meanwhile(r.CreatedAt)
		}
		if found {
			all++
			if verb == order.RefundMarket {
				shipped++
			}
		}
	}
	return all, shipped
}
