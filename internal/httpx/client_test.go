package httpx

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
)

func TestReadsAreRepeatedWritesAreNot(t *testing.T) {
	var calls atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer srv.Close()
	c := New(Config{Service: "x"})

	ans, err := c.Do(t.Context(), Call{Op: "read", Method: "GET", URL: srv.URL, Repeat: true})
	require.NoError(t, err)
	require.Equal(t, 200, ans.Status)
	require.EqualValues(t, 2, calls.Load())

	calls.Store(0)
	ans, err = c.Do(t.Context(), Call{Op: "write", Method: "POST", URL: srv.URL})
	require.NoError(t, err)
	require.Equal(t, fault.Unknown, Classify(ans.Status, false))
	require.EqualValues(t, 1, calls.Load())
}

func TestALostAnswerOfAWriteIsUnknownAndARefusedConnectionIsNot(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.Close()
		}
	}))
	defer srv.Close()
	c := New(Config{Service: "x"})
	_, err := c.Do(t.Context(), Call{Op: "write", Method: "POST", URL: srv.URL + "/?token=hush", Body: []byte("x")})
	require.True(t, fault.Is(err, fault.Unknown), "%v", err)
	require.NotContains(t, err.Error(), "hush")

	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close())
	_, err = c.Do(t.Context(), Call{Op: "write", Method: "POST", URL: "http://" + addr})
	require.True(t, fault.Is(err, fault.Temporary), "%v", err)
}

func TestPacing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		c := New(Config{Service: "x", Limits: map[string]Limit{"op": {PerSecond: 1, Burst: 2}}, MaxWait: 2 * time.Second,
			Transport: roundTrip(func(*http.Request) (*http.Response, error) {
				sent++
				return &http.Response{StatusCode: 200, Body: http.NoBody, Header: http.Header{}}, nil
			})})
		do := func() error {
			_, err := c.Do(context.Background(), Call{Op: "op", Method: "GET", URL: "http://x/"})
			return err
		}
		began := time.Now()
		require.NoError(t, do())
		require.NoError(t, do())
		require.Zero(t, time.Since(began))
		require.NoError(t, do())
		require.Equal(t, time.Second, time.Since(began))

		require.Equal(t, 5*time.Second, c.Throttled("op", 5*time.Second))
		err := do()
		require.True(t, fault.Is(err, fault.Temporary))
		require.GreaterOrEqual(t, fault.After(err), 5*time.Second)
		require.Equal(t, 3, sent)
		require.Equal(t, 10*time.Second, c.Throttled("op", time.Second), "a second refusal in a row waits twice as long")
		time.Sleep(10 * time.Second)
		require.NoError(t, do())
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
