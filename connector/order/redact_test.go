package order

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// personal are texts of a buyer that may not be left anywhere.
var personal = []string{"Ada May", "Buyer", "Main St", "Seattle", "98101", "555 0100", "changed my mind", "PO-77", "Acme Ltd", "leave it at the door"}

// anyRecord is an order in some state of its life, full of personal data, with a ledger of what
// was planned for it and came out somehow.
func anyRecord(t *testing.T, rnd *rand.Rand, p Policy) connector.Record {
	chance := func(n int) bool { return rnd.IntN(n) == 0 }
	m := channelOrder()
	m.Buyer = marketplace.Buyer{Name: "Ada May Buyer", Company: "Acme Ltd", PONumber: "PO-77"}
	m.Lifecycle = []marketplace.Lifecycle{marketplace.Open, marketplace.Open, marketplace.Closed, marketplace.Cancelled, marketplace.Pending}[rnd.IntN(5)]
	if chance(3) {
		m.CancelRequest = &marketplace.CancelRequest{Reason: "changed my mind"}
	}
	if chance(3) || m.Lifecycle == marketplace.Closed {
		m.Lines[0].Shipped = 2
		m.Packages = []marketplace.Package{{Ref: "1", Tracking: "1Z1", Lines: map[string]int{line: 2}}}
	}
	rec := connector.Record{Subject: connector.Subject{Kind: connector.KindOrder, Channel: "amazon-us", ID: "114-1"}, Revision: 3, FirstSeen: noon}
	rec.Market = snap(t, m, noon)
	if chance(5) {
		return rec
	}
	s := storeOrder(func(o *shopadmin.Order) {
		o.Note = "leave it at the door"
		o.Attributes = map[string]string{AttrChannel: "amazon-us", AttrOrder: "114-1", "gift": "Ada May"}
		o.Held = []shopadmin.Hold{{ID: "h", Ours: chance(2), Reason: "changed my mind"}}
	})
	if chance(2) {
		fulfilled("F1", noon, "1Z1", "L1", "L2")(s)
	}
	if chance(3) {
		s.CancelledAt, s.CancelReason = noon, "customer"
	}
	if chance(2) {
		s.Refunds = []shopadmin.Refund{{ID: "R1", CreatedAt: noon, Note: "for Ada May", Moved: usd(1000), Lines: []shopadmin.RefundLine{{Line: "L1", Quantity: 1, Amount: usd(1000)}}}}
	}
	if chance(3) {
		rec.Wishes = []connector.Wish{{ID: 12, Kind: connector.WishRefund, Actor: "anna", At: noon, Body: json.RawMessage(`{"lines":[{"line":"22","quantity":1}]}`)}}
		s.Refunds = append(s.Refunds, shopadmin.Refund{ID: "R2", CreatedAt: noon, Note: noteOf("w12", "Ada May asked"), Moved: usd(1)})
	}
	if chance(3) {
		s.Attributes[AttrCancel] = "changed my mind"
	}
	rec.Shop = connector.ShopRef{Store: "shop", ID: "S1"}
	if first := created(t); chance(2) {
		first.ID = 1
		rec.Entries = []connector.Entry{first}
	}
	rec.Store = snap(t, s, noon)
	for range rnd.IntN(4) { // what was planned came out somehow, while the address changed
		m.ShipTo.Line1 = "2 Main St"
		rec.Market = snap(t, m, noon)
		for _, c := range Plan(asKept(t, rec, p)).Commands {
			if c.Again == 0 {
				states := []connector.EntryState{connector.Queued, connector.Sent, connector.Unknown, connector.Taken, connector.Retry, connector.Refused, connector.Done, connector.Proven}
				e := entry(int64(len(rec.Entries)+10), c, states[rnd.IntN(len(states))], noon.Add(-time.Hour))
				rec.Entries = append(rec.Entries, e)
			}
		}
	}
	return rec
}

func snap(t *testing.T, v any, at time.Time) *connector.Snapshot {
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return &connector.Snapshot{Version: at, ObservedAt: at, Body: raw}
}

func asKept(t *testing.T, rec connector.Record, p Policy) Snapshot {
	m, s, err := Decode(rec)
	require.NoError(t, err)
	out := SnapshotOf(rec, p, m, s, noon.Add(time.Minute))
	out.Searched = noon
	return out
}

// redacted is what a store makes of a redaction.
func redacted(t *testing.T, rec connector.Record) connector.Record {
	r, err := Redact(rec)
	require.NoError(t, err)
	for side, body := range r.Bodies {
		switch s := map[connector.Side]**connector.Snapshot{connector.Market: &rec.Market, connector.Shop: &rec.Store}[side]; {
		case *s != nil:
			next := **s
			next.Body = body
			*s = &next
		}
	}
	entries := append([]connector.Entry{}, rec.Entries...)
	for i, e := range entries {
		if body, ok := r.Entries[e.ID]; ok {
			entries[i].Body = body
		}
	}
	rec.Entries, rec.RedactedAt = entries, noon
	return rec
}

func redactPolicy() Policy {
	p := snapshot(channelOrder(), storeOrder()).Policy
	p.Instructions = []marketplace.Operation{marketplace.OpCancel, marketplace.OpCancelUnits, marketplace.OpRefund}
	p.CanUpdate, p.CanHold, p.CancelsShop, p.Fresh = true, true, true, time.Hour
	return p
}

// Taking personal data out changes no decision, and leaves none of it.
func TestRedactionChangesNoDecision(t *testing.T) {
	t.Parallel()
	p := redactPolicy()
	commands := 0
	for seed := range uint64(3000) {
		rec := anyRecord(t, rand.New(rand.NewPCG(seed, 1)), p)
		before := rec
		before.RedactedAt = noon // what is never shown again counts on neither side
		was, is := Plan(asKept(t, before, p)), Plan(asKept(t, redacted(t, rec), p))
		require.Equal(t, outline(was), outline(is), "seed %d", seed)
		commands += len(was.Commands)
	}
	require.Greater(t, commands, 1000)
}

// outline is a decision without texts for people and without bodies that held personal data.
func outline(d Decision) Decision {
	for i, h := range d.Holds {
		d.Holds[i] = connector.Hold{Kind: h.Kind, About: h.About, Level: h.Level}
	}
	for i := range d.Commands {
		c := &d.Commands[i]
		if c.Verb == CreateMirror || c.Verb == HoldShipping || c.Verb == UpdateMirror && c.Again != 0 {
			c.Body = nil
		}
	}
	return d
}

func TestNothingPersonalIsLeft(t *testing.T) {
	t.Parallel()
	p := redactPolicy()
	for seed := range uint64(500) {
		rec := redacted(t, anyRecord(t, rand.New(rand.NewPCG(seed, 2)), p))
		var kept []string
		for _, s := range []*connector.Snapshot{rec.Market, rec.Store} {
			if s != nil {
				kept = append(kept, string(s.Body))
			}
		}
		for _, e := range rec.Entries {
			kept = append(kept, string(e.Body))
		}
		all := strings.Join(kept, "\n")
		for _, text := range personal {
			require.NotContains(t, all, text, "seed %d", seed)
		}
		require.Contains(t, all, `"country":"US"`)
		again, err := Redact(rec)
		require.NoError(t, err)
		require.Equal(t, string(rec.Market.Body), string(again.Bodies[connector.Market]), "redacting twice changes nothing")
	}
}

func TestWhatCannotBeReadIsEmptied(t *testing.T) {
	t.Parallel()
	r, err := Redact(connector.Record{Market: &connector.Snapshot{Body: []byte("Ada May {"), Fault: "not JSON"}})
	require.NoError(t, err)
	require.Empty(t, r.Bodies[connector.Market])
	_, err = Redact(connector.Record{Market: &connector.Snapshot{Body: []byte("{")}})
	require.Error(t, err)
}

func TestRedactAt(t *testing.T) {
	t.Parallel()
	const keep = 30 * 24 * time.Hour
	placed := noon.Add(-5 * time.Hour)
	closed := func(o *marketplace.Order) { o.Lifecycle = marketplace.Closed }
	pack := func(status string, at time.Time) func(*marketplace.Order) {
		return func(o *marketplace.Order) {
			o.Packages = append(o.Packages, marketplace.Package{Status: status, ShippedAt: at})
		}
	}
	days := func(n int) time.Time { return noon.AddDate(0, 0, n) }
	updated := func(at time.Time) func(*marketplace.Order) {
		return func(o *marketplace.Order) { o.UpdatedAt = at }
	}
	for name, c := range map[string]struct {
		m    *marketplace.Order
		s    *shopadmin.Order
		want time.Time
	}{
		"never read":                 {nil, nil, noon.Add(2 * keep)},
		"nothing has happened yet":   {channelOrder(), storeOrder(), placed.Add(2 * keep)},
		"delivered":                  {channelOrder(closed, pack("DELIVERED", days(1)), updated(days(4))), storeOrder(), days(4).Add(keep)},
		"delivered, changed later":   {channelOrder(closed, pack("delivered", days(1)), updated(days(29)), promised(days(5))), nil, days(5).Add(keep)},
		"delivered late":             {channelOrder(closed, pack("DELIVERED", days(8)), updated(days(9)), promised(days(5))), nil, days(8).Add(keep)},
		"one parcel is on its way":   {channelOrder(closed, pack("DELIVERED", days(1)), pack("IN_TRANSIT", days(3)), updated(days(9))), nil, days(3).Add(keep)},
		"shipped in the store":       {channelOrder(closed), storeOrder(fulfilled("F1", days(2), "1Z", "L1")), days(2).Add(keep)},
		"partly shipped, long after": {channelOrder(pack("", days(70))), storeOrder(), days(70).Add(keep)},
		"cancelled in the store":     {channelOrder(), storeOrder(func(o *shopadmin.Order) { o.CancelledAt = days(3) }), days(3).Add(keep)},
		"cancelled at the channel":   {channelOrder(updated(days(2)), func(o *marketplace.Order) { o.Lifecycle = marketplace.Cancelled }), nil, days(2).Add(keep)},
		"closed, nobody knows how":   {channelOrder(closed), nil, placed.Add(2 * keep)},
	} {
		require.Equal(t, c.want, RedactAt(connector.Record{FirstSeen: noon}, c.m, c.s, keep), name)
	}
}

func promised(by time.Time) func(*marketplace.Order) {
	return func(o *marketplace.Order) { o.Deliver.To = by }
}
