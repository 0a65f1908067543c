package httpapi

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
)

const someRefund = `{"lines": [{"line": "L1", "quantity": 1}], "restock": true, "reason": "customer"}`

func (r *rig) wishes(sub connector.Subject) []connector.Wish {
	r.Helper()
	rec, err := r.store.Load(r.Context(), sub)
	require.NoError(r, err)
	return rec.Wishes
}

func TestAWriteNeedsAKey(t *testing.T) {
	r := newRig(t)
	sub := r.order("O1")
	for name, keys := range map[string][]string{"none": nil, "empty": {""}, "two": {"a", "b"}, "blank": {"a b"}, "long": {strings.Repeat("k", 201)}, "not ASCII": {"ключ"}} {
		req := request(http.MethodPost, "/orders/am/O1/refunds", r.token, someRefund)
		req.Header["Idempotency-Key"] = keys
		r.send(req).problem(http.StatusBadRequest, "key_missing")
		require.Empty(t, r.wishes(sub), name)
	}
}

func TestTheSameKeyIsAnsweredTheSame(t *testing.T) { onEachStore(t, testTheSameKeyIsAnsweredTheSame) }

func testTheSameKeyIsAnsweredTheSame(r *rig) {
	t := r.T
	sub := r.order("O1")
	first := r.postKey("k1", "/orders/am/O1/refunds", someRefund).is(http.StatusAccepted)
	require.Empty(t, first.Header().Get("Idempotent-Replayed"))
	r.pass(24 * time.Hour)
	again := r.postKey("k1", "/orders/am/O1/refunds", ` {"reason":"customer", "restock":true,"lines":[{"quantity":1,"line":"L1"}]}`).is(http.StatusAccepted)
	require.Equal(t, "true", again.Header().Get("Idempotent-Replayed"))
	require.Equal(t, first.Body.String(), again.Body.String())
	require.Equal(t, "/v1/orders/am/O1/refunds", again.Header().Get("Location"))
	require.Equal(t, first.Header().Get("Content-Type"), again.Header().Get("Content-Type"))
	require.Len(t, r.wishes(sub), 1)

	r.postKey("k1", "/orders/am/O1/refunds", `{"amount": {"amount": "1.00", "currency": "USD"}}`).problem(http.StatusConflict, "key_reused")
	r.postKey("k1", "/orders/am/O1/cancel", `{}`).problem(http.StatusConflict, "key_reused")
	r.order("O2")
	r.postKey("k1", "/orders/am/O2/refunds", someRefund).problem(http.StatusConflict, "key_reused")
	require.Len(t, r.wishes(sub), 1)

	r.token = r.newToken("another program", Scopes...)
	r.postKey("k1", "/orders/am/O1/refunds", `{"lines": [{"line": "L2", "quantity": 1}]}`).is(http.StatusAccepted)
	require.Len(t, r.wishes(sub), 2, "keys belong to their token")
}

func TestARefusalIsAnsweredTheSameToo(t *testing.T) {
	r := newRig(t)
	r.order("O1")
	body := `{"lines": [{"line": "L1", "quantity": 2}]}`
	first := r.postKey("k", "/orders/am/O1/refunds", body)
	first.problem(http.StatusUnprocessableEntity, AboveRefundable)
	calls := r.money.calls
	again := r.postKey("k", "/orders/am/O1/refunds", body)
	again.problem(http.StatusUnprocessableEntity, AboveRefundable)
	require.Equal(t, first.Body.String(), again.Body.String())
	require.Equal(t, "true", again.Header().Get("Idempotent-Replayed"))
	require.Equal(t, calls, r.money.calls)
}

// What was not understood uses no key up.
func TestAKeyIsNotUsedUpByAMistake(t *testing.T) {
	r := newRig(t)
	r.order("O1")
	r.postKey("k", "/orders/am/O1/refunds", `{"lines": 7}`).problem(http.StatusBadRequest, "invalid_member")
	r.postKey("k", "/orders/am/O1/refunds", someRefund).is(http.StatusAccepted)
}

func TestManyAtOnceAreOne(t *testing.T) { onEachStore(t, testManyAtOnceAreOne) }

func testManyAtOnceAreOne(r *rig) {
	t := r.T
	sub := r.order("O1")
	var wg sync.WaitGroup
	var done, busy atomic.Int32
	for range 20 {
		wg.Go(func() {
			switch a := r.postKey("k", "/orders/am/O1/refunds", someRefund); a.Code {
			case http.StatusAccepted:
				done.Add(1)
			case http.StatusConflict:
				a.problem(http.StatusConflict, "in_progress")
				busy.Add(1)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 20, done.Load()+busy.Load())
	require.Positive(t, done.Load())
	require.Len(t, r.wishes(sub), 1)
}

// A twin in another process is under way for a minute; after that its process is taken for dead,
// and what is done is done under the same key.
func TestATwinElsewhereIsWaitedForAndThenTakenOver(t *testing.T) {
	onEachStore(t, testATwinElsewhereIsWaitedForAndThenTakenOver)
}

func testATwinElsewhereIsWaitedForAndThenTakenOver(r *rig) {
	t := r.T
	sub := r.order("O1")
	slow := &stuck{Store: r.store, keep: make(chan struct{})}
	other, err := New(Config{Store: slow, Money: r.money, Channels: r.channels, Deliveries: reader{r.store}, Clock: r.clock})
	require.NoError(t, err)
	ended := make(chan int)
	go func() {
		req, w := request(http.MethodPost, "/orders/am/O1/refunds", r.token, someRefund), httptest.NewRecorder()
		req.Header.Set("Idempotency-Key", "k")
		other.Handler().ServeHTTP(w, req)
		ended <- w.Code
	}()
	require.Eventually(t, slow.waiting.Load, 5*time.Second, time.Millisecond)
	r.pass(10 * time.Second)
	a := r.postKey("k", "/orders/am/O1/refunds", someRefund)
	a.problem(http.StatusConflict, "in_progress")
	require.Equal(t, "50", a.Header().Get("Retry-After"))
	r.pass(51 * time.Second)
	r.postKey("k", "/orders/am/O1/refunds", someRefund).is(http.StatusAccepted)
	close(slow.keep)
	require.Equal(t, http.StatusAccepted, <-ended)
	require.Len(t, r.wishes(sub), 1)
}

// stuck is a store whose wishes hang, after they were kept.
type stuck struct {
	Store
	waiting atomic.Bool
	keep    chan struct{}
}

// hangs is how long the store waits at most: a test that is wrong fails instead of waiting for ever.
const hangs = 10 * time.Second

func (s *stuck) Wish(ctx context.Context, w connector.Wish) (connector.Wish, bool, error) {
	kept, fresh, err := s.Store.Wish(ctx, w)
	s.waiting.Store(true)
	select {
	case <-s.keep:
	case <-time.After(hangs):
	}
	return kept, fresh, err
}

// broken is a store whose writes fail in two kinds: they failed, or they failed after having worked.
type broken struct {
	Store
	wish, answer, reserve, worked bool
}

func (b *broken) Wish(ctx context.Context, w connector.Wish) (connector.Wish, bool, error) {
	if !b.wish {
		return b.Store.Wish(ctx, w)
	}
	if b.worked {
		_, _, _ = b.Store.Wish(ctx, w)
	}
	return connector.Wish{}, false, errors.New("disk on fire at 10.0.0.1")
}

func (b *broken) Answer(ctx context.Context, r connector.Reply) error {
	if !b.answer {
		return b.Store.Answer(ctx, r)
	}
	if b.worked {
		_ = b.Store.Answer(ctx, r)
	}
	return errors.New("disk on fire")
}

func (b *broken) Reserve(ctx context.Context, r connector.Reply) (connector.Reply, bool, error) {
	if !b.reserve {
		return b.Store.Reserve(ctx, r)
	}
	if b.worked {
		_, _, _ = b.Store.Reserve(ctx, r)
	}
	return connector.Reply{}, false, errors.New("disk on fire")
}

func TestAWriteThatFailedInsideMaySimplyBeRepeated(t *testing.T) {
	for _, worked := range []bool{false, true} {
		for name, bad := range map[string]broken{"wish": {wish: true}, "answer": {answer: true}, "reserve": {reserve: true}} {
			t.Run(name, func(t *testing.T) {
				b := &bad
				b.worked = worked
				r := newRig(t, func(c *Config) { b.Store = c.Store; c.Store = b })
				sub := r.order("O1")
				a := r.postKey("k", "/orders/am/O1/refunds", someRefund)
				if name != "answer" {
					a.problem(http.StatusInternalServerError, "internal")
					require.NotContains(t, a.Body.String(), "fire")
				}
				*b = broken{Store: b.Store}
				if name != "wish" { // nobody here knows that the first is over
					r.pass(2 * time.Minute)
				}
				r.postKey("k", "/orders/am/O1/refunds", someRefund).is(http.StatusAccepted)
				r.postKey("k", "/orders/am/O1/refunds", someRefund).is(http.StatusAccepted)
				require.Len(t, r.wishes(sub), 1)
			})
		}
	}
}

// A client that hangs up does not leave a write half done.
func TestAWriteIsFinishedWhenTheClientIsGone(t *testing.T) {
	ctx, hangUp := context.WithCancel(t.Context())
	r := newRig(t, func(c *Config) { c.Store = leaving{c.Store, hangUp} })
	sub := r.order("O1")
	req := request(http.MethodPost, "/orders/am/O1/refunds", r.token, someRefund).WithContext(ctx)
	req.Header.Set("Idempotency-Key", "k")
	r.send(req).is(http.StatusAccepted)
	require.Len(t, r.wishes(sub), 1)
}

// leaving is a store whose client hangs up once its request is reserved.
type leaving struct {
	Store
	hangUp context.CancelFunc
}

func (l leaving) Reserve(ctx context.Context, r connector.Reply) (connector.Reply, bool, error) {
	defer l.hangUp()
	return l.Store.Reserve(ctx, r)
}

func (l leaving) Wish(ctx context.Context, w connector.Wish) (connector.Wish, bool, error) {
	if err := ctx.Err(); err != nil {
		return w, false, err
	}
	return l.Store.Wish(ctx, w)
}

// However long a request takes, a twin in the same process waits for it.
func TestATwinHereIsNeverTakenOver(t *testing.T) {
	slow := &stuck{keep: make(chan struct{})}
	r := newRig(t, func(c *Config) { slow.Store = c.Store; c.Store = slow })
	sub := r.order("O1")
	ended := make(chan int)
	go func() {
		req, w := request(http.MethodPost, "/orders/am/O1/hold", r.token, `{}`), httptest.NewRecorder()
		req.Header.Set("Idempotency-Key", "k")
		r.http.ServeHTTP(w, req)
		ended <- w.Code
	}()
	require.Eventually(t, slow.waiting.Load, 5*time.Second, time.Millisecond)
	r.pass(time.Hour)
	r.postKey("k", "/orders/am/O1/hold", `{}`).problem(http.StatusConflict, "in_progress")
	close(slow.keep)
	require.Equal(t, http.StatusAccepted, <-ended)
	require.Equal(t, "true", r.postKey("k", "/orders/am/O1/hold", `{}`).is(http.StatusAccepted).Header().Get("Idempotent-Replayed"))
	require.Len(t, r.wishes(sub), 1)
}
