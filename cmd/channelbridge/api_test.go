package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/httpapi"
	"channelbridge/marketplace/generic/genericfake"
)

// ask sends a request to the API and returns what was answered.
func (r *running) ask(t *testing.T, token, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, r.url+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	if method != http.MethodGet {
		req.Header.Set("Idempotency-Key", method+path+body)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(out)
}

// token makes a token on the command line.
func (b *bench) token(scopes ...string) string {
	b.Helper()
	args := []string{"tokens", "create", "--name", "test"}
	for _, s := range scopes {
		args = append(args, "--scope", s)
	}
	r := b.run(args...)
	require.Zero(b, r.code, r.err)
	return strings.TrimSpace(r.out)
}

func TestTheAPIIsServedBesideThePushes(t *testing.T) {
	b := newBench(t)
	r := b.serve()
	status, body := get(t, r.url+"/v1/openapi.json")
	require.Equal(t, http.StatusOK, status)
	require.True(t, json.Valid([]byte(body)))
	status, body = get(t, r.url+"/v1/channels")
	require.Equal(t, http.StatusUnauthorized, status)
	require.Contains(t, body, `"code":"unauthorized"`)

	token := b.token("channels:read", "channels:write", "orders:read", "deliveries:read", "deliveries:write", "audit:read")
	id := b.market.Place(genericfake.Order{})
	status, err := b.market.Push(t.Context(), http.DefaultClient, r.url+"/webhooks/market", id)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	b.mirrorOf(id)
	require.Eventually(t, func() bool {
		_, body = r.ask(t, token, http.MethodGet, "/v1/orders", "")
		return strings.Contains(body, `"expected":true`)
	}, 10*time.Second, 50*time.Millisecond, body)
	require.Contains(t, body, id)

	status, body = r.ask(t, token, http.MethodGet, "/v1/channels", "")
	require.Equal(t, http.StatusOK, status, body)
	var list struct{ Data []httpapi.Channel }
	require.NoError(t, json.Unmarshal([]byte(body), &list))
	require.Len(t, list.Data, 1, "stores are no channels")
	require.Equal(t, "active", list.Data[0].State)
	require.Equal(t, 1, list.Data[0].Counts.Orders)

	status, body = r.ask(t, token, http.MethodPost, "/v1/channels/market/pause", `{"reason":"stocktaking"}`)
	require.Equal(t, http.StatusOK, status, body)
	require.Contains(t, body, `"state":"paused"`)
	require.Contains(t, b.run("channels", "list").out, "stocktaking")
	status, body = r.ask(t, token, http.MethodPost, "/v1/channels/market/reconnect", `{}`)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, `"code":"not_removed"`)
	status, body = r.ask(t, token, http.MethodPost, "/v1/channels/market/remove", `{"dry_run":true}`)
	require.Equal(t, http.StatusOK, status, body)
	require.Contains(t, body, `"to_ship"`)
	status, body = r.ask(t, token, http.MethodGet, "/v1/channels/market/reconnect-plan", "")
	require.Equal(t, http.StatusOK, status, body)
	require.Contains(t, body, `"state":"done"`)

	status, body = r.ask(t, token, http.MethodPost, "/v1/deliveries/1/replay", `{}`)
	require.Equal(t, http.StatusOK, status, body)
	status, _ = r.ask(t, token, http.MethodPost, "/v1/deliveries/99/replay", `{}`)
	require.Equal(t, http.StatusNotFound, status)

	require.Eventually(t, func() bool {
		_, body := r.ask(t, token, http.MethodGet, "/v1/audit", "")
		return strings.Contains(body, `"action":"state"`) && strings.Contains(body, `"actor":"test"`) && strings.Contains(body, `"hash":"`)
	}, 10*time.Second, 100*time.Millisecond, "the record is sealed within seconds")
}

func TestTheAPIAnswersWhileTheBridgeStarts(t *testing.T) {
	f := &front{}
	for path, g := range map[string]*gate{"/v1/channels": &f.api, "/webhooks/a": &f.pushes} {
		w := httptest.NewRecorder()
		g.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		require.Equal(t, http.StatusServiceUnavailable, w.Code)
		require.Equal(t, "5", w.Header().Get("Retry-After"))
	}
}
