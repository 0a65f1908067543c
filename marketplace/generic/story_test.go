package generic_test

import (
	"context"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/httpx"
	"channelbridge/internal/secret"
	"channelbridge/marketplace"
	"channelbridge/marketplace/generic"
	"channelbridge/marketplace/generic/genericfake"
	"channelbridge/marketplace/markettest"
)

var (
	start = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	key   = secret.New("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	older = secret.New("whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=")
)

// rig is an adapter, its channel and a clock for both.
type rig struct {
	*generic.Adapter
	fake *genericfake.Channel
	mu   sync.Mutex
	at   time.Time
}

func (r *rig) now() time.Time { r.mu.Lock(); defer r.mu.Unlock(); return r.at }

func (r *rig) pass(d time.Duration) { r.mu.Lock(); defer r.mu.Unlock(); r.at = r.at.Add(d) }

func newRig(t *testing.T, change ...func(*generic.Config)) *rig {
	t.Helper()
	r := &rig{at: start}
	token := secret.New("hush")
	r.fake = genericfake.New(genericfake.Config{Secret: key, Token: token, Clock: r.now, PageSize: 3, RefundLag: 30 * time.Second})
	srv := httptest.NewServer(r.fake)
	t.Cleanup(srv.Close)
	cfg := generic.Config{Base: srv.URL, Token: token, Secret: key, SiteName: "Corner shop", Zone: "Europe/Berlin",
		HTTP: httpx.Config{Clock: r.now, Sleep: func(ctx context.Context, d time.Duration) error { r.pass(d); return ctx.Err() }}}
	for _, f := range change {
		f(&cfg)
	}
	a, err := generic.New(cfg)
	require.NoError(t, err)
	r.Adapter = a
	return r
}

// everything is a channel that takes all instructions.
func everything(c *generic.Config) {
	c.Instructions = []marketplace.Operation{marketplace.OpCancel, marketplace.OpCancelUnits, marketplace.OpRefund}
}

// instructed is the adapter as a channel that takes instructions.
func (r *rig) instructed() generic.Instructed { return generic.Instructed{Adapter: r.Adapter} }

func TestExercise(t *testing.T) {
	t.Parallel()
	r := newRig(t, everything)
	exercise(t, r, played(r.instructed()))
	require.NotZero(t, r.fake.Counts().Instructed)
}

// TestExerciseWithoutInstructions is a channel that was connected before there were any.
func TestExerciseWithoutInstructions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	exercise(t, r, r.Channel())
	require.Zero(t, r.fake.Counts().Instructed)
}

func exercise(t *testing.T, r *rig, a marketplace.Adapter) {
	t.Helper()
	place := func(o genericfake.Order) func(*testing.T) marketplace.OrderID {
		return func(*testing.T) marketplace.OrderID { return marketplace.OrderID(r.fake.Place(o)) }
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	markettest.Exercise(t, markettest.Harness{
		Adapter: a, Now: r.now, Advance: r.pass, Page: 3, Site: "generic", Zone: berlin,
		Place:          place(genericfake.Order{}),
		PlacePending:   place(genericfake.Order{Status: "pending"}),
		PlaceByChannel: place(genericfake.Order{FulfilledBy: "channel"}),
		Shipments:      func(id marketplace.OrderID) int { return len(r.fake.Shipments(string(id))) },
		Push: func(t *testing.T, id marketplace.OrderID) marketplace.Inbound {
			in, err := r.fake.Signed(string(id))
			require.NoError(t, err)
			return in
		},
		LoseNextAnswer: r.fake.LoseNextAnswer,

		LoseNextInstruction: r.fake.LoseNextInstruction,
		RefundCount:         func(id marketplace.OrderID) int { return len(r.fake.Given(string(id))) },

		ThrottleNext: r.fake.ThrottleNext,
		Deny: func() func() {
			r.fake.Deny(true)
			return func() { r.fake.Deny(false) }
		},
	})
	require.Zero(t, r.fake.Counts().Doubled)
	require.Zero(t, r.fake.Counts().Keyless)
}
