package webhooks_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/internal/secret"
	"channelbridge/marketplace/generic"
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

// BenchmarkReceive is the handler alone: routing, reading, HMAC, depth, decoding, hints.
func BenchmarkReceive(b *testing.B) {
	b.Run("channel", func(b *testing.B) {
		g, err := generic.New(generic.Config{Secret: key})
		require.NoError(b, err)
		body := order("A-1")
		body = append(body, bytes.Repeat([]byte(" "), 3000-len(body))...)
		receive(b, webhooks.Source{Role: connector.RoleChannel, Channel: g}, signed(b, "m1", noon, body), body)
	})
	b.Run("store", func(b *testing.B) {
		const shop, clientSecret = "acme.myshopify.com", "a secret of the store"
		a, err := shopify.New(shopify.Config{Shop: shop, ClientSecret: secret.New(clientSecret), Token: secret.New("t"), Clock: func() time.Time { return noon }})
		require.NoError(b, err)
		line := `{"id":500000000000001,"price_set":{"shop_money":{"amount":"12.50","currency_code":"USD"}},"quantity":1,"sku":"SKU-000001","title":"Small Canvas Lamp"}`
		body := []byte(`{"id":5000000000000,"admin_graphql_api_id":"gid://shopify/Order/5000000000000","updated_at":"2026-11-21T10:00:00-05:00","note_attributes":[],"line_items":[` +
			strings.Repeat(line+",", 18) + line + `]}`)
		mac := hmac.New(sha256.New, []byte(clientSecret))
		mac.Write(body)
		header := http.Header{"Content-Type": {"application/json"}, "User-Agent": {"Shopify-Captain-Hook"}, "X-Shopify-Topic": {"orders/create"},
			"X-Shopify-Hmac-Sha256": {base64.StdEncoding.EncodeToString(mac.Sum(nil))}, "X-Shopify-Shop-Domain": {shop}, "X-Shopify-Api-Version": {"2026-10"},
			"X-Shopify-Webhook-Id": {"d1"}, "X-Shopify-Event-Id": {"e1"}, "X-Shopify-Triggered-At": {"2026-11-21T15:00:00Z"}}
		receive(b, webhooks.Source{Role: connector.RoleStore, Store: a}, header, body)
	})
}

func receive(b *testing.B, src webhooks.Source, header http.Header, body []byte) {
	h := webhooks.New(webhooks.Config{Inbox: nowhere{}, Clock: func() time.Time { return noon },
		Sources: map[connector.ConnectionID]webhooks.Source{channel: src}}).Handler()
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		req := httptest.NewRequest(http.MethodPost, "/webhooks/chan-1", bytes.NewReader(body))
		req.Header = header
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, req); w.Code != 200 {
			b.Fatal(w.Code, w.Body.String())
		}
	}
}
