package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func slow(perMinute int) func(*Config) {
	return func(c *Config) { c.Limits.Rate, c.Limits.Failures = perMinute, 10_000 }
}

// left is what an answer says of its limit.
func left(a answer) string { return a.Header().Get("RateLimit") }

func TestEveryAnswerSaysHowManyRequestsAreLeft(t *testing.T) {
	r := newRig(t, slow(120)) // one in half a second
	a := r.get("/orders").is(http.StatusOK)
	require.Equal(t, `"token";q=120;w=60`, a.Header().Get("RateLimit-Policy"))
	require.Equal(t, `"token";r=119;t=1`, left(a))
	require.Equal(t, `"token";r=118;t=1`, left(r.get("/orders/am/none").is(http.StatusNotFound)))
	require.Equal(t, `"token";r=117;t=2`, left(r.get("/orders?x=1").is(http.StatusBadRequest)))
	require.Equal(t, `"token";r=116;t=2`, left(r.get(reportOf+year+"&format=csv").is(http.StatusOK)), "a stream too")
	r.pass(time.Second)
	require.Equal(t, `"token";r=117;t=2`, left(r.get("/orders")))
	r.pass(time.Hour)
	require.Equal(t, `"token";r=119;t=1`, left(r.get("/orders")), "no more than a minute's worth is saved up")

	for i, path := range []string{"/openapi.json", "/nowhere", "/orders"} {
		a := r.send(request(http.MethodGet, path, "", ""))
		require.Equal(t, `"peer";q=120;w=60`, a.Header().Get("RateLimit-Policy"), path)
		require.Equal(t, fmt.Sprintf(`"peer";r=%d;t=%d`, 119-i, i/2+1), left(a), path)
	}
	r.send(request(http.MethodDelete, "/orders", "", "")).problem(http.StatusMethodNotAllowed, "method_not_allowed")
}

func TestBeyondItsLimitATokenIsAskedToWait(t *testing.T) {
	r := newRig(t, slow(6)) // one in ten seconds
	other := r.newToken("other", Scopes...)
	for range 6 {
		r.get("/orders").is(http.StatusOK)
	}
	a := r.get("/orders")
	a.problem(http.StatusTooManyRequests, "too_many_requests")
	require.Equal(t, "10", a.Header().Get("Retry-After"))
	require.Equal(t, `"token";r=0;t=60`, left(a))
	r.post("/writes", `{"stopped": true}`).problem(http.StatusTooManyRequests, "too_many_requests")
	require.Empty(t, r.audited("switch"), "nothing was done")
	r.send(request(http.MethodGet, "/orders", other, "")).is(http.StatusOK)
	r.send(request(http.MethodGet, "/openapi.json", "", "")).is(http.StatusOK)

	r.pass(9 * time.Second)
	a = r.get("/orders")
	a.problem(http.StatusTooManyRequests, "too_many_requests")
	require.Equal(t, "1", a.Header().Get("Retry-After"))
	r.pass(time.Second)
	r.get("/orders").is(http.StatusOK)
	r.get("/orders").problem(http.StatusTooManyRequests, "too_many_requests")
}

func TestBeyondItsLimitAPeerWithoutATokenIsAskedToWait(t *testing.T) {
	r := newRig(t, slow(3))
	from := func(peer, path, token string) answer {
		req := request(http.MethodGet, path, token, "")
		req.RemoteAddr = peer
		return r.send(req)
	}
	from("192.0.2.1:1", "/openapi.json", "").is(http.StatusOK)
	from("192.0.2.1:2", "/nowhere", "").is(http.StatusNotFound)
	from("192.0.2.1:3", "/orders", "cb_guess").is(http.StatusUnauthorized)
	for _, path := range []string{"/openapi.json", "/nowhere", "/orders"} {
		a := from("192.0.2.1:4", path, "cb_guess")
		a.problem(http.StatusTooManyRequests, "too_many_requests")
		require.Equal(t, "20", a.Header().Get("Retry-After"))
	}
	from("192.0.2.2:1", "/openapi.json", "").is(http.StatusOK)
	from("192.0.2.1:5", "/orders", r.token).is(http.StatusOK) // whoever has a token is not held up by a neighbour
}

func TestTokensAreForgotten(t *testing.T) {
	b := newBuckets(2)
	require.True(t, b.take("busy", noon).taken)
	for i := range 3 * mostBuckets {
		b.take(strings.Repeat("x", i%7)+fmt.Sprint(i), noon.Add(time.Duration(i)*time.Minute))
	}
	require.LessOrEqual(t, len(b.by), mostBuckets)
}

func TestTheRateHasADefault(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Limits.Rate = 0 })
	require.Equal(t, `"token";q=1200;w=60`, r.get("/orders").Header().Get("RateLimit-Policy"))
}
