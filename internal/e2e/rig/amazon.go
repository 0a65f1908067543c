package rig

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"channelbridge/marketplace/amazon/amazonfake"
)

// AmazonID is the connection of the second channel, which takes refunds in feeds.
const AmazonID = "amazon-us"

const amazonPipe = "pipe-token-for-tests"

// Amazon is a seller's account: a fake behind an HTTP server that pushes by itself.
type Amazon struct {
	*amazonfake.Server
	HTTP *httptest.Server

	group  sync.WaitGroup
	placed int
}

// openAmazon opens an account whose notifications go to the address hooks. It sets no limits of
// its own; the bridge keeps to the official ones.
func openAmazon(ctx context.Context, seed uint64, faults amazonfake.Faults, hooks string) *Amazon {
	a := &Amazon{Server: amazonfake.New(amazonfake.Options{Scale: -1, Visibility: time.Second, FeedDelay: time.Second, Subscribed: true,
		Faults: faults, Rand: rand.New(rand.NewPCG(seed, 7)),
		Push: amazonfake.Push{URL: hooks, Token: amazonPipe, Client: &http.Client{Timeout: 5 * time.Second}}})}
	a.SubscribeTo("TRANSACTION_UPDATE", "1.0")
	a.SubscribeTo("FEED_PROCESSING_FINISHED", "2020-09-04")
	a.HTTP = httptest.NewServer(a.Server)
	a.group.Go(func() { a.Run(ctx, 100*time.Millisecond) })
	return a
}

// PlaceTea takes an order of a few units, and returns its number. Each unit has a whole share of
// the tax, which Amazon works out by itself.
func (a *Amazon) PlaceTea() string {
	a.placed++
	return a.Place(amazonfake.OrderSpec{ID: fmt.Sprintf("114-0000000-%07d", a.placed), TaxByAmazon: true, Items: []amazonfake.ItemSpec{
		{SKU: "TEA", Title: "Tea", Quantity: 3, UnitPrice: "12.35", Tax: "3.30", Shipping: "4.99"},
		{SKU: "POT", Title: "Pot", Quantity: 1, UnitPrice: "29.90", Tax: "2.47"}}})
}

// close ends what openAmazon began, after its context has ended.
func (a *Amazon) close() {
	a.group.Wait()
	a.HTTP.CloseClientConnections()
	a.HTTP.Close()
}

// config is the account's section of the configuration.
func (a *Amazon) config(sweep time.Duration) string {
	return fmt.Sprintf(`  - id: %s
    platform: amazon
    store: %s
    tag: Amazon
    sweep_every: %s
    refunds: {per_hour: 0}
    amazon:
      seller_id: %s
      region: na
      client_id: %s
      client_secret: %s
      refresh_token: %s
      endpoint: %s
      token_url: %[8]s/auth/o2/token
      pipe:
        auth_token: %[9]s
`, AmazonID, ShopID, sweep, amazonfake.DefaultSeller, amazonfake.DefaultClient, amazonfake.DefaultSecret, amazonfake.DefaultRefresh,
		a.HTTP.URL, amazonPipe)
}
