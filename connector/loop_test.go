package connector_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/memstore"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

type looking func(ctx context.Context, w connector.Work) (connector.Next, error)

func (f looking) Reconcile(ctx context.Context, w connector.Work) (connector.Next, error) {
	return f(ctx, w)
}

func subject(id string) connector.Subject {
	return connector.Subject{Kind: connector.KindOrder, Channel: "c", ID: id}
}

func loop(t *testing.T, f looking, ids ...string) (*connector.Loop, *memstore.Store) {
	s := memstore.New()
	for _, id := range ids {
		require.NoError(t, s.Touch(t.Context(), noon, connector.Touch{Subject: subject(id), Side: connector.Market}))
	}
	return &connector.Loop{Queue: s, Clock: func() time.Time { return noon }, Recover: true,
		Reconcilers: map[connector.Kind]connector.Reconciler{connector.KindOrder: f},
		Runnable:    func() []connector.ConnectionID { return []connector.ConnectionID{"c"} }}, s
}

func TestAPoisonedOrderDoesNotStopTheOthers(t *testing.T) {
	var done []string
	l, s := loop(t, func(_ context.Context, w connector.Work) (connector.Next, error) {
		if w.Subject.ID == "bad" {
			panic("nobody thought of this")
		}
		done = append(done, w.Subject.ID)
		return connector.Next{}, nil
	}, "a", "bad", "z")
	n, err := l.Step(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	require.Equal(t, []string{"a", "z"}, done)
	r, err := s.Load(t.Context(), subject("bad"))
	require.NoError(t, err)
	require.Equal(t, "defect", r.Holds[0].Kind)
	require.True(t, r.NextAt.After(noon), "it is tried again later")
}

func TestAFailedLookComesAgainSoonerNearItsDeadline(t *testing.T) {
	due := noon.Add(time.Minute)
	require.Equal(t, noon.Add(6*time.Second), connector.Backoff(noon, 9, 0, due, time.Time{}))
	require.Equal(t, noon.Add(15*time.Minute), connector.Backoff(noon, 30, 0, time.Time{}, time.Time{}))
	require.Equal(t, noon.Add(2*time.Second), connector.Backoff(noon, 1, 0, time.Time{}, time.Time{}))
	require.Equal(t, noon.Add(time.Hour), connector.Backoff(noon, 1, time.Hour, due, time.Time{}), "what the other side asks for is kept to")
	require.Equal(t, noon.Add(time.Second), connector.Backoff(noon, 9, 0, time.Time{}, noon.Add(time.Second)), "an earlier wake stands")
}

func TestRunWorksUntilItIsToldToStopAndFinishesWhatItBegan(t *testing.T) {
	var mu sync.Mutex
	began, ended := 0, 0
	release := make(chan struct{})
	l, _ := loop(t, func(context.Context, connector.Work) (connector.Next, error) {
		mu.Lock()
		began++
		mu.Unlock()
		<-release
		mu.Lock()
		ended++
		mu.Unlock()
		return connector.Next{}, errors.New("whatever")
	}, "a", "b", "c")
	l.Workers = 2
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan error, 1)
	go func() { over <- l.Run(ctx) }()
	require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return began == 2 }, 5*time.Second, time.Millisecond)
	stop()
	close(release)
	require.NoError(t, <-over)
	require.Equal(t, began, ended)
}
