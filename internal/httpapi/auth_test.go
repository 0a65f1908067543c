package httpapi

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
)

func TestATokenIsShownOnceAndKeptAsAHash(t *testing.T) {
	tok, text, err := NewToken("cash desk", []string{scopeOrdersRead, scopeAuditRead, scopeOrdersRead}, noon, noon.Add(time.Hour))
	require.NoError(t, err)
	require.Regexp(t, `^cb_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$`, text.Reveal())
	require.Equal(t, "***", text.String())
	require.Len(t, tok.Hash, 32)
	require.Equal(t, []string{scopeAuditRead, scopeOrdersRead}, tok.Scopes)
	id, ok := tokenID(text.Reveal())
	require.True(t, ok)
	require.Equal(t, tok.ID, id)
	_, other, err := NewToken("cash desk", tok.Scopes, noon, time.Time{})
	require.NoError(t, err)
	require.NotEqual(t, text.Reveal(), other.Reveal())

	for name, make := range map[string]func() error{
		"no name":       func() error { _, _, err := NewToken(" ", Scopes, noon, time.Time{}); return err },
		"reserved name": func() error { _, _, err := NewToken("operator", Scopes, noon, time.Time{}); return err },
		"line break":    func() error { _, _, err := NewToken("a\nb", Scopes, noon, time.Time{}); return err },
		"no scope":      func() error { _, _, err := NewToken("a", nil, noon, time.Time{}); return err },
		"unknown scope": func() error { _, _, err := NewToken("a", []string{"orders:all"}, noon, time.Time{}); return err },
		"expired":       func() error { _, _, err := NewToken("a", Scopes, noon, noon); return err },
	} {
		require.Error(t, make(), name)
	}
}

// Whatever is wrong with a token, the answer is the same, so it tells nothing.
func TestAFailedAuthenticationTellsNothing(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Limits.Failures = 1000 })
	expired, text, err := NewToken("old", Scopes, noon.Add(-2*time.Hour), noon)
	require.NoError(t, err)
	require.NoError(t, r.store.PutToken(t.Context(), expired))
	revoked := r.newToken("gone", Scopes...)
	id, _ := tokenID(revoked)
	require.NoError(t, r.store.RevokeToken(t.Context(), id, noon, connector.Operator))
	_, unknown, err := NewToken("nobody", Scopes, noon, time.Time{})
	require.NoError(t, err)
	last := r.token[len(r.token)-1:]
	otherLast := "A"
	if last == "A" {
		otherLast = "B"
	}
	first := ""
	for name, header := range map[string][]string{
		"none": nil, "empty": {""}, "no scheme": {r.token}, "basic": {"Basic " + r.token}, "garbage": {"Bearer garbage"},
		"one letter off": {"Bearer " + r.token[:len(r.token)-2] + otherLast + last}, "upper case": {"Bearer " + strings.ToUpper(r.token)},
		"longer": {"Bearer " + r.token + "A"}, "unknown": {"Bearer " + unknown.Reveal()}, "expired": {"Bearer " + text.Reveal()},
		"revoked": {"Bearer " + revoked}, "only the id": {"Bearer cb_" + id}, "two lines": {"Bearer " + r.token, "Bearer " + r.token},
	} {
		for _, path := range []string{"/orders", "/orders/am/nothing-like-it"} {
			req := request(http.MethodGet, path, "", "")
			req.Header["Authorization"] = header
			a := r.send(req)
			p := a.problem(http.StatusUnauthorized, "unauthorized")
			require.Equal(t, `Bearer realm="channelbridge"`, a.Header().Get("WWW-Authenticate"), name)
			same := strings.ReplaceAll(a.Body.String(), p.Reference, "")
			if first == "" {
				first = same
			}
			require.Equal(t, first, same, name)
		}
	}
	require.NotContains(t, first, "nobody")
	r.get("/orders").is(http.StatusOK)
}

func TestATokenEndsWhenItExpiresOrIsRevoked(t *testing.T) {
	onEachStore(t, testATokenEndsWhenItExpiresOrIsRevoked)
}

func testATokenEndsWhenItExpiresOrIsRevoked(r *rig) {
	t := r.T
	tok, text, err := NewToken("short", Scopes, noon, noon.Add(time.Hour))
	require.NoError(t, err)
	require.NoError(t, r.store.PutToken(t.Context(), tok))
	r.token = text.Reveal()
	r.get("/orders").is(http.StatusOK)
	r.pass(time.Hour - time.Second)
	r.get("/orders").is(http.StatusOK)
	r.pass(time.Second)
	r.get("/orders").problem(http.StatusUnauthorized, "unauthorized")

	r.token = r.newToken("other", Scopes...)
	id, _ := tokenID(r.token)
	r.get("/orders").is(http.StatusOK)
	kept, err := r.store.Token(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, r.clock().Truncate(time.Hour), kept.UsedAt)
	require.NoError(t, r.store.RevokeToken(t.Context(), id, r.clock(), connector.Operator))
	r.get("/orders").problem(http.StatusUnauthorized, "unauthorized")
}

func TestEveryRouteInsistsOnItsScope(t *testing.T) {
	r := newRig(t)
	fill := strings.NewReplacer(`\:`, ":", ":channel", "am", ":id", "am", ":row", "1", ":entry", "1")
	for _, route := range r.server.routes() {
		var others []string
		for _, s := range Scopes {
			if s != route.scope {
				others = append(others, s)
			}
		}
		body := ""
		if route.method == http.MethodPost {
			body = "{}"
		}
		req := request(route.method, fill.Replace(route.path), r.newToken("without "+route.scope, others...), body)
		req.Header.Set("Idempotency-Key", "k")
		a := r.send(req)
		p := a.problem(http.StatusForbidden, "scope_missing")
		require.Equal(t, route.scope, p.Scope, route.path)
		require.Contains(t, a.Header().Get("WWW-Authenticate"), route.scope)

		req = request(route.method, fill.Replace(route.path), r.newToken("with "+route.scope, route.scope), body)
		require.NotContains(t, []int{http.StatusForbidden, http.StatusUnauthorized}, r.send(req).Code, route.path)
	}
}

// A peer that guesses is slowed down; whoever was let in before is not locked out by it.
func TestAPeerThatGuessesIsSlowedDown(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Limits.Failures = 5 })
	r.get("/orders").is(http.StatusOK)
	guess := func(from string) answer {
		req := request(http.MethodGet, "/orders", "cb_guess", "")
		req.RemoteAddr = from
		return r.send(req)
	}
	for range 5 {
		guess("192.0.2.1:1000").problem(http.StatusUnauthorized, "unauthorized")
	}
	a := guess("192.0.2.1:2000")
	a.problem(http.StatusServiceUnavailable, "too_many_failures")
	require.Equal(t, "60", a.Header().Get("Retry-After"))
	guess("192.0.2.2:1000").problem(http.StatusUnauthorized, "unauthorized")
	r.get("/orders").is(http.StatusOK) // the same peer, with a token that is known to be good
	req := request(http.MethodGet, "/orders", r.newToken("new", Scopes...), "")
	r.send(req).problem(http.StatusServiceUnavailable, "too_many_failures")
	id, _ := tokenID(r.token)
	require.NoError(t, r.store.RevokeToken(t.Context(), id, noon, connector.Operator))
	r.get("/orders").problem(http.StatusUnauthorized, "unauthorized")
	r.get("/orders").problem(http.StatusServiceUnavailable, "too_many_failures") // a revoked one is a guess like others
	r.pass(time.Minute)
	r.send(request(http.MethodGet, "/orders", r.newToken("new", Scopes...), "")).is(http.StatusOK)

	for range 5 {
		guess("[2001:db8::1]:1").problem(http.StatusUnauthorized, "unauthorized")
	}
	guess("[2001:db8::ffff]:1").problem(http.StatusServiceUnavailable, "too_many_failures")
	guess("[2001:db8:0:1::1]:1").problem(http.StatusUnauthorized, "unauthorized")
}

func TestPeersAreForgotten(t *testing.T) {
	f := newBuckets(3)
	for i := range 3 * mostBuckets {
		f.take(string(rune('a'+i%26))+strings.Repeat("x", i/26), noon)
	}
	require.LessOrEqual(t, len(f.by), mostBuckets)
}
