package rules

import (
	"net/http"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/demo"
	"channelbridge/internal/httpapi"
	"channelbridge/internal/money"
	"channelbridge/marketplace/amazon/amazonfake"
	"channelbridge/shopadmin/shopify/shopifyfake"
)

const channel = "/v1/channels/" + demo.Channel

// plan is the plan of the channel's reconnection.
func (a *api) plan(t *testing.T) (p httpapi.ReconnectPlan) {
	t.Helper()
	a.call(t, http.StatusOK, http.MethodGet, channel+"/reconnect-plan", nil, &p)
	return p
}

func (a *api) state(t *testing.T) string {
	t.Helper()
	var c httpapi.Channel
	a.call(t, http.StatusOK, http.MethodGet, channel, nil, &c)
	return c.State
}

// remove takes the channel away and returns what is owed there.
func (a *api) remove(t *testing.T) (owed []httpapi.Obligation) {
	t.Helper()
	var out struct{ Obligations []httpapi.Obligation }
	a.call(t, http.StatusOK, http.MethodPost, channel+"/remove", map[string]any{"reason": "the account is sold"}, &out)
	require.Equal(t, "removed", a.state(t))
	return out.Obligations
}

// reconnect connects the channel again and waits until what happened meanwhile is made up for.
func (a *api) reconnect(t *testing.T) httpapi.ReconnectPlan {
	t.Helper()
	a.call(t, http.StatusAccepted, http.MethodPost, channel+"/reconnect", map[string]any{}, nil)
	a.eventually(t, "connected again", func() bool { return a.state(t) == "active" })
	a.eventually(t, "the plan is done", func() bool { return a.plan(t).State == "done" })
	return a.plan(t)
}

// cancelled is a store order cancelled with its money, parcels taken back first.
func (w *world) cancelled(t *testing.T, m shopifyfake.Order, back bool) money.Money {
	t.Helper()
	require.NoError(t, w.Shop.Cancel(m.ID, shopifyfake.Cancellation{Reason: "CUSTOMER", Refund: true, Restock: true, TakeBack: back}))
	return w.refunded(t, m.ID)
}

func TestChannelRemoved(t *testing.T) {
	w := open(t)
	w.Shop.AddProduct("ECHO", "Echo")
	a := w.api(t, "channels:read", "channels:write")
	open, leave := w.place(), w.place()
	openMirror := w.mirror(t, open)
	w.mirror(t, leave)
	gone, goneMirror := w.shipped(t)
	part, partMirror := w.shipped(t)
	time.Sleep(1100 * time.Millisecond) // the store's update times have whole seconds

	owed := a.remove(t)
	require.True(t, slices.ContainsFunc(owed, func(o httpapi.Obligation) bool { return o.Kind == "to_ship" && o.Count == 2 }), "%+v", owed)
	w.cancelled(t, openMirror, false)
	back := w.cancelled(t, goneMirror, true)
	given := w.refund(t, partMirror.ID, unit(partMirror))
	meanwhile := w.place(func(s *amazonfake.OrderSpec) { s.ID = "114-0000000-9000001" })
	require.Equal(t, 0, w.Stop(syscall.SIGTERM))
	require.NoError(t, w.Start(t.Context())) // it is still removed
	require.Equal(t, "removed", a.state(t))

	var plan httpapi.ReconnectPlan
	w.eventually(t, "the store's facts go on being recorded", func() bool { plan = a.plan(t); return plan.Totals.Orders == 3 })
	t.Run("R-144_the_plan_tells_order_amount_cancelled_when_and_fulfilled", func(t *testing.T) {
		rows := map[string]httpapi.PlanOrder{}
		for _, o := range plan.Orders {
			rows[o.Order] = o
		}
		require.Equal(t, "waiting", plan.State)
		require.False(t, rows[open].Fulfilled)
		require.False(t, rows[open].CancelledAt.IsZero())
		require.True(t, rows[gone].Fulfilled)
		require.Equal(t, back, rows[gone].Amount)
		require.Equal(t, given, rows[part].Amount)
		require.Empty(t, w.Amazon.Feeds(), "nothing is sent while the channel is removed")
	})

	done := a.reconnect(t)
	t.Run("R-144_orders_cancelled_meanwhile_are_refunded_by_themselves", func(t *testing.T) {
		require.Equal(t, 3, done.Progress.Done, "%+v", done)
		o, _ := w.Amazon.Order(open)
		require.Equal(t, "CANCELLED", o.Status)
		require.Equal(t, 1, w.messages(open))
		require.Equal(t, given, w.atAmazon(t, part, 1))
		require.Equal(t, 1, w.messages(part))
		o, _ = w.Amazon.Order(leave)
		require.Equal(t, "UNSHIPPED", o.Status)
		require.Zero(t, w.messages(leave))
	})
	t.Run("R-145_also_those_that_were_fulfilled", func(t *testing.T) {
		require.Equal(t, back, w.atAmazon(t, gone, 1))
		require.Equal(t, 1, w.messages(gone))
	})
	w.mirror(t, meanwhile)

	t.Run("R-144_each_once_also_when_the_channel_is_removed_and_connected_once_more", func(t *testing.T) {
		feeds := len(w.Amazon.Feeds())
		a.remove(t)
		a.reconnect(t)
		time.Sleep(3 * time.Second) // as long as a batch would need
		require.Len(t, w.Amazon.Feeds(), feeds)
		require.Len(t, w.Amazon.Refunds(gone), 1)
		require.Len(t, w.Amazon.Refunds(part), 1)
	})
}
