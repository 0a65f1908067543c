package webhooks_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/memstore"
	"channelbridge/marketplace"
	"channelbridge/webhooks"
)

// unwrapping reads "order" bodies without signature and refuses every push.
type unwrapping struct{ err error }

func (u unwrapping) Receive(time.Time, marketplace.Inbound) ([]marketplace.Hint, error) {
	return nil, marketplace.ErrSignature
}

func (u unwrapping) Unwrap(body []byte) ([]marketplace.Hint, error) {
	if len(body) > 0 && body[0] == '!' {
		panic("unexpected")
	}
	return []marketplace.Hint{{DeliveryID: "q-" + string(body), Order: marketplace.OrderID(body)}}, u.err
}

func withStore(t *testing.T) (*rig, *memstore.Store) {
	kept := memstore.New()
	return newRig(t, func(c *webhooks.Config) { c.Inbox = kept }), kept
}

func only(t *testing.T, s connector.Store) connector.Delivery {
	t.Helper()
	all, err := s.Deliveries(t.Context(), connector.DeliveryFilter{})
	require.NoError(t, err)
	require.Len(t, all, 1)
	return all[0]
}

func TestReplayOfAQuarantinedDelivery(t *testing.T) {
	t.Parallel()
	r, kept := withStore(t)
	body := []byte("A-1")
	require.Equal(t, 200, r.send(channel, signed(t, "m1", noon, body), body).Code)
	d := only(t, kept)
	require.Equal(t, connector.Quarantined, d.Verdict)

	err := r.srv.Replay(t.Context(), kept, d.Row)
	require.ErrorIs(t, err, marketplace.ErrMalformed)
	require.Equal(t, connector.Quarantined, only(t, kept).Verdict, "not understood again, it stays")
	require.ErrorIs(t, r.srv.Replay(t.Context(), kept, 999), connector.ErrNotFound)

	require.NoError(t, r.srv.Put(webhooks.Source{Connection: channel, Role: connector.RoleChannel, Channel: unwrapping{}}))
	nudges := r.nudges.Load()
	require.NoError(t, r.srv.Replay(t.Context(), kept, d.Row))
	require.Equal(t, connector.Accepted, only(t, kept).Verdict)
	require.Equal(t, nudges+1, r.nudges.Load())
	rec, err := kept.Load(t.Context(), connector.Subject{Kind: connector.KindOrder, Channel: channel, ID: "A-1"})
	require.NoError(t, err)
	require.False(t, rec.NextAt.IsZero())
	require.NoError(t, r.srv.Replay(t.Context(), kept, d.Row), "accepted ones may be replayed on demand")

	r.srv.Remove(channel)
	require.ErrorContains(t, r.srv.Replay(t.Context(), kept, d.Row), "no such connection")
}

func TestReplayOfAStoresDeliveryChecksItsSignatureAgain(t *testing.T) {
	t.Parallel()
	r, kept := withStore(t)
	body := []byte(`{"Order":"1"}`)
	require.Equal(t, 200, r.send(shop, fromShop("d1", "orders/updated", body), body).Code)
	require.NoError(t, r.srv.Replay(t.Context(), kept, only(t, kept).Row))
}

func TestReplayOfRefusedDeliveries(t *testing.T) {
	t.Parallel()
	body := order("A-1")
	for name, c := range map[string]struct {
		header        http.Header
		plain, forced error
	}{
		"forged": {signed(t, "m1", noon, order("B")), webhooks.ErrNotAuthentic, webhooks.ErrNotAuthentic},
		"stale":  {signed(t, "m1", noon.Add(-time.Hour), body), webhooks.ErrNeedsForce, nil},
		"bare":   {http.Header{}, webhooks.ErrNeedsForce, marketplace.ErrMissing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, kept := withStore(t)
			require.NotEqual(t, 200, r.send(channel, c.header, body).Code)
			row := only(t, kept).Row
			require.ErrorIs(t, r.srv.Replay(t.Context(), kept, row), c.plain)
			err := r.srv.ReplayForced(t.Context(), kept, row)
			if c.forced != nil {
				require.ErrorIs(t, err, c.forced)
				require.Equal(t, connector.Rejected, only(t, kept).Verdict)
				return
			}
			require.NoError(t, err)
			_, err = kept.Load(t.Context(), connector.Subject{Kind: connector.KindOrder, Channel: channel, ID: "A-1"})
			require.NoError(t, err)
			all, err := kept.Deliveries(t.Context(), connector.DeliveryFilter{Verdict: connector.Accepted})
			require.NoError(t, err)
			require.Equal(t, "m1", all[0].ID, "it is a delivery of its own now")
		})
	}
}

func TestABodyThatWasCutCannotBeReplayed(t *testing.T) {
	t.Parallel()
	r, kept := withStore(t)
	body := append(order("A-1"), make([]byte, 5000)...)
	require.Equal(t, 401, r.send(channel, signed(t, "m1", noon.Add(-time.Hour), body), body).Code)
	require.ErrorIs(t, r.srv.ReplayForced(t.Context(), kept, only(t, kept).Row), webhooks.ErrNotKept)
}

func TestMessagesOfAQueue(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	put := func(c marketplace.Receiver) {
		require.NoError(t, r.srv.Put(webhooks.Source{Connection: "queue", Role: connector.RoleChannel, Channel: c}))
	}
	put(unwrapping{})
	save := r.srv.Poll("queue")
	in := func(s string) marketplace.Inbound { return marketplace.Inbound{Body: []byte(s)} }
	require.NoError(t, save(t.Context(), in("A")))
	require.NoError(t, save(t.Context(), in("A")), "a repeated message may be deleted")
	require.NoError(t, save(t.Context(), in("!")), "a receiver that panics has not understood it")
	put(unwrapping{err: errors.New("no idea")})
	require.NoError(t, save(t.Context(), in("B")))
	all := r.box.all()
	require.Len(t, all, 3)
	require.Equal(t, []connector.Verdict{connector.Accepted, connector.Quarantined, connector.Quarantined},
		[]connector.Verdict{all[0].Verdict, all[1].Verdict, all[2].Verdict})
	require.Equal(t, "A", all[0].Touch[0].Subject.ID)

	r.box.broken = func(connector.Delivery) error { return context.DeadlineExceeded }
	require.Error(t, save(t.Context(), in("C")), "not durable: it must come again")
	require.Error(t, r.srv.Store(t.Context(), "no-such", in("A")))
	require.Error(t, r.srv.Store(t.Context(), shop, in("A")), "a store has no queue")
	r.box.broken = nil
	require.NoError(t, r.srv.Enqueue(t.Context(), "queue", marketplace.Hint{DeliveryID: "h", Order: "D", Body: []byte("d")}))
	require.Equal(t, "d", string(r.box.all()[3].Body))
}
