package amazonfake_test

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"channelbridge/marketplace/amazon/amazonfake"
	"channelbridge/marketplace/amazon/internal/official"
)

const us = "ATVPDKIKX0DER"

// bench is a fake, a clock set by hand and a caller that knows Amazon's manners.
type bench struct {
	*amazonfake.Server
	t      *testing.T
	mu     sync.Mutex
	at     time.Time
	models official.Models // nil: answers are not checked
	http   *http.Client
	tokens map[string]string
}

func newBench(t *testing.T, opt amazonfake.Options) *bench {
	b := &bench{t: t, at: time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC), tokens: map[string]string{}}
	opt.Clock = b.now
	opt.Rand = rand.New(rand.NewPCG(7, 7))
	b.Server = amazonfake.New(opt)
	b.http = &http.Client{Transport: b.Transport()}
	return b
}

func (b *bench) now() time.Time { b.mu.Lock(); defer b.mu.Unlock(); return b.at }

func (b *bench) pass(d time.Duration) { b.mu.Lock(); defer b.mu.Unlock(); b.at = b.at.Add(d) }

func (b *bench) token(form string) string {
	if v := b.tokens[form]; v != "" {
		return v
	}
	q, _ := url.ParseQuery(form)
	q.Set("client_id", amazonfake.DefaultClient)
	q.Set("client_secret", amazonfake.DefaultSecret)
	resp, err := b.http.PostForm("https://lwa/auth/o2/token", q)
	require.NoError(b.t, err)
	var a struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(b.t, json.NewDecoder(resp.Body).Decode(&a))
	b.tokens[form] = a.AccessToken
	return a.AccessToken
}

// do makes a call and checks the answer against the official model.
func (b *bench) do(method, path string, body string) (int, string) {
	form := "grant_type=refresh_token&refresh_token=" + url.QueryEscape(amazonfake.DefaultRefresh)
	if strings.Contains(path, "/destinations") || method == http.MethodDelete {
		form = "grant_type=client_credentials&scope=sellingpartnerapi::notifications"
	}
	req, err := http.NewRequest(method, "https://api"+path, strings.NewReader(body))
	require.NoError(b.t, err)
	req.Header.Set("X-Amz-Access-Token", b.token(form))
	req.Header.Set("User-Agent", "Test/1.0 (Language=Go)")
	resp, err := b.http.Do(req)
	require.NoError(b.t, err)
	text, _ := io.ReadAll(resp.Body)
	if b.models != nil {
		op, _, err := b.models.Find(method, req.URL.EscapedPath())
		require.NoError(b.t, err)
		require.NoError(b.t, op.Answer(resp.StatusCode, text), "%s", text)
	}
	return resp.StatusCode, string(text)
}

func confirmBody(ref, item string, n int, date time.Time) string {
	body, _ := json.Marshal(map[string]any{"marketplaceId": us, "packageDetail": map[string]any{"packageReferenceId": json.RawMessage(ref),
		"carrierCode": "UPS", "trackingNumber": "1Z1", "shipDate": date.Format(time.RFC3339),
		"orderItems": []any{map[string]any{"orderItemId": item, "quantity": n}}}})
	return string(body)
}

const allSets = "includedData=BUYER,RECIPIENT,PROCEEDS,PROMOTION,CANCELLATION,FULFILLMENT,PACKAGES,TAX"

func rich(status string) amazonfake.OrderSpec {
	return amazonfake.OrderSpec{Status: status, Programs: []string{"PRIME"}, Alias: "A-1", Replaces: "114-0000000-0000001", Company: "Co",
		PO: "P1", TaxByAmazon: true, Tip: "1.00", Items: []amazonfake.ItemSpec{{ID: "I1", Quantity: 2, UnitPrice: "10.00", Shipping: "3",
			GiftWrap: "1", CODFee: "1", Tax: "1.60", ShippingTax: "0.20", Discount: "2", ShippingDiscount: "1", Promo: "P"}}}
}

func TestAnswersPassTheOfficialModels(t *testing.T) {
	t.Parallel()
	b := newBench(t, amazonfake.Options{Scale: -1})
	b.models = official.Load(t)
	id := b.Place(rich(""))
	b.Place(rich("PENDING"))
	fba := b.Place(amazonfake.OrderSpec{Amazon: true})
	asked := b.Place(rich(""))
	gone := b.Place(rich(""))
	b.pass(time.Minute)
	require.True(t, b.ShipByAmazon(fba))
	require.True(t, b.RequestCancel(asked, "changed my mind", "I1"))
	require.True(t, b.CancelByBuyer(gone))
	order := "/orders/v0/orders/" + id + "/shipmentConfirmation"

	expect := func(status int, method, path, body string) string {
		got, text := b.do(method, path, body)
		require.Equal(t, status, got, "%s %s: %s", method, path, text)
		return text
	}
	expect(200, "GET", "/sellers/v1/marketplaceParticipations", "")
	expect(204, "POST", order, confirmBody(`"1"`, "I1", 1, b.now()))
	expect(400, "POST", order, confirmBody(`1`, "I1", 1, b.now()))
	expect(404, "POST", "/orders/v0/orders/none/shipmentConfirmation", confirmBody(`"1"`, "I1", 1, b.now()))
	for _, o := range b.Orders() {
		expect(200, "GET", "/orders/2026-01-01/orders/"+o.ID+"?"+allSets, "")
		expect(200, "GET", "/orders/2026-01-01/orders/"+o.ID, "")
	}
	expect(404, "GET", "/orders/2026-01-01/orders/none", "")
	b.pass(time.Hour - 2*time.Minute)
	text := expect(200, "GET", "/orders/2026-01-01/orders?lastUpdatedAfter=2026-11-20T00:00:00Z&maxResultsPerPage=2&"+allSets, "")
	require.Contains(t, text, "nextToken")
	expect(200, "GET", "/orders/2026-01-01/orders?createdAfter=2026-11-20T00:00:00Z", "")
	expect(400, "GET", "/orders/2026-01-01/orders", "")

	expect(200, "GET", "/notifications/v1/destinations", "")
	dest := expect(200, "POST", "/notifications/v1/destinations", `{"name":"x","resourceSpecification":{"sqs":{"arn":"`+amazonfake.DefaultQueueARN+`"}}}`)
	expect(409, "POST", "/notifications/v1/destinations", `{"name":"x","resourceSpecification":{"sqs":{"arn":"`+amazonfake.DefaultQueueARN+`"}}}`)
	expect(200, "GET", "/notifications/v1/destinations", "")
	var d struct {
		Payload struct{ DestinationID string }
	}
	require.NoError(t, json.Unmarshal([]byte(dest), &d))
	expect(404, "GET", "/notifications/v1/subscriptions/ORDER_CHANGE", "")
	sub := `{"payloadVersion":"1.0","destinationId":"` + d.Payload.DestinationID + `","processingDirective":{"eventFilter":{"eventFilterType":"ORDER_CHANGE","orderChangeTypes":["OrderStatusChange"]}}}`
	expect(200, "POST", "/notifications/v1/subscriptions/ORDER_CHANGE", sub)
	expect(409, "POST", "/notifications/v1/subscriptions/ORDER_CHANGE", sub)
	expect(200, "GET", "/notifications/v1/subscriptions/ORDER_CHANGE?payloadVersion=1.0", "")
	expect(200, "DELETE", "/notifications/v1/subscriptions/ORDER_CHANGE/"+b.Subscriptions()[0].ID, "")
	feedAnswers(b, expect, fba)
	reportAnswers(b, expect)
	transferAnswers(b, expect)
	b.SetFaults(amazonfake.Faults{Throttle: 1})
	expect(429, "GET", "/orders/2026-01-01/orders/"+id, "")
	expect(429, "POST", "/feeds/2021-06-30/feeds", `{}`)
	b.SetFaults(amazonfake.Faults{Down: true})
	expect(503, "GET", "/orders/2026-01-01/orders/"+id, "")
}

// notificationSchema is one of Amazon's own.
func notificationSchema(t *testing.T, name string) *jsonschema.Schema {
	raw, err := os.ReadFile(filepath.Join(official.Dir(t), "notifications", "schemas", name+"Notification.json"))
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("mem:///n", unnamed(doc)))
	schema, err := c.Compile("mem:///n")
	require.NoError(t, err)
	return schema
}

// unnamed takes the made-up identities out of a schema, which are no addresses.
func unnamed(v any) any {
	switch x := v.(type) {
	case map[string]any:
		delete(x, "$id")
		for _, y := range x {
			unnamed(y)
		}
	case []any:
		for _, y := range x {
			unnamed(y)
		}
	}
	return v
}

func TestNotificationsPassTheOfficialSchema(t *testing.T) {
	t.Parallel()
	schema := notificationSchema(t, "OrderChange")

	b := newBench(t, amazonfake.Options{Subscribed: true})
	id := b.Place(rich("PENDING"))
	b.Release(id)
	b.RequestCancel(id, "no longer needed")
	b.CancelByMerchant(id, "NO_INVENTORY")
	b.Place(amazonfake.OrderSpec{Amazon: true})
	seen := 0
	sink := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := jsonschema.UnmarshalJSON(r.Body)
		require.NoError(t, err)
		require.NoError(t, schema.Validate(v))
		require.Equal(t, "hush", r.Header.Get("X-Pipe"))
		seen++
	}))
	defer sink.Close()
	b.SetPush(amazonfake.Push{URL: sink.URL, Header: "X-Pipe", Token: "hush", Shape: "bare"})
	n, err := b.Deliver(t.Context())
	require.NoError(t, err)
	require.Equal(t, 5, n)
	require.Equal(t, 5, seen)
	require.Zero(t, b.Queued())
}

func TestConfirmationRules(t *testing.T) {
	t.Parallel()
	b := newBench(t, amazonfake.Options{Scale: -1})
	id := b.Place(amazonfake.OrderSpec{Items: []amazonfake.ItemSpec{{ID: "I1", Quantity: 3}}})
	b.pass(time.Minute)
	path := "/orders/v0/orders/" + id + "/shipmentConfirmation"
	at := b.now()
	for _, c := range []struct {
		name, body, says string
		status           int
	}{
		{"reference is a number", confirmBody(`1`, "I1", 1, at), "string with a positive integer", 400},
		{"reference is zero", confirmBody(`"0"`, "I1", 1, at), "positive integer", 400},
		{"future date", confirmBody(`"1"`, "I1", 1, at.Add(time.Minute)), "future", 400},
		{"before the order", confirmBody(`"1"`, "I1", 1, at.Add(-time.Hour)), "before the order", 400},
		{"too many units", confirmBody(`"1"`, "I1", 4, at), "more than are left", 400},
		{"unknown item", confirmBody(`"1"`, "I9", 1, at), "not part of the order", 400},
		{"first parcel", confirmBody(`"1"`, "I1", 2, at), "", 204},
		{"same reference again edits", confirmBody(`"1"`, "I1", 1, at), "", 204},
		{"second parcel overflows", confirmBody(`"2"`, "I1", 3, at), "more than are left", 400},
		{"second parcel", confirmBody(`"2"`, "I1", 2, at), "", 204},
		{"unknown reference when all is shipped", confirmBody(`"3"`, "I1", 1, at), "PackageToUpdateNotFound", 400},
		{"known reference when all is shipped", confirmBody(`"2"`, "I1", 2, at), "", 204},
	} {
		status, text := b.do("POST", path, c.body)
		require.Equal(t, c.status, status, "%s: %s", c.name, text)
		require.Contains(t, text, c.says, c.name)
	}
	o, _ := b.Order(id)
	require.Equal(t, "SHIPPED", o.Status)
	require.Len(t, o.Packages, 2)
	require.Len(t, b.Shipments(id), 4)
	for _, spec := range []amazonfake.OrderSpec{{Amazon: true}, {Status: "PENDING"}, {Programs: []string{"AMAZON_EASY_SHIP"}}} {
		spec.Items = []amazonfake.ItemSpec{{ID: "I1"}}
		status, _ := b.do("POST", "/orders/v0/orders/"+b.Place(spec)+"/shipmentConfirmation", confirmBody(`"1"`, "I1", 1, at))
		require.Equal(t, 400, status)
	}
}

func TestSearchRules(t *testing.T) {
	t.Parallel()
	b := newBench(t, amazonfake.Options{Scale: -1})
	for range 5 {
		b.Place(amazonfake.OrderSpec{})
	}
	b.pass(10 * time.Minute)
	base := "/orders/2026-01-01/orders?lastUpdatedAfter=2026-11-20T00:00:00Z"
	for _, c := range []struct {
		query  string
		status int
	}{
		{"", 200}, {"&createdAfter=2026-11-20T00:00:00Z", 400}, {"&lastUpdatedBefore=2026-11-20T15:08:30Z", 400},
		{"&lastUpdatedBefore=2026-11-20T15:08:00Z", 200}, {"&maxResultsPerPage=101", 400}, {"&includedData=NONSENSE", 400},
		{"&paginationToken=nonsense", 400},
	} {
		status, text := b.do("GET", base+c.query, "")
		require.Equal(t, c.status, status, "%s: %s", c.query, text)
	}
	_, text := b.do("GET", base+"&maxResultsPerPage=3", "")
	var page struct {
		Orders     []json.RawMessage
		Pagination struct{ NextToken string }
	}
	require.NoError(t, json.Unmarshal([]byte(text), &page))
	require.Len(t, page.Orders, 3)
	token := "&paginationToken=" + page.Pagination.NextToken
	status, text := b.do("GET", base+token, "")
	require.Equal(t, 200, status)
	require.NotContains(t, text, "nextToken")
	status, _ = b.do("GET", strings.Replace(base, "T00:", "T01:", 1)+token, "")
	require.Equal(t, 400, status, "the other parameters must stay equal")
	b.pass(25 * time.Hour)
	clear(b.tokens)
	status, _ = b.do("GET", base+token, "")
	require.Equal(t, 400, status, "a page token lives a day")
}

func TestGates(t *testing.T) {
	t.Parallel()
	b := newBench(t, amazonfake.Options{})
	id := b.Place(amazonfake.OrderSpec{})
	path := "/orders/2026-01-01/orders/" + id
	for range 30 {
		status, _ := b.do("GET", path, "")
		require.Equal(t, 200, status)
	}
	status, _ := b.do("GET", path, "")
	require.Equal(t, 429, status, "the burst is used up")
	b.pass(2 * time.Second)
	status, _ = b.do("GET", path, "")
	require.Equal(t, 200, status)
	b.pass(time.Hour)
	status, text := b.do("GET", path, "")
	require.Equal(t, 403, status)
	require.Contains(t, text, "expired")
	resp, err := b.http.Get("https://api" + path)
	require.NoError(t, err)
	require.Equal(t, 400, resp.StatusCode, "Amazon wants a user agent of its own form")
	require.Equal(t, map[string]int{"token": 1, "getOrder": 34}, b.Calls())
}

func TestQueueHidesAndShowsAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, amazonfake.Options{Subscribed: true, Visibility: time.Minute})
	b.Place(amazonfake.OrderSpec{})
	broken := httptest.NewServer(http.NotFoundHandler())
	defer broken.Close()
	b.SetPush(amazonfake.Push{URL: broken.URL})
	n, err := b.Deliver(t.Context())
	require.Error(t, err)
	require.Zero(t, n)
	n, err = b.Deliver(t.Context())
	require.NoError(t, err)
	require.Zero(t, n, "hidden")
	b.pass(time.Minute)
	_, err = b.Deliver(t.Context())
	require.Error(t, err, "visible again")
	require.Equal(t, 1, b.Queued())

	b.SetFaults(amazonfake.Faults{Drop: 1})
	b.Place(amazonfake.OrderSpec{})
	require.Equal(t, 1, b.Queued())
	b.SetFaults(amazonfake.Faults{Duplicate: 1})
	b.Place(amazonfake.OrderSpec{})
	require.Equal(t, 3, b.Queued())
}
