package shoptest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/internal/money"
	"channelbridge/shopadmin"
)

// cancelling is what a store that cancels orders has to show.
var cancelling = map[string]func(t *testing.T, h Harness){
	"an order is cancelled once and quietly":                   cancelledOnce,
	"a cancellation can leave the money":                       cancelledUnpaid,
	"a cancellation whose answer was lost can be repeated":     cancelLost,
	"a cancellation refused for going too fast did not happen": cancelThrottled,
	"a cancellation the store cannot carry out is refused":     cancelFails,
	"a shipped order is not cancelled":                         cancelShipped,
}

func canceller(t *testing.T, h Harness) shopadmin.Canceller {
	t.Helper()
	c, ok := h.Admin.(shopadmin.Canceller)
	if !ok {
		t.Skip("this store cancels no orders")
	}
	return c
}

// given is all the money of an order's refunds.
func given(t *testing.T, o shopadmin.Order) money.Money {
	t.Helper()
	sum := money.New(0, o.Total.Currency)
	for _, r := range o.Refunds {
		var err error
		sum, err = sum.Add(r.Moved)
		require.NoError(t, err)
	}
	return sum
}

func cancelledOnce(t *testing.T, h Harness) {
	c := canceller(t, h)
	o := create(t, h, "113-1")
	want := shopadmin.Cancel{Reason: "customer", Restock: true, Refund: true, Note: "bridge:op-1"}
	for range 2 { // a second cancellation changes nothing
		require.NoError(t, c.Cancel(t.Context(), "key", o.ID, want))
		read := settled(t, h, o.ID)
		require.False(t, read.CancelledAt.IsZero())
		require.Equal(t, "customer", read.CancelReason)
		require.Equal(t, o.Captured, given(t, read), "the payment is recorded as given back, once")
		require.Equal(t, o.Captured, read.Captured)
		for _, l := range read.Lines {
			require.Zero(t, l.Current)
			require.Zero(t, l.Unfulfilled)
		}
	}
	require.Zero(t, h.Messages(), "customers hear only from the channel")
	require.True(t, fault.Is(c.Cancel(t.Context(), "key/2", o.ID+"999", want), fault.NotFound))
}

func cancelledUnpaid(t *testing.T, h Harness) {
	c := canceller(t, h)
	o := create(t, h, "113-1")
	require.NoError(t, c.Cancel(t.Context(), "key", o.ID, shopadmin.Cancel{Reason: "a word no store has"}))
	read := settled(t, h, o.ID)
	require.False(t, read.CancelledAt.IsZero())
	require.Equal(t, "other", read.CancelReason)
	require.True(t, given(t, read).IsZero())
}

func cancelLost(t *testing.T, h Harness) {
	c := canceller(t, h)
	if h.LoseNextCancel == nil {
		t.Skip("this store's answers cannot be lost here")
	}
	o := create(t, h, "113-1")
	want := shopadmin.Cancel{Reason: "inventory", Refund: true}
	h.LoseNextCancel()
	err := c.Cancel(t.Context(), "key", o.ID, want)
	require.True(t, fault.Is(err, fault.Unknown), "%v", err)
	h.Advance(h.Admin.Traits().SettleIn)
	require.NoError(t, c.Cancel(t.Context(), "key", o.ID, want))
	read := settled(t, h, o.ID)
	require.Equal(t, "inventory", read.CancelReason)
	require.Equal(t, o.Captured, given(t, read))
}

func cancelThrottled(t *testing.T, h Harness) {
	c := canceller(t, h)
	if h.ThrottleNextWish == nil {
		t.Skip("this store does not throttle here")
	}
	o := create(t, h, "113-1")
	h.ThrottleNextWish()
	err := c.Cancel(t.Context(), "key", o.ID, shopadmin.Cancel{Reason: "staff"})
	require.True(t, fault.Is(err, fault.Temporary), "%v", err)
	require.True(t, settled(t, h, o.ID).CancelledAt.IsZero())
}

func cancelFails(t *testing.T, h Harness) {
	c := canceller(t, h)
	if h.FailNextCancel == nil {
		t.Skip("this store carries out whatever it takes")
	}
	o := create(t, h, "113-1")
	h.FailNextCancel()
	err := c.Cancel(t.Context(), "key", o.ID, shopadmin.Cancel{Reason: "customer", Restock: true})
	require.True(t, fault.Is(err, fault.Refused), "%v", err)
	require.True(t, settled(t, h, o.ID).CancelledAt.IsZero())
	require.NoError(t, c.Cancel(t.Context(), "key", o.ID, shopadmin.Cancel{Reason: "customer"}))
	require.False(t, settled(t, h, o.ID).CancelledAt.IsZero())
}

func cancelShipped(t *testing.T, h Harness) {
	c := canceller(t, h)
	o := create(t, h, "113-1")
	h.Ship(t, o.ID, "UPS", "1Z001985YW99744790")
	h.Advance(h.Admin.Traits().SettleIn)
	err := c.Cancel(t.Context(), "key", o.ID, shopadmin.Cancel{Reason: "customer", Refund: true})
	require.True(t, fault.Is(err, fault.Refused), "%v", err)
	require.Empty(t, settled(t, h, o.ID).Refunds)
}
