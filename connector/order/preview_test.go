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

// moneyed is a snapshot of an order whose channel takes money commands and charges as units ship.
func moneyed(m *marketplace.Order, s *shopadmin.Order, entries ...connector.Entry) Snapshot {
	snap := snapshot(m, s, entries...)
	p := &snap.Policy
	p.Instructions = []marketplace.Operation{marketplace.OpCancel, marketplace.OpCancelUnits, marketplace.OpRefund}
	p.CaptureOnShip, p.ReadsRefunds, p.CancelsShop, p.Fresh, p.RefundsIn = true, true, true, 2*time.Minute, 48*time.Hour
	p.Reasons = map[marketplace.Operation]map[string]string{marketplace.OpRefund: {"": "Other", "customer": "CustomerReturn"}}
	snap.Refunds, snap.RefundsRead = []marketplace.Refund{}, noon.Add(-time.Hour)
	return snap
}

// shippedAll has every unit shipped on both sides, and the mirror's creation proven.
func shippedAll(t *testing.T, edit ...func(*Snapshot)) Snapshot {
	m := channelOrder(func(o *marketplace.Order) {
		o.Lifecycle, o.Lines[0].Shipped, o.Lines[1].Shipped = marketplace.Closed, 2, 1
		o.Packages = []marketplace.Package{{Ref: "1", Tracking: "1Z1", Lines: map[string]int{line: 2, "22": 1}}}
	})
	s := storeOrder(fulfilled("F1", noon.Add(-3*time.Hour), "1Z1", "L1", "L2", "L3"), func(o *shopadmin.Order) {
		for i := range o.Lines {
			o.Lines[i].Unfulfilled = 0
		}
	})
	snap := moneyed(m, s, created(t))
	for _, e := range edit {
		e(&snap)
	}
	return snap
}

func unshippedOrder(t *testing.T, edit ...func(*Snapshot)) Snapshot {
	snap := moneyed(channelOrder(), storeOrder(), created(t))
	for _, e := range edit {
		e(&snap)
	}
	return snap
}

func commandsOf(p Preview) (out []string) {
	for _, c := range p.Commands {
		out = append(out, string(c.Side)+" "+string(c.Verb))
	}
	return out
}

func codes(p Preview) (out []string) {
	for _, r := range p.Refusals {
		out = append(out, r.Code)
	}
	return out
}

func oneLine(id string, n int) RefundWish {
	return RefundWish{Lines: []RefundWishLine{{Line: id, Quantity: n}}}
}

func TestPreviewRefund(t *testing.T) {
	t.Run("the channel goes first, then the store records it", func(t *testing.T) {
		p := PreviewRefund(shippedAll(t), RefundWish{Lines: []RefundWishLine{{Line: line, Quantity: 1}}, Shipping: usd(250), Reason: "customer", Restock: true})
		require.Empty(t, p.Refusals)
		require.Equal(t, []string{"market refund-market", "shop refund-shop"}, commandsOf(p))
		require.Equal(t, usd(1650+250), p.Amount, "half of 29.99 and 3.00 tax, rounded to even, and shipping")
		require.Equal(t, []PreviewLine{{line, 1, usd(1650)}, {"22", 0, usd(250)}}, p.Commands[0].Lines)
		require.Equal(t, p.Amount, p.Commands[1].Amount)
		require.Equal(t, []PreviewLine{{Line: "L1", Quantity: 1}}, p.Commands[1].Lines)
	})
	t.Run("units that have not shipped are cancelled and the others refunded", func(t *testing.T) {
		s := shippedAll(t, func(s *Snapshot) {
			s.Market.Lifecycle, s.Market.Lines[0].Shipped, s.Market.Packages[0].Lines = marketplace.Open, 1, map[string]int{line: 1, "22": 1}
			s.Shop.Lines[1].Unfulfilled = 1
			s.Shop.Fulfillments[0].Lines = append(s.Shop.Fulfillments[0].Lines[:1:1], s.Shop.Fulfillments[0].Lines[2])
		})
		p := PreviewRefund(s, oneLine(line, 2))
		require.Empty(t, p.Refusals)
		require.Equal(t, []string{"market cancel-units", "market refund-market", "shop refund-shop"}, commandsOf(p))
		require.Equal(t, usd(3299), p.Amount)
		require.Equal(t, 1, p.Commands[0].Lines[0].Quantity)
		require.Equal(t, p.Amount.Minor, p.Commands[0].Amount.Minor+p.Commands[1].Amount.Minor)
	})
	t.Run("every unit before anything shipped is a cancellation", func(t *testing.T) {
		p := PreviewRefund(unshippedOrder(t), RefundWish{Lines: []RefundWishLine{{Line: line, Quantity: 2}, {Line: "22", Quantity: 1}}})
		require.Empty(t, p.Refusals)
		require.Equal(t, []string{"market cancel-market", "shop refund-shop", "shop cancel-mirror"}, commandsOf(p))
		require.Equal(t, usd(4999), p.Amount)
	})
	t.Run("nothing that follows anyway belongs to the wish", func(t *testing.T) {
		s := shippedAll(t, func(s *Snapshot) { s.Market.ShipTo.Line1 = "2 Side St" })
		require.Contains(t, verbs(Plan(s)), UpdateMirror)
		require.Equal(t, []string{"market refund-market", "shop refund-shop"}, commandsOf(PreviewRefund(s, oneLine("22", 1))))
	})
	t.Run("what is previewed is what is planned when the wish is kept", func(t *testing.T) {
		s, w := shippedAll(t), RefundWish{Lines: []RefundWishLine{{Line: line, Quantity: 1}}, Shipping: usd(600), Reason: "customer"}
		p := PreviewRefund(s, w)
		s.Wishes = []connector.Wish{{ID: 1, Kind: connector.WishRefund, Body: jsonOf(t, w), At: noon}}
		s.MarketRead, s.ShopRead, s.RefundsRead = noon, noon, noon
		d := Plan(s)
		require.Equal(t, p.Commands[0].Verb, d.Commands[0].Verb)
		require.Equal(t, p.Commands[0].Amount, d.Commands[0].Amount)
		require.Equal(t, p.Commands[0].Lines, shownCommand(d.Commands[0]).Lines)
		s.Ledger = append(s.Ledger, entry(7, d.Commands[0], connector.Done, noon.Add(time.Second)))
		d = Plan(s)
		require.Equal(t, p.Commands[1].Amount, d.Commands[0].Amount)
		require.Equal(t, RefundShop, d.Commands[0].Verb)
	})
	t.Run("a preview leaves the snapshot as it was", func(t *testing.T) {
		s := unshippedOrder(t)
		before := jsonOf(t, s.Ledger)
		PreviewCancel(s, CancelWish{})
		require.JSONEq(t, string(before), string(jsonOf(t, s.Ledger)))
		require.Empty(t, s.Wishes)
		require.Equal(t, marketplace.Open, s.Market.Lifecycle)
	})
}

func jsonOf(t *testing.T, v any) json.RawMessage {
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return raw
}

// foreign is a refund the channel made by itself.
func foreign(minor int64) func(*Snapshot) {
	return func(s *Snapshot) {
		s.Refunds = []marketplace.Refund{{ID: "R1", PostedAt: noon.Add(-2 * time.Hour), Amount: usd(minor), Kind: "claim"}}
	}
}

func given(minor int64, state connector.EntryState) func(*Snapshot) {
	return func(s *Snapshot) {
		in := marketplace.Instruction{Op: marketplace.OpRefund, Amount: usd(minor), Lines: []marketplace.InstructionLine{{Line: line, Quantity: 1,
			Parts: []marketplace.Component{{Kind: marketplace.Item, Amount: usd(minor)}}}}}
		raw, _ := json.Marshal(in)
		s.Ledger = append(s.Ledger, entry(50, connector.Command{Key: "k", Verb: RefundMarket, Side: connector.Market, About: "R0", Amount: usd(minor), Money: true, Body: raw}, state, noon.Add(-time.Hour)))
	}
}

func TestPreviewRefusals(t *testing.T) {
	wish := func(k connector.WishKind) func(*Snapshot) {
		return func(s *Snapshot) {
			s.Wishes = append(s.Wishes, connector.Wish{ID: 4, Kind: k, Reason: "fraud?", At: noon.Add(-time.Minute)})
		}
	}
	for _, c := range []struct {
		name string
		s    Snapshot
		w    RefundWish
		code string
		line string
	}{
		{"R-140_what_the_channel_refunded_is_not_refunded_again", shippedAll(t, foreign(1100)), RefundWish{Amount: usd(1100)}, AlreadyRefunded, ""},
		{"R-140_nor_another_amount_before_a_person_has_compared", shippedAll(t, foreign(1100)), RefundWish{Amount: usd(900)}, AlreadyRefunded, ""},
		{"R-143_never_more_than_is_left", shippedAll(t), RefundWish{Amount: usd(5000)}, AboveRefundable, ""},
		{"what was given back is spent", shippedAll(t, given(4000, connector.Proven)), RefundWish{Amount: usd(1000)}, AboveRefundable, ""},
		{"more units than were ordered", shippedAll(t), oneLine(line, 3), AboveRefundable, line},
		{"R-146_nothing", shippedAll(t), RefundWish{}, AmountZero, ""},
		{"less than nothing", shippedAll(t), RefundWish{Amount: usd(-5)}, AmountZero, ""},
		{"a line less than nothing", shippedAll(t), RefundWish{Lines: []RefundWishLine{{Line: line, Quantity: 1, Amount: usd(-5)}}}, AmountZero, line},
		{"a line that is not there", shippedAll(t), oneLine("99", 1), UnknownLine, "99"},
		{"another currency", shippedAll(t), RefundWish{Amount: money.New(100, "EUR")}, CurrencyDiffers, ""},
		{"another currency in a line", shippedAll(t), RefundWish{Lines: []RefundWishLine{{Line: line, Quantity: 1, Amount: money.New(100, "EUR")}}}, CurrencyDiffers, line},
		{"another currency of shipping", shippedAll(t), RefundWish{Shipping: money.New(100, "EUR")}, CurrencyDiffers, ""},
		{"money under way", shippedAll(t, given(1000, connector.Taken)), RefundWish{Amount: usd(100)}, LockedByRequest, ""},
		{"money in doubt", shippedAll(t, given(1000, connector.Unknown)), RefundWish{Amount: usd(100)}, LockedByRequest, ""},
		{"another wish that goes first", shippedAll(t, func(s *Snapshot) {
			s.Wishes = []connector.Wish{{ID: 3, Kind: connector.WishRefund, Body: jsonOf(t, oneLine("22", 1)), At: noon.Add(-time.Second)}}
		}), RefundWish{Amount: usd(100)}, LockedByRequest, ""},
		{"parts of an order that is refunded whole only", shippedAll(t, func(s *Snapshot) { s.Policy.WholeOnly = []marketplace.Operation{marketplace.OpRefund} }), oneLine("22", 1), WholeOnly, ""},
		{"a channel that takes no refunds", shippedAll(t, func(s *Snapshot) { s.Policy.Instructions = nil }), oneLine("22", 1), NoCapability, ""},
		{"an order that the channel ships", shippedAll(t, func(s *Snapshot) { s.Market.FulfilledBy = marketplace.ByChannel }), oneLine("22", 1), NoCapability, ""},
		{"money that was not charged yet", unshippedOrder(t), RefundWish{Amount: usd(100)}, NotCaptured, ""},
		{"an order that is not released", unshippedOrder(t, func(s *Snapshot) { s.Market.Lifecycle = marketplace.Pending }), oneLine("22", 1), NotCaptured, ""},
		{"an order that a person holds", shippedAll(t, wish(connector.WishHold)), oneLine("22", 1), Held, ""},
		{"an order in a state nobody knows", shippedAll(t, func(s *Snapshot) { s.Market.Lifecycle = marketplace.Unmapped }), oneLine("22", 1), Held, ""},
		{"an order that cannot be read", shippedAll(t, func(s *Snapshot) { s.MarketFault = "garbled" }), oneLine("22", 1), Held, ""},
		{"refunds that cannot be read", shippedAll(t, func(s *Snapshot) { s.RefundsFault = "garbled" }), oneLine("22", 1), Held, ""},
		{"an order without mirror", moneyed(channelOrder(), nil), oneLine("22", 1), Held, ""},
		{"an order that was never read", moneyed(nil, nil), oneLine("22", 1), Held, ""},
		{"an order that is cancelled there", unshippedOrder(t, func(s *Snapshot) { s.Market.Lifecycle = marketplace.Cancelled }), oneLine("22", 1), AmountZero, ""},
		{"amounts in several currencies", shippedAll(t, func(s *Snapshot) { s.Market.Lines[1].Parts[0].Tax = money.New(1, "EUR") }), oneLine(line, 1), CurrencyDiffers, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := PreviewRefund(c.s, c.w)
			require.Equal(t, []string{c.code}, codes(p), "%+v", p)
			require.Equal(t, c.line, p.Refusals[0].Line)
			require.Regexp(t, `^[A-Z].*[.?]$`, p.Refusals[0].Reason)
			require.Empty(t, p.Commands)
			require.True(t, p.Amount.IsZero())
		})
	}
	t.Run("R-142_the_notice_says_that_the_marketplace_has_refunded_already", func(t *testing.T) {
		p := PreviewRefund(shippedAll(t, foreign(1100)), RefundWish{Amount: usd(1100)})
		require.Contains(t, p.Refusals[0].Reason, "the marketplace has refunded 11.00 USD already")
		require.Contains(t, p.Refusals[0].Hint, "approve")
	})
	t.Run("a released order goes on", func(t *testing.T) {
		require.Empty(t, PreviewRefund(shippedAll(t, wish(connector.WishHold), wish(connector.WishRelease)), oneLine("22", 1)).Refusals)
	})
	t.Run("a refund that waits for the charge goes through with it", func(t *testing.T) {
		s := unshippedOrder(t, func(s *Snapshot) { // shipped in the store, the channel is about to be told
			s.Shop = storeOrder(fulfilled("F1", noon.Add(-time.Hour), "1Z1", "L3"), func(o *shopadmin.Order) { o.Lines[2].Unfulfilled = 0 })
		})
		p := PreviewRefund(s, oneLine("22", 1))
		require.Empty(t, p.Refusals)
		require.Equal(t, []string{"market refund-market", "shop refund-shop"}, commandsOf(p))
		require.Len(t, p.Warnings, 1)
		require.Contains(t, p.Warnings[0], "charges the buyer when the units ship")
	})
}

func TestPreviewCancel(t *testing.T) {
	t.Run("R-146_an_order_with_money_is_cancelled_on_both_sides", func(t *testing.T) {
		p := PreviewCancel(unshippedOrder(t), CancelWish{Reason: "customer", Restock: true})
		require.Empty(t, p.Refusals)
		require.Equal(t, []string{"shop hold-shipping", "market cancel-market", "shop cancel-mirror"}, commandsOf(p), "nobody may ship it meanwhile")
		require.Equal(t, usd(4999), p.Amount)
	})
	for _, c := range []struct {
		name, code string
		s          Snapshot
	}{
		{"R-146_without_money_to_give_back_it_is_refused", AmountZero, unshippedOrder(t, func(s *Snapshot) {
			for i := range s.Market.Lines {
				s.Market.Lines[i].Parts = nil
			}
		})},
		{"R-146_nor_where_all_of_it_was_given_back_there", AlreadyRefunded, unshippedOrder(t, foreign(4999))},
		{"something has shipped at the channel", NoCapability, shippedAll(t)},
		{"something has shipped in the store", NoCapability, unshippedOrder(t, func(s *Snapshot) { s.Shop = storeOrder(fulfilled("F1", noon, "1Z1", "L1")) })},
		{"it is cancelled already", AmountZero, unshippedOrder(t, func(s *Snapshot) { s.Market.Lifecycle = marketplace.Cancelled })},
		{"its cancellation is under way", LockedByRequest, unshippedOrder(t, func(s *Snapshot) {
			s.Wishes = []connector.Wish{{ID: 9, Kind: connector.WishCancel, Body: json.RawMessage(`{}`), At: noon.Add(-time.Second)}}
		})},
		{"the channel has not released it", NotCaptured, unshippedOrder(t, func(s *Snapshot) { s.Market.Lifecycle = marketplace.Pending })},
		{"the channel takes none", NoCapability, unshippedOrder(t, func(s *Snapshot) { s.Policy.Instructions = nil })},
		{"the channel ships it", NoCapability, unshippedOrder(t, func(s *Snapshot) { s.Market.FulfilledBy = marketplace.ByChannel })},
		{"a person holds it", Held, unshippedOrder(t, func(s *Snapshot) {
			s.Wishes = []connector.Wish{{ID: 9, Kind: connector.WishHold, At: noon.Add(-time.Second)}}
		})},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := PreviewCancel(c.s, CancelWish{})
			require.Equal(t, []string{c.code}, codes(p), "%+v", p)
			require.Empty(t, p.Commands)
		})
	}
}
