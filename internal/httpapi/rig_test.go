package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/memstore"
	"channelbridge/connector/sqlstore"
	"channelbridge/internal/money"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// rig is a server with its world.
type rig struct {
	*testing.T
	store    connector.Store
	money    *till
	channels *harbour
	books    *books
	server   *Server
	http     http.Handler
	now      atomic.Pointer[time.Time]
	key      atomic.Int64
	token    string // of everything
}

func newRig(t *testing.T, change ...func(*Config)) *rig {
	t.Helper()
	return rigOn(t, memstore.New(), change...)
}

// onEachStore runs a test in memory and on a real database.
func onEachStore(t *testing.T, run func(*rig)) {
	t.Run("memory", func(t *testing.T) { run(newRig(t)) })
	t.Run("sqlite", func(t *testing.T) {
		s, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "bridge.db"), sqlstore.Options{})
		require.NoError(t, err)
		t.Cleanup(func() { _ = s.Close() })
		run(rigOn(t, s))
	})
}

func rigOn(t *testing.T, store connector.Store, change ...func(*Config)) *rig {
	t.Helper()
	r := &rig{T: t, store: store}
	r.now.Store(&noon)
	r.money, r.channels = &till{store: r.store, says: map[string]Refusal{}}, &harbour{store: r.store, clock: r.clock}
	r.books = newBooks(store, r.clock)
	cfg := Config{Store: r.store, Money: r.money, Channels: r.channels, Deliveries: reader{r.store}, Payouts: r.books, Events: outbox{r.store, r.clock}, Clock: r.clock, Limits: Limits{Rate: 100_000}}
	for _, f := range change {
		f(&cfg)
	}
	var err error
	r.server, err = New(cfg)
	require.NoError(t, err)
	r.http = r.server.Handler()
	ctx := t.Context()
	require.NoError(t, r.store.PutConnection(ctx, connector.Connection{ID: "shop", Platform: "shopify", Role: connector.RoleStore, State: connector.Active, ChangedAt: noon, Since: noon}))
	require.NoError(t, r.store.PutConnection(ctx, connector.Connection{ID: "am", Platform: "amazon", Role: connector.RoleChannel, Store: "shop", State: connector.Active, ChangedAt: noon, Since: noon}))
	r.token = r.newToken("tests", Scopes...)
	return r
}

func (r *rig) clock() time.Time { return *r.now.Load() }

func (r *rig) pass(d time.Duration) {
	t := r.clock().Add(d)
	r.now.Store(&t)
}

func (r *rig) newToken(name string, scopes ...string) string {
	r.Helper()
	t, text, err := NewToken(name, scopes, r.clock(), time.Time{})
	require.NoError(r, err)
	require.NoError(r, r.store.PutToken(r.Context(), t))
	return text.Reveal()
}

// order puts an order into the world.
func (r *rig) order(id string, holds ...connector.Hold) connector.Subject {
	r.Helper()
	sub := connector.Subject{Kind: connector.KindOrder, Channel: "am", ID: id}
	r.with(sub, func(ctx context.Context, w connector.Work) {
		require.NoError(r, r.store.Release(ctx, w, r.clock(), connector.Next{Holds: holds, Summary: connector.Summary{
			Lifecycle: "released", Fulfillment: "unfulfilled", FulfilledBy: "merchant", Number: "#" + id, PlacedAt: noon, Mirrored: true, Expected: true}}))
	})
	return sub
}

// with claims an order, as the loop does.
func (r *rig) with(sub connector.Subject, do func(context.Context, connector.Work)) {
	r.Helper()
	ctx := r.Context()
	_, err := r.store.Seen(ctx, r.clock(), connector.Observation{Subject: sub, Side: connector.Market,
		Snapshot: connector.Snapshot{Version: r.clock(), ObservedAt: r.clock(), Body: fmt.Appendf(nil, `{"id":%q,"buyer":"Jane Secret","at":%q}`, sub.ID, r.clock())}})
	require.NoError(r, err)
	require.NoError(r, r.store.Touch(ctx, r.clock(), connector.Touch{Subject: sub, Side: connector.Market}))
	work, err := r.store.Claim(ctx, r.clock(), 1000, time.Minute, []connector.ConnectionID{"am"})
	require.NoError(r, err)
	found := false
	for _, w := range work {
		if w.Subject == sub {
			found = true
			do(ctx, w)
		} else {
			r.back(ctx, w)
		}
	}
	require.True(r, found)
}

// back ends a claim and leaves the order as it was.
func (r *rig) back(ctx context.Context, w connector.Work) {
	r.Helper()
	rec, err := r.store.Load(ctx, w.Subject)
	require.NoError(r, err)
	require.NoError(r, r.store.Release(ctx, w, r.clock(), connector.Next{Holds: rec.Holds, Summary: rec.Summary}))
}

// entry puts a ledger entry into the world and gives its id.
func (r *rig) entry(sub connector.Subject, key string, isMoney bool, state connector.EntryState) int64 {
	r.Helper()
	var id int64
	r.with(sub, func(ctx context.Context, w connector.Work) {
		e, err := r.store.Intend(ctx, w, connector.Command{Key: key, Verb: "refund", Side: connector.Market, Amount: money.New(500, "USD"), Money: isMoney,
			Body: json.RawMessage(`{"to":"Jane Secret"}`), Why: "the store gave money back"}, r.clock(), r.clock().Add(time.Minute), "hash")
		require.NoError(r, err)
		if state != connector.Sent {
			require.NoError(r, r.store.Settle(ctx, e.ID, connector.Outcome{State: state, At: r.clock(), Reason: "as the test wants"}))
		}
		r.back(ctx, w)
		id = e.ID
	})
	return id
}

// answer is what came back.
type answer struct {
	*httptest.ResponseRecorder
	t *testing.T
}

func (a answer) into(v any) {
	a.t.Helper()
	require.NoError(a.t, json.Unmarshal(a.Body.Bytes(), v), a.Body.String())
}

func (a answer) problem(status int, code string) Problem {
	a.t.Helper()
	var p Problem
	a.into(&p)
	require.Equal(a.t, status, a.Code, a.Body.String())
	require.Equal(a.t, code, p.Code, a.Body.String())
	require.Equal(a.t, status, p.Status)
	require.NotEmpty(a.t, p.Title)
	require.NotEmpty(a.t, p.Detail)
	require.NotEmpty(a.t, p.Reference)
	return p
}

func (a answer) is(status int) answer {
	a.t.Helper()
	require.Equal(a.t, status, a.Code, a.Body.String())
	return a
}

// send sends a request as it is and holds the answer against the document.
func (r *rig) send(req *http.Request) answer {
	r.Helper()
	w := httptest.NewRecorder()
	r.http.ServeHTTP(w, req)
	contract(r, req, w)
	return answer{w, r.T}
}

func request(method, path, token, body string) *http.Request {
	var in io.Reader
	if body != "" {
		in = bytes.NewReader([]byte(body))
	}
	req := httptest.NewRequest(method, "/v1"+path, in)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return req
}

func (r *rig) get(path string) answer {
	r.Helper()
	return r.send(request(http.MethodGet, path, r.token, ""))
}

// post sends a write with a key of its own.
func (r *rig) post(path, body string) answer {
	r.Helper()
	return r.postKey(fmt.Sprintf("key-%d", r.key.Add(1)), path, body)
}

func (r *rig) postKey(key, path, body string) answer {
	r.Helper()
	req := request(http.MethodPost, path, r.token, body)
	req.Header.Set("Idempotency-Key", key)
	return r.send(req)
}

func (r *rig) audited(action string) (actors []string) {
	r.Helper()
	all, err := r.store.AuditEntries(r.Context(), 0, 10_000)
	require.NoError(r, err)
	for _, a := range all {
		if a.Action == action {
			actors = append(actors, a.Actor)
		}
	}
	return actors
}

func without(s string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return false
		}
	}
	return true
}
