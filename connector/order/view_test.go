package order

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// storeRefund adds a refund a person made in the store.
func storeRefund(id string, minor int64, lines ...shopadmin.RefundLine) func(*Snapshot) {
	return func(s *Snapshot) {
		s.Shop.Refunds = append(s.Shop.Refunds, shopadmin.Refund{ID: id, CreatedAt: noon.Add(-30 * time.Minute), Moved: usd(minor), Lines: lines})
	}
}

// began plans, and puts what follows into the ledger.
func began(state connector.EntryState) func(*Snapshot) {
	return func(s *Snapshot) {
		t := *s
		t.MarketRead, t.ShopRead, t.RefundsRead = t.Now, t.Now, t.Now
		for i, c := range Plan(t).Commands {
			e := entry(int64(60+i+len(s.Ledger)), c, state, noon.Add(-10*time.Minute))
			e.Reason = map[bool]string{true: "theirs"}[state == connector.Refused]
			s.Ledger = append(s.Ledger, e)
		}
	}
}

func wished(id int64, k connector.WishKind, body string) func(*Snapshot) {
	return func(s *Snapshot) {
		s.Wishes = append(s.Wishes, connector.Wish{ID: id, Kind: k, Body: json.RawMessage(body), Actor: "helpdesk", At: noon.Add(-20 * time.Minute)})
	}
}

const sock = `{"lines":[{"line":"22","quantity":1}],"reason":"customer","restock":false}`

func TestSheetAmounts(t *testing.T) {
	s := SheetOf(shippedAll(t, given(1000, connector.Unknown), foreign(500)))
	require.Equal(t, "amazon-us/114-1", s.Order)
	require.Equal(t, "USD", s.Currency)
	require.Equal(t, usd(4999), s.Paid)
	require.Equal(t, usd(4999), s.Captured)
	require.Equal(t, usd(1500), s.Spent, "what is in doubt counts as spent, and what the channel gave back")
	require.Equal(t, usd(3499), s.Refundable)
	require.Len(t, s.Lines, 2)
	require.Equal(t, SheetPart{Kind: marketplace.Item, Paid: usd(3299), Tax: usd(300), Captured: usd(3299), Spent: usd(1000), Refundable: usd(2299)}, s.Lines[0].Parts[0])
	require.Equal(t, marketplace.Shipping, s.Lines[1].Parts[1].Kind)
	require.Equal(t, usd(600), s.Lines[1].Parts[1].Paid, "less its discount")
	require.Equal(t, noon.Add(-time.Hour), s.Read.Refunds)
	require.Equal(t, noon, s.Read.Market)

	t.Run("the buyer is charged as units ship", func(t *testing.T) {
		s := SheetOf(unshippedOrder(t, func(s *Snapshot) {
			s.Market.Lines[0].Shipped = 1
			s.Market.Charges = []marketplace.Component{{Kind: marketplace.Fee, Amount: usd(99)}}
		}))
		require.Equal(t, usd(1650), s.Lines[0].Parts[0].Captured)
		require.True(t, s.Lines[1].Parts[0].Captured.IsZero())
		require.Equal(t, "", s.Lines[2].Line)
		require.Equal(t, usd(99), s.Lines[2].Parts[0].Captured)
		require.Equal(t, usd(1650+99), s.Captured)
		require.Equal(t, usd(4999+99), s.Refundable)
	})
	t.Run("a cancelled order has nothing to give back", func(t *testing.T) {
		s := SheetOf(unshippedOrder(t, func(s *Snapshot) { s.Market.Lifecycle = marketplace.Cancelled }))
		require.Equal(t, usd(0), s.Refundable)
		require.Equal(t, usd(0), s.Lines[0].Parts[0].Refundable)
	})
	t.Run("amounts that do not fit are said so", func(t *testing.T) {
		s := SheetOf(shippedAll(t, func(s *Snapshot) { s.Market.Lines[1].Parts[0].Tax = money.New(1, "EUR") }))
		require.Contains(t, s.Problem, "several currencies")
		require.Empty(t, s.Lines)
		require.Contains(t, SheetOf(moneyed(nil, nil)).Problem, "not been read")
		require.Equal(t, usd(4999), SheetOf(moneyed(channelOrder(), nil)).Paid, "also without a mirror")
	})
	t.Run("it is JSON without nulls", func(t *testing.T) {
		raw := string(jsonOf(t, SheetOf(shippedAll(t, storeRefund("SR1", 1100), began(connector.Taken)))))
		require.NotContains(t, raw, "null")
		require.Contains(t, raw, `"refundable":{"amount":"38.99","currency":"USD"}`)
		require.Contains(t, raw, `"read_at":{"market":"2026-11-20T20:00:00Z"`)
	})
}

func TestSheetRefunds(t *testing.T) {
	soldSock := shopadmin.RefundLine{Line: "L3", Quantity: 1, Amount: usd(1000), Tax: usd(100), Restock: shopadmin.RestockReturn}
	for _, c := range []struct {
		name   string
		s      Snapshot
		market []LegState
		store  LegState // "" without a leg
		state  RefundState
		from   string
		diff   []string
	}{
		{"R-139_a_refund_of_the_store_before_it_is_sent", shippedAll(t, storeRefund("SR1", 1100, soldSock)), []LegState{LegDraft}, LegObserved, RefundOpen, FromStore, nil},
		{"queued", shippedAll(t, storeRefund("SR1", 1100, soldSock), began(connector.Queued)), []LegState{LegQueued}, LegObserved, RefundOpen, FromStore, nil},
		{"pending", shippedAll(t, storeRefund("SR1", 1100, soldSock), began(connector.Taken)), []LegState{LegPending}, LegObserved, RefundOpen, FromStore, nil},
		{"unknown", shippedAll(t, storeRefund("SR1", 1100, soldSock), began(connector.Unknown)), []LegState{LegUnknown}, LegObserved, RefundOpen, FromStore, nil},
		{"sent and its deadline is past", shippedAll(t, storeRefund("SR1", 1100, soldSock), began(connector.Sent)), []LegState{LegUnknown}, LegObserved, RefundOpen, FromStore, nil},
		{"R-139_done_on_both_sides", shippedAll(t, storeRefund("SR1", 1100, soldSock), began(connector.Done)), []LegState{LegSucceeded}, LegObserved, RefundDone, FromStore, nil},
		{"the channel refused", shippedAll(t, storeRefund("SR1", 1100, soldSock), began(connector.Refused)), []LegState{LegFailed}, LegObserved, RefundConflict, FromStore, []string{OnlyInStore}},
		{"R-143_above_what_is_left", shippedAll(t, storeRefund("SR1", 5100, soldSock)), []LegState{LegBlocked}, LegObserved, RefundConflict, FromStore, []string{OnlyInStore}},
		{"R-140_the_channel_had_refunded_the_same", shippedAll(t, foreign(1100), storeRefund("SR1", 1100, soldSock)), []LegState{LegBlocked}, LegObserved, RefundConflict, FromStore, []string{PerhapsTwice}},
		{"R-141_the_channel_had_refunded_something_else", shippedAll(t, foreign(900), storeRefund("SR1", 1100, soldSock)), []LegState{LegBlocked}, LegObserved, RefundConflict, FromStore, []string{OnlyAtChannel, OnlyInStore}},
		{"asked for here", shippedAll(t, wished(3, connector.WishRefund, sock)), []LegState{LegDraft}, LegDraft, RefundOpen, FromHere, nil},
		{"asked for here and given", shippedAll(t, wished(3, connector.WishRefund, sock), began(connector.Proven)), []LegState{LegSucceeded}, LegDraft, RefundOpen, FromHere, nil},
		{"asked for here and recorded", shippedAll(t, wished(3, connector.WishRefund, sock), began(connector.Proven), began(connector.Done)), []LegState{LegSucceeded}, LegSucceeded, RefundDone, FromHere, nil},
		{"asked for here and not recorded", shippedAll(t, wished(3, connector.WishRefund, sock), began(connector.Proven), began(connector.Refused)), []LegState{LegSucceeded}, LegFailed, RefundConflict, FromHere, []string{OnlyAtChannel}},
		{"asked for here and refused there", shippedAll(t, wished(3, connector.WishRefund, sock), began(connector.Refused)), []LegState{LegFailed}, "", RefundVoid, FromHere, nil},
		{"asked for here and held", shippedAll(t, wished(3, connector.WishRefund, sock), wished(4, connector.WishHold, "")), []LegState{LegBlocked}, "", RefundOpen, FromHere, nil},
		{"waits for the charge", unshippedOrder(t, wished(3, connector.WishRefund, `{"amount":{"amount":"1.00","currency":"USD"}}`)), []LegState{LegDraft}, LegDraft, RefundOpen, FromHere, nil},
		{"the channel has cancelled the order", unshippedOrder(t, storeRefund("SR1", 4999), func(s *Snapshot) { s.Market.Lifecycle = marketplace.Cancelled }), []LegState{LegObserved}, LegObserved, RefundDone, FromStore, nil},
		{"cancelled here", unshippedOrder(t, wished(3, connector.WishCancel, `{}`)), []LegState{LegDraft}, LegDraft, RefundOpen, FromHere, nil},
		{"cancelled here and done", unshippedOrder(t, wished(3, connector.WishCancel, `{}`), began(connector.Proven), began(connector.Proven)), []LegState{LegSucceeded}, LegSucceeded, RefundDone, FromHere, nil},
		{"R-146_cancelled_in_the_store_without_money", unshippedOrder(t, func(s *Snapshot) { s.Shop.CancelledAt = noon.Add(-time.Hour) }), []LegState{LegBlocked}, LegObserved, RefundConflict, FromStore, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := SheetOf(c.s)
			require.Len(t, s.Refunds, 1, "%+v", s.Refunds)
			r := s.Refunds[0]
			var states []LegState
			for _, l := range r.Market {
				states = append(states, l.State)
			}
			require.Equal(t, c.market, states, "%+v", r)
			if c.store == "" {
				require.Nil(t, r.Store)
			} else {
				require.NotNil(t, r.Store)
				require.Equal(t, c.store, r.Store.State)
			}
			require.Equal(t, c.state, r.State)
			require.Equal(t, c.from, r.From)
			var kinds []string
			for _, d := range s.Differences {
				kinds = append(kinds, d.Kind)
				require.Equal(t, d.Market.Minor-d.Shop.Minor, d.Difference.Minor)
			}
			require.Equal(t, c.diff, kinds)
		})
	}
	t.Run("R-141_a_refund_made_at_the_channel_is_listed_with_its_amount", func(t *testing.T) {
		s := SheetOf(shippedAll(t, foreign(1100)))
		require.Empty(t, s.Refunds)
		require.Equal(t, []SeenRefund{{ID: "R1", PostedAt: noon.Add(-2 * time.Hour), Amount: usd(1100), Kind: "claim"}}, s.Observed)
		require.Len(t, s.Differences, 1)
		require.Equal(t, usd(1100), s.Differences[0].Difference)
		require.Equal(t, "refunded_at_channel", s.Holds[0].Kind)
	})
	t.Run("R-142_the_hold_says_that_the_marketplace_has_refunded_already", func(t *testing.T) {
		s := SheetOf(shippedAll(t, foreign(1100), storeRefund("SR1", 1100, soldSock)))
		require.Contains(t, s.Refunds[0].Market[0].Reason, "the marketplace has refunded 11.00 USD already")
		require.Equal(t, AlreadyRefunded, s.Refunds[0].Market[0].Code)
	})
	t.Run("a leg names its ledger entry", func(t *testing.T) {
		l := SheetOf(shippedAll(t, storeRefund("SR1", 1100, soldSock), began(connector.Unknown))).Refunds[0].Market[0]
		require.Equal(t, "amazon-us/114-1/refund-market/SR1", l.Key)
		require.NotZero(t, l.Entry)
		require.Equal(t, usd(1100), l.Amount)
	})
	t.Run("two amounts are a difference", func(t *testing.T) {
		s := shippedAll(t, storeRefund("SR1", 1100, soldSock), began(connector.Proven))
		s.Shop.Refunds[0].Moved = usd(1200) // the store says something else now
		d := SheetOf(s).Differences
		require.Len(t, d, 1)
		require.Equal(t, TwoAmounts, d[0].Kind)
		require.Equal(t, usd(-100), d[0].Difference)
	})
}
