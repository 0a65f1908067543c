// Package rules proves the sync rules through the public surface: the real program between a
// fake Amazon and a fake store, pushes in, calls and orders out.
package rules

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/demo"
	"channelbridge/internal/e2e/rig"
	"channelbridge/internal/secret"
	"channelbridge/marketplace"
	"channelbridge/marketplace/amazon"
	"channelbridge/marketplace/amazon/amazonfake"
	"channelbridge/shopadmin/shopify/shopifyfake"
)

// world is a running bridge and its two sides.
type world struct {
	*demo.World
	t   *testing.T
	n   int
	log *bytes.Buffer
}

func open(t *testing.T) *world {
	binary, err := rig.Build(t.TempDir())
	require.NoError(t, err)
	w := &world{t: t, log: &bytes.Buffer{}}
	w.World, err = demo.Open(t.Context(), demo.Options{Binary: binary, Dir: t.TempDir(), Log: w.log,
		Extra:  "limits: {lease: 6s, call_timeout: 5s, batch_gather: 200ms}\n", // what a killed process held is free again soon
		Amazon: amazonfake.Options{Scale: -1, Visibility: 2 * time.Second, FeedDelay: 500 * time.Millisecond, Faults: amazonfake.Faults{Duplicate: .3}},
		Shop:   shopifyfake.Config{Faults: shopifyfake.Faults{HookTwice: .3}}})
	require.NoError(t, err)
	t.Cleanup(w.Close)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(w.log.String())
		}
	})
	require.NoError(t, w.Start(t.Context()))
	return w
}

// place takes an order at Amazon; edits describe what is special about it.
func (w *world) place(edit ...func(*amazonfake.OrderSpec)) string {
	w.n++
	spec := amazonfake.OrderSpec{ID: fmt.Sprintf("114-0000000-%07d", w.n), TaxByAmazon: true, Buyer: "Ada Buyer",
		Address: &amazonfake.Address{Name: "Ada Buyer", Line1: "1 Main St", City: "Seattle", Region: "WA", PostalCode: "98101", Country: "US", Phone: "+12065550100"},
		Items: []amazonfake.ItemSpec{{SKU: "ECHO", Title: "Echo", Quantity: 2, UnitPrice: "19.99", Tax: "3.30"},
			{SKU: "NEVER-LISTED", Title: "Never listed", Quantity: 1, UnitPrice: "5.00"}}}
	for _, e := range edit {
		e(&spec)
	}
	return w.Amazon.Place(spec)
}

// eventually waits for what must come true. The condition may call the command line.
func (w *world) eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(45 * time.Second); !is(); time.Sleep(50 * time.Millisecond) {
		require.True(t, time.Now().Before(end), "waited in vain: %s", what)
	}
}

// mirror waits for the store order of an Amazon order.
func (w *world) mirror(t *testing.T, id string) shopifyfake.Order {
	t.Helper()
	w.eventually(t, id+" is mirrored", func() bool { _, ok := w.Mirror(id); return ok })
	o, _ := w.Mirror(id)
	return o
}

func (w *world) ship(t *testing.T, id string, lines ...shopifyfake.LineQty) shopifyfake.Fulfillment {
	t.Helper()
	w.n++
	m := w.mirror(t, id)
	fid, err := w.Shop.Fulfill(m.ID, lines, shopifyfake.Tracking{Company: "UPS", Number: fmt.Sprintf("1Z%016d", w.n)})
	require.NoError(t, err)
	m, _ = w.Shop.Order(m.ID)
	for _, f := range m.Fulfillments {
		if f.ID == fid {
			return f
		}
	}
	t.Fatal("the fulfillment is not there")
	return shopifyfake.Fulfillment{}
}

func (w *world) packages(id string) []amazonfake.Confirmation {
	o, _ := w.Amazon.Order(id)
	return o.Packages
}

// show is an order as the command line shows it.
func (w *world) show(t *testing.T, id string) string {
	t.Helper()
	out, err := w.Run(t.Context(), "orders", "show", id, "--json")
	require.NoError(t, err)
	return out
}

// fulfillment is the order's roll-up in the list of orders.
func (w *world) fulfillment(t *testing.T, id string) string {
	t.Helper()
	out, err := w.Run(t.Context(), "orders", "list", "--json")
	require.NoError(t, err)
	var rows []struct {
		Subject struct{ ID string }
		Summary struct{ Fulfillment string }
	}
	require.NoError(t, json.Unmarshal([]byte(out), &rows), out)
	for _, r := range rows {
		if r.Subject.ID == id {
			return r.Summary.Fulfillment
		}
	}
	return ""
}

func TestRules(t *testing.T) {
	w := open(t)
	w.Shop.AddProduct("ECHO", "Echo")

	t.Run("R-130_a_new_order_appears_in_the_store_by_itself_and_only_once", func(t *testing.T) {
		id := w.place()
		w.mirror(t, id)
		for range 3 { // the same news again, from every side
			w.Amazon.Send(orderChange(id))
		}
		time.Sleep(time.Second)
		require.Len(t, w.Shop.OrdersByMark(demo.Channel+":"+id), 1)
	})
	t.Run("R-131_it_carries_the_Amazon_mark", func(t *testing.T) {
		m := w.mirror(t, w.place())
		require.Contains(t, m.Tags, "Amazon")
		require.Equal(t, "Amazon", m.Gateway)
	})
	t.Run("R-132_products_the_store_does_not_know_come_as_custom_lines", func(t *testing.T) {
		m := w.mirror(t, w.place())
		require.Len(t, m.Lines, 2)
		require.NotEmpty(t, m.Lines[0].VariantID)
		require.Empty(t, m.Lines[1].VariantID)
		require.Equal(t, "Never listed", m.Lines[1].Title)
		require.Equal(t, "48.28", m.Total.Decimal())
	})
	t.Run("R-128_it_shows_on_the_overview", func(t *testing.T) {
		id := w.place()
		w.mirror(t, id)
		w.eventually(t, "listed", func() bool { return w.fulfillment(t, id) == "unfulfilled" })
	})
	t.Run("R-136_no_message_goes_to_the_customer", func(t *testing.T) {
		id := w.place()
		m := w.mirror(t, id)
		w.ship(t, id)
		w.eventually(t, "confirmed", func() bool { return len(w.packages(id)) == 1 })
		require.Empty(t, w.Shop.MessagesFor(m.ID))
		require.Empty(t, m.Email+m.Phone)
		require.NotContains(t, fmt.Sprint(m.ShipTo), "5550100")
	})
	t.Run("R-137_the_stores_own_notice_to_the_merchant_stays", func(t *testing.T) {
		m := w.mirror(t, w.place())
		n := 0
		for _, x := range w.Shop.MerchantNotifications() {
			if x.Order == m.ID {
				n++
			}
		}
		require.Equal(t, 1, n)
	})
	w.shipping(t)
	w.otherSide(t)
}

func (w *world) shipping(t *testing.T) {
	t.Run("R-133_a_fulfillment_in_the_store_updates_both_sides", func(t *testing.T) {
		id := w.place()
		w.ship(t, id)
		w.eventually(t, "shipped at Amazon", func() bool { o, _ := w.Amazon.Order(id); return o.Status == "SHIPPED" })
		w.eventually(t, "fulfilled here", func() bool { return w.fulfillment(t, id) == "fulfilled" })
		require.Len(t, w.Amazon.Shipments(id), 1)
	})
	t.Run("R-134_Amazon_hears_of_it_the_same_day_with_the_stores_ship_date", func(t *testing.T) {
		id := w.place()
		f := w.ship(t, id)
		w.eventually(t, "confirmed", func() bool { return len(w.packages(id)) == 1 })
		require.True(t, w.packages(id)[0].Shipped.Equal(f.CreatedAt))
		zone, err := time.LoadLocation("America/Los_Angeles")
		require.NoError(t, err)
		require.Equal(t, f.CreatedAt.In(zone).Format(time.DateOnly), w.packages(id)[0].At.In(zone).Format(time.DateOnly))
	})
	t.Run("R-023_lines_ship_in_separate_parcels_at_different_times", func(t *testing.T) {
		id := w.place()
		m := w.mirror(t, id)
		w.ship(t, id, shopifyfake.LineQty{Line: m.Lines[0].ID, Quantity: 1})
		w.eventually(t, "first parcel", func() bool { return len(w.packages(id)) == 1 })
		t.Run("R-024_a_part_is_a_partial_fulfillment", func(t *testing.T) {
			o, _ := w.Amazon.Order(id)
			require.Equal(t, "PARTIALLY_SHIPPED", o.Status)
			w.eventually(t, "partial here", func() bool { return w.fulfillment(t, id) == "partially_fulfilled" })
		})
		time.Sleep(1100 * time.Millisecond) // the store's update times have whole seconds
		w.ship(t, id)
		w.eventually(t, "second parcel", func() bool { return len(w.packages(id)) == 2 })
		t.Run("R-025_fulfilled_only_when_the_last_item_has_shipped", func(t *testing.T) {
			o, _ := w.Amazon.Order(id)
			require.Equal(t, "SHIPPED", o.Status)
			w.eventually(t, "fulfilled here", func() bool { return w.fulfillment(t, id) == "fulfilled" })
		})
		require.Equal(t, []string{"1", "2"}, []string{w.packages(id)[0].Ref, w.packages(id)[1].Ref})
	})
	t.Run("R-135_an_order_near_its_ship_by_time_is_warned_of", func(t *testing.T) {
		id := w.place(func(s *amazonfake.OrderSpec) { s.ShipWithin = 3 * time.Hour })
		w.mirror(t, id)
		w.eventually(t, "warned", func() bool { return strings.Contains(w.show(t, id), "ship_by_near") })
	})
}

func (w *world) otherSide(t *testing.T) {
	amazonShips := func(s *amazonfake.OrderSpec) { s.Amazon = true }
	t.Run("R-138_an_order_Amazon_fulfils_is_mirrored_read_only_and_others_are_shipped_by_hand", func(t *testing.T) {
		m := w.mirror(t, w.place(amazonShips))
		for _, l := range m.Lines {
			require.False(t, l.RequiresShipping)
		}
		require.True(t, w.mirror(t, w.place()).Lines[0].RequiresShipping)
	})
	t.Run("R-004_shipping_one_that_Amazon_fulfils_is_not_sent_and_points_to_Amazon", func(t *testing.T) {
		id := w.place(amazonShips)
		w.ship(t, id)
		w.eventually(t, "shown", func() bool { return strings.Contains(w.show(t, id), "channel_fulfils") })
		require.Empty(t, w.Amazon.Shipments(id))
		require.Contains(t, w.show(t, id), "at the channel")
	})
	t.Run("R-129_what_changed_at_Amazon_shows_in_the_store", func(t *testing.T) {
		id := w.place()
		w.mirror(t, id)
		w.Amazon.RequestCancel(id, "changed my mind")
		w.eventually(t, "shown", func() bool {
			for _, a := range w.mirror(t, id).Attributes {
				if a.Key == "channel_cancel_request" {
					return true
				}
			}
			return false
		})
	})
	t.Run("R-133_a_shipment_made_only_at_Amazon_is_shown_as_such", func(t *testing.T) {
		id := w.place()
		w.mirror(t, id)
		w.shipAtAmazon(t, id)
		w.eventually(t, "shown", func() bool {
			return strings.Contains(fmt.Sprint(w.mirror(t, id).Attributes), "units shipped at the channel")
		})
		require.Empty(t, w.mirror(t, id).Fulfillments)
	})
	t.Run("R-001_each_side_shows_what_the_other_did", func(t *testing.T) {
		here, there := w.place(), w.place()
		w.ship(t, here)
		w.mirror(t, there)
		w.shipAtAmazon(t, there)
		w.eventually(t, "the store's shipment is at Amazon", func() bool { return len(w.packages(here)) == 1 })
		w.eventually(t, "Amazon's shipment is in the store", func() bool {
			return strings.Contains(fmt.Sprint(w.mirror(t, there).Attributes), "shipped at the channel")
		})
	})
}

// shipAtAmazon is the merchant confirming an order in Seller Central.
func (w *world) shipAtAmazon(t *testing.T, id string) {
	a, err := amazon.New(amazon.Config{SellerID: amazonfake.DefaultSeller, Region: "na", ClientID: amazonfake.DefaultClient,
		ClientSecret: secret.New(amazonfake.DefaultSecret), RefreshToken: secret.New(amazonfake.DefaultRefresh),
		Endpoint: w.AmazonURL(), TokenURL: w.AmazonURL() + "/auth/o2/token"})
	require.NoError(t, err)
	o, err := a.Order(t.Context(), marketplace.OrderID(id))
	require.NoError(t, err)
	s := marketplace.Shipment{Order: o.ID, Site: o.Site, Ref: "7", Carrier: marketplace.Carrier{Code: "UPS"}, Tracking: "1ZSELLERCENTRAL", ShippedAt: o.PlacedAt}
	for _, l := range o.Lines {
		s.Lines = append(s.Lines, marketplace.ShipmentLine{Line: l.ID, Quantity: l.Ordered})
	}
	_, err = a.ConfirmShipment(t.Context(), "", s)
	require.NoError(t, err)
}

func orderChange(id string) []byte {
	return fmt.Appendf(nil, `{"NotificationVersion":"1.0","NotificationType":"ORDER_CHANGE","PayloadVersion":"1.0","EventTime":%q,
		"Payload":{"OrderChangeNotification":{"NotificationLevel":"OrderLevel","SellerId":%q,"AmazonOrderId":%q,"OrderChangeType":"OrderStatusChange"}},
		"NotificationMetadata":{"NotificationId":%q}}`, time.Now().UTC().Format(time.RFC3339), amazonfake.DefaultSeller, id, fmt.Sprint(time.Now().UnixNano()))
}

// TestWhatWasKilledGoesOn kills the program and finds everything as it should be.
func TestWhatWasKilledGoesOn(t *testing.T) {
	w := open(t)
	first := w.place()
	w.mirror(t, first)
	require.Equal(t, -1, w.Stop(syscall.SIGKILL))
	second := w.place()
	w.ship(t, first)
	require.NoError(t, w.Start(context.Background()))
	w.mirror(t, second)
	w.eventually(t, "the shipment made meanwhile", func() bool { return len(w.packages(first)) == 1 })
	for _, id := range []string{first, second} {
		require.Len(t, w.Shop.OrdersByMark(demo.Channel+":"+id), 1)
	}
	require.Equal(t, 0, w.Stop(syscall.SIGTERM))
}
