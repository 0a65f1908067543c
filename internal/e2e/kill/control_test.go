package kill

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/e2e/rig"
)

// A bridge that answers before it has committed must be caught. Here a proxy in front of it
// answers at once and forwards later, as a server with a queue in memory would.
func TestControlHastyAnswersAreCaught(t *testing.T) {
	t.Parallel() // it mostly waits
	w, ctx := open(t, rig.Options{Senders: 32, Through: func(instance string) string { return hasty(t, instance) }})
	require.NoError(t, w.Start(ctx))
	chaos := &rig.Chaos{World: w, Rand: random(4), Between: [2]time.Duration{200 * time.Millisecond, 800 * time.Millisecond},
		Down: [2]time.Duration{50 * time.Millisecond, 200 * time.Millisecond}}
	live(t, ctx, w, 4000, 8*time.Second, 0, func(ctx context.Context) error { return chaos.Run(ctx, 6) })
	require.NoError(t, w.Bridges[0].Ready(ctx, 30*time.Second))
	time.Sleep(2 * time.Second) // what the proxy still holds
	told(t, w)
	lost, err := w.Lost(ctx)
	require.NoError(t, err)
	t.Logf("%d acknowledged pushes are lost, as they should be", len(lost))
	require.NotEmpty(t, lost, "the check does not see a loss")
}

// hasty starts the proxy and returns its address.
func hasty(t *testing.T, instance string) string {
	held := make(chan *http.Request, 1000)
	for range 8 {
		go func() {
			for r := range held {
				forward(r)
			}
		}()
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		onward, err := http.NewRequestWithContext(context.Background(), r.Method, instance+r.URL.Path, bytes.NewReader(body))
		if err != nil {
			return
		}
		onward.Header = r.Header.Clone()
		held <- onward
	}))
	t.Cleanup(func() {
		proxy.Close()
		close(held)
	})
	return proxy.URL
}

// forward waits for an instance that is being started and gives up on everything else: what was
// under way dies with the process, as it would in its memory.
func forward(r *http.Request) {
	for range 200 {
		resp, err := http.DefaultClient.Do(r.Clone(r.Context()))
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			return
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return
		}
		if r.Body, err = r.GetBody(); err != nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}
