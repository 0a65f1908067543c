package shopify_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/shopadmin"
	"channelbridge/shopadmin/shopify"
	"channelbridge/shopadmin/shopify/shopifyfake"
)

// One order from its creation to its shipment, as both sides see it.
func TestAnOrdersLife(t *testing.T) {
	b := newBench(t, func(s *shopifyfake.Config, _ *shopify.Config) { s.SearchLag = time.Minute })
	ctx := t.Context()
	variant := b.store.AddProduct("MUG-1", "Mug of the shop")
	b.store.SetStock(variant, 1)

	none, err := b.FindByMark(ctx, mark)
	require.NoError(t, err, "a store that has never seen our metafield is no error")
	require.Empty(t, none)

	made, err := b.Create(ctx, "key", newOrder(mark))
	require.NoError(t, err)
	require.Equal(t, mark, made.Mark)
	require.Equal(t, usd(2965), made.Total)
	require.Equal(t, "PAID", made.Financial)
	require.Equal(t, "amazon-us", made.Attributes["channel"])
	require.Equal(t, []string{"item-1", "item-2"}, []string{made.Lines[0].ChannelLine, made.Lines[1].ChannelLine})
	require.Equal(t, -1, b.store.Stock(variant), "the sale is made whatever the stock says")

	kept := b.store.Orders()[0]
	require.Equal(t, variant, kept.Lines[0].VariantID)
	require.Equal(t, "Mug of the shop", kept.Lines[0].Title)
	require.Empty(t, kept.Lines[1].VariantID, "R-132: an unknown SKU becomes a custom line")
	require.True(t, kept.Lines[0].Taxes[0].ChannelLiable)
	require.True(t, kept.Lines[0].RequiresShipping)

	found, err := b.FindByMark(ctx, mark)
	require.NoError(t, err)
	require.Len(t, found, 1, "the metafield is found at once")
	page, err := b.Changed(ctx, shopadmin.Cursor{Since: start.Add(-time.Hour)})
	require.NoError(t, err)
	require.Empty(t, page.Orders, "the index lags")
	b.clock.Advance(b.Traits().SettleIn)
	page, err = b.Changed(ctx, shopadmin.Cursor{Since: start.Add(-time.Hour)})
	require.NoError(t, err)
	require.Len(t, page.Orders, 1)
	require.Equal(t, made.ID, page.Orders[0].ID)
	require.Equal(t, made.UpdatedAt, page.Next.Since)

	require.NoError(t, b.Update(ctx, "key", made.ID, shopadmin.Update{Attributes: map[string]string{"Ship by": "2026-11-25"},
		AddTags: []string{"late", "Amazon"}, ShipTo: &shopadmin.Address{Address1: "2 Side St", City: "Bath", Region: "Somerset", Country: "GB", Phone: "+44"}}))
	now, err := b.Order(ctx, made.ID)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"Ship by": "2026-11-25", "channel": "amazon-us"}, now.Attributes, "merged, not replaced")
	require.ElementsMatch(t, []string{"Amazon", "amazon-us", "late"}, now.Tags)
	before := b.store.Calls()["UpdateOrder"]
	require.NoError(t, b.Update(ctx, "key", made.ID, shopadmin.Update{Attributes: map[string]string{"Ship by": "2026-11-25"}, AddTags: []string{"late"}}))
	require.Equal(t, before, b.store.Calls()["UpdateOrder"], "the same update twice writes once")

	require.NoError(t, b.Hold(ctx, "key", made.ID, "the channel cancelled\nthis order"))
	require.NoError(t, b.Hold(ctx, "key", made.ID, "again"))
	now, err = b.Order(ctx, made.ID)
	require.NoError(t, err)
	require.Equal(t, []shopadmin.Hold{{ID: now.Held[0].ID, Handle: "channelbridge", Ours: true, Reason: "the channel cancelled this order"}}, now.Held)
	_, err = b.store.Fulfill(string(made.ID), nil)
	require.ErrorIs(t, err, shopifyfake.ErrHeld)

	require.NoError(t, b.store.ReleaseHold(string(made.ID)))
	_, err = b.store.Fulfill(string(made.ID), []shopifyfake.LineQty{{Line: made.Lines[0].ID, Quantity: 1}},
		shopifyfake.Tracking{Company: "UPS", Number: " 1Z001\n985\u200d📦 "})
	require.NoError(t, err)
	now, err = b.Order(ctx, made.ID)
	require.NoError(t, err)
	require.Equal(t, shopadmin.FulfillmentSuccess, now.Fulfillments[0].Status)
	require.Equal(t, []shopadmin.Tracking{{Company: "UPS", Number: "1Z001 985"}}, now.Fulfillments[0].Tracking)
	require.Equal(t, []shopadmin.FulfilledLine{{Line: made.Lines[0].ID, Quantity: 1}}, now.Fulfillments[0].Lines)
	require.Equal(t, 1, now.Lines[0].Unfulfilled)
	require.Empty(t, now.Held)

	_, err = b.store.Fulfill(string(made.ID), nil)
	require.NoError(t, err)
	require.True(t, fault.Is(b.Hold(ctx, "key", made.ID, "late"), fault.Refused), "nothing is left to hold")

	require.Empty(t, b.store.Messages(), "R-136: no message to the customer")
	require.Len(t, b.store.MerchantNotifications(), 1, "R-137: the merchant's own notice stays")
}

// What is written carries no contact data, no nulls, and switches both receipts off.
func TestWhatIsSentOnCreation(t *testing.T) {
	b := newBench(t)
	_, err := b.Create(t.Context(), "key", newOrder(mark))
	require.NoError(t, err)
	body := b.wire.of("CreateOrder")[0]
	for _, forbidden := range []string{`"email"`, `"phone"`, `"customer"`, `:null`, "555 0100", "hush"} {
		require.NotContains(t, body, forbidden)
	}
	for _, wanted := range []string{`"sendReceipt":false`, `"sendFulfillmentReceipt":false`, `"sourceIdentifier":"113-1234567-1234567"`,
		`"inventoryBehaviour":"DECREMENT_IGNORING_POLICY"`, `"provinceCode":"TX"`, `"value":"amazon-us:113-1234567-1234567"`,
		`"amount":"29.65"`, `"rate":"0.0825"`, `"channelLiable":true`, `"name":"_channel_line"`} {
		require.Contains(t, body, wanted)
	}
	store := b.store.Orders()[0]
	require.Empty(t, store.Email+store.Phone)
	require.NotContains(t, store.ShipTo, "phone")
}

// The fake would show a message if there were one: orders of the store's own do have buyers.
func TestTheFakeSeesMessages(t *testing.T) {
	b := newBench(t)
	id := b.store.PlaceOrder("A", "A thing", 1, "buyer@example.com")
	_, err := b.store.Fulfill(id, nil)
	require.NoError(t, err)
	require.Len(t, b.store.MessagesFor(id), 2)
	page, err := b.Changed(t.Context(), shopadmin.Cursor{Since: start.Add(-time.Hour)})
	require.NoError(t, err)
	require.Empty(t, page.Orders, "orders without a mark are not ours")
	require.Zero(t, b.store.Calls()["Orders"], "and are not even read")
}

// A lost answer is unknown; the order is there, and a second creation doubles it.
func TestLostAnswers(t *testing.T) {
	for _, f := range []shopifyfake.Fault{shopifyfake.FaultLost, shopifyfake.FaultInternal, shopifyfake.FaultBadGateway, shopifyfake.FaultGarbage} {
		t.Run(string(f), func(t *testing.T) {
			b := newBench(t)
			b.store.Fail("CreateOrder", f)
			_, err := b.Create(t.Context(), "key", newOrder(mark))
			require.True(t, fault.Is(err, fault.Unknown), "%v", err)
			found, err := b.FindByMark(t.Context(), mark)
			require.NoError(t, err)
			require.Len(t, found, 1)
			_, err = b.Create(t.Context(), "key", newOrder(mark))
			require.NoError(t, err)
			found, err = b.FindByMark(t.Context(), mark)
			require.NoError(t, err)
			require.Len(t, found, 2, "both are shown: the metafield's and the index's")
			require.Len(t, b.store.OrdersByMark(mark.String()), 2)
		})
	}
}

// A failure while preparing is no doubt about the order itself.
func TestFailingPreparation(t *testing.T) {
	for _, op := range []string{"DefineMark", "Variants"} {
		for _, f := range []shopifyfake.Fault{shopifyfake.FaultLost, shopifyfake.FaultLostBefore, shopifyfake.FaultInternal, shopifyfake.FaultUnavailable} {
			t.Run(op+" "+string(f), func(t *testing.T) {
				b := newBench(t)
				b.store.Fail(op, f)
				_, err := b.Create(t.Context(), "key", newOrder(mark))
				require.True(t, fault.Is(err, fault.Temporary), "%v", err)
				require.Empty(t, b.store.Orders())
				_, err = b.Create(t.Context(), "key", newOrder(mark))
				require.NoError(t, err)
			})
		}
	}
}

// Orders longer than any page are read to their end.
func TestLongOrders(t *testing.T) {
	b := newBench(t, func(s *shopifyfake.Config, _ *shopify.Config) { s.Bucket, s.Restore = 1e6, 1e5 })
	o := newOrder(mark)
	o.Lines = nil
	for i := range 230 {
		o.Lines = append(o.Lines, shopadmin.NewLine{ChannelLine: fmt.Sprint("item-", i), SKU: fmt.Sprint("SKU-", i), Title: "x", Quantity: 1, UnitPrice: usd(100), Ships: true})
	}
	made, err := b.Create(t.Context(), "key", o)
	require.NoError(t, err)
	require.Len(t, made.Lines, 230)
	require.Equal(t, "item-229", made.Lines[229].ChannelLine)

	var tracking []shopifyfake.Tracking
	var many []shopifyfake.LineQty
	for i := range 125 {
		many = append(many, shopifyfake.LineQty{Line: made.Lines[i].ID, Quantity: 1})
		tracking = append(tracking, shopifyfake.Tracking{Company: "UPS", Number: fmt.Sprint("1Z", i)})
	}
	_, err = b.store.Fulfill(string(made.ID), many, tracking[:30]...)
	require.NoError(t, err)
	for i := 125; i < 145; i++ {
		_, err = b.store.Fulfill(string(made.ID), []shopifyfake.LineQty{{Line: made.Lines[i].ID, Quantity: 1}})
		require.NoError(t, err)
	}
	b.clock.Advance(time.Hour)
	page, err := b.Changed(t.Context(), shopadmin.Cursor{Since: start.Add(-time.Hour)})
	require.NoError(t, err)
	require.Empty(t, page.Faulty)
	got := page.Orders[0]
	require.Len(t, got.Lines, 230)
	require.Len(t, got.Fulfillments, 21)
	require.Len(t, got.Fulfillments[0].Lines, 125)
	require.Len(t, got.Fulfillments[0].Tracking, 30)
	seen := map[string]bool{}
	for _, f := range got.Fulfillments {
		require.False(t, seen[f.ID])
		seen[f.ID] = true
		require.NotEmpty(t, f.Lines)
	}
}

// A listing of many orders is whole, in order, and its watermark is the newest change.
func TestChangedPages(t *testing.T) {
	b := newBench(t)
	want := map[string]bool{}
	for i := range 60 {
		m := shopadmin.Mark{Channel: "amazon-us", Order: fmt.Sprintf("113-%07d", i)}
		o := newOrder(m)
		o.Lines = o.Lines[1:]
		for {
			_, err := b.Create(t.Context(), "key", o)
			if err == nil {
				break
			}
			require.True(t, fault.Is(err, fault.Temporary), "%v", err)
			b.clock.Advance(max(fault.After(err), time.Second))
		}
		want[m.Order] = true
		b.store.PlaceOrder("OWN", "the shop's own", 1, "")
		b.clock.Advance(10 * time.Second)
	}
	cursor, last, pages := shopadmin.Cursor{Since: start}, time.Time{}, 0
	for more := true; more; pages++ {
		page, err := b.Changed(t.Context(), cursor)
		if fault.Is(err, fault.Temporary) {
			b.clock.Advance(max(fault.After(err), time.Second))
			continue
		}
		require.NoError(t, err)
		for _, o := range page.Orders {
			require.False(t, o.UpdatedAt.Before(last), "oldest change first")
			last = o.UpdatedAt
			delete(want, o.Mark.Order)
		}
		cursor, more = page.Next, page.More
	}
	require.Empty(t, want)
	require.Greater(t, pages, 3)
	require.Less(t, b.store.Calls()["Orders"], 40, "several orders a query")
	require.Empty(t, cursor.Token)
	require.Equal(t, last, cursor.Since)

	page, err := b.Changed(t.Context(), shopadmin.Cursor{Since: start, Token: `{"a":"bm9uc2Vuc2U"}`})
	require.NoError(t, err, "an odd cursor ends the listing or starts it again, never blocks it")
	_ = page
}

// a SKU counts only when exactly one product has it.
func TestSKUs(t *testing.T) {
	b := newBench(t)
	one := b.store.AddProduct("A-1", "One")
	b.store.AddProduct("A-1-XL", "another that the search also finds")
	b.store.AddProduct("TWICE", "first")
	b.store.AddProduct("TWICE", "second")
	odd := b.store.AddProduct(`it's "odd" \ OR sku:x`, "odd")
	o := newOrder(mark)
	o.Lines = nil
	for i, sku := range []string{"A-1", "TWICE", "a-1", `it's "odd" \ OR sku:x`, ""} {
		o.Lines = append(o.Lines, shopadmin.NewLine{ChannelLine: fmt.Sprint(i), SKU: sku, Quantity: 1, UnitPrice: usd(100)})
	}
	_, err := b.Create(t.Context(), "key", o)
	require.NoError(t, err)
	var got []string
	for _, l := range b.store.Orders()[0].Lines {
		got = append(got, l.VariantID)
	}
	require.Equal(t, []string{one, "", "", odd, ""}, got)
	require.Equal(t, 1, b.store.Calls()["Variants"])
	_, err = b.Create(t.Context(), "key", o)
	require.NoError(t, err)
	require.Equal(t, 1, b.store.Calls()["Variants"], "remembered for a while")
	b.clock.Advance(10 * time.Minute)
	_, err = b.Create(t.Context(), "key", o)
	require.NoError(t, err)
	require.Equal(t, 2, b.store.Calls()["Variants"])
}

// An order the adapter would send wrongly is refused before anything leaves.
func TestImpossibleOrders(t *testing.T) {
	b := newBench(t)
	for name, spoil := range map[string]func(*shopadmin.NewOrder){
		"no mark":      func(o *shopadmin.NewOrder) { o.Mark.Order = "" },
		"no lines":     func(o *shopadmin.NewOrder) { o.Lines = nil },
		"no quantity":  func(o *shopadmin.NewOrder) { o.Lines[0].Quantity = 0 },
		"no currency":  func(o *shopadmin.NewOrder) { o.Currency = "" },
		"two of them":  func(o *shopadmin.NewOrder) { o.Lines[0].UnitPrice.Currency = "EUR" },
		"far too long": func(o *shopadmin.NewOrder) { o.Lines = make([]shopadmin.NewLine, 251) },
	} {
		o := newOrder(mark)
		spoil(&o)
		_, err := b.Create(t.Context(), "key", o)
		require.True(t, fault.Is(err, fault.Refused), name)
	}
	require.Empty(t, b.wire.sent)
	_, err := b.FindByMark(t.Context(), shopadmin.Mark{})
	require.True(t, fault.Is(err, fault.Refused))
}

// A store that takes no more metafield definitions still gets its orders, and they are found.
func TestWithoutTheMetafield(t *testing.T) {
	b := newBench(t)
	b.store.Fail("DefineMark", shopifyfake.FaultNoDefinition)
	made, err := b.Create(t.Context(), "k", newOrder(mark))
	require.NoError(t, err)
	require.Equal(t, mark, made.Mark)
	require.Empty(t, b.store.Orders()[0].Metafields)
	found, err := b.FindByMark(t.Context(), mark)
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Contains(t, b.log.String(), "cannot be defined")
}

func TestUnknownOrders(t *testing.T) {
	b := newBench(t)
	id := shopadmin.OrderID("gid://shopify/Order/404")
	_, err := b.Order(t.Context(), id)
	require.True(t, fault.Is(err, fault.NotFound))
	require.True(t, fault.Is(b.Hold(t.Context(), "k", id, "x"), fault.NotFound))
	require.True(t, fault.Is(b.Update(t.Context(), "k", id, shopadmin.Update{AddTags: []string{"x"}}), fault.NotFound))
	require.NoError(t, b.Update(t.Context(), "k", id, shopadmin.Update{}))
}

func TestSubscriptionsAreKept(t *testing.T) {
	b := newBench(t)
	const callback = "https://bridge.example.com/webhooks/shop"
	b.store.Subscribe(shopifyfake.Subscription{Topic: "ORDERS_CREATE", URI: "https://old.example.com/hook?key=hush"})
	b.store.Subscribe(shopifyfake.Subscription{Topic: "ORDERS_UPDATED", URI: callback, Fields: []string{"id"}})
	states := func(repair bool) map[string]string {
		list, err := b.Subscriptions(t.Context(), callback, repair)
		require.NoError(t, err)
		m := map[string]string{}
		for _, s := range list {
			m[s.Topic] = s.State
			require.NotContains(t, s.Details, "hush")
		}
		return m
	}
	first := states(false)
	require.Len(t, first, 9)
	require.Equal(t, []string{"different", "different", "missing"}, []string{first["ORDERS_CREATE"], first["ORDERS_UPDATED"], first["REFUNDS_CREATE"]})
	require.Len(t, b.store.Subscriptions(), 2, "looking changes nothing")
	repaired := states(true)
	require.Equal(t, []string{"repaired", "repaired", "created"}, []string{repaired["ORDERS_CREATE"], repaired["ORDERS_UPDATED"], repaired["REFUNDS_CREATE"]})
	for topic, state := range states(true) {
		require.Equal(t, "ok", state, topic)
	}
	require.Len(t, b.store.Subscriptions(), 9)
	_, err := b.Subscriptions(t.Context(), "not an address", true)
	require.True(t, fault.Is(err, fault.Refused))
}

func TestCheck(t *testing.T) {
	b := newBench(t, func(s *shopifyfake.Config, _ *shopify.Config) { s.Zone = "Europe/Berlin"; s.Currency = "EUR" })
	h, err := b.Check(t.Context())
	require.NoError(t, err)
	require.Equal(t, shopadmin.Health{Account: "Acme", Zone: "Europe/Berlin", Currency: "EUR"}, h)

	b = newBench(t, func(s *shopifyfake.Config, _ *shopify.Config) {
		s.Scopes, s.APIVersion, s.Shop = []string{"write_orders"}, "2027-07", "other.myshopify.com"
		ours := s.Clock
		s.Clock = func() time.Time { return ours().Add(5 * time.Minute) }
	})
	h, err = b.Check(t.Context())
	require.NoError(t, err)
	require.Equal(t, 5*time.Minute, h.ClockSkew)
	all := strings.Join(h.Warnings, "\n")
	for _, part := range []string{"read_products", "read_merchant_managed", "write_merchant_managed", "2027-07", "other.myshopify.com", "clocks"} {
		require.Contains(t, all, part)
	}
	require.NotContains(t, all, "read_orders", "permission to write includes reading")
	require.Contains(t, b.log.String(), "2027-07")
}

// Without the fulfillment scope the order is made and its answer is broken: nobody may think
// that it was not made.
func TestADenialInsideTheAnswerIsNotADenialOfTheWrite(t *testing.T) {
	b := newBench(t, func(s *shopifyfake.Config, _ *shopify.Config) { s.Scopes = []string{"write_orders"} })
	_, err := b.Create(t.Context(), "key", newOrder(mark))
	require.True(t, fault.Is(err, fault.Unknown), "%v", err)
	require.Len(t, b.store.Orders(), 1)
	require.Contains(t, b.log.String(), "without a product", "read_products is missing too; the order still came (R-132)")
	_, err = b.FindByMark(t.Context(), mark)
	require.True(t, fault.Is(err, fault.Denied))
	require.Contains(t, fault.Hint(err), "read_merchant_managed_fulfillment_orders")
}

func TestConfigurationIsCheckedAtOnce(t *testing.T) {
	_, err := shopify.New(shopify.Config{Shop: "acme.example.com", APIVersion: "latest", BaseURL: "ftp://x", OrdersPerMinute: -1})
	require.Error(t, err)
	for _, part := range []string{"acme.example.com", "latest", "base URL", "client secret", "client id", "per minute"} {
		require.Contains(t, err.Error(), part)
	}
	var all interface{ Unwrap() []error }
	require.True(t, errors.As(err, &all))
}
