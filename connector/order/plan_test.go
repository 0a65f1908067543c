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

var noon = time.Date(2026, 11, 20, 20, 0, 0, 0, time.UTC) // noon in Los Angeles

const line = "11498765431234"

func usd(minor int64) money.Money { return money.New(minor, "USD") }

// channelOrder is a paid order of two units in one line and one in another.
func channelOrder(edit ...func(*marketplace.Order)) *marketplace.Order {
	o := &marketplace.Order{ID: "114-1", Site: "ATVPDKIKX0DER", Zone: "America/Los_Angeles", PlacedAt: noon.Add(-5 * time.Hour),
		UpdatedAt: noon.Add(-5 * time.Hour), Lifecycle: marketplace.Open, External: "UNSHIPPED", FulfilledBy: marketplace.ByMerchant,
		Currency: "USD", Total: usd(4999), ShipBy: marketplace.TimeWindow{To: noon.Add(48 * time.Hour)},
		ShipTo: &marketplace.Address{Name: "Ada May Buyer", Line1: "1 Main St", City: "Seattle", Region: "WA", PostalCode: "98101", Country: "US", Phone: "+1 206 555 0100"},
		Lines: []marketplace.Line{
			{ID: line, SKU: "SKU-1", Title: "Echo", Ordered: 2, Parts: []marketplace.Component{{Kind: marketplace.Item, Amount: usd(2999), Tax: usd(300), TaxByChannel: true}}},
			{ID: "22", SKU: "NOT-LISTED", Title: "Sock", Ordered: 1, Parts: []marketplace.Component{
				{Kind: marketplace.Item, Amount: usd(1000), Tax: usd(100), TaxByChannel: true}, {Kind: marketplace.Shipping, Amount: usd(700), Discount: usd(100)}}},
		}}
	for _, e := range edit {
		e(o)
	}
	return o
}

// storeOrder is its mirror.
func storeOrder(edit ...func(*shopadmin.Order)) *shopadmin.Order {
	o := &shopadmin.Order{ID: "S1", Name: "#1001", Mark: shopadmin.Mark{Channel: "amazon-us", Order: "114-1"}, Tags: []string{"Amazon"},
		CreatedAt: noon.Add(-4 * time.Hour), UpdatedAt: noon.Add(-4 * time.Hour), Lines: []shopadmin.Line{
			{ID: "L1", ChannelLine: line, Quantity: 1, Current: 1, Unfulfilled: 1},
			{ID: "L2", ChannelLine: line, Quantity: 1, Current: 1, Unfulfilled: 1},
			{ID: "L3", ChannelLine: "22", Quantity: 1, Current: 1, Unfulfilled: 1}}}
	for _, e := range edit {
		e(o)
	}
	return o
}

func fulfilled(id string, at time.Time, number string, lines ...string) func(*shopadmin.Order) {
	return func(o *shopadmin.Order) {
		f := shopadmin.Fulfillment{ID: id, Name: "#1001." + id, Status: shopadmin.FulfillmentSuccess, CreatedAt: at,
			Tracking: []shopadmin.Tracking{{Company: "UPS", Number: number}}}
		for _, l := range lines {
			f.Lines = append(f.Lines, shopadmin.FulfilledLine{Line: l, Quantity: 1})
		}
		o.Fulfillments = append(o.Fulfillments, f)
	}
}

func snapshot(m *marketplace.Order, s *shopadmin.Order, entries ...connector.Entry) Snapshot {
	snap := Snapshot{Subject: connector.Subject{Kind: connector.KindOrder, Channel: "amazon-us", ID: "114-1"}, Market: m, MarketAt: noon,
		Shop: s, ShopAt: noon, Searched: noon, Ledger: entries, Now: noon,
		Policy: Policy{Tag: "Amazon", Gateway: "amazon", Carriers: map[string]marketplace.Carrier{"ups": {Code: "UPS"}}, NeedTrack: true,
			SettleMarket: time.Minute, SettleShop: 2 * time.Minute, RepeatConfirm: marketplace.RepeatNatural, CanUpdate: true, CanHold: true,
			ProveAfter: 15 * time.Minute, AlarmLead: time.Hour, ShipByWarn: 6 * time.Hour}}
	if s != nil {
		snap.ShopRef = connector.ShopRef{Store: "shop", ID: string(s.ID)}
	}
	return snap
}

// entry is a command as it stands in the ledger.
func entry(id int64, c connector.Command, state connector.EntryState, at time.Time) connector.Entry {
	e := connector.Entry{ID: id, Command: c, State: state, Attempts: 1, IntendedAt: at, Deadline: at.Add(30 * time.Second)}
	if state != connector.Sent {
		e.SettledAt = at
	}
	return e
}

// created is the ledger entry of the mirror's creation.
func created(t *testing.T) connector.Entry {
	d := Plan(snapshot(channelOrder(), nil))
	require.Len(t, d.Commands, 1)
	return entry(1, d.Commands[0], connector.Proven, noon.Add(-4*time.Hour))
}

func newOrder(t *testing.T, d Decision) shopadmin.NewOrder {
	require.Len(t, d.Commands, 1)
	require.Equal(t, CreateMirror, d.Commands[0].Verb)
	var o shopadmin.NewOrder
	require.NoError(t, json.Unmarshal(d.Commands[0].Body, &o))
	return o
}

func kinds(d Decision) (out []string) {
	for _, h := range d.Holds {
		out = append(out, h.Kind)
	}
	return out
}

func TestMirror(t *testing.T) {
	t.Run("R-130_a_released_order_is_created_in_the_store_once", func(t *testing.T) {
		d := Plan(snapshot(channelOrder(), nil))
		o := newOrder(t, d)
		require.Equal(t, shopadmin.Mark{Channel: "amazon-us", Order: "114-1"}, o.Mark)
		again := Plan(snapshot(channelOrder(), storeOrder(), entry(1, d.Commands[0], connector.Done, noon)))
		require.Empty(t, again.Commands)
		found := snapshot(channelOrder(), storeOrder()) // found by its mark without a ledger entry
		require.Empty(t, Plan(found).Commands)
	})
	t.Run("R-131_it_carries_the_channels_tag", func(t *testing.T) {
		require.Contains(t, newOrder(t, Plan(snapshot(channelOrder(), nil))).Tags, "Amazon")
	})
	t.Run("R-132_lines_of_unknown_products_come_along", func(t *testing.T) {
		o := newOrder(t, Plan(snapshot(channelOrder(), nil)))
		require.Equal(t, "NOT-LISTED", o.Lines[len(o.Lines)-1].SKU)
	})
	t.Run("R-136_nothing_the_store_could_write_to_is_sent", func(t *testing.T) {
		body := string(Plan(snapshot(channelOrder(), nil)).Commands[0].Body)
		require.NotContains(t, body, "555 0100")
		require.NotContains(t, body, "phone")
		require.NotContains(t, body, "email")
	})
	t.Run("R-138_an_order_the_channel_ships_is_mirrored_read_only", func(t *testing.T) {
		m := channelOrder(func(o *marketplace.Order) { o.FulfilledBy = marketplace.ByChannel })
		o := newOrder(t, Plan(snapshot(m, nil)))
		for _, l := range o.Lines {
			require.False(t, l.Ships)
		}
	})
	t.Run("what was shipped at the channel before is not shipped again from the store", func(t *testing.T) {
		m := channelOrder(func(o *marketplace.Order) { o.Lines[0].Shipped = 1 })
		o := newOrder(t, Plan(snapshot(m, nil)))
		ships := map[bool]int{}
		for _, l := range o.Lines {
			if l.ChannelLine == line {
				ships[l.Ships] += l.Quantity
			}
		}
		require.Equal(t, map[bool]int{true: 1, false: 1}, ships)
		require.Equal(t, "1 units shipped at the channel", o.Attributes[AttrState])
		require.Equal(t, usd(4999), o.Paid)
	})
	t.Run("an order sold elsewhere and only shipped by the channel is not mirrored", func(t *testing.T) {
		d := Plan(snapshot(channelOrder(func(o *marketplace.Order) { o.Elsewhere, o.FulfilledBy = "sold elsewhere", marketplace.ByChannel }), nil))
		require.Empty(t, d.Commands)
		require.True(t, d.Final)
	})
	t.Run("a pending order waits and a cancelled one never comes", func(t *testing.T) {
		require.Empty(t, Plan(snapshot(channelOrder(func(o *marketplace.Order) { o.Lifecycle = marketplace.Pending }), nil)).Commands)
		d := Plan(snapshot(channelOrder(func(o *marketplace.Order) { o.Lifecycle = marketplace.Cancelled }), nil))
		require.Empty(t, d.Commands)
		require.True(t, d.Final)
	})
	t.Run("what was shipped before the channel was connected stays out", func(t *testing.T) {
		old := snapshot(channelOrder(func(o *marketplace.Order) { o.Lifecycle = marketplace.Closed }), nil)
		old.Policy.Since = noon
		d := Plan(old)
		require.Empty(t, d.Commands)
		require.True(t, d.Final)
		open := snapshot(channelOrder(), nil)
		open.Policy.Since = noon
		require.Len(t, Plan(open).Commands, 1, "what is still to be shipped comes")
	})
	t.Run("an unmapped state sends nothing", func(t *testing.T) {
		d := Plan(snapshot(channelOrder(func(o *marketplace.Order) { o.Lifecycle, o.External = marketplace.Unmapped, "UpComing" }), nil))
		require.Empty(t, d.Commands)
		require.Contains(t, kinds(d), "unmapped_state")
	})
	t.Run("the store is searched before the first create", func(t *testing.T) {
		s := snapshot(channelOrder(), nil)
		s.Searched = time.Time{}
		d := Plan(s)
		require.Empty(t, d.Commands)
		require.Equal(t, noon, d.Wake)
	})
}

func TestMirrorAfterADoubtfulAnswer(t *testing.T) {
	first := Plan(snapshot(channelOrder(), nil)).Commands[0]
	e := entry(1, first, connector.Unknown, noon)
	at := func(d time.Duration, searched time.Duration) Decision {
		s := snapshot(channelOrder(), nil, e)
		s.Now, s.Searched = noon.Add(d), noon.Add(searched)
		return Plan(s)
	}
	window := 30*time.Second + 2*time.Minute
	d := at(time.Minute, time.Minute)
	require.Empty(t, d.Commands, "inside the window nothing is repeated, found or not")
	require.Equal(t, noon.Add(window), d.Wake)
	require.Empty(t, at(window+time.Second, time.Minute).Commands, "a search from inside the window proves nothing")
	d = at(window+time.Second, window)
	require.Len(t, d.Commands, 1)
	require.EqualValues(t, 1, d.Commands[0].Again)
	require.Equal(t, first.Key, d.Commands[0].Key)

	s := snapshot(channelOrder(), storeOrder(), e)
	d = Plan(s)
	require.Empty(t, d.Commands)
	require.Len(t, d.Proven, 1)
}

func TestShip(t *testing.T) {
	ship := noon.Add(-time.Hour)
	all := fulfilled("F1", ship, "1Z1", "L1", "L2", "L3")
	plan := func(m *marketplace.Order, s *shopadmin.Order, entries ...connector.Entry) Decision {
		return Plan(snapshot(m, s, append([]connector.Entry{created(t)}, entries...)...))
	}
	t.Run("R-133_a_fulfillment_of_the_store_is_confirmed_at_the_channel", func(t *testing.T) {
		d := plan(channelOrder(), storeOrder(all))
		require.Len(t, d.Commands, 1)
		s := bodyOf(d.Commands[0])
		require.Equal(t, "1", s.Ref)
		require.Equal(t, []marketplace.ShipmentLine{{Line: line, Quantity: 2}, {Line: "22", Quantity: 1}}, s.Lines)
		require.Equal(t, marketplace.Carrier{Code: "UPS"}, s.Carrier)
		done := entry(2, d.Commands[0], connector.Done, noon)
		require.Empty(t, plan(channelOrder(), storeOrder(all), done).Commands)
	})
	t.Run("R-133_one_made_only_at_the_channel_is_shown_as_such", func(t *testing.T) {
		m := channelOrder(func(o *marketplace.Order) {
			o.Lines[0].Shipped, o.Lines[1].Shipped = 2, 1
			o.Lifecycle = marketplace.Closed
		})
		d := plan(m, storeOrder())
		require.Len(t, d.Commands, 1)
		require.Equal(t, UpdateMirror, d.Commands[0].Verb)
		require.Contains(t, string(d.Commands[0].Body), "3 units shipped at the channel")
		require.Equal(t, "fulfilled", d.Summary.Fulfillment)
	})
	t.Run("R-134_the_ship_date_is_the_stores_and_the_day_ends_in_the_channels_zone", func(t *testing.T) {
		late := time.Date(2026, 11, 21, 7, 30, 0, 0, time.UTC) // 23:30 on the 20th in Los Angeles
		d := plan(channelOrder(), storeOrder(fulfilled("F1", late, "1Z1", "L1", "L2", "L3")))
		require.Equal(t, late, bodyOf(d.Commands[0]).ShippedAt)
		require.Equal(t, time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC), d.Due)
	})
	t.Run("R-134_an_open_push_raises_an_alarm_an_hour_before_the_day_ends", func(t *testing.T) {
		s := snapshot(channelOrder(), storeOrder(all), created(t), entry(2, plan(channelOrder(), storeOrder(all)).Commands[0], connector.Retry, noon))
		s.Now = time.Date(2026, 11, 21, 7, 0, 0, 0, time.UTC)
		require.Contains(t, kinds(Plan(s)), "same_day_alarm")
		s.Now = s.Now.Add(time.Hour)
		require.Contains(t, kinds(Plan(s)), "same_day_missed")
		s.Now = s.Now.Add(-3 * time.Hour)
		require.NotContains(t, kinds(Plan(s)), "same_day_alarm")
	})
	t.Run("R-023_lines_ship_in_separate_parcels_at_different_times", func(t *testing.T) {
		one := fulfilled("F1", ship, "1Z1", "L1")
		d := plan(channelOrder(), storeOrder(one))
		require.Equal(t, []marketplace.ShipmentLine{{Line: line, Quantity: 1}}, bodyOf(d.Commands[0]).Lines)
		first := entry(2, d.Commands[0], connector.Done, noon)
		d = plan(channelOrder(), storeOrder(one, fulfilled("F2", noon, "1Z2", "L2", "L3")), first)
		require.Len(t, d.Commands, 1)
		require.Equal(t, "2", bodyOf(d.Commands[0]).Ref)
		require.Equal(t, []marketplace.ShipmentLine{{Line: line, Quantity: 1}, {Line: "22", Quantity: 1}}, bodyOf(d.Commands[0]).Lines)
	})
	t.Run("R-004_nothing_is_confirmed_for_an_order_the_channel_ships", func(t *testing.T) {
		m := channelOrder(func(o *marketplace.Order) { o.FulfilledBy = marketplace.ByChannel })
		d := plan(m, storeOrder(all))
		require.Empty(t, d.Commands)
		require.Contains(t, kinds(d), "channel_fulfils")
		for _, h := range d.Holds {
			if h.Kind == "channel_fulfils" {
				require.Contains(t, h.Hint, "at the channel")
			}
		}
	})
	t.Run("a doubtful confirmation is repeated with the same key, reference and date", func(t *testing.T) {
		first := plan(channelOrder(), storeOrder(all)).Commands[0]
		d := plan(channelOrder(), storeOrder(all), entry(2, first, connector.Unknown, noon.Add(-time.Minute)))
		require.Len(t, d.Commands, 1)
		require.Equal(t, first.Key, d.Commands[0].Key)
		require.EqualValues(t, 2, d.Commands[0].Again)
		require.JSONEq(t, string(first.Body), string(d.Commands[0].Body))
	})
	t.Run("a confirmation that surely failed is not taken for seen", func(t *testing.T) {
		c := plan(channelOrder(), storeOrder(all)).Commands[0]
		failed := entry(2, c, connector.Retry, noon.Add(-time.Minute))
		s := snapshot(channelOrder(), storeOrder(all), created(t), failed) // the channel lists no packages at all
		s.MarketAt = noon
		d := Plan(s)
		require.Empty(t, d.Proven)
		require.Equal(t, []connector.Verb{ConfirmShipment}, verbs(d))
	})
	t.Run("a corrected number is an edit of the same parcel", func(t *testing.T) {
		first := plan(channelOrder(), storeOrder(all)).Commands[0]
		d := plan(channelOrder(), storeOrder(fulfilled("F1", ship, "1Z9", "L1", "L2", "L3")), entry(2, first, connector.Done, noon))
		require.Len(t, d.Commands, 1)
		s := bodyOf(d.Commands[0])
		require.Equal(t, "1", s.Ref)
		require.Equal(t, "1Z9", s.Tracking)
		require.Equal(t, ship, s.ShippedAt)
		require.NotEqual(t, first.Key, d.Commands[0].Key)
	})
	t.Run("a cancelled fulfillment raises an alert and sends nothing", func(t *testing.T) {
		first := plan(channelOrder(), storeOrder(all)).Commands[0]
		back := storeOrder(all, func(o *shopadmin.Order) { o.Fulfillments[0].Status = shopadmin.FulfillmentCancelled })
		d := plan(channelOrder(), back, entry(2, first, connector.Proven, noon))
		require.Empty(t, d.Commands)
		require.Contains(t, kinds(d), "shipment_taken_back")
	})
	t.Run("what cannot be sent is held with its reason", func(t *testing.T) {
		for kind, o := range map[string]*shopadmin.Order{
			"tracking_missing": storeOrder(fulfilled("F1", ship, "", "L1")),
			"carrier_unmapped": storeOrder(all, func(o *shopadmin.Order) { o.Fulfillments[0].Tracking[0].Company = "Pigeon Post" }),
		} {
			d := plan(channelOrder(), o)
			require.Empty(t, d.Commands)
			require.Contains(t, kinds(d), kind)
			require.False(t, d.Due.IsZero())
		}
		d := plan(channelOrder(func(o *marketplace.Order) { o.Lifecycle = marketplace.Cancelled }), storeOrder(all))
		require.NotContains(t, verbs(d), ConfirmShipment)
		require.Contains(t, kinds(d), "cancelled_at_channel")
	})
}

func verbs(d Decision) (out []connector.Verb) {
	for _, c := range d.Commands {
		out = append(out, c.Verb)
	}
	return out
}

func TestShow(t *testing.T) {
	t.Run("R-129_a_changed_address_shows_in_the_store_and_an_unchanged_one_overwrites_nothing", func(t *testing.T) {
		d := Plan(snapshot(channelOrder(func(o *marketplace.Order) { o.ShipTo.Line1 = "2 Side St" }), storeOrder(), created(t)))
		require.Len(t, d.Commands, 1)
		require.Equal(t, UpdateMirror, d.Commands[0].Verb)
		require.Contains(t, string(d.Commands[0].Body), "2 Side St")
		done := entry(2, d.Commands[0], connector.Done, noon)
		require.Empty(t, Plan(snapshot(channelOrder(func(o *marketplace.Order) { o.ShipTo.Line1 = "2 Side St" }), storeOrder(), created(t), done)).Commands)
		require.Empty(t, Plan(snapshot(channelOrder(), storeOrder(func(o *shopadmin.Order) { o.Attributes = map[string]string{"gift": "yes"} }), created(t))).Commands)
	})
	t.Run("an order cancelled at the channel is held in the store", func(t *testing.T) {
		d := Plan(snapshot(channelOrder(func(o *marketplace.Order) { o.Lifecycle = marketplace.Cancelled }), storeOrder(), created(t)))
		require.Contains(t, verbs(d), HoldShipping)
		require.Contains(t, kinds(d), "cancelled_at_channel")
	})
	t.Run("a side that cannot be read is shown, and the other goes on", func(t *testing.T) {
		s := snapshot(channelOrder(), storeOrder(fulfilled("F1", noon.Add(-time.Hour), "1Z1", "L1", "L2", "L3")), created(t))
		s.MarketFault, s.ShopFault = "nobody knows", "refused"
		d := Plan(s)
		require.Equal(t, []connector.Verb{ConfirmShipment}, verbs(d))
		require.Contains(t, kinds(d), "unreadable")
		s = snapshot(channelOrder(), nil)
		s.MarketFault = "nobody knows"
		require.Empty(t, Plan(s).Commands, "nothing is created from old news")
		s = snapshot(channelOrder(), storeOrder(), created(t))
		s.Gone = true
		require.Contains(t, kinds(Plan(s)), "mirror_missing")
	})
	t.Run("a buyer's wish to cancel holds the shipping once", func(t *testing.T) {
		m := channelOrder(func(o *marketplace.Order) { o.CancelRequest = &marketplace.CancelRequest{Reason: "changed my mind"} })
		d := Plan(snapshot(m, storeOrder(), created(t)))
		require.Contains(t, verbs(d), HoldShipping)
		require.Contains(t, kinds(d), "cancel_requested")
		var entries []connector.Entry
		for i, c := range d.Commands {
			entries = append(entries, entry(int64(i+2), c, connector.Done, noon))
		}
		d = Plan(snapshot(m, storeOrder(), append(entries, created(t))...)) // the merchant let the hold go
		require.Empty(t, d.Commands)
	})
}

func TestWarnings(t *testing.T) {
	t.Run("R-135_a_ship_by_time_near_or_past_is_warned_of", func(t *testing.T) {
		at := func(left time.Duration) []string {
			m := channelOrder(func(o *marketplace.Order) { o.ShipBy.To = noon.Add(left) })
			return kinds(Plan(snapshot(m, storeOrder(), created(t))))
		}
		require.Contains(t, at(5*time.Hour), "ship_by_near")
		require.Contains(t, at(-time.Minute), "ship_by_missed")
		require.Empty(t, at(20*time.Hour))
	})
	t.Run("an order without address is mirrored and warned of", func(t *testing.T) {
		d := Plan(snapshot(channelOrder(func(o *marketplace.Order) { o.ShipTo = nil }), nil))
		require.Len(t, d.Commands, 1)
		require.Contains(t, kinds(d), "address_missing")
	})
}

func TestFulfillment(t *testing.T) {
	shipped := func(a, b int) marketplace.Order {
		return *channelOrder(func(o *marketplace.Order) { o.Lines[0].Shipped, o.Lines[1].Shipped = a, b })
	}
	t.Run("R-024_some_but_not_all_is_partial", func(t *testing.T) {
		require.Equal(t, "partially_fulfilled", Fulfillment(shipped(1, 0), nil))
		require.Equal(t, "partially_fulfilled", Fulfillment(*channelOrder(), storeOrder(fulfilled("F1", noon, "1Z1", "L1"))))
	})
	t.Run("R-025_fulfilled_only_when_the_last_item_has_shipped", func(t *testing.T) {
		require.Equal(t, "unfulfilled", Fulfillment(shipped(0, 0), nil))
		require.Equal(t, "partially_fulfilled", Fulfillment(shipped(2, 0), nil))
		require.Equal(t, "fulfilled", Fulfillment(shipped(2, 1), nil))
		m := shipped(1, 1)
		m.Lines[0].Cancelled = 1
		require.Equal(t, "fulfilled", Fulfillment(m, nil))
	})
}

func TestEndOfDayAcrossClockChanges(t *testing.T) {
	for _, c := range []struct{ zone, at, end string }{
		{"America/Los_Angeles", "2026-03-08T09:30:00Z", "2026-03-09T07:00:00Z"}, // the day of 23 hours
		{"America/Los_Angeles", "2026-11-01T08:30:00Z", "2026-11-02T08:00:00Z"}, // the day of 25 hours
		{"Europe/Berlin", "2026-03-29T00:30:00Z", "2026-03-29T22:00:00Z"},
		{"Asia/Tokyo", "2026-11-20T14:59:59Z", "2026-11-20T15:00:00Z"},
		{"Nowhere/Land", "2026-11-20T14:59:59Z", "2026-11-21T00:00:00Z"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		require.NoError(t, err)
		require.Equal(t, c.end, EndOfDay(at, c.zone).Format(time.RFC3339), c.zone)
	}
}
