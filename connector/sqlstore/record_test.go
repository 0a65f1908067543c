package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/sqlstore"
	"channelbridge/internal/pgtest"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

const channel = connector.ConnectionID("amazon-de")

func order(id string) connector.Subject {
	return connector.Subject{Kind: connector.KindOrder, Channel: channel, ID: id}
}

func push(id string, orders ...string) connector.Delivery {
	d := connector.Delivery{Connection: channel, ID: id, ReceivedAt: noon, Verdict: connector.Accepted, Body: []byte("{}")}
	for _, o := range orders {
		d.Touch = append(d.Touch, connector.Touch{Subject: order(o), Side: connector.Market})
	}
	return d
}

func TestManyAtOnceShareCommits(t *testing.T) {
	each(t, func(t *testing.T, s *sqlstore.Store) {
		const workers, rounds = 64, 15
		var accepted, repeated atomic.Int64
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				random := rand.New(rand.NewPCG(uint64(w), 1))
				for range rounds {
					n := random.IntN(workers * rounds / 4)
					v, err := s.Record(t.Context(), push(fmt.Sprint("d", n), fmt.Sprint("o", n%50), fmt.Sprint("o", n%7)))
					assert.NoError(t, err)
					if v == connector.Accepted {
						accepted.Add(1)
					} else {
						repeated.Add(1)
					}
				}
			})
		}
		wg.Wait()
		st, err := s.Stats(t.Context(), noon)
		require.NoError(t, err)
		require.EqualValues(t, accepted.Load(), st.Deliveries[connector.Accepted])
		require.EqualValues(t, repeated.Load(), st.Deliveries[connector.Duplicate])
		require.EqualValues(t, workers*rounds, accepted.Load()+repeated.Load())

		var touched int64
		require.NoError(t, s.DB().Get(&touched, `select sum(revision) from subjects`))
		require.Equal(t, 2*accepted.Load(), touched, "every fresh delivery touched its orders, no other did")
	})
}

func TestTwoProcessesOnOneDatabase(t *testing.T) {
	url := pgtest.URL(t)
	stores := []*sqlstore.Store{open(t, url), open(t, url)}
	var accepted atomic.Int64
	var wg sync.WaitGroup
	for i := range 400 {
		for _, s := range stores {
			wg.Go(func() {
				d := push(fmt.Sprint("d", i), fmt.Sprint("o", i%5), fmt.Sprint("o", i%3))
				d.Observed = []connector.Observation{{Subject: order(fmt.Sprint("o", i%4)), Side: connector.Market,
					Snapshot: connector.Snapshot{Version: noon.Add(time.Duration(i) * time.Second), ObservedAt: noon, Body: []byte("x")}}}
				v, err := s.Record(t.Context(), d)
				assert.NoError(t, err)
				if v == connector.Accepted {
					accepted.Add(1)
				}
			})
		}
	}
	wg.Wait()
	require.EqualValues(t, 400, accepted.Load())
}

func TestOneBadDeliveryDoesNotFailItsNeighbours(t *testing.T) {
	each(t, func(t *testing.T, s *sqlstore.Store) {
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() {
				d := push(fmt.Sprint("d", i), "A")
				if i%10 == 5 {
					assert.NoError(t, s.Reject(t.Context(), d, 5)) // refused ones share the commit
					return
				}
				bad := i%10 == 3
				if bad {
					d.Touch[0].Subject.Kind = "" // the schema refuses it
				}
				_, err := s.Record(t.Context(), d)
				assert.Equal(t, bad, err != nil, "%v", err)
			})
		}
		wg.Wait()
		st, err := s.Stats(t.Context(), noon)
		require.NoError(t, err)
		require.Equal(t, 160, st.Deliveries[connector.Accepted])
		require.Equal(t, 20, st.Deliveries[connector.Rejected])
		kept, err := s.Deliveries(t.Context(), connector.DeliveryFilter{Verdict: connector.Rejected})
		require.NoError(t, err)
		require.Len(t, kept, 5)
	})
}

func TestEmptyAndOverlongIDs(t *testing.T) {
	each(t, func(t *testing.T, s *sqlstore.Store) {
		long := make([]byte, 20_000)
		for i := range long {
			long[i] = byte('a' + rand.IntN(26))
		}
		for _, c := range []struct {
			id   string
			want connector.Verdict
		}{
			{"", connector.Accepted}, {"", connector.Accepted}, // no id: nothing to compare
			{string(long), connector.Accepted}, {string(long), connector.Duplicate}, {string(long) + "!", connector.Accepted},
		} {
			v, err := s.Record(t.Context(), push(c.id))
			require.NoError(t, err)
			require.Equal(t, c.want, v)
		}
	})
}

func TestWhoGivesUpLosesNothing(t *testing.T) {
	each(t, func(t *testing.T, s *sqlstore.Store) {
		for i := range 50 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*50*time.Microsecond)
			_, first := s.Record(ctx, push(fmt.Sprint("d", i), "A"))
			cancel()
			v, err := s.Record(t.Context(), push(fmt.Sprint("d", i), "A"))
			require.NoError(t, err)
			if first == nil {
				require.Equal(t, connector.Duplicate, v)
			}
		}
		st, err := s.Stats(t.Context(), noon)
		require.NoError(t, err)
		require.Equal(t, 50, st.Deliveries[connector.Accepted])
	})
}

func TestClosedStoreSaysSo(t *testing.T) {
	each(t, func(t *testing.T, s *sqlstore.Store) {
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				if _, err := s.Record(context.Background(), push(fmt.Sprint("d", i), "A")); err != nil {
					assert.ErrorIs(t, err, sqlstore.ErrClosed)
				}
			})
		}
		require.NoError(t, s.Close())
		wg.Wait()
		require.NoError(t, s.Close())
		_, err := s.Record(t.Context(), push("late"))
		require.ErrorIs(t, err, sqlstore.ErrClosed)
	})
}

func TestAcknowledgedSurvivesAKilledServer(t *testing.T) {
	c, err := pgtest.Start(pgtest.Options{Fsync: true})
	require.NoError(t, err)
	t.Cleanup(c.Stop)
	s := open(t, c.URL())
	var known sync.Map
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var failures atomic.Int64
	for w := range 16 {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				id := fmt.Sprint("d", w, "-", n)
				began := time.Now()
				if _, err := s.Record(context.Background(), push(id, "A")); err == nil {
					known.Store(id, true)
				} else {
					failures.Add(1)
					assert.Less(t, time.Since(began), 5*time.Second, "a caller is told promptly")
					time.Sleep(5 * time.Millisecond)
				}
			}
		})
	}
	for range 2 {
		time.Sleep(300 * time.Millisecond)
		require.NoError(t, c.Kill())
		time.Sleep(200 * time.Millisecond)
		require.NoError(t, c.Restart())
	}
	require.Eventually(t, func() bool { return s.Ping(t.Context()) == nil }, 10*time.Second, 20*time.Millisecond)
	time.Sleep(100 * time.Millisecond)
	close(stop)
	wg.Wait()
	require.Positive(t, failures.Load(), "the server was away and nobody noticed")

	var kept []string
	require.NoError(t, s.DB().Select(&kept, `select delivery_id from deliveries`))
	stored := map[string]bool{}
	for _, id := range kept {
		stored[id] = true
	}
	acknowledged := 0
	known.Range(func(id, _ any) bool {
		acknowledged++
		assert.True(t, stored[id.(string)], "%s was acknowledged and is lost", id)
		return true
	})
	require.Positive(t, acknowledged)
}

func TestHungServerDoesNotHangCallers(t *testing.T) {
	c, err := pgtest.Start(pgtest.Options{})
	require.NoError(t, err)
	t.Cleanup(c.Stop)
	s, err := sqlstore.Open(t.Context(), c.URL(), sqlstore.Options{FlushTimeout: 300 * time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	_, err = s.Record(t.Context(), push("before", "A"))
	require.NoError(t, err)

	require.NoError(t, c.Freeze())
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			began := time.Now()
			_, err := s.Record(context.Background(), push(fmt.Sprint("d", i), "A"))
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Less(t, time.Since(began), 3*time.Second)
		})
	}
	wg.Wait()
	require.NoError(t, c.Thaw())
	require.Eventually(t, func() bool {
		_, err := s.Record(t.Context(), push("after", "A"))
		return err == nil
	}, 20*time.Second, 50*time.Millisecond)
}

func TestSchemaMustBeCurrentWithoutMigration(t *testing.T) {
	url := pgtest.URL(t)
	_, err := sqlstore.Open(t.Context(), url, sqlstore.Options{NoMigrate: true})
	require.ErrorContains(t, err, "migrate")
	open(t, url)
	s, err := sqlstore.Open(t.Context(), url, sqlstore.Options{NoMigrate: true})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	_, err = sqlstore.Open(t.Context(), "mysql://x", sqlstore.Options{})
	require.Error(t, err)
}

func TestSecrets(t *testing.T) {
	each(t, func(t *testing.T, s *sqlstore.Store) {
		_, err := s.Secret(t.Context(), "amazon-de/token")
		require.ErrorIs(t, err, connector.ErrNotFound)
		require.NoError(t, s.PutSecret(t.Context(), "amazon-de/token", []byte{1, 0, 255}))
		require.NoError(t, s.PutSecret(t.Context(), "amazon-de/token", []byte{2, 0, 255}))
		sealed, err := s.Secret(t.Context(), "amazon-de/token")
		require.NoError(t, err)
		require.Equal(t, []byte{2, 0, 255}, sealed)
		require.NoError(t, s.PutSecret(t.Context(), "amazon-de/token", nil))
		_, err = s.Secret(t.Context(), "amazon-de/token")
		require.ErrorIs(t, err, connector.ErrNotFound)
	})
}

// TestEverythingAtOnce lets all writers meet on few orders: they must neither deadlock for good
// nor break a constraint.
func TestEverythingAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *sqlstore.Store) {
		ctx := t.Context()
		for _, c := range []connector.Connection{{ID: "shop", Role: connector.RoleStore}, {ID: channel, Role: connector.RoleChannel, Store: "shop"}} {
			require.NoError(t, s.PutConnection(ctx, c))
		}
		var wg sync.WaitGroup
		for w := range 8 {
			wg.Go(func() {
				random := rand.New(rand.NewPCG(uint64(w), 2))
				for i := range 25 {
					assert.NoError(t, step(ctx, s, random, w*1000+i))
				}
			})
		}
		wg.Wait()
		require.NoError(t, s.Touch(ctx, noon, connector.Touch{Subject: order("last")}))
		require.NoError(t, feedStep(ctx, s, noon.Add(24*time.Hour)))
		all, err := s.Batches(ctx, channel, 1000)
		require.NoError(t, err)
		require.NotEmpty(t, all)
		require.Equal(t, connector.BatchDone, all[0].State)
		_, err = s.SealAudit(ctx, 100_000)
		require.NoError(t, err)
		_, broken, err := s.VerifyAudit(ctx, nil)
		require.NoError(t, err)
		require.Nil(t, broken)
	})
}

func step(ctx context.Context, s *sqlstore.Store, random *rand.Rand, n int) error {
	one, two := fmt.Sprint("o", random.IntN(6)), fmt.Sprint("o", random.IntN(6))
	at := noon.Add(time.Duration(n) * time.Second)
	see := func(id string) connector.Observation {
		return connector.Observation{Subject: order(id), Side: connector.Shop, Note: "seen",
			Shop:     connector.ShopRef{Store: "shop", ID: fmt.Sprint("s", random.IntN(6))},
			Snapshot: connector.Snapshot{Version: at, ObservedAt: at, Body: []byte(fmt.Sprint(n))}}
	}
	switch random.IntN(4) {
	case 0:
		d := push(fmt.Sprint("d", random.IntN(200)), one, two)
		d.Observed = []connector.Observation{see(two)}
		_, err := s.Record(ctx, d)
		return err
	case 1:
		_, err := s.Seen(ctx, at, see(one), see(two))
		return err
	case 2:
		return s.Touch(ctx, at, connector.Touch{Subject: order(two)}, connector.Touch{Subject: order(one)},
			connector.Touch{Shop: connector.ShopRef{Store: "shop", ID: "s1"}})
	}
	if n%5 == 0 {
		return feedStep(ctx, s, at)
	}
	work, err := s.Claim(ctx, at, 3, time.Millisecond, []connector.ConnectionID{channel})
	for _, w := range work {
		o := see(w.Subject.ID)
		lane := []string{"", "feed"}[random.IntN(2)]
		e, ierr := s.Intend(ctx, w, connector.Command{Key: fmt.Sprint("k", n, w.Subject.ID), Verb: "v", Side: connector.Shop, Lane: lane}, at, at, "")
		if ierr == nil && lane == "" {
			ierr = s.Settle(ctx, e.ID, connector.Outcome{State: connector.Done, At: at, Shop: o.Shop, Observed: &o})
		}
		rerr := s.Release(ctx, w, at, connector.Next{Holds: []connector.Hold{{Kind: fmt.Sprint(random.IntN(3)), Level: connector.Warns}}})
		for _, e := range []error{ierr, rerr} {
			if e != nil && !errors.Is(e, connector.ErrLeaseLost) {
				err = e
			}
		}
	}
	return err
}

// feedStep takes what waits in the lane through a whole batch, if its lease can be had.
func feedStep(ctx context.Context, s *sqlstore.Store, at time.Time) error {
	lane := connector.Subject{Kind: connector.KindLane, Channel: channel, ID: "feed"}
	if err := s.Touch(ctx, at, connector.Touch{Subject: lane}); err != nil {
		return err
	}
	work, err := s.Claim(ctx, at, 20, time.Second, []connector.ConnectionID{channel})
	for _, w := range work {
		if w.Subject == lane && err == nil {
			err = wholeBatch(ctx, s, w, at)
		}
		if rerr := s.Release(ctx, w, at, connector.Next{Wake: at}); rerr != nil && !errors.Is(rerr, connector.ErrLeaseLost) {
			err = rerr
		}
	}
	return err
}

// wholeBatch goes on with the batch that is not over, or forms one of what waits.
func wholeBatch(ctx context.Context, s *sqlstore.Store, w connector.Work, at time.Time) error {
	b, err := s.Under(ctx, channel, "feed")
	if errors.Is(err, connector.ErrNotFound) {
		var ids []int64
		waiting, werr := s.Waiting(ctx, channel, "feed", 10)
		for _, e := range waiting {
			ids = append(ids, e.ID)
		}
		if werr != nil || len(ids) == 0 {
			return werr
		}
		b, err = s.Form(ctx, w, connector.Batch{}, ids, at)
	}
	outcomes := map[int64]connector.Outcome{}
	for _, e := range b.Entries {
		outcomes[e.ID] = connector.Outcome{State: connector.Done, At: at, Note: "told"}
	}
	for _, st := range []connector.BatchStep{
		{State: connector.BatchSending, At: at, Deadline: at},
		{State: connector.BatchSent, At: at, Ticket: "t"},
		{State: connector.BatchDone, At: at, Outcomes: outcomes},
	} {
		if err == nil && b.State.Leads(st.State) {
			b, err = s.Step(ctx, w, b.ID, st)
		}
	}
	if errors.Is(err, connector.ErrLeaseLost) || errors.Is(err, connector.ErrSpent) {
		return nil // another worker was given the lane meanwhile
	}
	return err
}
