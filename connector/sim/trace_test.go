package sim

import (
	"context"
	"flag"
	"testing"
	"time"

	"channelbridge/connector/memstore"
	"channelbridge/marketplace"
)

var trace = flag.String("trace", "", "print what became of this order in seed -from")

// TestTrace tells the story of one order, for whoever looks into a seed.
func TestTrace(t *testing.T) {
	if *trace == "" {
		t.Skip("needs -trace ORDER and -from SEED")
	}
	w := Run(Config{Seed: uint64(*from), Store: memstore.New()})
	id := marketplace.OrderID(*trace)
	at := func(x time.Time) string { return x.Format("01-02 15:04:05") }
	notes, _ := w.base.Timeline(context.Background(), w.subject(id))
	for _, n := range notes {
		t.Log(at(n.At), n.Kind, n.Text)
	}
	rec, _ := w.base.Load(context.Background(), w.subject(id))
	for _, e := range rec.Entries {
		t.Log(e.ID, e.Key, e.State, e.Class, e.Amount, "attempts", e.Attempts, "intended", at(e.IntendedAt), "deadline", at(e.Deadline), "settled", at(e.SettledAt), e.Reason)
		if e.Money {
			t.Log("   ", string(e.Body))
		}
	}
	for _, h := range rec.Holds {
		t.Log("hold", h.Kind, h.About, h.Reason)
	}
	m := w.Market.Get(id)
	t.Log("market", m.Lifecycle, m.Total)
	for _, l := range m.Lines {
		t.Log("   line", l.ID, "ordered", l.Ordered, "shipped", l.Shipped, "cancelled", l.Cancelled, l.Parts)
	}
	ours, theirs := w.Market.Given(id)
	t.Log("given", ours, "there", theirs)
	if s := w.mirror(id); s != nil {
		t.Log("store", s.Name, "cancelled", at(s.CancelledAt), s.CancelReason)
		for _, l := range s.Lines {
			t.Log("   line", l.ID, l.ChannelLine, l.Quantity, "current", l.Current, "unfulfilled", l.Unfulfilled)
		}
		for _, f := range s.Fulfillments {
			t.Log("   shipped", f.ID, f.Status, at(f.CreatedAt), f.Tracking, f.Lines)
		}
		for _, r := range s.Refunds {
			t.Log("   refund", r.ID, at(r.CreatedAt), r.Moved, r.Pending, r.Lines, r.Note)
		}
	}
	for _, b := range w.Broken {
		t.Log(b)
	}
}
