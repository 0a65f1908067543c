package load_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/internal/e2e/load"
	"channelbridge/internal/secret"
	"channelbridge/shopadmin/shopify"
	"channelbridge/webhooks"
)

// nowhere accepts everything and keeps nothing.
type nowhere struct{}

func (nowhere) Record(_ context.Context, d connector.Delivery) (connector.Verdict, error) {
	return d.Verdict, nil
}
func (nowhere) Reject(context.Context, connector.Delivery, int) error { return nil }
func (nowhere) Replayed(context.Context, int64, time.Time, []connector.Touch, []connector.Observation) error {
	return nil
}

// BenchmarkStorePush is what a store's push costs before it is kept: routing, reading, signature,
// depth, JSON, hints. The socket is not in it.
func BenchmarkStorePush(b *testing.B) {
	const key, shop = "a secret of the store", "acme.myshopify.com"
	admin, err := shopify.New(shopify.Config{Shop: shop, ClientSecret: secret.New(key), Token: secret.New("t"), Clock: time.Now})
	require.NoError(b, err)
	h := webhooks.New(webhooks.Config{Inbox: nowhere{},
		Sources: map[connector.ConnectionID]webhooks.Source{"shop": {Role: connector.RoleStore, Store: admin}}}).Handler()
	pushes := load.Pushes(64, 3000, key, 1)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		p := pushes[n%len(pushes)]
		req := httptest.NewRequest(http.MethodPost, "/webhooks/shop", bytes.NewReader(p.Body))
		for name, value := range map[string]string{"Content-Type": "application/json", "User-Agent": "Shopify-Captain-Hook", "X-Shopify-Topic": "orders/create",
			"X-Shopify-Hmac-Sha256": p.HMAC, "X-Shopify-Shop-Domain": shop, "X-Shopify-API-Version": "2026-10", "X-Shopify-Webhook-Id": fmt.Sprint(n),
			"X-Shopify-Event-Id": fmt.Sprint(n), "X-Shopify-Triggered-At": "2026-11-21T15:00:00.000000000Z"} {
			req.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, req); w.Code != 200 {
			b.Fatal(w.Code, w.Body.String())
		}
	}
}
