package lifecycle

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/order"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

var (
	noon    = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	removed = noon.Add(-48 * time.Hour)
	back    = noon.Add(-time.Hour)
)

func usd(minor int64) money.Money { return money.New(minor, "USD") }

// kept is an order of two units that is mirrored, in agreement, and last read long ago.
func kept(edits ...func(*order.Snapshot)) order.Snapshot {
	long := noon.Add(-72 * time.Hour)
	s := order.Snapshot{
		Subject: connector.Subject{Kind: connector.KindOrder, Channel: "amazon-us", ID: "114-1"}, Now: noon,
		Policy: order.Policy{Instructions: []marketplace.Operation{marketplace.OpCancel, marketplace.OpCancelUnits, marketplace.OpRefund},
			RemovedAt: removed, Fresh: time.Minute, Carriers: map[string]marketplace.Carrier{"": {Code: "UPS"}}, CancelsShop: true},
		Market: &marketplace.Order{ID: "114-1", Site: "US", Zone: "UTC", PlacedAt: long, UpdatedAt: long, Lifecycle: marketplace.Open, Currency: "USD",
			FulfilledBy: marketplace.ByMerchant, Total: usd(2200), ShipTo: &marketplace.Address{Name: "Ada", Line1: "1 Main St", Country: "US"},
			Lines: []marketplace.Line{{ID: "1", Ordered: 2, Parts: []marketplace.Component{{Kind: marketplace.Item, Amount: usd(2000), Tax: usd(200)}}}}},
		Shop: &shopadmin.Order{ID: "S1", Name: "#1001", Mark: shopadmin.Mark{Channel: "amazon-us", Order: "114-1"}, CreatedAt: long, UpdatedAt: long,
			Total: usd(2200), Lines: []shopadmin.Line{{ID: "L1", ChannelLine: "1", Quantity: 2, Current: 2, Unfulfilled: 2}}},
		ShopRef:  connector.ShopRef{Store: "shop", ID: "S1"},
		MarketAt: long, ShopAt: long, MarketRead: long, ShopRead: long,
	}
	for _, e := range edits {
		e(&s)
	}
	return s
}

// cancelled is a cancellation in the store that gives everything back.
func cancelled(at time.Time) func(*order.Snapshot) {
	return func(s *order.Snapshot) {
		s.Shop.CancelledAt, s.Shop.CancelReason = at, "customer"
		s.Shop.Refunds = append(s.Shop.Refunds, shopadmin.Refund{ID: "R1", CreatedAt: at, Moved: usd(2200),
			Lines: []shopadmin.RefundLine{{Line: "L1", Quantity: 2, Restock: shopadmin.RestockCancel, Amount: usd(2000), Tax: usd(200)}}})
	}
}

// shipped is an order that has left and that the channel counts as shipped.
func shipped(s *order.Snapshot) {
	s.Market.Lifecycle, s.Market.Lines[0].Shipped = marketplace.Closed, 2
	s.Market.Packages = []marketplace.Package{{Ref: "1", Carrier: "UPS", Tracking: "1Z", Lines: map[string]int{"1": 2}}}
	s.Shop.Lines[0].Unfulfilled = 0
	s.Shop.Fulfillments = []shopadmin.Fulfillment{{ID: "F1", Status: shopadmin.FulfillmentSuccess, CreatedAt: removed.Add(-time.Hour),
		Tracking: []shopadmin.Tracking{{Company: "UPS", Number: "1Z"}}, Lines: []shopadmin.FulfilledLine{{Line: "L1", Quantity: 2}}}}
}

// returned is a refund of everything after it has shipped.
func returned(at time.Time) func(*order.Snapshot) {
	return func(s *order.Snapshot) {
		s.Shop.Refunds = append(s.Shop.Refunds, shopadmin.Refund{ID: "R1", CreatedAt: at, Moved: usd(2200),
			Lines: []shopadmin.RefundLine{{Line: "L1", Quantity: 2, Restock: shopadmin.RestockReturn, Amount: usd(2000), Tax: usd(200)}}})
	}
}

func rejoined(s *order.Snapshot) { s.Policy.RejoinedAt = back }

// sent puts the first money command of a snapshot into its ledger.
func sent(state connector.EntryState, at time.Time) func(*order.Snapshot) {
	return func(s *order.Snapshot) {
		c := meant(asRead(*s))[0]
		s.Ledger = append(s.Ledger, connector.Entry{ID: 7, Subject: s.Subject, Command: c, State: state, Attempts: 1, IntendedAt: at,
			Deadline: at.Add(30 * time.Second), SettledAt: at, Reason: "their words"})
	}
}

func wish(k connector.WishKind) func(*order.Snapshot) {
	return func(s *order.Snapshot) {
		s.Wishes = append(s.Wishes, connector.Wish{ID: 3, Kind: k, Actor: "anna", At: back.Add(-time.Hour), Body: json.RawMessage("{}")})
	}
}

func TestPlanned(t *testing.T) {
	t.Parallel()
	away := noon.Add(-24 * time.Hour)
	for name, c := range map[string]struct {
		edits  []func(*order.Snapshot)
		state  string // "": no row
		amount int64
	}{
		"in agreement": {},
		"R-144 cancelled in the store while away":    {[]func(*order.Snapshot){cancelled(away), rejoined}, RowWaiting, 2200},
		"the plan before it is connected again":      {[]func(*order.Snapshot){cancelled(away)}, RowWaiting, 2200},
		"R-145 also what had been fulfilled":         {[]func(*order.Snapshot){shipped, returned(away), rejoined}, RowWaiting, 2200},
		"what was refunded after the reconnection":   {[]func(*order.Snapshot){shipped, returned(back.Add(time.Minute)), rejoined}, "", 0},
		"its outcome is not known":                   {[]func(*order.Snapshot){shipped, returned(away), rejoined, sent(connector.Unknown, back)}, RowUnknown, 2200},
		"on its way":                                 {[]func(*order.Snapshot){shipped, returned(away), rejoined, sent(connector.Taken, back)}, RowSent, 2200},
		"waiting in its lane":                        {[]func(*order.Snapshot){shipped, returned(away), rejoined, sent(connector.Queued, back)}, RowWaiting, 2200},
		"to be tried again counts once":              {[]func(*order.Snapshot){shipped, returned(away), rejoined, sent(connector.Retry, back)}, RowWaiting, 2200},
		"refused":                                    {[]func(*order.Snapshot){shipped, returned(away), rejoined, sent(connector.Refused, back)}, RowRefused, 2200},
		"done":                                       {[]func(*order.Snapshot){shipped, returned(away), rejoined, sent(connector.Done, back)}, RowDone, 2200},
		"held by a person, with what is at stake":    {[]func(*order.Snapshot){shipped, returned(away), rejoined, wish(connector.WishHold)}, RowHeld, 2200},
		"above the limit":                            {[]func(*order.Snapshot){shipped, returned(away), rejoined, limit(1000)}, RowHeld, 2200},
		"above the limit, seen before":               {[]func(*order.Snapshot){shipped, returned(away), limit(1000)}, RowHeld, 2200},
		"below the limit":                            {[]func(*order.Snapshot){shipped, returned(away), rejoined, limit(3000)}, RowWaiting, 2200},
		"approved":                                   {[]func(*order.Snapshot){shipped, returned(away), rejoined, limit(1000), wish(connector.WishApprove)}, RowWaiting, 2200},
		"a channel that was never removed":           {[]func(*order.Snapshot){cancelled(away), func(s *order.Snapshot) { s.Policy.RemovedAt = time.Time{} }}, "", 0},
		"what was done long before the removal":      {[]func(*order.Snapshot){shipped, returned(removed.Add(-time.Hour)), sent(connector.Proven, removed.Add(-time.Minute))}, "", 0},
		"R-146 cancelled without giving money back":  {[]func(*order.Snapshot){unpaid(away), rejoined}, RowHeld, 0},
		"what had not been sent before it went away": {[]func(*order.Snapshot){shipped, returned(removed.Add(-time.Hour)), rejoined}, RowWaiting, 2200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := kept(c.edits...)
			r, ok := Planned(s)
			require.Equal(t, c.state != "", ok, "%+v", r)
			if !ok {
				return
			}
			require.Equal(t, c.state, r.State, r.Reason)
			require.Equal(t, usd(c.amount), r.Amount)
			require.Equal(t, s.Shop.CancelledAt, r.CancelledAt)
			require.Equal(t, s.Market.Lines[0].Shipped == 2, r.Fulfilled)
			require.Equal(t, "114-1", r.Order)
			require.Equal(t, "#1001", r.Number)
		})
	}
}

func limit(minor int64) func(*order.Snapshot) {
	return func(s *order.Snapshot) { s.Policy.AskAbove = usd(minor) }
}

func unpaid(at time.Time) func(*order.Snapshot) {
	return func(s *order.Snapshot) { s.Shop.CancelledAt = at }
}

// Several refunds of one order go out one after the other, and the plan shows them all.
func TestARowSumsUpEverythingThatIsToCome(t *testing.T) {
	t.Parallel()
	s := kept(shipped, rejoined)
	for i, id := range []string{"R1", "R2"} {
		s.Shop.Refunds = append(s.Shop.Refunds, shopadmin.Refund{ID: id, CreatedAt: noon.Add(time.Duration(i-24) * time.Hour), Moved: usd(1100),
			Lines: []shopadmin.RefundLine{{Line: "L1", Quantity: 1, Restock: shopadmin.RestockReturn, Amount: usd(1000), Tax: usd(100)}}})
	}
	require.Len(t, order.Plan(asRead(s)).Commands, 1, "money is serial")
	r, ok := Planned(s)
	require.True(t, ok)
	require.Equal(t, usd(2200), r.Amount)
	sent(connector.Done, back)(&s)
	r, _ = Planned(s)
	require.Equal(t, usd(2200), r.Amount, "part of it is done")
	require.Equal(t, RowWaiting, r.State)
}

func TestDues(t *testing.T) {
	t.Parallel()
	var d Dues
	require.Empty(t, d.List())
	never := func(s *order.Snapshot) { s.Policy.RemovedAt = time.Time{} }
	recent := noon.Add(-time.Hour)
	for _, s := range []order.Snapshot{
		kept(never),
		kept(never, shipped),
		kept(never, cancelled(recent)),
		kept(never, shipped, returned(recent)),
		kept(never, shipped, returned(recent), sent(connector.Unknown, recent)),
		kept(never, shipped, returned(recent), sent(connector.Queued, recent)),
		kept(never, shipped, returned(recent), sent(connector.Refused, recent)),
		kept(never, shipped, returned(recent), sent(connector.Proven, recent)),
		kept(never, unpaid(recent)),
		{Subject: connector.Subject{ID: "never read"}, Now: noon},
	} {
		d.Add(s)
	}
	require.Equal(t, []Due{
		{Kind: Held, Count: 3, Sums: []money.Money{}},
		{Kind: InDoubt, Count: 1, Sums: []money.Money{usd(2200)}},
		{Kind: ToCancel, Count: 1, Sums: []money.Money{usd(2200)}},
		{Kind: ToRefund, Count: 2, Sums: []money.Money{usd(4400)}},
		{Kind: ToShip, Count: 1, Sums: []money.Money{usd(2200)}},
	}, d.List())
}

func TestSumsKeepCurrenciesApart(t *testing.T) {
	t.Parallel()
	var s Sums
	for _, m := range []money.Money{usd(1), money.New(5, "EUR"), usd(2), {}, money.New(1<<62, "JPY"), money.New(1<<62, "JPY")} {
		s.Add(m)
	}
	require.Equal(t, []money.Money{money.New(5, "EUR"), money.New(1<<62, "JPY"), usd(3)}, s.List())
}
