package shopify_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/money"
	"channelbridge/internal/secret"
	"channelbridge/shopadmin"
	"channelbridge/shopadmin/shopify"
	"channelbridge/shopadmin/shopify/shopifyfake"
)

// bench is an Admin, a store, and one clock for both.
type bench struct {
	*shopify.Admin
	store *shopifyfake.Server
	clock *clock
	wire  *recorder
	log   *bytes.Buffer
}

type clock struct {
	mu    sync.Mutex
	now   time.Time
	slept time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *clock) Sleep(_ context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now, c.slept = c.now.Add(d), c.slept+d
	return nil
}

// recorder keeps what was sent.
type recorder struct {
	next http.RoundTripper
	mu   sync.Mutex
	sent []string
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	r.mu.Lock()
	r.sent = append(r.sent, string(body))
	r.mu.Unlock()
	return r.next.RoundTrip(req)
}

// of returns the bodies of one operation.
func (r *recorder) of(operation string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, b := range r.sent {
		if strings.Contains(b, `"operationName":"`+operation+`"`) {
			out = append(out, b)
		}
	}
	return out
}

var start = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

func newBench(t testing.TB, tune ...func(*shopifyfake.Config, *shopify.Config)) *bench {
	t.Helper()
	b := &bench{clock: &clock{now: start}, log: &bytes.Buffer{}}
	store := shopifyfake.Config{Clock: b.clock.Now, Sleep: b.clock.Sleep, ClientSecret: "hush-client-secret"}
	admin := shopify.Config{Shop: "acme.myshopify.com", ClientID: "client-id", ClientSecret: secret.New("hush-client-secret"),
		Clock: b.clock.Now, Sleep: b.clock.Sleep, Retries: -1, Log: slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, f := range tune {
		f(&store, &admin)
	}
	var err error
	b.store, err = shopifyfake.New(store)
	require.NoError(t, err)
	b.wire = &recorder{next: b.store.Transport()}
	admin.Transport = b.wire
	b.Admin, err = shopify.New(admin)
	require.NoError(t, err)
	return b
}

func (b *bench) ctx() context.Context { return context.Background() }

func usd(minor int64) money.Money { return money.New(minor, "USD") }

var mark = shopadmin.Mark{Channel: "amazon-us", Order: "113-1234567-1234567"}

// newOrder is an order of two lines, as the translator makes them.
func newOrder(m shopadmin.Mark) shopadmin.NewOrder {
	return shopadmin.NewOrder{Mark: m, Currency: "USD", PlacedAt: start, Tags: []string{"Amazon", "amazon-us"}, Gateway: "amazon",
		SourceURL: "https://sellercentral.amazon.com/orders-v3/order/" + m.Order, Attributes: map[string]string{"Ship by": "2026-11-24"},
		ShipTo: &shopadmin.Address{FirstName: "Jane", LastName: "Doe", Address1: "1 Main St", City: "Austin", Region: "TX",
			PostalCode: "78701", Country: "US", Phone: "+1 555 0100"},
		Lines: []shopadmin.NewLine{
			{ChannelLine: "item-1", SKU: "MUG-1", Title: "Mug from the channel", Quantity: 2, UnitPrice: usd(1000), Ships: true,
				Taxes: []shopadmin.NewTax{{Title: "Marketplace tax", Amount: usd(165), Rate: "0.0825", ChannelLiable: true}}},
			{ChannelLine: "item-2", SKU: "UNKNOWN-9", Title: "Never listed", Quantity: 1, UnitPrice: usd(500), Ships: true},
		},
		Shipping: []shopadmin.NewShipping{{Title: "Standard", Code: "AMZSTD", Price: usd(400)}},
		Discount: usd(100), Paid: usd(2965), Stock: shopadmin.StockDecrement}
}
