package main

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/pgtest"
	"channelbridge/marketplace/generic/genericfake"
)

// process starts the program itself, for tests that kill it.
func (b *bench) process() (*child, *safeBuffer) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 30*time.Second)
	defer cancel()
	log := &safeBuffer{}
	k, err := startChild(ctx, childConfig{Config: b.config, Env: []string{"CHANNELBRIDGE_TEST_AS_PROGRAM=1"}, Output: log, Dir: b.dir})
	require.NoError(b, err, log.String())
	b.Cleanup(func() { _ = k.kill() })
	return k, log
}

func TestAProcessStopsWhenAsked(t *testing.T) {
	b := newBench(t)
	k, log := b.process()
	id := b.market.Place(genericfake.Order{})
	status, err := b.market.Push(t.Context(), http.DefaultClient, k.URL+"/webhooks/market", id)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	code, err := k.stop(ctx)
	require.NoError(t, err)
	require.Zero(t, code, log.String())
	require.Contains(t, log.String(), `"msg":"stopped"`)
	require.Contains(t, b.run("orders", "list").out, id)
}

func TestAKilledProcessGoesOnWhereItWas(t *testing.T) {
	b := newBench(t)
	k, _ := b.process()
	ids := []string{}
	for range 5 {
		id := b.market.Place(genericfake.Order{})
		ids = append(ids, id)
		_, err := b.market.Push(t.Context(), http.DefaultClient, k.URL+"/webhooks/market", id)
		require.NoError(t, err)
	}
	require.NoError(t, k.kill())
	k, log := b.process()
	// Calls that were under way are looked for before they are repeated, which takes minutes; what
	// came after is not held up by that.
	last := b.market.Place(genericfake.Order{})
	ids = append(ids, last)
	_, err := b.market.Push(t.Context(), http.DefaultClient, k.URL+"/webhooks/market", last)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		for _, o := range b.shop.Orders() {
			if o.SourceIdentifier == last {
				return true
			}
		}
		return false
	}, 20*time.Second, 50*time.Millisecond, log.String())
	require.LessOrEqual(t, len(b.shop.Orders()), len(ids), "nothing twice")
	list := b.run("orders", "list").out
	for _, id := range ids {
		require.Contains(t, list, id, "every acknowledged push is known")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, err = k.stop(ctx)
	require.NoError(t, err)
}

func TestADatabaseThatIsGoneIsWaitedFor(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a PostgreSQL server")
	}
	pg, err := pgtest.Start(pgtest.Options{})
	require.NoError(t, err)
	defer pg.Stop()
	b := newBench(t)
	b.write("listen: 127.0.0.1:0\ndatabase_url: '" + pg.URL() + "'\n")
	r := b.serve()
	id := b.market.Place(genericfake.Order{})
	push := func() int {
		status, err := b.market.Push(t.Context(), http.DefaultClient, r.url+"/webhooks/market", id)
		require.NoError(t, err)
		return status
	}
	require.Equal(t, http.StatusOK, push())
	require.Eventually(t, func() bool { return len(b.shop.Orders()) == 1 }, 15*time.Second, 50*time.Millisecond)

	require.NoError(t, pg.Kill())
	require.Eventually(t, func() bool { status, _ := get(t, r.url+"/readyz"); return status == http.StatusServiceUnavailable }, 15*time.Second, 100*time.Millisecond)
	status, _ := get(t, r.url+"/healthz")
	require.Equal(t, http.StatusOK, status)
	id = b.market.Place(genericfake.Order{})
	require.Equal(t, http.StatusServiceUnavailable, push(), "nothing is acknowledged that is not kept")

	require.NoError(t, pg.Restart())
	require.Eventually(t, func() bool { status, _ := get(t, r.url+"/readyz"); return status == http.StatusOK }, 30*time.Second, 100*time.Millisecond)
	require.Equal(t, http.StatusOK, push())
	require.Eventually(t, func() bool { return len(b.shop.Orders()) == 2 }, 20*time.Second, 50*time.Millisecond)
	require.NotContains(t, r.log.String(), passwordOf(pg.URL()))
	require.Zero(t, r.stop())
}

func passwordOf(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	user, _, _ := strings.Cut(rest, "@")
	_, password, _ := strings.Cut(user, ":")
	return password
}
