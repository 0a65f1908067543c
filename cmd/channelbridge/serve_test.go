package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/secret"
	"channelbridge/marketplace/generic/genericfake"
	"channelbridge/shopadmin/shopify/shopifyfake"
)

const pushSecret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

// bench is a bridge between a fake channel and a fake store, and what a person needs beside it.
type bench struct {
	*testing.T
	dir, config string
	market      *genericfake.Channel
	shop        *shopifyfake.Server
	marketURL   string
	shopURL     string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{T: t, dir: t.TempDir()}
	b.market = genericfake.New(genericfake.Config{Secret: secret.New(pushSecret), Token: secret.New("market-token")})
	var err error
	b.shop, err = shopifyfake.New(shopifyfake.Config{})
	require.NoError(t, err)
	serve := func(h http.Handler) string {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return s.URL
	}
	b.marketURL, b.shopURL = serve(b.market), serve(b.shop)
	b.write("listen: 127.0.0.1:0\n")
	return b
}

// write makes the configuration: the given beginning, then the two connections.
func (b *bench) write(begin string) {
	b.config = file(b.T, b.dir, "channelbridge.yaml", fmt.Sprintf(`%s
data_dir: %s
log: {level: debug}
connections:
  - id: shop
    platform: shopify
    sweep_every: 1s
    shopify: {shop: acme.myshopify.com, client_id: client-id, client_secret: client-secret, endpoint: '%s'}
  - id: market
    platform: generic
    store: shop
    sweep_every: 1s
    generic: {endpoint: '%s', token: market-token, secret: %s}
`, begin, b.dir, b.shopURL, b.marketURL, pushSecret))
}

func (b *bench) run(args ...string) result {
	b.Helper()
	return command(b.T, environment{}, append(args, "--config", b.config)...)
}

// running is a bridge in this process.
type running struct {
	url, metrics string
	log          *safeBuffer
	stop         func() int
}

// serve runs a bridge in this process until it is stopped.
func (b *bench) serve() *running {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{log: &safeBuffer{}}
	a := &app{env: noEnv, clock: realClock, stdin: strings.NewReader(""), stdout: io.Discard, stderr: r.log, configFile: b.config}
	cfg, err := a.config()
	require.NoError(b, err)
	listening, ended := make(chan *front, 1), make(chan error, 1)
	go func() { ended <- a.serve(ctx, cfg, func(f *front) error { listening <- f; return nil }) }()
	select {
	case f := <-listening:
		r.url, r.metrics = "http://"+f.Addr, "http://"+f.Metrics
	case err := <-ended:
		b.Fatal(err)
	}
	stopped := false
	r.stop = func() int {
		if stopped {
			return 0
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			b.Log(err)
			return 1
		}
		return 0
	}
	b.Cleanup(func() {
		r.stop()
		if b.Failed() {
			b.Log(r.log.String())
		}
	})
	require.Eventually(b, func() bool { status, _ := get(b.T, r.metrics+"/readyz"); return status == http.StatusOK }, 10*time.Second, 20*time.Millisecond)
	return r
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(body)
}

func TestAnOrderGoesAllTheWay(t *testing.T) {
	b := newBench(t)
	r := b.serve()
	id := b.market.Place(genericfake.Order{})
	status, err := b.market.Push(t.Context(), http.DefaultClient, r.url+"/webhooks/market", id)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)

	mirrored := func() string {
		for _, o := range b.shop.Orders() {
			if o.SourceIdentifier == id {
				return o.ID
			}
		}
		return ""
	}
	require.Eventually(t, func() bool { return mirrored() != "" }, 10*time.Second, 50*time.Millisecond)
	_, err = b.shop.Fulfill(mirrored(), nil, shopifyfake.Tracking{Company: "UPS", Number: "1Z999"})
	require.NoError(t, err)
	hint := func() string { return b.run("orders", "show", "market/"+id).out }
	require.Eventually(t, func() bool { return strings.Contains(hint(), "carrier") }, 15*time.Second, 100*time.Millisecond, "an unmapped carrier is held:\n%s", hint())

	resp, err := http.Post(r.url+"/webhooks/market", "application/json", strings.NewReader(`{"id":"x"}`))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusBadRequest, resp.StatusCode)
	req, err := http.NewRequest(http.MethodPost, r.url+"/webhooks/market", strings.NewReader(`{"id":"x"}`))
	require.NoError(t, err)
	for k, v := range map[string]string{"webhook-id": "m1", "webhook-timestamp": fmt.Sprint(time.Now().Unix()), "webhook-signature": "v1,AAAA"} {
		req.Header.Set(k, v)
	}
	resp, err = http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusUnauthorized, resp.StatusCode)

	status, text := get(t, r.url+"/metrics")
	require.Equal(t, http.StatusOK, status)
	for _, want := range []string{`channelbridge_deliveries_total{connection="market",verdict="accepted"} 1`,
		`channelbridge_connection_state{connection="shop",platform="shopify",role="store",state="active"} 1`,
		"channelbridge_calls_total{", "channelbridge_looks_total{", "channelbridge_sweep_seen_total{", "channelbridge_stats_up 1",
		`channelbridge_completeness{channel="market",count="mirrored",day="`} {
		require.Contains(t, text, want)
	}
	require.Zero(t, r.stop())
	require.Contains(t, r.log.String(), `"msg":"stopped"`)
	for _, s := range []string{"market-token", "client-secret", "MDEyMzQ1"} {
		require.NotContains(t, r.log.String(), s)
	}
}
