package main

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/internal/fault"
	"channelbridge/marketplace"
	"channelbridge/marketplace/amazon/amazonfake"
	"channelbridge/marketplace/generic/genericfake"
	"channelbridge/shopadmin"
	"channelbridge/shopadmin/shopify/shopifyfake"
)

// wired is a bridge on a database of its own, not running.
func (b *bench) wired() *bridge {
	b.Helper()
	a := &app{env: noEnv, clock: realClock, stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard, configFile: b.config}
	cfg, err := a.config()
	require.NoError(b, err)
	s, err := openStore(b.Context(), cfg, true)
	require.NoError(b, err)
	b.Cleanup(func() { _ = s.Close() })
	br, err := newBridge(parts{cfg: cfg, store: s, clock: a.clock, log: slog.New(slog.DiscardHandler)})
	require.NoError(b, err)
	require.NoError(b, br.register(b.Context()))
	return br
}

func (b *bridge) state(id connector.ConnectionID) connector.State {
	c, _ := b.states.get(id)
	return c.State
}

func TestARefusedConnectionIsParkedAndComesBackByItself(t *testing.T) {
	b := newBench(t)
	br := b.wired()
	require.Equal(t, []connector.ConnectionID{"market"}, br.runnable())
	no := fault.New(fault.Denied, "401")
	br.denied(t.Context(), "shop", no)
	require.Empty(t, br.runnable(), "a channel cannot work without its store")
	require.Contains(t, b.run("connections", "list").out, "disconnected")

	b.shop.SetStatus(http.StatusUnauthorized)
	l, _ := br.link("shop")
	br.probeOne(t.Context(), l)
	require.Equal(t, connector.Disconnected, br.state("shop"))
	b.shop.SetStatus(0)
	br.probeOne(t.Context(), l)
	require.Equal(t, connector.Active, br.state("shop"))
	require.Equal(t, []connector.ConnectionID{"market"}, br.runnable())

	require.NoError(t, br.states.set(t.Context(), "shop", connector.Paused, "holiday"))
	br.denied(t.Context(), "shop", no)
	require.Equal(t, connector.Paused, br.state("shop"), "a person is not overruled")
	br.probeOne(t.Context(), l)
	require.Equal(t, connector.Paused, br.state("shop"))
}

func TestAnUninstallOfAFormerLifeChangesNothing(t *testing.T) {
	br := newBench(t).wired()
	told := br.lifecycle("shop")
	c, _ := br.states.get("shop")
	told(t.Context(), shopadmin.Hint{Lifecycle: shopadmin.Uninstalled, TriggeredAt: c.ChangedAt.Add(-time.Hour)})
	require.Equal(t, connector.Active, br.state("shop"))
	told(t.Context(), shopadmin.Hint{Lifecycle: shopadmin.ScopesChanged, TriggeredAt: c.ChangedAt.Add(time.Hour)})
	require.Equal(t, connector.Active, br.state("shop"))
	told(t.Context(), shopadmin.Hint{Lifecycle: shopadmin.Uninstalled, TriggeredAt: c.ChangedAt.Add(time.Hour)})
	require.Equal(t, connector.Disconnected, br.state("shop"))
}

func TestAPolicyFollowsConfigurationAndTraits(t *testing.T) {
	b := newBench(t)
	file(t, b.dir, "channelbridge.yaml", fmt.Sprintf(`
data_dir: %s
connections:
  - {id: shop, platform: shopify, shopify: {shop: acme.myshopify.com, client_id: c, client_secret: s}}
  - id: a
    platform: amazon
    store: shop
    carriers: {UPS: {code: Mine}, "": {code: Other, name: Someone}}
    amazon: {seller_id: A1, region: eu, client_id: c, client_secret: s, refresh_token: r}
  - {id: g, platform: generic, store: shop, stock: leave, generic: {secret: %s}}
`, b.dir, pushSecret))
	br := b.wired()
	a, ok := br.sides("a")
	require.True(t, ok)
	p := a.Policy
	require.Equal(t, "Amazon", p.Tag)
	require.Equal(t, "Amazon", p.Gateway)
	require.WithinDuration(t, time.Now(), p.Since, time.Minute, "the channel was connected just now")
	require.Equal(t, "amazon", p.SourceName)
	require.Equal(t, "https://sellercentral-europe.amazon.com/orders-v3/order/{id}", p.OrderURL)
	require.Equal(t, marketplace.Carrier{Code: "Mine"}, p.Carriers["ups"], "the operator's table goes before the built-in one")
	require.Equal(t, "USPS", p.Carriers["usps"].Code)
	require.Equal(t, "Someone", p.Carriers[""].Name)
	require.Equal(t, marketplace.RepeatNatural, p.RepeatConfirm)
	require.True(t, p.CanUpdate && p.CanHold && p.NeedTrack)
	require.Equal(t, 15*time.Minute, p.SettleMarket)
	require.Equal(t, 2*time.Minute, p.SettleShop)
	g, ok := br.sides("g")
	require.True(t, ok)
	require.Equal(t, "g", g.Policy.Tag)
	require.Equal(t, shopadmin.StockLeave, g.Policy.Stock)
	require.Equal(t, marketplace.RepeatNative, g.Policy.RepeatConfirm)
	l, _ := br.link("g")
	require.Empty(t, l.sweeps(realClock), "a channel that can only push is not asked")
	_, ok = br.sides("shop")
	require.False(t, ok)
	require.False(t, br.all()[0].id != "a", "connections are in order")
}

func TestOldDeliveriesAreDeleted(t *testing.T) {
	br := newBench(t).wired()
	for i, age := range []time.Duration{time.Hour, 31 * 24 * time.Hour, 40 * 24 * time.Hour} {
		_, err := br.store.Record(t.Context(), connector.Delivery{Connection: "market", ID: fmt.Sprint(i), Topic: "x", Verdict: connector.Accepted,
			ReceivedAt: realClock().Add(-age), Body: []byte("{}"), Size: 2})
		require.NoError(t, err)
	}
	n, err := br.purgeOnce(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, n)
	left, err := br.store.Deliveries(t.Context(), connector.DeliveryFilter{})
	require.NoError(t, err)
	require.Len(t, left, 1)
}

// amazonBench replaces the channel by Amazon, with its queue.
func amazonBench(t *testing.T, fake *amazonfake.Server) *bench {
	b := newBench(t)
	srv := httptest.NewServer(fake)
	t.Cleanup(srv.Close)
	file(t, b.dir, "channelbridge.yaml", fmt.Sprintf(`
listen: 127.0.0.1:0
data_dir: %[1]s
connections:
  - id: shop
    platform: shopify
    sweep_every: 1s
    shopify: {shop: acme.myshopify.com, client_id: client-id, client_secret: client-secret, endpoint: '%[2]s'}
  - id: amazon-us
    platform: amazon
    store: shop
    amazon:
      seller_id: %[4]s
      region: na
      client_id: %[5]s
      client_secret: %[6]s
      refresh_token: %[7]s
      endpoint: %[3]s
      token_url: %[3]s/auth/o2/token
      queue: {url: '%[8]s', arn: '%[9]s', endpoint: '%[3]s', access_key_id: key, secret_access_key: hush}
`, b.dir, b.shopURL, srv.URL, amazonfake.DefaultSeller, amazonfake.DefaultClient, amazonfake.DefaultSecret, amazonfake.DefaultRefresh,
		amazonfake.DefaultQueueURL, amazonfake.DefaultQueueARN))
	return b
}

func TestAmazonThroughItsQueueAndBack(t *testing.T) {
	fake := amazonfake.New(amazonfake.Options{Scale: -1, MaxPollWait: time.Second})
	b := amazonBench(t, fake)
	r := b.serve()
	require.Eventually(t, func() bool { return len(fake.Subscriptions()) == 3 }, 10*time.Second, 50*time.Millisecond, "the bridge subscribes by itself")
	id := fake.Place(amazonfake.OrderSpec{})
	var mirror string
	require.Eventually(t, func() bool {
		for _, o := range b.shop.Orders() {
			if o.SourceIdentifier == id {
				mirror = o.ID
			}
		}
		return mirror != ""
	}, 15*time.Second, 50*time.Millisecond)
	o, _ := b.shop.Order(mirror)
	require.Contains(t, o.Tags, "Amazon")
	_, err := b.shop.Fulfill(mirror, nil, shopifyfake.Tracking{Company: "UPS", Number: "1Z999AA10123456784"})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(fake.Shipments(id)) == 1 }, 15*time.Second, 50*time.Millisecond)
	require.Eventually(t, func() bool { return strings.Contains(b.run("deliveries", "list").out, "accepted") }, 10*time.Second, 50*time.Millisecond)
	require.Zero(t, r.stop())

	r = b.serve()
	fake.Revoke()
	fake.ExpireTokens()
	require.Zero(t, command(t, environment{}, "doctor", "--quick", "-c", b.config).code)
	bad := b.run("doctor")
	require.Equal(t, exitUnhealthy, bad.code)
	require.Contains(t, bad.out, "authorise the application again")
	require.NotContains(t, bad.out+bad.err+r.log.String(), amazonfake.DefaultRefresh)
}

func TestARunningBridgeNoticesARefusal(t *testing.T) {
	b := newBench(t)
	r := b.serve()
	b.market.Deny(true)
	require.Eventually(t, func() bool { return strings.Contains(b.run("connections", "list").out, "disconnected") }, 10*time.Second, 50*time.Millisecond)
	require.Contains(t, r.log.String(), "connection disconnected")
	status, _ := get(t, r.url+"/readyz")
	require.Equal(t, http.StatusOK, status, "one refused connection is no reason to stop the others")
	id := b.market.Place(genericfake.Order{})
	status, err := b.market.Push(t.Context(), http.DefaultClient, r.url+"/webhooks/market", id)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, "pushes are recorded all the same")
}

func TestMetricsMayHaveAnAddressOfTheirOwn(t *testing.T) {
	b := newBench(t)
	b.write("listen: 127.0.0.1:0\nmetrics_listen: 127.0.0.1:0\n")
	r := b.serve()
	require.NotEqual(t, r.url, r.metrics)
	for _, path := range []string{"/metrics", "/healthz", "/readyz", "/"} {
		status, _ := get(t, r.url+path)
		require.Equal(t, http.StatusNotFound, status, path)
	}
	for _, path := range []string{"/metrics", "/healthz", "/readyz"} {
		status, _ := get(t, r.metrics+path)
		require.Equal(t, http.StatusOK, status, path)
	}
}

func TestServeRefusesWhatCannotWork(t *testing.T) {
	b := newBench(t)
	b.write("listen: 256.0.0.1:80\n")
	r := b.run("serve")
	require.Equal(t, exitError, r.code)
	require.Contains(t, r.err, "listening on 256.0.0.1:80")

	b.write("listen: 127.0.0.1:0\n")
	require.NoError(t, os.WriteFile(filepath.Join(b.dir, "channelbridge.key"), []byte("x"), 0o644))
	r = b.run("serve")
	require.Equal(t, exitError, r.code)
	require.Contains(t, r.err, "chmod 600")
}

// edit changes the configuration.
func (b *bench) edit(old, now string) {
	b.Helper()
	raw, err := os.ReadFile(b.config)
	require.NoError(b, err)
	require.Contains(b, string(raw), old)
	require.NoError(b, os.WriteFile(b.config, []byte(strings.Replace(string(raw), old, now, 1)), 0o600))
}
