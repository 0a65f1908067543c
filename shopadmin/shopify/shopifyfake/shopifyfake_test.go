package shopifyfake

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

type box struct {
	mu     sync.Mutex
	status int
	got    []*http.Request
	bodies [][]byte
}

func (b *box) RoundTrip(r *http.Request) (*http.Response, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	b.got, b.bodies = append(b.got, r), append(b.bodies, body)
	return &http.Response{StatusCode: b.status, Body: http.NoBody, Header: http.Header{}}, nil
}

func open(t *testing.T, cfg Config, hooks http.RoundTripper) *Server {
	t.Helper()
	cfg.Token = "fixed"
	cfg.HookClient = &http.Client{Transport: hooks}
	s, err := New(cfg)
	require.NoError(t, err)
	return s
}

func ask(t *testing.T, s *Server, query string, vars map[string]any) map[string]any {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "operationName": "Q", "variables": vars})
	require.NoError(t, err)
	r := httptest.NewRequest(http.MethodPost, "/admin/api/2026-10/graphql.json", bytes.NewReader(body))
	r.Header.Set("X-Shopify-Access-Token", "fixed")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	var out map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &out), w.Body.String())
	return out
}

// Documents, variables and inputs that the real store would refuse are refused.
func TestOnlyValidRequestsAreAnswered(t *testing.T) {
	s := open(t, Config{}, nil)
	for name, c := range map[string]struct {
		query string
		vars  map[string]any
	}{
		"unknown field":    {`query Q { shop { nam } }`, nil},
		"no selection":     {`query Q { shop }`, nil},
		"missing variable": {`query Q($id: ID!) { order(id: $id) { id } }`, nil},
		"wrong type":       {`query Q($n: Int!) { orders(first: $n) { nodes { id } } }`, map[string]any{"n": "many"}},
		"unknown input":    {`mutation Q($i: OrderInput!) { orderUpdate(input: $i) { order { id } } }`, map[string]any{"i": map[string]any{"id": "1", "tag": "x"}}},
		"two of one": {`query Q($i: OrderIdentifierInput!) { orderByIdentifier(identifier: $i) { id } }`,
			map[string]any{"i": map[string]any{"id": "1", "customId": nil}}},
		"wrong enum": {`mutation Q($t: WebhookSubscriptionTopic!, $s: WebhookSubscriptionInput!) { webhookSubscriptionCreate(topic: $t, webhookSubscription: $s) { userErrors { message } } }`,
			map[string]any{"t": "ORDERS_INVENTED", "s": map[string]any{}}},
		"other operation": {`query R { shop { name } }`, nil},
		"too costly":      {`query Q { orders(first: 250, sortKey: UPDATED_AT) { nodes { lineItems(first: 250) { nodes { id } } } } }`, nil},
	} {
		require.NotEmpty(t, ask(t, s, c.query, c.vars)["errors"], name)
	}
	out := ask(t, s, `query Q { a: shop { name: myshopifyDomain } ...F } fragment F on QueryRoot { shop { currencyCode } }`, nil)
	require.Equal(t, map[string]any{"a": map[string]any{"name": "acme.myshopify.com"}, "shop": map[string]any{"currencyCode": "USD"}}, out["data"], "exactly the shape asked for")
}

// A subscriber that never answers well is tried nine times in four hours, then dropped.
func TestHooksAreRepeatedAndGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &box{status: 500}
		s := open(t, Config{}, b)
		s.Subscribe(Subscription{Topic: "ORDERS_CREATE", URI: "https://hooks.example.com/x"})
		began := time.Now()
		s.PlaceOrder("A", "a", 1, "")
		for {
			at, ok := s.Due()
			if !ok {
				break
			}
			time.Sleep(time.Until(at))
			require.Equal(t, 1, s.Deliver(t.Context()))
		}
		require.Len(t, b.got, 9)
		require.Equal(t, 4*time.Hour, time.Since(began))
		require.Empty(t, s.Subscriptions())
		for i, r := range b.got {
			require.Equal(t, b.got[0].Header.Get("X-Shopify-Webhook-Id"), r.Header.Get("X-Shopify-Webhook-Id"))
			require.Equal(t, b.bodies[0], b.bodies[i], "the body of the first try")
		}
	})
}

// Run sends what is due and stops with its context.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &box{status: 200}
		s := open(t, Config{}, b)
		s.Subscribe(Subscription{Topic: "ORDERS_CREATE", URI: "https://hooks.example.com/x"})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { s.Run(ctx); close(done) }()
		s.PlaceOrder("A", "a", 1, "")
		synctest.Wait()
		b.mu.Lock()
		require.Len(t, b.got, 1)
		require.Equal(t, "orders/create", b.got[0].Header.Get("X-Shopify-Topic"))
		b.mu.Unlock()
		cancel()
		<-done
	})
}

func TestHooksAreLostAndDoubled(t *testing.T) {
	b := &box{status: 200}
	s := open(t, Config{Faults: Faults{HookTwice: 1}}, b)
	s.Subscribe(Subscription{Topic: "ORDERS_CREATE", URI: "https://hooks.example.com/x"})
	s.PlaceOrder("A", "a", 1, "")
	require.Equal(t, 2, s.Deliver(t.Context()))
	require.Equal(t, b.got[0].Header.Get("X-Shopify-Webhook-Id"), b.got[1].Header.Get("X-Shopify-Webhook-Id"))
	s.SetFaults(Faults{HookLost: 1})
	s.PlaceOrder("A", "a", 1, "")
	require.Zero(t, s.Deliver(t.Context()))
	s.SetFaults(Faults{HookLate: 1})
	s.PlaceOrder("A", "a", 1, "")
	_, waits := s.Due()
	require.True(t, waits)
	require.Zero(t, s.Deliver(t.Context()))
}

// People in the store can ship in parts, take a shipment back, cancel and hold.
func TestStaff(t *testing.T) {
	s := open(t, Config{}, nil)
	id := s.PlaceOrder("A", "a", 3, "")
	o, _ := s.Order(id)
	line := o.Lines[0].ID
	_, err := s.Fulfill(id, []LineQty{{line, 4}})
	require.Error(t, err)
	_, err = s.Fulfill(id, []LineQty{{line, 2}, {line, 2}})
	require.Error(t, err)
	f, err := s.Fulfill(id, []LineQty{{line, 2}}, Tracking{Number: "1Z"})
	require.NoError(t, err)
	require.Error(t, s.CancelOrder(id), "part of it has left")
	o, _ = s.Order(id)
	require.Equal(t, "IN_PROGRESS", o.FulfillmentOrders[0].Status)
	require.NoError(t, s.UpdateTracking(f, Tracking{Number: "1Y"}))
	require.NoError(t, s.CancelFulfillment(f))
	require.Error(t, s.CancelFulfillment(f))
	o, _ = s.Order(id)
	require.Equal(t, 3, o.Lines[0].Unshipped)
	require.Len(t, o.FulfillmentOrders, 2)
	require.NoError(t, s.PlaceHold(id, "wait"))
	_, err = s.Fulfill(id, nil)
	require.ErrorIs(t, err, ErrHeld)
	require.NoError(t, s.ReleaseHold(id))
	_, err = s.Fulfill(id, nil)
	require.NoError(t, err)
	other := s.PlaceOrder("B", "b", 1, "")
	require.NoError(t, s.CancelOrder(other))
	_, err = s.Fulfill(other, nil)
	require.Error(t, err)
	_, err = s.Fulfill("gid://shopify/Order/1", nil)
	require.ErrorIs(t, err, ErrNoSuch)
	require.Empty(t, s.Messages(), "nobody to write to")
}

func TestNumbersInBodiesAreWhole(t *testing.T) {
	b := &box{status: 200}
	s := open(t, Config{}, b)
	s.Subscribe(Subscription{Topic: "FULFILLMENTS_CREATE", URI: "https://hooks.example.com/x"})
	id := s.PlaceOrder("A", "a", 1, "")
	_, err := s.Fulfill(id, nil, Tracking{Number: "1Z"})
	require.NoError(t, err)
	s.Deliver(t.Context())
	var body struct {
		OrderID int64 `json:"order_id"`
	}
	require.NoError(t, json.Unmarshal(b.bodies[0], &body))
	require.Equal(t, number(id), body.OrderID)
	require.Greater(t, body.OrderID, int64(1)<<53)
}

func TestSearchSyntax(t *testing.T) {
	got, err := parseSearch(`updated_at:>='2026-11-01T00:00:00Z' AND tag:'a' OR sku:'it\'s'`)
	require.NoError(t, err)
	require.Equal(t, search{{{"updated_at", ">=", "2026-11-01T00:00:00Z"}, {"tag", "", "a"}}, {{"sku", "", "it's"}}}, got)
	for _, bad := range []string{"free text", "tag:unquoted", "tag:'open"} {
		_, err := parseSearch(bad)
		require.Error(t, err, bad)
	}
}
