package observe

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/internal/fault"
	"channelbridge/internal/httpx"
	"channelbridge/internal/secret"
)

func TestLogsHoldNoSecrets(t *testing.T) {
	var b bytes.Buffer
	log, err := NewLog(&b, "debug", "json")
	require.NoError(t, err)
	log.Info("x", "client_secret", "hush", "typed", secret.New("hush"), slog.Group("g", "Authorization", "Bearer hush"), "plain", "seen")
	require.NotContains(t, b.String(), "hush")
	require.Contains(t, b.String(), "seen")
	_, err = NewLog(&b, "loud", "json")
	require.ErrorContains(t, err, "debug, info, warn, error")
	_, err = NewLog(&b, "info", "xml")
	require.ErrorContains(t, err, "json, text")
}

func TestHealth(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	h := NewHealth(func() time.Time { return now })
	mux := http.NewServeMux()
	h.Routes(mux)
	ask := func(path string) (int, string) {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	code, body := ask("/readyz")
	require.Equal(t, 503, code)
	require.Contains(t, body, "starting")

	var pings atomic.Int32
	var broken error
	h.Ready(func(context.Context) error { pings.Add(1); return broken })
	for range 10 {
		code, _ = ask("/readyz")
		require.Equal(t, 200, code)
	}
	require.EqualValues(t, 1, pings.Load(), "the database is asked once a second")

	broken, now = errors.New("password=hush"), now.Add(2*time.Second)
	code, body = ask("/readyz")
	require.Equal(t, 503, code)
	require.NotContains(t, body, "hush", "inner detail stays inside")
	code, _ = ask("/healthz")
	require.Equal(t, 200, code, "a database that is gone is no reason for a restart")

	broken, now = nil, now.Add(2*time.Second)
	code, _ = ask("/readyz")
	require.Equal(t, 200, code)
	h.Close("stopping")
	code, body = ask("/readyz")
	require.Equal(t, 503, code)
	require.Contains(t, body, "stopping")
}

// stored is what a database would say.
type stored struct {
	stats connector.Stats
	err   error
	asked int
}

func (s *stored) Stats(context.Context, time.Time) (connector.Stats, error) {
	s.asked++
	return s.stats, s.err
}

func (s *stored) Connections(context.Context) ([]connector.Connection, error) {
	return []connector.Connection{{ID: "a", Platform: "amazon", Role: connector.RoleChannel, State: connector.Paused}, {ID: "s", Platform: "shopify", Role: connector.RoleStore, State: connector.Active}}, nil
}

func (s *stored) Completeness(context.Context, connector.ConnectionID, time.Time, *time.Location) ([]connector.DayCount, error) {
	return []connector.DayCount{{Day: "2026-11-20", Seen: 5, Expected: 4, Mirrored: 3}, {Day: "2026-11-21", Seen: 1}}, nil
}

func TestGauges(t *testing.T) {
	m := NewMetrics("v1")
	now := time.Unix(1_700_000_000, 0)
	src := &stored{stats: connector.Stats{Due: 3, OldestDue: 90 * time.Second, SameDay: 3, Late: 1,
		Entries: map[connector.EntryState]int{connector.Unknown: 2}, Holds: map[string]int{"unmapped_state": 1}}}
	m.Gauges(src, func() time.Time { return now }, time.UTC, slog.New(slog.DiscardHandler))
	want := `
# HELP channelbridge_completeness_share Mirrored share of the orders expected in the store, last 7 days; absent without orders.
# TYPE channelbridge_completeness_share gauge
channelbridge_completeness_share{channel="a"} 0.75
# HELP channelbridge_same_day_share Share of the last 7 days' shipments confirmed on their day; absent without shipments.
# TYPE channelbridge_same_day_share gauge
channelbridge_same_day_share 0.75
# HELP channelbridge_queue_oldest_seconds How long the order that is due the longest has waited.
# TYPE channelbridge_queue_oldest_seconds gauge
channelbridge_queue_oldest_seconds 90
`
	names := []string{"channelbridge_completeness_share", "channelbridge_same_day_share", "channelbridge_queue_oldest_seconds"}
	require.NoError(t, testutil.GatherAndCompare(m.Registry, strings.NewReader(want), names...))
	require.NoError(t, testutil.GatherAndCompare(m.Registry, strings.NewReader(want), names...))
	require.Equal(t, 1, src.asked, "two scrapes in a row share one reading")

	src.err, now = errors.New("gone"), now.Add(time.Minute)
	require.NoError(t, testutil.GatherAndCompare(m.Registry, strings.NewReader(`
# HELP channelbridge_stats_up 1 when the gauges could be read from the database, 0 when not.
# TYPE channelbridge_stats_up gauge
channelbridge_stats_up 0
`), append(names, "channelbridge_stats_up")...))
}

func TestCounters(t *testing.T) {
	m := NewMetrics("v1")
	m.Call(httpx.Event{Service: "amazon", Op: "getOrder", Outcome: "ok", Took: time.Second, Wait: 2 * time.Second})
	m.Call(httpx.Event{Service: "amazon", Op: "getOrder", Outcome: "unsent"})
	m.Looked(connector.Looked{Err: fault.New(fault.Temporary, "x")})
	m.Looked(connector.Looked{Next: connector.Next{Holds: []connector.Hold{{Level: connector.Blocks}}}})
	m.Looked(connector.Looked{Next: connector.Next{Holds: []connector.Hold{{Level: connector.Warns}}}})
	m.Swept(connector.Sweep{Connection: "a", Name: "wide"}, time.Unix(7, 0), 5, 2)
	m.Subscriptions("a", map[string]int{"ok": 8, "unchecked": 0})
	require.InDelta(t, 1, testutil.ToFloat64(m.calls.WithLabelValues("amazon", "getOrder", "ok")), 0)
	require.InDelta(t, 2, testutil.ToFloat64(m.waitSeconds.WithLabelValues("amazon", "getOrder")), 0)
	for _, outcome := range []string{"temporary", "held", "ok"} {
		require.InDelta(t, 1, testutil.ToFloat64(m.looks.WithLabelValues(outcome)), 0, outcome)
	}
	require.InDelta(t, 2, testutil.ToFloat64(m.news.WithLabelValues("a", "wide")), 0)
	require.InDelta(t, 8, testutil.ToFloat64(m.wanted.WithLabelValues("a", "ok")), 0)
	problems, err := testutil.GatherAndLint(m.Registry)
	require.NoError(t, err)
	require.Empty(t, problems)
}

type reconciler func(context.Context) error

func (r reconciler) Reconcile(ctx context.Context, _ connector.Work) (connector.Next, error) {
	return connector.Next{}, r(ctx)
}

func TestTracesGoToTheCollectorAndOnlyIfThereIsOne(t *testing.T) {
	stop, err := StartTracing(t.Context(), "", "v1", 1)
	require.NoError(t, err)
	require.NoError(t, stop(t.Context()))

	got := make(chan string, 8)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		_, _ = b.ReadFrom(r.Body)
		got <- r.URL.Path + " " + b.String()
	}))
	defer collector.Close()
	stop, err = StartTracing(t.Context(), collector.URL, "v1", 1)
	require.NoError(t, err)
	w := httptest.NewRecorder()
	Receiving(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // must reach the real writer
		w.WriteHeader(http.StatusTeapot)
	})).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/webhooks/a", nil))
	require.Equal(t, http.StatusTeapot, w.Code)
	_, err = Looking(reconciler(func(context.Context) error { return fault.New(fault.Denied, "no") })).Reconcile(t.Context(),
		connector.Work{Subject: connector.Subject{Channel: "a", ID: "112-1"}})
	require.Error(t, err)
	require.NoError(t, stop(t.Context()))
	sent := <-got
	require.True(t, strings.HasPrefix(sent, "/v1/traces "), sent)
	for _, want := range []string{"receive", "look", "112-1", "denied"} {
		require.Contains(t, sent, want)
	}
	require.Equal(t, "http://h:4318/other", tracesURL("http://h:4318/other"))
	require.Equal(t, "http://h:4318/v1/traces", tracesURL("http://h:4318/"))
}
