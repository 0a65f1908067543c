package rules

import (
	"encoding/json"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/internal/demo"
	"channelbridge/internal/money"
	"channelbridge/marketplace/amazon/amazonfake"
	"channelbridge/shopadmin/shopify/shopifyfake"
)

// view is what the command line tells of an order.
type view struct {
	Subject connector.Subject
	Store   struct{ Refunds []struct{ Moved money.Money } }
	Ledger  []connector.Entry
	Holds   []connector.Hold
}

func (w *world) view(t *testing.T, id string) (v view) {
	t.Helper()
	text := w.show(t, id)
	require.NoError(t, json.Unmarshal([]byte(text), &v), text)
	return v
}

// entries are the ledger's entries of one verb.
func (v view) entries(verb connector.Verb) (out []connector.Entry) {
	for _, e := range v.Ledger {
		if e.Verb == verb {
			out = append(out, e)
		}
	}
	return out
}

// hold is the open hold of a kind, as a person is told of it.
func (v view) hold(kind string) (connector.Hold, bool) {
	i := slices.IndexFunc(v.Holds, func(h connector.Hold) bool { return h.Kind == kind })
	if i < 0 {
		return connector.Hold{}, false
	}
	return v.Holds[i], true
}

// held waits until the command line tells of a hold.
func (w *world) held(t *testing.T, id, kind string) (h connector.Hold) {
	t.Helper()
	w.eventually(t, id+" is held: "+kind, func() (ok bool) { h, ok = w.view(t, id).hold(kind); return ok })
	return h
}

// shipped places an order that has left the house: at Amazon its buyer is charged.
func (w *world) shipped(t *testing.T, edit ...func(*amazonfake.OrderSpec)) (id string, mirror shopifyfake.Order) {
	t.Helper()
	id = w.place(edit...)
	w.ship(t, id)
	w.eventually(t, "shipped at Amazon", func() bool { o, _ := w.Amazon.Order(id); return o.Status == "SHIPPED" })
	return id, w.mirror(t, id)
}

// unit is one unit of the first line, given back by staff with its share of tax.
func unit(m shopifyfake.Order) shopifyfake.StaffRefund {
	return shopifyfake.StaffRefund{Lines: []shopifyfake.RefundQty{{Line: m.Lines[0].ID, Quantity: 1}}}
}

// refund is staff refunding an order; it returns what was given back.
func (w *world) refund(t *testing.T, order string, r shopifyfake.StaffRefund) money.Money {
	t.Helper()
	time.Sleep(1100 * time.Millisecond) // the store's update times have whole seconds
	before := w.refunded(t, order)
	_, err := w.Shop.Refund(order, r)
	require.NoError(t, err)
	sum, err := w.refunded(t, order).Sub(before)
	require.NoError(t, err)
	return sum
}

// refunded is what the store has given back of an order by its own figures.
func (w *world) refunded(t *testing.T, order string) money.Money {
	t.Helper()
	o, ok := w.Shop.Order(order)
	require.True(t, ok)
	return o.Refunded()
}

// atAmazon waits until Amazon has made n refunds of an order, and returns their sum.
func (w *world) atAmazon(t *testing.T, id string, n int) (sum money.Money) {
	t.Helper()
	w.eventually(t, "refunded at Amazon", func() bool { return len(w.Amazon.Refunds(id)) >= n })
	all := w.Amazon.Refunds(id)
	require.Len(t, all, n)
	for _, r := range all {
		var err error
		sum, err = sum.Add(r.Amount)
		require.NoError(t, err)
	}
	return sum
}

// settled waits until the ledger knows the end of everything it began for an order.
func (w *world) settled(t *testing.T, id string) view {
	t.Helper()
	w.eventually(t, "settled", func() bool {
		return !slices.ContainsFunc(w.view(t, id).Ledger, func(e connector.Entry) bool { return e.State.Open() })
	})
	return w.view(t, id)
}

// messages counts the messages about an order in all feeds Amazon was handed.
func (w *world) messages(id string) (n int) {
	for _, f := range w.Amazon.Feeds() {
		n += strings.Count(string(f.Document), "<AmazonOrderID>"+id+"</AmazonOrderID>")
	}
	return n
}

func TestRefunds(t *testing.T) {
	w := open(t)
	w.Shop.AddProduct("ECHO", "Echo")

	t.Run("R-139_a_refund_made_in_the_store_is_in_both_sides_figures", func(t *testing.T) {
		id, m := w.shipped(t)
		given := w.refund(t, m.ID, unit(m))
		require.Equal(t, given, w.atAmazon(t, id, 1))
		require.Equal(t, given, w.refunded(t, m.ID))
		v := w.settled(t, id)
		require.Equal(t, given, v.Store.Refunds[0].Moved)
		require.Equal(t, given, v.entries("refund-market")[0].Amount)
		require.Empty(t, v.Holds)
	})
	t.Run("R-143_exactly_one_refund_of_that_amount_reaches_Amazon", func(t *testing.T) {
		id, m := w.shipped(t)
		w.Shop.SetFaults(shopifyfake.Faults{HookTwice: 1})
		defer w.Shop.SetFaults(shopifyfake.Faults{HookTwice: .3})
		w.Amazon.Once("createFeed", amazonfake.LostAnswer)
		feeds := len(w.Amazon.Feeds())
		given := w.refund(t, m.ID, unit(m))
		require.Equal(t, given, w.atAmazon(t, id, 1))
		v := w.settled(t, id)
		require.Len(t, v.entries("refund-market"), 1)
		require.Len(t, w.Amazon.Feeds(), feeds+1, "an answer that was lost is looked for, not asked for again")
		require.Equal(t, 1, w.messages(id))

		t.Run("a_second_refund_of_the_order_is_one_more", func(t *testing.T) {
			more := w.refund(t, m.ID, unit(m))
			both, err := given.Add(more)
			require.NoError(t, err)
			require.Equal(t, both, w.atAmazon(t, id, 2))
			w.settled(t, id)
			require.Equal(t, 2, w.messages(id))
		})
	})
	a := w.api(t, "orders:read", "refunds:write")
	t.Run("R-143_one_begun_here_is_made_at_Amazon_and_recorded_in_the_store_once", func(t *testing.T) {
		id, m := w.shipped(t)
		a.call(t, http.StatusAccepted, http.MethodPost, "/v1/orders/"+demo.Channel+"/"+id+"/refunds", w.lines(id, 1), nil)
		there := w.atAmazon(t, id, 1)
		w.eventually(t, "recorded in the store", func() bool { return !w.refunded(t, m.ID).IsZero() })
		require.Equal(t, there, w.refunded(t, m.ID))
		v := w.settled(t, id)
		require.Len(t, v.entries("refund-market"), 1)
		require.Len(t, v.entries("refund-shop"), 1)
		require.Equal(t, 1, w.messages(id), "what the bridge recorded in the store is not passed on")
	})
	w.refundedThere(t, a)
	w.cancellations(t, a)
}

func (w *world) refundedThere(t *testing.T, a *api) {
	id, m := w.shipped(t)
	_, err := w.Amazon.RefundByHand(id)
	require.NoError(t, err)
	there := w.atAmazon(t, id, 1)

	t.Run("R-141_a_refund_made_at_Amazon_is_listed_as_a_difference_and_marked_in_the_store", func(t *testing.T) {
		h := w.held(t, id, "refunded_at_channel")
		require.Equal(t, connector.Warns, h.Level)
		require.Contains(t, h.Reason, there.String())
		require.Contains(t, h.Reason, "the store's figures do not contain it")
		w.eventually(t, "marked", func() bool {
			o := w.mirror(t, id)
			return slices.Contains(o.Tags, "Amazon refunded") && strings.Contains(o.Note, there.String())
		})
		require.True(t, w.refunded(t, m.ID).IsZero(), "the store's own figures do not contain it")
	})
	t.Run("R-140_what_Amazon_has_refunded_is_not_refunded_again", func(t *testing.T) {
		w.refund(t, m.ID, unit(m))
		h := w.held(t, id, "already_refunded")
		t.Run("R-142_and_the_notice_says_why", func(t *testing.T) {
			require.Contains(t, h.Reason, "that refund failed: the marketplace has refunded "+there.String()+" already")
			require.NotEmpty(t, h.Hint)
		})
		time.Sleep(3 * time.Second) // as long as a batch would need
		require.Equal(t, there, w.atAmazon(t, id, 1))
		require.Empty(t, w.view(t, id).entries("refund-market"))
		require.Zero(t, w.messages(id))
	})
	t.Run("R-140_one_begun_here_is_refused_at_once", func(t *testing.T) {
		id, _ := w.shipped(t)
		_, err := w.Amazon.RefundByHand(id)
		require.NoError(t, err)
		w.held(t, id, "refunded_at_channel")
		require.Equal(t, "already_refunded", w.refused(t, "orders", "refund", id, "--line", w.item(id)+"=1"))
		require.Equal(t, "already_refunded", a.unable(t, "/v1/orders/"+demo.Channel+"/"+id+"/refunds", w.lines(id, 1)))
		require.Empty(t, w.view(t, id).entries("refund-market"))
	})
}

// lines ask for units of an order's first item.
func (w *world) lines(id string, units int) map[string]any {
	return map[string]any{"lines": []any{map[string]any{"line": w.item(id), "quantity": units}}, "reason": "customer"}
}

// item is Amazon's number of an order's first item.
func (w *world) item(id string) string {
	o, _ := w.Amazon.Order(id)
	return o.Items[0].ID
}

// refused runs a command that must be refused with exit code 5, and returns the code it gives.
func (w *world) refused(t *testing.T, args ...string) string {
	t.Helper()
	out, err := w.Run(t.Context(), append(args, "--yes", "--json")...)
	exit := &exec.ExitError{}
	require.ErrorAs(t, err, &exit, out)
	require.Equal(t, 5, exit.ExitCode(), err)
	var p struct {
		Preview struct {
			Refusals []struct{ Code, Reason, Hint string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &p), out)
	require.NotEmpty(t, p.Preview.Refusals, out)
	require.NotEmpty(t, p.Preview.Refusals[0].Reason)
	return p.Preview.Refusals[0].Code
}

func (w *world) cancellations(t *testing.T, a *api) {
	t.Run("R-146_a_cancellation_without_money_is_held_with_the_reason", func(t *testing.T) {
		id := w.place()
		m := w.mirror(t, id)
		require.NoError(t, w.Shop.Cancel(m.ID, shopifyfake.Cancellation{Reason: "CUSTOMER"}))
		h := w.held(t, id, "cancel_without_refund")
		require.Equal(t, connector.Blocks, h.Level)
		require.Contains(t, h.Reason, "every order is tied to a payment")
		require.Contains(t, h.Hint, "above zero")
		time.Sleep(3 * time.Second)
		o, _ := w.Amazon.Order(id)
		require.Equal(t, "UNSHIPPED", o.Status)
		require.Zero(t, w.messages(id))
	})
	t.Run("R-146_one_begun_here_without_money_is_refused", func(t *testing.T) {
		id := w.place(func(s *amazonfake.OrderSpec) {
			s.Items = []amazonfake.ItemSpec{{SKU: "ECHO", Title: "A present", Quantity: 1, UnitPrice: "0.00"}}
		})
		w.mirror(t, id)
		require.Equal(t, "amount_zero", w.refused(t, "orders", "cancel", id))
		require.Equal(t, "amount_zero", a.unable(t, "/v1/orders/"+demo.Channel+"/"+id+"/cancel", map[string]any{}))
		require.Empty(t, w.view(t, id).entries("cancel-market"))
	})
	t.Run("R-146_one_begun_here_with_money_is_carried_out_on_both_sides", func(t *testing.T) {
		id := w.place()
		w.mirror(t, id)
		_, err := w.Run(t.Context(), "orders", "cancel", id, "--reason", "inventory", "--yes", "--key", "ticket-"+id)
		require.NoError(t, err)
		w.eventually(t, "cancelled at Amazon", func() bool { o, _ := w.Amazon.Order(id); return o.Status == "CANCELLED" })
		w.eventually(t, "cancelled in the store", func() bool { return !w.mirror(t, id).CancelledAt.IsZero() })
		_, err = w.Run(t.Context(), "orders", "cancel", id, "--reason", "inventory", "--yes", "--key", "ticket-"+id)
		require.NoError(t, err, "asked for once more under the same name")
		w.settled(t, id)
		require.Equal(t, 1, w.messages(id))
	})
	t.Run("R-146_one_with_money_is_accepted", func(t *testing.T) {
		id := w.place()
		m := w.mirror(t, id)
		require.NoError(t, w.Shop.Cancel(m.ID, shopifyfake.Cancellation{Reason: "CUSTOMER", Refund: true, Restock: true}))
		w.eventually(t, "cancelled at Amazon", func() bool { o, _ := w.Amazon.Order(id); return o.Status == "CANCELLED" })
		v := w.settled(t, id)
		require.Len(t, v.entries("cancel-market"), 1)
		require.Equal(t, 1, w.messages(id))
		require.Empty(t, w.Amazon.Refunds(id), "the buyer was never charged")
	})
}
