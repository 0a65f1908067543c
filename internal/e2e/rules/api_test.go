package rules

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// api is a program that uses the bridge's API with a token of its own.
type api struct {
	*world
	token string
	keys  int
}

// api makes a token on the command line.
func (w *world) api(t *testing.T, scopes ...string) *api {
	t.Helper()
	args := []string{"tokens", "create", "--name", "tests", "--expires", "1d", "--json"}
	for _, s := range scopes {
		args = append(args, "--scope", s)
	}
	out, err := w.Run(t.Context(), args...)
	require.NoError(t, err)
	var made struct{ Token string }
	require.NoError(t, json.Unmarshal([]byte(out), &made), out)
	require.True(t, strings.HasPrefix(made.Token, "cb_"), out)
	return &api{world: w, token: made.Token}
}

// call sends one request and reads the answer, which must have the status given, into v.
func (a *api) call(t *testing.T, status int, method, path string, body, v any) {
	t.Helper()
	raw, err := json.Marshal(body)
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), method, a.Bridge+path, bytes.NewReader(raw))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+a.token)
	if method == http.MethodPost {
		a.keys++
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", strings.Repeat("k", a.keys))
	}
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, status, resp.StatusCode, "%s %s: %s", method, path, text)
	if v != nil {
		require.NoError(t, json.Unmarshal(text, v), "%s", text)
	}
}

// unable sends a write that cannot be done, and returns the code of the first reason.
func (a *api) unable(t *testing.T, path string, body any) string {
	t.Helper()
	var p struct {
		Refusals []struct{ Code, Reason string }
	}
	a.call(t, http.StatusUnprocessableEntity, http.MethodPost, path, body, &p)
	require.NotEmpty(t, p.Refusals)
	require.NotEmpty(t, p.Refusals[0].Reason)
	return p.Refusals[0].Code
}
