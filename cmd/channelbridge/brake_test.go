package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/marketplace/amazon/amazonfake"
	"channelbridge/marketplace/generic/genericfake"
	"channelbridge/shopadmin/shopify/shopifyfake"
)

func TestAMassCancellationInTheStorePausesTheChannel(t *testing.T) {
	b := newBench(t)
	r := b.serve()
	for range 21 {
		id := b.market.Place(genericfake.Order{})
		_, err := b.market.Push(t.Context(), http.DefaultClient, r.url+"/webhooks/market", id)
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { return len(b.shop.Orders()) == 21 }, 30*time.Second, 50*time.Millisecond)
	require.Eventually(t, func() bool { return strings.Count(b.run("orders", "list").out, "#") == 21 }, 20*time.Second, 100*time.Millisecond)
	require.Zero(t, r.stop())
	for _, o := range b.shop.Orders() {
		require.NoError(t, b.shop.Cancel(o.ID, shopifyfake.Cancellation{Reason: "OTHER", Refund: true}))
	}

	r = b.serve()
	require.Eventually(t, func() bool {
		return strings.Contains(b.run("channels", "list").out, "brake: one listing cancels 21 of 21 open orders")
	}, 20*time.Second, 100*time.Millisecond)
	_, metrics := get(t, r.metrics+"/metrics")
	require.Contains(t, metrics, `channelbridge_brakes_total{channel="market"} 1`)
	require.Contains(t, r.log.String(), "channel paused by its brake")
	cancelled := func() int { return strings.Count(b.run("orders", "list", "--held").out, "no_capability") }
	require.Zero(t, cancelled(), "nothing of it was kept")

	require.Zero(t, b.run("channels", "resume", "market").code)
	require.Eventually(t, func() bool { return cancelled() > 0 }, 30*time.Second, 200*time.Millisecond, "a person let it pass: %s", b.run("orders", "list").out)
	require.Regexp(t, `market.*active`, b.run("channels", "list").out)
	require.Zero(t, r.stop())
}

func TestWhatEndsSoonIsToldOf(t *testing.T) {
	fake := amazonfake.New(amazonfake.Options{Scale: -1, MaxPollWait: time.Second})
	b := amazonBench(t, fake)
	day := func(n int) string { return time.Now().UTC().AddDate(0, 0, n).Format(time.DateOnly) }
	b.edit("      region: na\n", fmt.Sprintf("      region: na\n      secret_expires: %q\n      authorization_expires: %q\n", day(10), day(200)))
	require.Zero(t, b.run("migrate", "up").code)
	r := b.serve()
	list := b.run("channels", "list")
	require.Regexp(t, `amazon-us.*degraded.*the client secret ends on `+day(10), list.out)
	require.NotContains(t, list.out, "authorisation")
	require.Contains(t, b.run("channels", "show", "amazon-us").out, "secret_expires")
	require.Contains(t, b.run("doctor").out, "the client secret ends on "+day(10))
	require.Eventually(t, func() bool {
		_, m := get(t, r.metrics+"/metrics")
		return strings.Contains(m, `channelbridge_credential_days_left{connection="amazon-us",what="secret_expires"} 9.`) &&
			strings.Contains(m, `channelbridge_credential_days_left{connection="amazon-us",what="authorization_expires"} 199.`)
	}, 10*time.Second, 50*time.Millisecond)
	require.Contains(t, r.log.String(), "connection will need attention")
	status, body := r.ask(t, b.token("channels:read"), http.MethodGet, "/v1/channels/amazon-us", "")
	require.Equal(t, http.StatusOK, status, body)
	require.Contains(t, body, `"state":"degraded"`)
	require.Equal(t, 1, strings.Count(body, "the client secret ends"), "once, though the check says it too")
	require.Zero(t, r.stop())
}

func TestEndings(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for left, want := range map[time.Duration]string{31 * 24 * time.Hour: "", 29 * 24 * time.Hour: "it ends on 2026-12-19", -time.Hour: "it ended on 2026-11-20"} {
		w, ok := ending{code: "x", what: "it", at: now.Add(left)}.warning(now)
		require.Equal(t, want != "", ok)
		require.Equal(t, want, w.Text)
	}
	require.Empty(t, ConnectionConfig{}.endings())
}

// A paused channel that is resumed by a person needs no consent, and gets none.
func TestOnlyABrakeIsReleased(t *testing.T) {
	br := newBench(t).wired()
	for reason, want := range map[string]bool{"holiday": false, "brake: too many": true} {
		require.NoError(t, br.states.set(t.Context(), "market", connector.Paused, reason))
		require.NoError(t, br.release(t.Context(), "market", "anna"))
		s, err := br.store.Switch(t.Context(), "brake/market")
		require.NoError(t, err)
		require.Equal(t, want, s.On, reason)
		require.NoError(t, br.store.SetSwitch(t.Context(), connector.Switch{Name: "brake/market", At: realClock()}))
	}
}
