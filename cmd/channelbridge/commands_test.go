package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/marketplace/generic/genericfake"
)

func TestHelpAndUsage(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"serve", "--help"}, {"doctor", "--help"}, {"connections", "add", "--help"}, {"deliveries", "show", "--help"}, {}} {
		r := command(t, nil, args...)
		require.Zero(t, r.code, r.err)
		require.Contains(t, r.out, "Usage:")
	}
	require.Contains(t, command(t, nil, "--help").out, "Exit codes:")
	require.Contains(t, command(t, nil, "completion", "bash").out, "__start_channelbridge")
	require.Contains(t, command(t, nil, "version").out, "channelbridge ")
	for _, args := range [][]string{{"nonsense"}, {"serve", "--nonsense"}, {"plan"}, {"orders", "show"}, {"deliveries", "show", "x"}, {"orders", "nonsense"}} {
		r := command(t, nil, args...)
		require.Equal(t, exitUsage, r.code, "%v: %s%s", args, r.out, r.err)
	}
	r := command(t, nil, "config", "--config", "missing.yaml")
	require.Equal(t, exitUsage, r.code)
	require.Contains(t, r.err, "missing.yaml")
}

func TestMigrateAndEmptyLists(t *testing.T) {
	b := newBench(t)
	r := b.run("orders", "list")
	require.Equal(t, exitError, r.code)
	require.Contains(t, r.err, "channelbridge migrate up")

	r = b.run("migrate", "status", "--json")
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, `"applied": false`)
	r = b.run("orders", "list")
	require.Equal(t, exitError, r.code)
	require.Contains(t, r.err, "migrate")

	r = b.run("migrate", "up")
	require.Zero(t, r.code, r.err)
	require.Regexp(t, `1 +0001_core.sql +yes`, r.out)
	for _, args := range [][]string{{"orders", "list"}, {"deliveries", "list"}, {"connections", "list"}, {"completeness"}} {
		r = b.run(append(args, "--json")...)
		require.Zero(t, r.code, r.err)
		require.True(t, json.Valid([]byte(r.out)), r.out)
		require.True(t, strings.HasPrefix(r.out, "["), r.out)
		require.Zero(t, b.run(args...).code)
	}
	for _, args := range [][]string{{"orders", "show", "market/G-1"}, {"orders", "show", "G-1"}, {"plan", "market/G-1"}, {"deliveries", "show", "7"},
		{"deliveries", "replay", "7"}, {"connections", "pause", "nobody"}, {"connections", "test", "nobody"}} {
		r = b.run(args...)
		require.Equal(t, exitNotFound, r.code, "%v: %s", args, r.err)
	}
}

func TestCommandsBesideARunningServer(t *testing.T) {
	b := newBench(t)
	r := b.serve()
	id := b.market.Place(genericfake.Order{})
	status, err := b.market.Push(t.Context(), http.DefaultClient, r.url+"/webhooks/market", id)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	require.Eventually(t, func() bool { return strings.Contains(b.run("orders", "list").out, "#") }, 15*time.Second, 50*time.Millisecond)

	show := b.run("orders", "show", id)
	require.Zero(t, show.code, show.err)
	for _, want := range []string{"market/" + id, "create-mirror", "Timeline", "Ledger", "Lines (store)"} {
		require.Contains(t, show.out, want)
	}
	var view orderView
	require.NoError(t, json.Unmarshal([]byte(b.run("orders", "show", "market/"+id, "--json").out), &view))
	require.NotNil(t, view.Market)
	require.NotNil(t, view.Store)
	require.NotEmpty(t, view.Ledger)
	require.Contains(t, b.run("orders", "show", view.Summary.Number).out, "market/"+id, "the store's number names it too")

	plan := b.run("plan", id)
	require.Zero(t, plan.code, plan.err)
	require.Contains(t, plan.out, "May be sent now")
	require.Contains(t, plan.out, "nothing: both sides agree")

	list := b.run("deliveries", "list", "--json")
	var deliveries []connector.Delivery
	require.NoError(t, json.Unmarshal([]byte(list.out), &deliveries), list.out)
	require.NotEmpty(t, deliveries)
	row := jsonNumber(deliveries[len(deliveries)-1].Row)
	one := b.run("deliveries", "show", row)
	require.NotContains(t, one.out, "currency", "the body is not printed unasked")
	withBody := b.run("deliveries", "show", row, "--body")
	require.Contains(t, withBody.out, `"currency"`)
	require.Contains(t, withBody.err, "personal data")
	require.Contains(t, b.run("deliveries", "replay", row).out, "was read again")

	done := b.run("completeness")
	require.Regexp(t, `market +\d{4}-\d\d-\d\d +1 +1 +1 +100.0 %`, done.out)

	require.Zero(t, b.run("connections", "pause", "market", "--reason", "holiday").code)
	require.Contains(t, b.run("connections", "list").out, "holiday")
	require.Contains(t, b.run("plan", id).out, "May be sent now  no")
	require.Zero(t, b.run("connections", "resume", "market").code)
	require.Contains(t, b.run("plan", id).out, "May be sent now  yes")

	require.Equal(t, exitOK, b.run("connections", "test").code)
	b.market.Deny(true)
	bad := b.run("connections", "test", "market")
	require.Equal(t, exitUnhealthy, bad.code)
	require.Contains(t, bad.out, "fail")
}

func jsonNumber(n int64) string { out, _ := json.Marshal(n); return string(out) }

func TestDoctor(t *testing.T) {
	b := newBench(t)
	r := b.run("doctor")
	require.Equal(t, exitUnhealthy, r.code, "the database is not there yet")
	require.Regexp(t, `fail +database`, r.out)
	require.Regexp(t, `ok +shop +Acme`, r.out, "connections are asked all the same")

	require.Zero(t, b.run("migrate", "up").code)
	r = b.run("doctor")
	require.Zero(t, r.code, r.out)
	require.Regexp(t, `warn +public_url`, r.out)

	b.write("public_url: https://bridge.example.com\n")
	r = b.run("doctor")
	require.Regexp(t, `warn +shop pushes +ORDERS_CREATE is missing`, r.out)
	require.Zero(t, r.code, "what is missing is made by serve")
	require.Empty(t, b.shop.Subscriptions(), "doctor changes nothing")

	b.market.Deny(true)
	r = b.run("doctor", "--json")
	require.Equal(t, exitUnhealthy, r.code)
	var findings []finding
	require.NoError(t, json.Unmarshal([]byte(r.out), &findings))
	require.Zero(t, b.run("doctor", "--quick").code)

	file(t, b.dir, "channelbridge.yaml", "listen: x\nlog: {level: loud}")
	r = b.run("doctor")
	require.Equal(t, exitUnhealthy, r.code)
	require.Contains(t, r.out, "log.level")
	require.Contains(t, r.out, "listen")
}

func TestAConnectionAddedAtRunTimeIsSealedAndTakenIn(t *testing.T) {
	b := newBench(t)
	r := b.serve()
	other := genericfake.New(genericfake.Config{Prefix: "H-"})
	srv := httptest.NewServer(other)
	defer srv.Close()
	text := "id: handmade\nplatform: generic\nstore: shop\nsweep_every: 1s\ngeneric: {endpoint: '" + srv.URL + "', token: 'very-hush'}\n"
	add := commandWith(t, environment{}, text, "connections", "add", "--file", "-", "--config", b.config)
	require.Zero(t, add.code, add.err)
	raw, err := os.ReadFile(filepath.Join(b.dir, "channelbridge.db-wal"))
	require.NoError(t, err)
	require.NotContains(t, string(raw), "very-hush")

	id := other.Place(genericfake.Order{})
	require.Eventually(t, func() bool { return strings.Contains(b.run("orders", "list", "--channel", "handmade").out, id) }, 15*time.Second, 100*time.Millisecond, "its sweeps run")
	require.Regexp(t, `handmade +generic.*database`, b.run("connections", "list").out)
	require.Zero(t, r.stop())

	t.Run("with another key it cannot be used, and the others can", func(t *testing.T) {
		key := environment{"CHANNELBRIDGE_KEY": base64.StdEncoding.EncodeToString(make([]byte, 32))}
		r := command(t, key, "connections", "list", "--config", b.config)
		require.Zero(t, r.code)
		require.Contains(t, r.out, "sealed with another key")
		require.Equal(t, exitUnhealthy, command(t, key, "doctor", "--quick", "--config", b.config).code)
	})
	t.Run("refusals", func(t *testing.T) {
		for text, want := range map[string]string{
			"id: market\nplatform: generic\nstore: shop\ngeneric: {endpoint: 'http://x'}":               "change it there",
			"id: x\nplatform: generic\nstore: nobody\ngeneric: {endpoint: 'http://x'}":                  "add the store first",
			"id: x\nplatform: generic\nstore: shop\ngeneric: {endpoint: 'http://127.0.0.1:1'}":          "--no-check",
			"id: x\nplatform: generic\nstore: shop\ngeneric: {endpoint: 'http://x', token: '${UNSET}'}": "UNSET is not set",
		} {
			r := commandWith(t, environment{}, text, "connections", "add", "--file", "-", "--config", b.config)
			require.NotZero(t, r.code, text)
			require.Contains(t, r.err, want)
		}
	})
}
