package kill

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/e2e/rig"
)

// Asked to stop under load, the bridge finishes what it has begun and ends with 0.
func TestStopUnderLoad(t *testing.T) {
	t.Parallel() // it mostly waits
	w, ctx := open(t, rig.Options{Senders: 32})
	require.NoError(t, w.Start(ctx))
	ids, _ := live(t, ctx, w, 3000, 8*time.Second, 0.2, func(ctx context.Context) error {
		for range 3 {
			time.Sleep(2 * time.Second)
			code, err := w.Bridges[0].Stop(30 * time.Second)
			require.NoError(t, err)
			require.Zero(t, code, "exit code after SIGTERM; the log ends:\n%s", rig.Tail(w.Bridges[0].Log, 2000))
			lost, err := w.Lost(ctx)
			require.NoError(t, err)
			require.Empty(t, lost.String())
			require.NoError(t, w.Bridges[0].Start())
		}
		return nil
	})
	clean(t, ctx, w, ids, w.Settles+time.Minute)
}

// A database that is gone for ten seconds costs 503s and nothing else: the bridge stays up.
func TestDatabaseGone(t *testing.T) {
	t.Parallel() // it mostly waits
	w, ctx := open(t, rig.Options{Senders: 32})
	require.NoError(t, w.Start(ctx))
	pid := w.Bridges[0].Pid()
	ids, _ := live(t, ctx, w, 6000, 14*time.Second, 0.2, func(context.Context) error {
		time.Sleep(2 * time.Second)
		if err := w.Cluster.Kill(); err != nil {
			return err
		}
		time.Sleep(10 * time.Second)
		return w.Cluster.Restart()
	})
	clean(t, ctx, w, ids, w.Settles+time.Minute)
	require.Positive(t, w.Out.Count.Unavailable.Load(), "senders must have been asked to come again")
	require.Equal(t, pid, w.Bridges[0].Pid(), "a database that is gone is no reason to end")
}
