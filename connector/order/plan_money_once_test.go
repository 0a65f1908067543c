package order

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// allSent is an order of which everything has left on both sides.
func allSent(t *testing.T, edits ...func(*shopadmin.Order)) Snapshot {
	s := storeOrder(append([]func(*shopadmin.Order){sent("L1", "L2", "L3")}, edits...)...)
	return moneySnapshot(t, channelOrder(shippedAt(2, 1)), s)
}

// with adds ledger entries to a snapshot.
func with(s Snapshot, entries ...connector.Entry) Snapshot {
	s.Ledger = append(append([]connector.Entry{}, s.Ledger...), entries...)
	return s
}

// there is a refund that the channel shows.
func there(id string, minor int64, at time.Time) marketplace.Refund {
	return marketplace.Refund{ID: id, Order: "114-1", PostedAt: at, Amount: usd(minor)}
}

// Money that the store gives back reaches the channel once, whatever became of the first attempt.
func TestMoneyOnce(t *testing.T) {
	base := allSent(t, gave("RF1", 0, "L3"))
	first, _ := one(t, Plan(base))
	t.Run("R-143_planning_twice_gives_the_same", func(t *testing.T) {
		require.Equal(t, Plan(base), Plan(base))
	})
	for _, state := range []connector.EntryState{connector.Queued, connector.Sent, connector.Unknown, connector.Taken, connector.Done, connector.Proven, connector.Refused} {
		t.Run("R-143_never_again_once_it_is_"+string(state), func(t *testing.T) {
			require.Empty(t, moneyOf(Plan(with(base, ledgered(2, first, state)))))
		})
	}
	t.Run("R-143_what_surely_did_not_happen_is_sent_with_its_own_key", func(t *testing.T) {
		c, _ := one(t, Plan(with(base, ledgered(2, first, connector.Retry))))
		require.Equal(t, first.Key, c.Key)
		require.EqualValues(t, 2, c.Again)
	})
	t.Run("R-143_and_not_before_its_time", func(t *testing.T) {
		e := ledgered(2, first, connector.Retry)
		e.RetryAt = noon.Add(time.Minute)
		d := Plan(with(base, e))
		require.Empty(t, moneyOf(d))
		require.False(t, d.Wake.After(e.RetryAt))
	})
	t.Run("R-143_what_was_withdrawn_before_it_was_sent_gets_a_key_of_its_own", func(t *testing.T) {
		e := ledgered(2, first, connector.Refused)
		e.Class = Withdrawn
		c, _ := one(t, Plan(with(base, e)))
		require.NotEqual(t, first.Key, c.Key)
		require.Zero(t, c.Again)
	})
	t.Run("R-143_doubt_is_shown_and_counts_as_spent", func(t *testing.T) {
		s := with(allSent(t, gave("RF1", 0, "L3"), gave("RF2", 3899)), ledgered(2, first, connector.Unknown))
		d := Plan(s)
		require.Equal(t, "RF1", none(t, d, "money_unknown").About)
		s.Ledger[len(s.Ledger)-1].State = connector.Proven
		one(t, Plan(s)) // 38.99 are left beside the 11.00
		s = with(allSent(t, gave("RF1", 0, "L3"), gave("RF2", 3900)), ledgered(2, first, connector.Proven))
		none(t, Plan(s), "above_refundable")
	})
	t.Run("R-143_what_is_left_counts_every_state_but_what_surely_did_not_happen", func(t *testing.T) {
		for state, left := range map[connector.EntryState]int64{connector.Queued: 3899, connector.Sent: 3899, connector.Unknown: 3899, connector.Taken: 3899,
			connector.Done: 3899, connector.Proven: 3899, connector.Retry: 4999, connector.Refused: 4999} {
			sheet, fits := newSheet(*channelOrder(), []connector.Entry{ledgered(2, first, state)})
			require.True(t, fits)
			require.Equal(t, left, sheet.rest(), state)
		}
	})
	t.Run("R-143_a_doubt_that_the_channel_shows_is_settled", func(t *testing.T) {
		s := with(base, ledgered(2, first, connector.Unknown))
		s.Refunds = []marketplace.Refund{there("R1", 1100, noon.Add(-20*time.Minute))}
		d := Plan(s)
		require.Empty(t, moneyOf(d))
		require.EqualValues(t, 2, d.Proven[len(d.Proven)-1].Entry)
		require.NotContains(t, kinds(d), "already_refunded")
		require.NotContains(t, kinds(d), "refunded_at_channel")
	})
	t.Run("R-143_two_money_commands_are_never_open_at_once", func(t *testing.T) {
		s := allSent(t, gave("RF1", 0, "L3"), gave("RF2", 500))
		c, _ := one(t, Plan(s))
		require.Equal(t, "RF1", c.About, "the older one first")
		for _, open := range []connector.EntryState{connector.Queued, connector.Sent, connector.Unknown, connector.Taken} {
			require.Empty(t, moneyOf(Plan(with(s, ledgered(2, c, open)))), open)
		}
		next, _ := one(t, Plan(with(s, ledgered(2, c, connector.Done))))
		require.Equal(t, "RF2", next.About)
	})
	t.Run("R-143_several_refunds_of_one_order_are_each_passed_on", func(t *testing.T) {
		s := allSent(t, gave("RF1", 0, "L1"), gave("RF2", 0, "L3"), gave("RF3", 250))
		var got []string
		var sum int64
		for id := int64(2); len(moneyOf(Plan(s))) > 0; id++ {
			c, _ := one(t, Plan(s))
			got, sum = append(got, c.About), sum+c.Amount.Minor
			s = with(s, ledgered(id, c, connector.Done))
		}
		require.Equal(t, []string{"RF1", "RF2", "RF3"}, got)
		require.EqualValues(t, 1649+1100+250, sum)
	})
	t.Run("R-143_a_cancellation_and_its_refund_count_once", func(t *testing.T) {
		m, s := channelOrder(), storeOrder(gave("RF1", 600, "L1", "L2", "L3"), cancelledInStore)
		c, _ := one(t, Plan(moneySnapshot(t, m, s)))
		for _, state := range []connector.EntryState{connector.Unknown, connector.Done, connector.Proven} {
			require.Empty(t, moneyOf(Plan(moneySnapshot(t, m, s, ledgered(2, c, state)))), state)
		}
		m.Lifecycle = marketplace.Cancelled
		require.Empty(t, moneyOf(Plan(moneySnapshot(t, m, s, ledgered(2, c, connector.Done)))))
	})
	t.Run("R-143_a_cancelled_part_and_the_money_of_the_rest_are_two_steps", func(t *testing.T) {
		m := channelOrder(shippedAt(1, 0))
		s := storeOrder(sent("L1"), gave("RF1", 0, "L1", "L2"))
		cut, in := one(t, Plan(moneySnapshot(t, m, s)))
		require.Equal(t, CancelUnits, cut.Verb)
		require.Equal(t, 1, in.Lines[0].Quantity)
		m.Lines[0].Cancelled = 1
		back, _ := one(t, Plan(moneySnapshot(t, m, s, ledgered(2, cut, connector.Done))))
		require.Equal(t, RefundMarket, back.Verb)
		require.EqualValues(t, 1649+1650, cut.Amount.Minor+back.Amount.Minor)
	})
	native := func(s Snapshot) Snapshot {
		s.Policy.Lanes = nil
		s.Policy.Repeat = map[marketplace.Operation]marketplace.RepeatClass{marketplace.OpCancel: marketplace.RepeatNative, marketplace.OpRefund: marketplace.RepeatNative}
		return s
	}
	t.Run("R-143_where_repeated_keys_are_dropped_a_doubt_is_repeated", func(t *testing.T) {
		s := native(with(base, ledgered(2, first, connector.Unknown)))
		c, _ := one(t, Plan(s))
		require.Equal(t, first.Key, c.Key)
		require.EqualValues(t, 2, c.Again)
		s.Refunds = []marketplace.Refund{there("R1", 1100, noon.Add(-20*time.Minute))}
		d := Plan(s)
		require.Empty(t, moneyOf(d), "this look shows it")
		require.Len(t, d.Proven, 1)
		s.Refunds = []marketplace.Refund{there("R1", 900, noon.Add(-20*time.Minute))}
		none(t, Plan(s), "money_unknown") // the channel has given other money back
	})
	t.Run("R-143_but_no_cancellation_after_a_unit_has_shipped", func(t *testing.T) {
		m, s := channelOrder(), storeOrder(gave("RF1", 600, "L1", "L2", "L3"), cancelledInStore)
		c, _ := one(t, Plan(native(moneySnapshot(t, m, s))))
		doubt := ledgered(2, c, connector.Unknown)
		one(t, Plan(native(moneySnapshot(t, m, s, doubt))))
		shippedAt(1, 0)(m)
		none(t, Plan(native(moneySnapshot(t, m, s, doubt))), "money_unknown")
	})
	t.Run("R-143_money_in_doubt_stays_so_when_a_repeat_surely_fails", func(t *testing.T) {
		c := first
		c.Again = 2
		x := &turn{Reconciler: &Reconciler{Clock: func() time.Time { return noon }}, s: Sides{Policy: Policy{SettleMarket: time.Minute}},
			rec: connector.Record{Entries: []connector.Entry{ledgered(2, first, connector.Unknown)}, Market: &connector.Snapshot{ObservedAt: noon}}}
		require.Equal(t, connector.Unknown, x.doubted(c, connector.Outcome{State: connector.Retry}).State)
	})
	t.Run("R-133_no_parcel_is_confirmed_while_the_order_is_being_cancelled", func(t *testing.T) {
		m, s := channelOrder(), storeOrder(gave("RF1", 600, "L1", "L2", "L3"), cancelledInStore)
		c, _ := one(t, Plan(moneySnapshot(t, m, s)))
		sent("L1")(s)
		for _, open := range []connector.EntryState{connector.Queued, connector.Sent, connector.Unknown, connector.Done} {
			d := Plan(moneySnapshot(t, m, s, ledgered(2, c, open)))
			require.NotContains(t, verbs(d), ConfirmShipment, open)
			require.Contains(t, kinds(d), "cancelling_at_channel", open)
		}
		require.Contains(t, verbs(Plan(moneySnapshot(t, m, s, ledgered(2, c, connector.Refused)))), ConfirmShipment)
	})
}

// What the channel has given back by itself is seen, shown and not repeated.
func TestMoneyOfTheChannel(t *testing.T) {
	seen := func(s Snapshot, minor int64) Snapshot {
		s.Refunds = []marketplace.Refund{there("R1", minor, noon.Add(-26*time.Hour))}
		return s
	}
	t.Run("R-140_what_the_channel_refunded_is_not_repeated", func(t *testing.T) {
		h := none(t, Plan(seen(allSent(t, gave("RF1", 0, "L3")), 1100)), "already_refunded")
		require.Equal(t, "RF1", h.About)
		require.Equal(t, connector.Warns, h.Level)
	})
	t.Run("R-140_nor_by_a_refund_of_another_amount", func(t *testing.T) {
		d := Plan(seen(allSent(t, gave("RF1", 0, "L3")), 400))
		require.Equal(t, connector.Blocks, none(t, d, "already_refunded").Level)
		require.False(t, d.Final)
	})
	t.Run("R-140_nor_by_a_cancellation", func(t *testing.T) {
		s := moneySnapshot(t, channelOrder(), storeOrder(gave("RF1", 600, "L1", "L2", "L3"), cancelledInStore))
		none(t, Plan(seen(s, 500)), "already_refunded")
	})
	t.Run("R-140_one_refund_there_meets_one_here", func(t *testing.T) {
		s := seen(allSent(t, gave("RF1", 500), gave("RF2", 500)), 500)
		none(t, Plan(s), "already_refunded")
		s.Refunds = append(s.Refunds, there("R2", 500, noon.Add(-25*time.Hour)))
		d := Plan(s)
		require.Empty(t, moneyOf(d))
		for _, h := range d.Holds {
			require.NotEqual(t, connector.Blocks, h.Level, "%+v", h)
		}
	})
	t.Run("R-140_a_person_can_say_that_it_was_meant_in_addition", func(t *testing.T) {
		s := seen(allSent(t, gave("RF1", 0, "L3")), 1100)
		s.Wishes = []connector.Wish{wishOf(t, 3, connector.WishApprove, "beside/RF1", nil)}
		c, _ := one(t, Plan(s))
		require.Equal(t, usd(1100), c.Amount)
		s.Refunds = append(s.Refunds, there("R2", 2800, noon.Add(-25*time.Hour)))
		none(t, Plan(s), "above_refundable") // 10.99 are left
	})
	t.Run("R-140_what_was_approved_is_still_bounded_by_what_the_buyer_was_charged", func(t *testing.T) {
		s := seen(moneySnapshot(t, channelOrder(shippedAt(1, 0)), storeOrder(sent("L1"), gave("RF1", 0, "L1"))), 400)
		s.Wishes = []connector.Wish{wishOf(t, 3, connector.WishApprove, "beside/RF1", nil)}
		none(t, Plan(s), "refund_waits") // 12.50 of the one unit are left
	})
	t.Run("R-141_the_store_order_gets_a_mark_and_the_difference_is_listed", func(t *testing.T) {
		d := Plan(seen(allSent(t), 1100))
		require.Equal(t, []connector.Verb{UpdateMirror}, verbs(d))
		var u shopadmin.Update
		decode(t, d.Commands[0], &u)
		require.Equal(t, "11.00 USD", u.Attributes[AttrRefund])
		require.Equal(t, []string{"Amazon refunded"}, u.AddTags)
		require.Contains(t, u.Note, "Amazon has refunded 11.00 USD by itself")
		require.Contains(t, u.Note, "Do not refund it again")
		require.Contains(t, kinds(d), "refunded_at_channel")
		shown := with(seen(allSent(t), 1100), entry(2, d.Commands[0], connector.Done, noon.Add(-time.Minute)))
		require.Empty(t, Plan(shown).Commands)
		require.Contains(t, kinds(Plan(shown)), "refunded_at_channel")
	})
	t.Run("R-142_the_notice_says_that_the_marketplace_has_refunded_already", func(t *testing.T) {
		for _, minor := range []int64{1100, 400} {
			h := none(t, Plan(seen(allSent(t, gave("RF1", 0, "L3")), minor)), "already_refunded")
			require.Contains(t, h.Reason, "that refund failed: the marketplace has refunded "+usd(minor).String()+" already")
			require.Contains(t, h.Reason, "the store refunded 11.00 USD at 2026-11-20T19:00:00Z")
			require.Contains(t, h.Hint, "orders approve amazon-us/114-1 beside/RF1")
		}
	})
}

// What people decide: a cancellation without money, holds, approvals, and refunds begun here.
func TestMoneyAndPeople(t *testing.T) {
	t.Run("R-146_a_cancellation_without_money_is_held_with_its_reason", func(t *testing.T) {
		for name, edits := range map[string][]func(*shopadmin.Order){
			"none":             {cancelledInStore},
			"zero":             {gave("RF1", 0, "L1", "L2", "L3"), refundEdit(func(r *shopadmin.Refund) { r.Moved = usd(0) }), cancelledInStore},
			"none, and it was": {sent("L1", "L2", "L3"), cancelledInStore},
		} {
			d := Plan(moneySnapshot(t, channelOrder(), storeOrder(edits...)))
			h := none(t, d, "cancel_without_refund")
			require.Contains(t, h.Reason, "without giving money back", name)
			require.Contains(t, h.Hint, "above zero", name)
			require.False(t, d.Final, name)
		}
	})
	t.Run("R-146_with_an_amount_above_zero_it_goes_through", func(t *testing.T) {
		c, _ := one(t, Plan(moneySnapshot(t, channelOrder(), storeOrder(gave("RF1", 1), cancelledInStore))))
		require.Equal(t, CancelMarket, c.Verb)
	})
	t.Run("R-143_an_operators_hold_stops_money_and_a_release_lets_it_go", func(t *testing.T) {
		s := allSent(t, gave("RF1", 0, "L3"))
		hold := wishOf(t, 1, connector.WishHold, "", nil)
		hold.Reason = "asking the buyer"
		s.Wishes = []connector.Wish{hold}
		require.Contains(t, none(t, Plan(s), "held_by_operator").Reason, "asking the buyer")
		s.Wishes = append(s.Wishes, wishOf(t, 2, connector.WishRelease, "", nil))
		one(t, Plan(s))
	})
	t.Run("R-144_above_the_limit_a_person_decides_about_what_happened_during_a_removal", func(t *testing.T) {
		s := moneySnapshot(t, channelOrder(), storeOrder(gave("RF1", 600, "L1", "L2", "L3"), cancelledInStore))
		s.Policy.RemovedAt, s.Policy.RejoinedAt = noon.Add(-100*time.Hour), noon.Add(-time.Minute)
		one(t, Plan(s)) // without a limit it runs by itself
		s.Policy.AskAbove = usd(4998)
		require.Contains(t, none(t, Plan(s), "approval_needed").Reason, "49.99 USD")
		s.Wishes = []connector.Wish{wishOf(t, 1, connector.WishApprove, "order", nil)}
		one(t, Plan(s))
		s.Wishes, s.Policy.AskAbove = nil, usd(4999)
		one(t, Plan(s)) // not above the limit
		s.Policy.AskAbove, s.Policy.RejoinedAt = usd(1), noon.Add(-2*time.Hour)
		one(t, Plan(s)) // the cancellation came after the reconnection
	})
	t.Run("R-145_also_for_what_was_fulfilled_however_long_ago", func(t *testing.T) {
		s := allSent(t, gave("RF1", 600, "L1", "L2", "L3"), cancelledInStore)
		s.Shop.CancelledAt = noon.Add(-365 * 24 * time.Hour)
		s.Shop.Refunds[0].CreatedAt = s.Shop.CancelledAt
		s.Policy.RemovedAt, s.Policy.RejoinedAt = noon.Add(-366*24*time.Hour), noon
		c, _ := one(t, Plan(s))
		require.Equal(t, RefundMarket, c.Verb)
		require.Equal(t, usd(4999), c.Amount)
		require.Empty(t, moneyOf(Plan(with(s, ledgered(2, c, connector.Done)))))
	})
	t.Run("R-139_a_refund_begun_here_goes_to_the_channel_first_and_then_into_the_store", func(t *testing.T) {
		s := allSent(t)
		s.Wishes = []connector.Wish{wishOf(t, 7, connector.WishRefund, "", RefundWish{Lines: []RefundWishLine{{Line: "22", Quantity: 1}}, Reason: "customer", Restock: true})}
		c, _ := one(t, Plan(s))
		require.Equal(t, RefundMarket, c.Verb)
		require.Equal(t, usd(1100), c.Amount)
		for _, open := range []connector.EntryState{connector.Queued, connector.Sent, connector.Unknown, connector.Refused} {
			require.Empty(t, moneyOf(Plan(with(s, ledgered(2, c, open)))), open)
		}
		s = with(s, ledgered(2, c, connector.Done))
		legs := moneyOf(Plan(s))
		require.Len(t, legs, 1)
		require.Equal(t, RefundShop, legs[0].Verb)
		var r shopadmin.NewRefund
		decode(t, legs[0], &r)
		require.Equal(t, shopadmin.NewRefund{Note: "channelbridge:w7", Amount: usd(1100),
			Lines: []shopadmin.NewRefundLine{{Line: "L3", Quantity: 1, Restock: shopadmin.RestockReturn}}}, r)

		s = with(s, ledgered(3, legs[0], connector.Done))
		s.Shop.Refunds = []shopadmin.Refund{{ID: "RF9", Note: r.Note, Moved: r.Amount, CreatedAt: noon}}
		require.Empty(t, moneyOf(Plan(s)), "the store's record of it is not passed on")
	})
	t.Run("R-139_of_two_units_asked_for_here_the_channel_has_cancelled_one_by_itself", func(t *testing.T) {
		m := channelOrder(func(o *marketplace.Order) { o.Lines[0].Cancelled = 1 })
		s := moneySnapshot(t, m, storeOrder())
		s.Wishes = []connector.Wish{wishOf(t, 7, connector.WishRefund, "", RefundWish{Lines: []RefundWishLine{{Line: line, Quantity: 2}}})}
		c, in := one(t, Plan(s))
		require.Equal(t, CancelUnits, c.Verb)
		require.Equal(t, 1, in.Lines[0].Quantity)

		m.Lines[0].Cancelled = 2
		s = with(s, ledgered(2, c, connector.Done))
		legs := moneyOf(Plan(s))
		require.Len(t, legs, 1)
		require.Equal(t, RefundShop, legs[0].Verb, "the store's record holds both")
		require.Equal(t, usd(3299), legs[0].Amount)
	})
	t.Run("R-143_shipping_stays_stopped_while_the_channel_is_asked_to_cancel", func(t *testing.T) {
		s := moneySnapshot(t, channelOrder(), storeOrder())
		s.Policy.CanHold = true
		s.Wishes = []connector.Wish{wishOf(t, 7, connector.WishCancel, "", CancelWish{Reason: "customer"})}
		stops := func(d Decision) bool {
			return slices.ContainsFunc(d.Commands, func(c connector.Command) bool { return c.Verb == HoldShipping })
		}
		d := Plan(s)
		c, _ := one(t, d)
		require.True(t, stops(d))
		for _, open := range []connector.EntryState{connector.Queued, connector.Sent, connector.Done} {
			require.True(t, stops(Plan(with(s, ledgered(2, c, open)))), "%s: the first try to stop it came to nothing", open)
		}
	})
	t.Run("R-143_what_was_kept_back_can_be_given_later", func(t *testing.T) {
		s := allSent(t, gave("RF1", -200, "L3"), gave("RF2", 200))
		c, _ := one(t, Plan(s))
		c2, _ := one(t, Plan(with(s, ledgered(2, c, connector.Done))))
		require.EqualValues(t, 1100, c.Amount.Minor+c2.Amount.Minor)
	})
	t.Run("R-143_and_on_the_line_it_was_kept_of", func(t *testing.T) {
		s := allSent(t, gave("RF1", -200, "L3"), gave("RF2", 600, "L1", "L2"), gave("RF3", 200))
		for id := range int64(2) {
			c, _ := one(t, Plan(s))
			s = with(s, ledgered(id+2, c, connector.Done))
		}
		_, in := one(t, Plan(s))
		require.Equal(t, []marketplace.InstructionLine{part1("22", marketplace.Restocking, 200, 0)}, in.Lines)
	})
	t.Run("R-143_what_was_kept_of_units_never_charged_is_not_given_later", func(t *testing.T) {
		m := channelOrder(shippedAt(2, 0))
		sh := storeOrder(sent("L1", "L2"), gave("RF1", -200, "L3"))
		cut, _ := one(t, Plan(moneySnapshot(t, m, sh)))
		require.Equal(t, CancelUnits, cut.Verb)
		m.Lines[1].Cancelled, m.Lifecycle = 1, marketplace.Closed
		gave("RF2", 0, "L1", "L2")(sh)
		s := moneySnapshot(t, m, sh, ledgered(2, cut, connector.Done))
		back, _ := one(t, Plan(s))
		s = with(s, ledgered(3, back, connector.Done))
		require.EqualValues(t, 4399, cut.Amount.Minor+back.Amount.Minor)
		s.Shop.Refunds = append(s.Shop.Refunds, shopadmin.Refund{ID: "RF3", CreatedAt: noon, Moved: usd(200)})
		d := Plan(s)
		require.Empty(t, moneyOf(d))
		require.Contains(t, abouts(d, "kept_back_lost"), "RF3")
	})
	t.Run("R-143_the_shipping_of_a_line_that_never_shipped_is_not_charged_and_not_given_back", func(t *testing.T) {
		m, sh := channelOrder(shippedAt(1, 0)), storeOrder(sent("L1"), gave("RF1", 600, "L1", "L2", "L3"), cancelledInStore)
		cut, _ := one(t, Plan(moneySnapshot(t, m, sh)))
		require.Equal(t, CancelUnits, cut.Verb)
		m.Lines[0].Cancelled, m.Lines[1].Cancelled, m.Lifecycle = 1, 1, marketplace.Closed
		d := Plan(moneySnapshot(t, m, sh, ledgered(2, cut, connector.Done)))
		back, in := one(t, d)
		require.Equal(t, usd(1649), back.Amount, "the unit that shipped")
		require.Equal(t, line, in.Lines[0].Line)
		require.Contains(t, abouts(d, "kept_back_lost"), "RF1")
	})
	t.Run("R-143_an_amount_takes_no_more_of_a_line_than_what_has_shipped_of_it", func(t *testing.T) {
		s := moneySnapshot(t, channelOrder(shippedAt(1, 0)), storeOrder(sent("L1"), gave("RF1", 1700)))
		none(t, Plan(s), "refund_waits")
		s = moneySnapshot(t, channelOrder(shippedAt(2, 0)), storeOrder(sent("L1", "L2"), gave("RF1", 1700)))
		one(t, Plan(s))
	})
	t.Run("R-143_goodwill_needs_the_operators_consent", func(t *testing.T) {
		s := allSent(t, gave("RF1", 5100))
		none(t, Plan(s), "above_refundable")
		s.Policy.Goodwill = true
		c, in := one(t, Plan(s))
		require.EqualValues(t, 5100, partsOf(in))
		require.Contains(t, in.Lines[0].Parts, marketplace.Component{Kind: marketplace.Goodwill, Amount: usd(101)})
		s.Shop.Refunds = append(s.Shop.Refunds, shopadmin.Refund{ID: "RF2", CreatedAt: noon, Moved: usd(1)})
		none(t, Plan(with(s, ledgered(2, c, connector.Done))), "above_refundable") // once: it could be the same money
	})
	t.Run("R-143_goodwill_does_not_take_the_place_of_waiting", func(t *testing.T) {
		s := moneySnapshot(t, channelOrder(shippedAt(1, 0)), storeOrder(sent("L1"), gave("RF1", 4000)))
		s.Policy.Goodwill = true
		none(t, Plan(s), "refund_waits")
	})
}

// abouts lists what holds of a kind are about.
func abouts(d Decision, kind string) (out []string) {
	for _, h := range d.Holds {
		if h.Kind == kind {
			out = append(out, h.About)
		}
	}
	return out
}
