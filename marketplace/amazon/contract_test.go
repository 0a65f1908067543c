package amazon

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
	"channelbridge/marketplace/amazon/amazonfake"
	"channelbridge/marketplace/amazon/internal/official"
)

// Every request the adapter can make is checked against the models: path, parameters, types,
// enumerations and bodies.
func TestRequestsPassTheOfficialModel(t *testing.T) {
	t.Parallel()
	models := official.Load(t)
	r := newRig(t, amazonfake.Options{Scale: -1, TransactionPage: 1}, func(c *Config) { c.Sites = []string{usSite, "A2EUQ1WTGCTBG2"} })
	id := marketplace.OrderID(r.fake.Place(amazonfake.OrderSpec{Items: []amazonfake.ItemSpec{{ID: item1, Quantity: 2}}}))
	for range 120 {
		r.fake.Place(amazonfake.OrderSpec{})
	}
	r.pass(time.Hour)
	ctx := t.Context()
	_, err := r.Check(ctx)
	require.NoError(t, err)
	_, err = r.Order(ctx, id)
	require.NoError(t, err)
	p, err := r.Changed(ctx, marketplace.Cursor{Since: start.Add(-time.Hour).In(time.FixedZone("x", 9*3600))})
	require.NoError(t, err)
	require.True(t, p.More)
	_, err = r.Changed(ctx, p.Next)
	require.NoError(t, err)
	_, err = r.ConfirmShipment(ctx, "k", shipment(id, "1", item1, 1, r.now().Add(-time.Second)))
	require.NoError(t, err)
	for range 11 {
		r.run(t, laneAdjustment, refundOf(id, money.New(10, "USD")))
	}
	tickets, err := r.Find(ctx, laneAdjustment, usSite, start)
	require.NoError(t, err)
	require.Len(t, tickets, 11)
	r.pass(time.Hour)
	refunds, err := r.Refunds(ctx, id)
	require.NoError(t, err)
	require.Len(t, refunds, 11)
	_, err = r.Refunded(ctx, marketplace.Cursor{Since: start.Add(-time.Hour).In(time.FixedZone("x", 9*3600))})
	require.NoError(t, err)
	_, err = r.Subscriptions(ctx, "", true)
	require.NoError(t, err)
	r.fake.Unsubscribe(orderChange)
	r.fake.Subscribe()
	have, err := r.subscription(ctx, topics[0])
	require.NoError(t, err)
	require.NoError(t, r.unsubscribe(ctx, topics[0], have.SubscriptionID))

	for range 101 {
		r.fake.Publish(amazonfake.Settlement{})
	}
	statements, err := r.Statements(ctx, marketplace.Cursor{Since: start.Add(-time.Hour).In(time.FixedZone("x", 9*3600))})
	require.NoError(t, err)
	require.True(t, statements.More)
	_, err = r.Statements(ctx, statements.Next)
	require.NoError(t, err)
	document, err := r.OpenStatement(ctx, statements.Statements[0].ID)
	require.NoError(t, err)
	require.NoError(t, document.Close())
	transfers, err := r.Transfers(ctx, marketplace.Cursor{Since: start.Add(-time.Hour).In(time.FixedZone("x", 9*3600))})
	require.NoError(t, err)
	require.True(t, transfers.More)
	_, err = r.Transfers(ctx, transfers.Next)
	require.NoError(t, err)
	held, err := r.Deferrals(ctx, marketplace.Cursor{Since: start.Add(-time.Hour).In(time.FixedZone("x", 9*3600))})
	require.NoError(t, err)
	require.True(t, held.More)
	_, err = r.Deferrals(ctx, held.Next)
	require.NoError(t, err)

	seen := map[string]int{}
	for _, q := range r.sent {
		op, _, err := models.Find(q.Method, q.URL.EscapedPath())
		require.NoError(t, err)
		seen[op.ID]++
		t.Run(op.ID, func(t *testing.T) {
			_, err := models.Request(q.Request, q.body)
			require.NoError(t, err, "%s?%s %s", q.URL.Path, q.URL.RawQuery, q.body)
			require.NotEmpty(t, q.Header.Get("X-Amz-Access-Token"))
			require.Regexp(t, `^ChannelBridge/\S+ \(Language=Go/.*\)$`, q.Header.Get("User-Agent"))
		})
	}
	for op := range limits {
		require.NotZero(t, seen[op], "operation %s was never asked for", op)
	}
	require.Equal(t, 2, seen[opSearchOrders])
	require.Equal(t, 2, seen[opGetReports])
	require.Equal(t, 2, seen[opListPayouts])
	require.Zero(t, seen["createReport"])
	require.Zero(t, seen["initiatePayout"])
}

// Amazon's own sandbox pairs go through the adapter.
func TestSandboxVectors(t *testing.T) {
	t.Parallel()
	models := official.Load(t)
	got := map[marketplace.OrderID]marketplace.Order{}
	for _, v := range models[opSearchOrders].Vectors() {
		c := &canned{status: v.Status, body: string(v.Response)}
		page, err := cannedAdapter(t, c).Changed(t.Context(), marketplace.Cursor{Since: start.Add(-time.Hour)})
		if v.Status != 200 {
			require.True(t, fault.Is(err, fault.Refused), "%v", err)
			continue
		}
		require.NoError(t, err)
		require.Empty(t, page.Faulty)
		for _, o := range page.Orders {
			got[o.ID] = o
		}
		require.Equal(t, strings.Contains(string(v.Response), "nextToken"), page.More)
	}
	for _, v := range models[opGetOrder].Vectors() {
		id := marketplace.OrderID(strings.Trim(string(v.Request.Parameters["orderId"].Value), `"`))
		o, err := cannedAdapter(t, &canned{status: v.Status, body: string(v.Response)}).Order(t.Context(), id)
		if v.Status != 200 {
			require.True(t, fault.Is(err, fault.Refused), "%v", err)
			continue
		}
		require.NoError(t, err)
		got[o.ID] = o
	}
	require.Len(t, got, 6)
	for id, o := range got {
		for _, p := range o.Problems {
			require.Equal(t, marketplace.Problem{}, p, "%s", id)
		}
	}
	jp := got["250-1234567-8901234"]
	require.Equal(t, money.New(19940, "JPY"), jp.Total)
	require.Equal(t, marketplace.ByChannel, jp.FulfilledBy)
	require.Equal(t, marketplace.Closed, jp.Lifecycle)
	require.NotEmpty(t, jp.NoShip, "fulfilled by Amazon, never confirmed by us")
	require.Equal(t, "Asia/Tokyo", jp.Zone)
	require.Equal(t, []int{1, 2}, []int{jp.Lines[0].Shipped, jp.Lines[1].Shipped})

	uk := got["202-7654321-1098765"]
	require.Equal(t, []marketplace.Package{{Ref: "UK-PKG-CONSUMER-2024-002", Carrier: "DPD", Tracking: "15501234567890123456",
		ShippedAt: time.Date(2024, 12, 25, 14, 0, 0, 0, time.UTC), Status: "IN_TRANSIT", Lines: map[string]int{"20276543210987": 1}}}, uk.Packages)
	pickup := got["114-9876543-1234567"]
	require.Contains(t, pickup.NoShip, "pick-up")
	require.Equal(t, []marketplace.Component{{Kind: marketplace.Item, Amount: money.New(3999, "USD"), Tax: money.New(1000, "USD")}}, pickup.Lines[0].Parts)
	tr := got["028-1234567-8901234"]
	require.Equal(t, money.New(12500, "TRY"), tr.Lines[0].Parts[0].Amount)
	require.True(t, tr.Lines[0].Parts[0].TaxByChannel)
	br := got["171-2345678-9012345"]
	require.Equal(t, marketplace.Buyer{Name: "Carlos Oliveira", Company: "Oliveira Tecnologia Ltda", PONumber: "PO-BR-2024-5678"}, br.Buyer)
	require.Contains(t, br.NoShip, "Delivery by Amazon")
}

func TestConfirmShipmentVectors(t *testing.T) {
	t.Parallel()
	models := official.Load(t)
	for _, v := range models[opConfirmShipment].Vectors() {
		c := &canned{status: v.Status, body: string(v.Response)}
		if v.Status == 204 {
			c.body = ""
		}
		s := marketplace.Shipment{Order: "902-1106328-1059050", Site: usSite, Ref: "1", Carrier: marketplace.Carrier{Code: "FedEx", Name: "FedEx"},
			Service: "FedEx Ground", Tracking: "112345678", ShippedAt: time.Date(2022, 2, 11, 1, 0, 0, 0, time.UTC),
			Lines: []marketplace.ShipmentLine{{Line: "79039765272157", Quantity: 1}}}
		_, err := cannedAdapter(t, c).ConfirmShipment(t.Context(), "k", s)
		require.Equal(t, 1, c.calls, "a write is sent once")
		if v.Status != 204 {
			require.True(t, fault.Is(err, fault.Refused), "%v", err)
			continue
		}
		require.NoError(t, err)
		var body map[string]map[string]any
		var sent, want map[string]any
		require.NoError(t, json.Unmarshal(v.Request.Parameters["body"].Value, &want))
		require.NoError(t, json.Unmarshal(c.last, &sent))
		detail := want["packageDetail"].(map[string]any)
		delete(detail, "shipFromSupplySourceId") // optional, not ours to know
		delete(detail["orderItems"].([]any)[0].(map[string]any), "transparencyCodes")
		detail["shipDate"] = "2022-02-11T01:00:00Z" // the same instant
		require.Equal(t, want, sent)
		_ = json.Unmarshal(c.last, &body)
		require.IsType(t, "", body["packageDetail"]["packageReferenceId"])
	}
}

func TestOfficialNotificationExamples(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(official.Dir(t), "notifications", "schemas")
	for _, name := range []string{"OrderChange", "TransactionUpdate", "FeedProcessingFinished", "ReportProcessingFinished"} {
		raw, err := os.ReadFile(filepath.Join(dir, name+"Notification.json"))
		require.NoError(t, err)
		var doc struct{ Examples []json.RawMessage }
		require.NoError(t, json.Unmarshal(raw, &doc))
		r := newRig(t, amazonfake.Options{})
		require.NotEmpty(t, doc.Examples, name)
		for _, ex := range doc.Examples {
			hints, err := r.ReceiveQueued(start, marketplace.Inbound{Header: http.Header{}, Body: ex})
			require.NoError(t, err, name)
			require.Len(t, hints, 1)
			if name == "OrderChange" {
				require.Equal(t, marketplace.OrderID("903-8868176-2219830"), hints[0].Order)
				require.Equal(t, "d0e9e693-c3ad-4373-979f-ed4ec98dd746", hints[0].DeliveryID)
				require.Equal(t, time.Date(2022, 11, 29, 19, 42, 4, 284e6, time.UTC), hints[0].Heard)
				require.Empty(t, hints[0].Ignore)
			} else {
				require.NotEmpty(t, hints[0].Ignore, name)
			}
		}
	}
}
