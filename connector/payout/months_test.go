package payout

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/memstore"
	"channelbridge/marketplace"
)

// Whatever becomes known when, and of whichever month a payout is said to be: months as they were closed
// and the open ones hold every payout once, and every entry.
func TestMonthsTogetherAreEverything(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 3))
			o := &office{T: t, store: memstore.New()}
			o.desk = Desk{Keep{Payouts: o.store}, func() time.Time { return o.now }}
			price(t, o.store, time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), vnTariffs()...)
			start := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
			months := []string{"2026-10", "2026-11", "2026-12", "2027-01"}
			closedN := 0
			snaps := map[string]string{}
			journals := map[string]map[string]Entry{}
			type pay struct {
				ext string
				at  time.Time
			}
			var pays []pay
			for h := 0; h < 121; h++ {
				o.now = start.Add(time.Duration(h) * days)
				switch r.IntN(5) {
				case 0: // facts
					f := sold(fmt.Sprintf("O%d", r.IntN(6)), 100000)
					f.PlacedAt = o.now.Add(-time.Duration(r.IntN(20)) * days)
					f.ShippedAt = f.PlacedAt.Add(days)
					if r.IntN(4) == 0 {
						f.Cancelled, f.Items = true, nil
					}
					know(t, o.store, o.now, f)
				case 1, 2:
					p := pay{fmt.Sprintf("ST-%d", len(pays)), o.now.Add(-time.Duration(r.IntN(50)) * days)}
					if len(pays) > 0 && r.IntN(2) == 0 {
						again := r.IntN(len(pays))
						if r.IntN(3) > 0 { // else it is said to be of another day
							p.at = pays[again].at
						}
						p.ext = pays[again].ext
						pays[again] = p
					} else {
						pays = append(pays, p)
					}
					var lines []Line
					for range r.IntN(3) {
						lines = append(lines, full(fmt.Sprintf("O%d", r.IntN(6)), 100000, 4000+r.IntN(3)*500)...)
					}
					lines = append(lines, came("", marketplace.Advertising, -1000-r.IntN(5))...)
					for i := range lines {
						if r.IntN(2) == 0 {
							lines[i].PostedAt = p.at.Add(-time.Duration(r.IntN(40)) * days)
						}
					}
					putAt(t, o.store, p.ext, o.now, connector.PayoutPaid, p.at, p.at, lines...)
				case 3:
					o.now = o.now.Add(time.Hour)
					if closedN < len(months)-1 {
						c, err := o.desk.Close(t.Context(), shopee, months[closedN], By{Name: "anna"})
						if err == nil {
							snaps[months[closedN]] = c.Snapshot
							journals[months[closedN]] = o.journal(o.month(months[closedN], shopee))
							closedN++
						}
					}
				}
			}
			o.now = o.now.Add(days)
			union := map[string]Entry{}
			var paid int64
			for _, m := range months {
				rep := o.month(m, shopee)
				if s, ok := snaps[m]; ok {
					require.Equal(t, s, rep.Snapshot)
				}
				for n, e := range o.journal(rep) {
					_, twice := union[n]
					require.False(t, twice, "%s twice", n)
					union[n] = e
				}
				if j, ok := journals[m]; ok {
					require.Equal(t, j, o.journal(rep))
				}
				for _, s := range rep.Summary {
					paid += s.Paid + s.Prior.Paid
				}
				seen := map[string]bool{}
				for _, row := range all(t, rep.Orders) {
					require.False(t, seen[row.Ref+row.Currency])
					seen[row.Ref+row.Currency] = true
				}
			}
			before := o.asked(Query{To: start}, shopee)
			for n, e := range o.journal(before) {
				union[n] = e
			}
			for _, s := range before.Summary {
				paid += s.Paid
			}
			every := o.asked(Query{}, shopee)
			var want int64
			for _, s := range every.Summary {
				want += s.Paid
			}
			require.Equal(t, want, paid, "paid")
			require.Equal(t, o.journal(every), union)
		})
	}
}
