package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"channelbridge/shopadmin/shopify/shopifyfake"
)

// ShopID is the store's connection.
const ShopID = "shop"

// How the store is known and proves itself.
const (
	ShopDomain = "acme.myshopify.com"
	ShopSecret = "store-secret-for-tests"
	ShopToken  = "store-token-for-tests"
)

// hookTopics are the pushes the store sends to the bridge.
var hookTopics = []string{"ORDERS_CREATE", "ORDERS_UPDATED", "ORDERS_CANCELLED", "FULFILLMENTS_CREATE", "FULFILLMENTS_UPDATE",
	"REFUNDS_CREATE", "ORDER_TRANSACTIONS_CREATE"}

// Shop is the store: a fake behind an HTTP server, whose pushes go through an outbox.
type Shop struct {
	*shopifyfake.Server
	HTTP *httptest.Server
}

// openShop opens a store with room for every call. Its pushes go to the address hooks.
func openShop(ctx context.Context, o Options, hooks string, out *Outbox) (*Shop, error) {
	fake, err := shopifyfake.New(shopifyfake.Config{
		Shop: ShopDomain, ClientSecret: ShopSecret, Token: ShopToken, Rand: rand.New(rand.NewPCG(o.Seed, 3)), Faults: o.Shop,
		Bucket: 10_000_000, Restore: 10_000_000, Latency: o.ShopLatency, HookClient: &http.Client{Transport: posting{out}},
	})
	if err != nil {
		return nil, err
	}
	for _, topic := range hookTopics {
		fake.Subscribe(shopifyfake.Subscription{Topic: topic, URI: hooks})
	}
	go fake.Run(ctx)
	var handler http.Handler = fake
	if o.Created != nil {
		handler = watched(fake, o.Created)
	}
	return &Shop{Server: fake, HTTP: httptest.NewServer(handler)}, nil
}

// watched tells of every order the moment it has been made.
func watched(fake http.Handler, created func(order string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		fake.ServeHTTP(w, r)
		var call struct {
			Variables struct {
				Order struct {
					SourceIdentifier string `json:"sourceIdentifier"`
				} `json:"order"`
			} `json:"variables"`
		}
		if json.Unmarshal(body, &call) == nil && call.Variables.Order.SourceIdentifier != "" {
			created(call.Variables.Order.SourceIdentifier)
		}
	})
}

// posting hands the store's signed pushes to an outbox, which repeats them sooner than the store
// would: within a test nobody waits for its minutes.
type posting struct{ out *Outbox }

// RoundTrip implements http.RoundTripper.
func (p posting) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	header := r.Header.Clone()
	p.out.Put(Message{Connection: ShopID, ID: header.Get("X-Shopify-Webhook-Id"), Body: body,
		Header: func(time.Time) http.Header { return header.Clone() }})
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
}
