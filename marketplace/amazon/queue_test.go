package amazon

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/marketplace"
	"channelbridge/marketplace/amazon/amazonfake"
)

// A message leaves the queue only after it was stored; one that was not comes again.
func TestPoll(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{Subscribed: true, Visibility: time.Minute})
	want := map[marketplace.OrderID]int{}
	for range 13 {
		want[marketplace.OrderID(r.fake.Place(amazonfake.OrderSpec{}))] = 1
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	got, calls := map[marketplace.OrderID]int{}, 0
	err := r.Poll(ctx, func(_ context.Context, in marketplace.Inbound) error {
		calls++
		if calls == 13 {
			r.pass(time.Minute) // the refused ones show again
		}
		if calls <= 2 {
			return errors.New("the database is away")
		}
		hints, err := r.ReceiveQueued(r.now(), in)
		require.NoError(t, err)
		got[hints[0].Order]++
		if len(got) == 13 {
			stop()
		}
		return nil
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, want, got)
	require.Equal(t, 15, calls)
	require.Zero(t, r.fake.Queued())
}

func TestPollFaults(t *testing.T) {
	t.Parallel()
	nothing := func(context.Context, marketplace.Inbound) error { return nil }
	r := newRig(t, amazonfake.Options{}, func(c *Config) { c.QueueURL = "" })
	require.True(t, fault.Is(r.Poll(t.Context(), nothing), fault.Refused))

	r = newRig(t, amazonfake.Options{}, func(c *Config) { c.QueueURL = "https://sqs.us-east-1.amazonaws.com/1/other" })
	err := r.Poll(t.Context(), nothing)
	require.True(t, fault.Is(err, fault.Denied), "%v", err)
	require.NotEmpty(t, fault.Hint(err))
	require.NotContains(t, err.Error(), "aws-secret")
}

func TestSubscriptions(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{Scale: -1})
	state := func(repair bool) marketplace.Subscription {
		r.pass(10 * time.Second)
		all, err := r.Subscriptions(t.Context(), "https://ignored", repair)
		require.NoError(t, err)
		require.Len(t, all, 3)
		require.Equal(t, orderChange, all[0].Topic)
		require.Equal(t, []string{transactionUpdate, feedFinished}, []string{all[1].Topic, all[2].Topic})
		return all[0]
	}
	require.Equal(t, "missing", state(false).State)
	require.Empty(t, r.fake.Subscriptions())
	require.Equal(t, "created", state(true).State)
	require.Equal(t, "ok", state(true).State)
	for _, s := range r.fake.Subscriptions() { // by name
		want := amazonfake.Subscription{ID: s.ID, Topic: s.Topic, ARN: amazonfake.DefaultQueueARN, Version: "1.0"}
		switch s.Topic {
		case orderChange:
			want.Changes = wantedChanges
		case feedFinished:
			want.Version = "2020-09-04"
		}
		require.Equal(t, want, s)
	}
	require.Len(t, r.fake.Subscriptions(), 3)
	r.fake.Unsubscribe(orderChange)
	require.Equal(t, "missing", state(false).State, "destination there, subscription gone")

	dest, err := r.findDestination(t.Context())
	require.NoError(t, err)
	_, err = r.api.send(t.Context(), request{op: opCreateSubscription, method: http.MethodPost, path: topics[0].path(),
		body: subscription{PayloadVersion: "1.0", DestinationID: dest, Directive: &directive{EventFilter: &eventFilter{orderChange, []string{"DeliveryTipChange"}}}}})
	require.NoError(t, err, "somebody subscribed by hand")
	s := state(false)
	require.Equal(t, "different", s.State)
	require.Contains(t, s.Details, "BuyerRequestedChange")
	err = r.subscribe(t.Context(), topics[0], dest)
	require.True(t, fault.Is(err, fault.Temporary), "a conflict with something else is no success: %v", err)
	require.Equal(t, "repaired", state(true).State)
	require.Equal(t, wantedChanges, r.fake.Subscriptions()[1].Changes)
	require.NoError(t, r.subscribe(t.Context(), topics[0], dest), "a conflict with the right one is")

	// A refused topic beside the first does not stop the others, nor the bridge.
	refused := newRig(t, amazonfake.Options{Scale: -1, Faults: amazonfake.Faults{RefuseTopics: []string{transactionUpdate}}})
	all, err := refused.Subscriptions(t.Context(), "", true)
	require.NoError(t, err)
	require.Equal(t, []string{"created", "missing", "created"}, []string{all[0].State, all[1].State, all[2].State})
	require.NotEmpty(t, all[1].Details)
	deaf := newRig(t, amazonfake.Options{Scale: -1, Faults: amazonfake.Faults{RefuseTopics: []string{orderChange}}})
	_, err = deaf.Subscriptions(t.Context(), "", true)
	require.True(t, fault.Is(err, fault.Denied), "%v", err)

	none := newRig(t, amazonfake.Options{}, func(c *Config) { c.QueueARN = "" })
	_, err = none.Subscriptions(t.Context(), "", true)
	require.True(t, fault.Is(err, fault.Refused))
}
