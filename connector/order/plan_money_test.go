package order

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// What is right to do at the channel depends on how far the order is there.
func TestMoneyByStateOfTheOrder(t *testing.T) {
	pending := func(o *marketplace.Order) { o.Lifecycle = marketplace.Pending }
	gone := func(o *marketplace.Order) { o.Lifecycle = marketplace.Cancelled }
	warehouse := func(o *marketplace.Order) { o.FulfilledBy = marketplace.ByChannel }
	whole := []func(*shopadmin.Order){gave("RF1", 600, "L1", "L2", "L3"), cancelledInStore}
	for _, c := range []struct {
		name   string
		market func(*marketplace.Order)
		store  []func(*shopadmin.Order)
		verb   connector.Verb // "" for none
		amount int64
		kind   string // of a hold
	}{
		{"R-143_pending_the_wish_is_kept", pending, whole, "", 0, "refund_waits"},
		{"R-143_unshipped_and_cancelled_with_a_refund_is_cancelled", shippedAt(0, 0), whole, CancelMarket, 4999, ""},
		{"R-143_unshipped_and_every_unit_refunded_is_cancelled", shippedAt(0, 0), []func(*shopadmin.Order){gave("RF1", 600, "L1", "L2", "L3")}, CancelMarket, 4999, ""},
		{"R-143_unshipped_some_units_are_cancelled", shippedAt(0, 0), []func(*shopadmin.Order){gave("RF1", 0, "L1")}, CancelUnits, 1649, ""},
		{"R-143_partially_shipped_the_rest_is_cancelled_by_units", shippedAt(1, 0), []func(*shopadmin.Order){sent("L1"), gave("RF1", 0, "L2", "L3")}, CancelUnits, 2750, ""},
		{"R-143_partially_shipped_the_shipped_unit_is_refunded", shippedAt(1, 0), []func(*shopadmin.Order){sent("L1"), gave("RF1", 0, "L1")}, RefundMarket, 1649, ""},
		{"R-143_shipped_is_refunded", shippedAt(2, 1), []func(*shopadmin.Order){sent("L1", "L2", "L3"), gave("RF1", 0, "L3")}, RefundMarket, 1100, ""},
		{"R-145_shipped_and_cancelled_in_the_store_is_refunded_whole", shippedAt(2, 1), []func(*shopadmin.Order){sent("L1", "L2", "L3"), gave("RF1", 600, "L1", "L2", "L3"), cancelledInStore}, RefundMarket, 4999, ""},
		{"R-143_cancelled_at_the_channel_nothing_is_captured", gone, []func(*shopadmin.Order){gave("RF1", 0, "L1"), cancelledInStore}, "", 0, ""},
		{"R-138_shipped_by_the_channel_nothing_is_sent", warehouse, whole, "", 0, "channel_refunds"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Plan(moneySnapshot(t, channelOrder(c.market), storeOrder(c.store...)))
			if c.kind != "" {
				none(t, d, c.kind)
			}
			if c.verb == "" {
				require.Empty(t, moneyOf(d))
				return
			}
			got, _ := one(t, d)
			require.Equal(t, c.verb, got.Verb)
			require.Equal(t, usd(c.amount), got.Amount)
			require.True(t, got.Money)
			require.True(t, got.Counts())
		})
	}
	t.Run("R-143_the_kept_wish_is_met_once_the_order_is_released", func(t *testing.T) {
		c, in := one(t, Plan(moneySnapshot(t, channelOrder(), storeOrder(whole...))))
		require.Equal(t, CancelMarket, c.Verb)
		require.Equal(t, "NoInventory", in.Reason)
		require.Equal(t, "cancel", c.Lane)
		require.Len(t, in.Lines, 2)
	})
	t.Run("R-143_a_customers_cancellation_is_the_buyers_only_with_a_request_on_record", func(t *testing.T) {
		byCustomer := storeOrder(append(whole, func(o *shopadmin.Order) { o.CancelReason = "customer" })...)
		_, in := one(t, Plan(moneySnapshot(t, channelOrder(), byCustomer)))
		require.Equal(t, "GeneralAdjustment", in.Reason)
		_, in = one(t, Plan(moneySnapshot(t, channelOrder(func(o *marketplace.Order) { o.CancelRequest = &marketplace.CancelRequest{} }), byCustomer)))
		require.Equal(t, "BuyerCanceled", in.Reason)
	})
	t.Run("R-143_no_acknowledgement_after_a_shipment_or_one_in_doubt", func(t *testing.T) {
		confirm := Plan(snapshot(channelOrder(), storeOrder(sent("L1")), created(t))).Commands[0]
		require.Equal(t, ConfirmShipment, confirm.Verb)
		for name, s := range map[string]Snapshot{
			"the channel counts a unit":  moneySnapshot(t, channelOrder(shippedAt(1, 0)), storeOrder(whole...)),
			"the store has shipped":      moneySnapshot(t, channelOrder(), storeOrder(append([]func(*shopadmin.Order){sent("L1")}, whole...)...)),
			"a confirmation is in doubt": moneySnapshot(t, channelOrder(), storeOrder(whole...), ledgered(2, confirm, connector.Unknown)),
			"one may be repeated":        moneySnapshot(t, channelOrder(), storeOrder(whole...), ledgered(2, confirm, connector.Retry)),
		} {
			require.NotContains(t, verbs(Plan(s)), CancelMarket, name)
		}
	})
	t.Run("R-143_nothing_moves_upon_an_old_read", func(t *testing.T) {
		for _, age := range []func(*Snapshot){
			func(s *Snapshot) { s.MarketRead = noon.Add(-3 * time.Minute) },
			func(s *Snapshot) { s.ShopRead = noon.Add(-3 * time.Minute) },
			func(s *Snapshot) { s.RefundsRead = time.Time{} },
			func(s *Snapshot) { s.RefundsFault = "gibberish" },
		} {
			s := moneySnapshot(t, channelOrder(), storeOrder(whole...))
			age(&s)
			d := Plan(s)
			require.Empty(t, moneyOf(d))
			require.True(t, d.Look)
			require.False(t, d.Final)
		}
	})
}

// A refund of the store's becomes parts of the channel's order.
func TestMoneyOnParts(t *testing.T) {
	all := []func(*shopadmin.Order){sent("L1", "L2", "L3")}
	plan := func(t *testing.T, edits ...func(*shopadmin.Order)) Snapshot {
		return moneySnapshot(t, channelOrder(shippedAt(2, 1)), storeOrder(append(all, edits...)...))
	}
	t.Run("R-143_units_take_their_own_item_with_its_tax", func(t *testing.T) {
		c, in := one(t, Plan(plan(t, gave("RF1", 0, "L3"))))
		require.Equal(t, "CustomerReturn", in.Reason)
		want := part1("22", marketplace.Item, 1000, 100)
		want.Quantity = 1
		require.Equal(t, []marketplace.InstructionLine{want}, in.Lines)
		require.Equal(t, "adjust", c.Lane)
		require.Equal(t, channelOrder().Site, c.Site)
	})
	t.Run("R-143_an_amount_alone_is_spread_over_the_items", func(t *testing.T) {
		_, in := one(t, Plan(plan(t, gave("RF1", 1000))))
		require.Len(t, in.Lines, 2)
		for _, l := range in.Lines {
			require.Zero(t, l.Quantity)
			require.Equal(t, marketplace.Item, l.Parts[0].Kind)
		}
	})
	t.Run("R-143_shipping_takes_the_shipping", func(t *testing.T) {
		ship := func(o *shopadmin.Order) {
			o.Refunds = append(o.Refunds, shopadmin.Refund{ID: "RF1", CreatedAt: noon.Add(-time.Hour), Shipping: usd(400), Moved: usd(400)})
		}
		_, in := one(t, Plan(plan(t, ship)))
		require.Equal(t, []marketplace.InstructionLine{part1("22", marketplace.Shipping, 400, 0)}, in.Lines)
	})
	t.Run("R-143_what_is_kept_back_is_a_restocking_fee", func(t *testing.T) {
		c, in := one(t, Plan(plan(t, gave("RF1", -200, "L3"))))
		require.Equal(t, usd(900), c.Amount)
		require.Equal(t, marketplace.Component{Kind: marketplace.Restocking, Amount: usd(-200)}, in.Lines[0].Parts[1])
	})
	t.Run("R-143_beyond_the_payment_is_refused", func(t *testing.T) {
		s := plan(t, gave("RF1", 601, "L1", "L2", "L3"))
		h := none(t, Plan(s), "above_refundable")
		require.Equal(t, "RF1", h.About)
		require.Equal(t, connector.Blocks, h.Level)
	})
	t.Run("R-143_a_line_the_channel_has_not_sold_counts_as_money_beyond", func(t *testing.T) {
		extra := func(o *shopadmin.Order) {
			o.Lines = append(o.Lines, shopadmin.Line{ID: "L9", Quantity: 1, Current: 1})
		}
		_, in := one(t, Plan(plan(t, extra, gave("RF1", 0, "L3"), refundEdit(func(r *shopadmin.Refund) { r.Lines[0].Line = "L9" }))))
		require.EqualValues(t, 1100, partsOf(in))
		for _, l := range in.Lines {
			require.Zero(t, l.Quantity)
		}
	})
	t.Run("R-143_tax_included_in_the_price_is_given_back_once", func(t *testing.T) {
		m := channelOrder(shippedAt(2, 1), func(o *marketplace.Order) {
			o.Lines[1].Parts = []marketplace.Component{{Kind: marketplace.Item, Amount: usd(1100), Tax: usd(100), TaxIncluded: true}}
		})
		_, in := one(t, Plan(moneySnapshot(t, m, storeOrder(append(all, gave("RF1", 0, "L3"))...))))
		require.Equal(t, marketplace.Component{Kind: marketplace.Item, Amount: usd(1000), Tax: usd(100)}, in.Lines[0].Parts[0])
	})
	t.Run("R-143_a_currency_without_decimals", func(t *testing.T) {
		m := channelOrder(func(o *marketplace.Order) {
			shippedAt(1, 0)(o)
			o.Currency, o.Total, o.Lifecycle = "JPY", jpy(1100), marketplace.Closed
			o.Lines = []marketplace.Line{{ID: line, Ordered: 1, Shipped: 1, Parts: []marketplace.Component{{Kind: marketplace.Item, Amount: jpy(1000), Tax: jpy(100)}}}}
		})
		s := storeOrder(sent("L1"), func(o *shopadmin.Order) {
			o.Lines = o.Lines[:1]
			o.Refunds = []shopadmin.Refund{{ID: "RF1", CreatedAt: noon.Add(-time.Hour), Moved: jpy(333)}}
		})
		c, in := one(t, Plan(moneySnapshot(t, m, s)))
		require.Equal(t, "333 JPY", c.Amount.String())
		require.Equal(t, marketplace.Component{Kind: marketplace.Item, Amount: jpy(303), Tax: jpy(30)}, in.Lines[0].Parts[0])
	})
	t.Run("R-143_charges_of_the_whole_order", func(t *testing.T) {
		m := channelOrder(shippedAt(2, 1), func(o *marketplace.Order) {
			o.Charges = []marketplace.Component{{Kind: marketplace.Fee, Amount: usd(250)}}
		})
		c, in := one(t, Plan(moneySnapshot(t, m, storeOrder(append(all, gave("RF1", 600+250, "L1", "L2", "L3"), cancelledInStore)...))))
		require.Equal(t, usd(4999+250), c.Amount)
		require.Contains(t, in.Lines, part1("", marketplace.Fee, 250, 0))
	})
	t.Run("R-143_what_the_buyer_was_not_charged_for_waits", func(t *testing.T) {
		h := none(t, Plan(moneySnapshot(t, channelOrder(), storeOrder(gave("RF1", 1000)))), "refund_waits")
		require.Equal(t, "RF1", h.About)
	})
	t.Run("R-143_a_channel_that_refunds_in_full_only", func(t *testing.T) {
		s := plan(t, gave("RF1", 0, "L3"))
		s.Policy.WholeOnly = []marketplace.Operation{marketplace.OpRefund}
		none(t, Plan(s), "whole_only")
		s = plan(t, gave("RF1", 600, "L1", "L2", "L3"))
		s.Policy.WholeOnly = []marketplace.Operation{marketplace.OpRefund}
		one(t, Plan(s))
	})
}

// What makes no sense is held with its reason, and nothing is sent.
func TestMoneyThatMakesNoSense(t *testing.T) {
	euro := func(n int64) money.Money { return money.New(n, "EUR") }
	for name, c := range map[string]struct {
		kind string
		edit func(*shopadmin.Refund)
	}{
		"R-143_another_currency":        {"currency_differs", func(r *shopadmin.Refund) { r.Moved, r.Lines = euro(500), nil }},
		"R-143_a_line_in_another":       {"refund_unreadable", func(r *shopadmin.Refund) { r.Lines[0].Amount = euro(500) }},
		"R-143_a_negative_line":         {"refund_unreadable", func(r *shopadmin.Refund) { r.Lines[0].Amount = usd(-500) }},
		"R-143_above_what_was_paid":     {"above_refundable", func(r *shopadmin.Refund) { r.Moved = usd(5000) }},
		"R-143_money_on_its_way":        {"refund_waits", func(r *shopadmin.Refund) { r.Pending, r.Moved = r.Moved, money.Money{} }},
		"R-143_negative_money_in_total": {"refund_unreadable", func(r *shopadmin.Refund) { r.Moved, r.Lines = usd(-100), nil }},
	} {
		t.Run(name, func(t *testing.T) {
			s := storeOrder(sent("L1", "L2", "L3"), gave("RF1", 0, "L3"), refundEdit(c.edit))
			d := Plan(moneySnapshot(t, channelOrder(shippedAt(2, 1)), s))
			require.Equal(t, "RF1", none(t, d, c.kind).About)
			require.False(t, d.Final)
		})
	}
	t.Run("R-143_amounts_in_two_currencies_at_the_channel", func(t *testing.T) {
		m := channelOrder(shippedAt(2, 1), func(o *marketplace.Order) { o.Lines[1].Parts[1].Amount = euro(700) })
		none(t, Plan(moneySnapshot(t, m, storeOrder(sent("L1", "L2", "L3"), gave("RF1", 0, "L3")))), "unreadable")
	})
	for name, w := range map[string]RefundWish{
		"R-143_a_wish_for_an_unknown_line": {Lines: []RefundWishLine{{Line: "no such line", Quantity: 1}}},
		"R-143_a_wish_for_too_many_units":  {Lines: []RefundWishLine{{Line: "22", Quantity: 2}}},
		"R-143_a_negative_wish":            {Amount: usd(-5)},
		"R-143_a_wish_for_nothing":         {},
	} {
		t.Run(name, func(t *testing.T) {
			s := moneySnapshot(t, channelOrder(shippedAt(2, 1)), storeOrder(sent("L1", "L2", "L3")))
			s.Wishes = []connector.Wish{wishOf(t, 7, connector.WishRefund, "", w)}
			require.Equal(t, "w7", none(t, Plan(s), "refund_unreadable").About)
		})
	}
	t.Run("R-139_goods_put_back_move_no_money", func(t *testing.T) {
		back := func(r *shopadmin.Refund) { r.Moved = money.Money{} }
		d := Plan(moneySnapshot(t, channelOrder(shippedAt(2, 1)), storeOrder(sent("L1", "L2", "L3"), gave("RF1", 0, "L3"), refundEdit(back))))
		require.Empty(t, moneyOf(d))
	})
}
