package order

import (
	"flag"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"channelbridge/connector"
	"channelbridge/marketplace"
)

// Whatever people do on both sides, in whatever order, and whatever becomes of each command: no
// more is ever given back than was paid, nothing is sent twice, and in the end the channel has
// given what the store has, or a hold says why not. -rapid.checks says how many sequences.
func TestMoneyProperty(t *testing.T) {
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		require.NoError(t, flag.Set(f.Name, "2000"))
		t.Cleanup(func() { _ = flag.Set(f.Name, f.DefValue) })
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := newMoneyWorld(rt)
		if w.chance(15, "pending at first") {
			w.m.Lifecycle = marketplace.Pending
		}
		for range rapid.IntRange(1, 14).Draw(rt, "steps") {
			w.people()
			w.turn(true)
			w.pass()
		}
		w.calm()
		w.judge()
	})
}

// judge looks at both sides at rest.
func (w *moneyWorld) judge() {
	var sum int64
	for k, v := range w.given {
		sum += v
		if k.kind != marketplace.Restocking {
			require.LessOrEqual(w.T, v, w.worth()[k], "given for %v", k)
		}
	}
	require.LessOrEqual(w.T, sum, w.paid()+w.kept(), "given in all")
	if w.m.Lifecycle == marketplace.Cancelled {
		return // nothing was captured
	}
	d := w.plan()
	done, cut, rest := map[string]int64{}, map[string]int{}, map[string]int{} // rest: by line, what went with the rest of the order
	for _, e := range w.ledger {
		if instructs(e.Verb) && e.State.Spent() {
			done[e.About] += e.Amount.Minor
			if e.Verb == CancelUnits {
				for _, l := range instructionOf(e.Command).Lines {
					cut[e.About] += l.Quantity
					if e.About == aboutRest {
						rest[l.Line] += l.Quantity
					}
				}
			}
		}
	}
	p, lost := &planner{Snapshot: w.snapshot()}, int64(0)
	wanted := p.demands()
	sheet, _ := newSheet(w.m, w.ledger)
	for _, x := range wanted {
		if n := cut[x.about]; n > 0 { // the buyer was never charged for what was kept of these, nor for their charges;
			// a unit's share is rounded by each side for itself, and so is what was refunded of its line before
			lost += int64(2*n) + max(-x.rest, 0) + sheet.never[x.about]
		}
	}
	lost += int64(2*cut[aboutRest]) + sheet.never[aboutRest]
	for _, x := range wanted {
		missing := x.total.Minor - done[x.about]
		for _, l := range x.lines { // units that went with the rest were never charged either
			missing -= min(max(missing, 0), share(l.gross, int64(min(l.units, rest[l.line])), int64(max(l.units, 1))))
		}
		switch {
		case done["order"] > 0: // it shipped while it was being cancelled: that shows as a refund, of everything
		case -missing <= int64(cut[x.about]) && missing <= lost:
		case heldFor(d, x.about):
		default:
			w.Fatalf("%s wants %s, at the channel %d took effect and nothing is held: %+v\n%s", x.about, x.total, done[x.about], d.Holds, w.story())
		}
	}
	for about := range done {
		known := about == "order" || about == "rest" || slices.ContainsFunc(wanted, func(x demand) bool { return x.about == about })
		require.True(w.T, known, "%s was given back, which nobody asked for", about)
	}
}

// story is the world at a glance, for a failure.
func (w *moneyWorld) story() string {
	out := ""
	for _, l := range w.m.Lines {
		out += fmt.Sprintf("%s line %s: %d ordered, %d shipped, %d cancelled\n", w.m.Lifecycle, l.ID, l.Ordered, l.Shipped, l.Cancelled)
	}
	for _, r := range w.s.Refunds {
		out += fmt.Sprintf("store refund %s: %s, shipping %s, %q\n", r.ID, r.Moved, r.Shipping, r.Note)
		for _, l := range r.Lines {
			out += fmt.Sprintf("   %d of %s (%s): %s\n", l.Quantity, l.Line, l.Restock, l.Amount)
		}
	}
	for _, e := range w.ledger {
		out += fmt.Sprintf("%s %s %s %s %s\n", e.Key, e.Amount, e.State, e.Class, e.Reason)
	}
	return out
}

// kept is what refunds have kept back of the parts they name.
func (w *moneyWorld) kept() (sum int64) {
	for _, e := range w.ledger {
		if !w.worked[e.Key] || e.Verb != RefundMarket {
			continue
		}
		for _, l := range instructionOf(e.Command).Lines {
			for _, c := range l.Parts {
				if c.Kind == marketplace.Restocking {
					sum -= c.Amount.Minor
				}
			}
		}
	}
	return sum
}

// heldFor reports a hold that says why a demand is not met.
func heldFor(d Decision, about string) bool {
	return slices.ContainsFunc(d.Holds, func(h connector.Hold) bool {
		return h.About == about && h.Kind != "not_visible" || h.Kind == "cancel_refused" || h.Kind == "already_refunded" || h.Kind == "cancel_without_refund" || h.Kind == "approval_needed"
	})
}
