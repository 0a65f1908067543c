package shopify_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/shopadmin"
	"channelbridge/shopadmin/shopify"
	"channelbridge/shopadmin/shopify/shopifyfake"
)

func made(t *testing.T, b *bench) shopadmin.Order {
	t.Helper()
	o, err := b.Create(t.Context(), "key", newOrder(mark))
	require.NoError(t, err)
	return o
}

func reread(t *testing.T, b *bench, id shopadmin.OrderID) shopadmin.Order {
	t.Helper()
	o, err := b.Order(t.Context(), id)
	require.NoError(t, err)
	return o
}

func unit(o shopadmin.Order, restock shopadmin.Restock) shopadmin.NewRefund {
	return shopadmin.NewRefund{Note: "bridge:op-1", Amount: usd(1083), Lines: []shopadmin.NewRefundLine{{Line: o.Lines[0].ID, Quantity: 1, Restock: restock}}}
}

// What a refund sends: its key, our own payment, no notice, nothing beyond what was paid.
func TestWhatIsSentOnRefund(t *testing.T) {
	b := newBench(t)
	o := made(t, b)
	_, err := b.Refund(t.Context(), "record-refund/1", o.ID, shopadmin.NewRefund{Note: "bridge:op-1", Amount: usd(1483), Shipping: usd(400),
		Lines: []shopadmin.NewRefundLine{{Line: o.Lines[0].ID, Quantity: 1, Restock: shopadmin.RestockCancel}}})
	require.NoError(t, err)
	sale := b.store.Orders()[0].Transactions[0].ID
	body := b.wire.of("CreateRefund")[0]
	for _, wanted := range []string{`@idempotent(key: $key)`, `"notify":false`, `"allowOverRefunding":false`, `"gateway":"amazon"`, `"parentId":"` + sale + `"`,
		`"kind":"REFUND"`, `"amount":"14.83"`, `"shipping":{"amount":"4.00"}`, `"restockType":"CANCEL"`, `"locationId":"gid://shopify/Location/`, `"note":"bridge:op-1"`} {
		require.Contains(t, body, wanted)
	}
	require.NotContains(t, body, ":null")
	require.NotContains(t, body, "refundMethods")
	kept := b.store.Orders()[0]
	require.Equal(t, usd(1483), kept.Refunded())
	require.Equal(t, "PARTIALLY_REFUNDED", reread(t, b, o.ID).Financial)
	require.Equal(t, 1, kept.Lines[0].Unshipped)
	require.Empty(t, b.store.Messages())
}

// The store books what the given amount lacks of its own sum as an adjustment; it is no money.
func TestDiscrepancyIsNoMoney(t *testing.T) {
	b := newBench(t)
	o := made(t, b)
	r := unit(o, shopadmin.RestockNone)
	r.Amount = usd(500)
	_, err := b.Refund(t.Context(), "k", o.ID, r)
	require.NoError(t, err)
	kept := b.store.Orders()[0].Refunds[0]
	require.Len(t, kept.Adjustments, 1)
	require.Equal(t, usd(960+83-500), kept.Adjustments[0].Amount, "ten dollars less their share of the discount, and tax")
	got := reread(t, b, o.ID).Refunds[0]
	require.Equal(t, usd(500), got.Moved)
	require.Equal(t, usd(960), got.Lines[0].Amount)
	require.Equal(t, usd(83), got.Lines[0].Tax)
	require.Empty(t, got.Reason, "the store's bookkeeping is no reason")
	refund(t, b, o.ID, shopifyfake.StaffRefund{Amount: usd(100), Note: "scratched", Reason: "DAMAGE"})
	second := reread(t, b, o.ID).Refunds[1]
	require.Equal(t, "damage", second.Reason)
	require.Equal(t, "scratched", second.Note)
}

// A lost refund is found by its note, with a store that forgets keys and after their day.
func TestRefundIsFoundByItsNote(t *testing.T) {
	for name, wait := range map[string]time.Duration{"at once": 0, "after the key's day": 30 * time.Hour} {
		for _, f := range []shopifyfake.Fault{shopifyfake.FaultLost, shopifyfake.FaultInternal, shopifyfake.FaultBadGateway, shopifyfake.FaultGarbage} {
			t.Run(name+" "+string(f), func(t *testing.T) {
				b := newBench(t, func(s *shopifyfake.Config, _ *shopify.Config) { s.Forgetful = true })
				o := made(t, b)
				b.store.Fail("CreateRefund", f)
				_, err := b.Refund(t.Context(), "k", o.ID, unit(o, shopadmin.RestockNone))
				require.True(t, fault.Is(err, fault.Unknown), "%v", err)
				b.clock.Advance(wait)
				id, err := b.Refund(t.Context(), "k", o.ID, unit(o, shopadmin.RestockNone))
				require.NoError(t, err)
				require.Equal(t, b.store.Orders()[0].Refunds[0].ID, id)
				require.Len(t, b.store.Orders()[0].Refunds, 1)
				require.Len(t, b.wire.of("CreateRefund"), 1, "nothing was sent again")
			})
		}
	}
}

// A failed reading before the refund leaves no doubt about the refund.
func TestFailingPreparationOfARefund(t *testing.T) {
	for _, op := range []string{"RefundBasis", "Places"} {
		for _, f := range []shopifyfake.Fault{shopifyfake.FaultLost, shopifyfake.FaultInternal, shopifyfake.FaultUnavailable, shopifyfake.FaultThrottled} {
			b := newBench(t)
			o := made(t, b)
			b.store.Fail(op, f)
			_, err := b.Refund(t.Context(), "k", o.ID, unit(o, shopadmin.RestockCancel))
			require.True(t, fault.Is(err, fault.Temporary), "%s %s: %v", op, f, err)
			require.Empty(t, b.wire.of("CreateRefund"))
		}
	}
}

// The store remembers that an attempt failed; the next one gets another key, the same each time.
// Other contents under a key it remembers are refused.
func TestKeysTheStoreRemembers(t *testing.T) {
	b := newBench(t)
	o := made(t, b)
	r := unit(o, shopadmin.RestockReturn)
	_, err := b.Refund(t.Context(), "k", o.ID, r)
	require.True(t, fault.Is(err, fault.Refused), "it has not been shipped: %v", err)
	_, err = b.Refund(t.Context(), "k", o.ID, r)
	require.True(t, fault.Is(err, fault.Refused), "%v", err)
	require.ErrorContains(t, err, "fulfilled", "the reason, not that there was one")
	_, err = b.store.Fulfill(string(o.ID), nil)
	require.NoError(t, err)
	other := r
	other.Amount = usd(500)
	_, err = b.Refund(t.Context(), "k", o.ID, other)
	require.True(t, fault.Is(err, fault.Refused), "%v", err)
	require.Contains(t, fault.Hint(err), "other contents")
	_, err = b.Refund(t.Context(), "k", o.ID, r)
	require.NoError(t, err)
	require.Len(t, b.store.Orders()[0].Refunds, 1)
}

// Without the permission to see locations goods cannot be put back; nothing else stops.
func TestRefundsWithoutLocations(t *testing.T) {
	b := newBench(t, func(s *shopifyfake.Config, _ *shopify.Config) {
		s.Scopes = []string{"write_orders", "read_products", "write_merchant_managed_fulfillment_orders"}
	})
	o := made(t, b)
	_, err := b.Refund(t.Context(), "k", o.ID, unit(o, shopadmin.RestockCancel))
	require.True(t, fault.Is(err, fault.Refused), "%v", err)
	require.Contains(t, fault.Hint(err), "read_locations")
	_, err = b.Refund(t.Context(), "k", o.ID, unit(o, shopadmin.RestockNone))
	require.NoError(t, err)
}

// Orders with more refunds, lines and payments than any first answer holds are read to their end.
func TestManyRefunds(t *testing.T) {
	b := newBench(t, func(s *shopifyfake.Config, _ *shopify.Config) { s.Bucket, s.Restore = 1e6, 1e5 })
	o := newOrder(mark)
	o.Lines, o.Discount, o.Paid = nil, usd(0), usd(230*100+400)
	for i := range 230 {
		o.Lines = append(o.Lines, shopadmin.NewLine{ChannelLine: fmt.Sprint("item-", i), Title: "x", Quantity: 1, UnitPrice: usd(100), Ships: true})
	}
	long, err := b.Create(t.Context(), "key", o)
	require.NoError(t, err)
	var many shopifyfake.StaffRefund
	for _, l := range long.Lines[:125] {
		many.Lines = append(many.Lines, shopifyfake.RefundQty{Line: l.ID, Quantity: 1})
	}
	refund(t, b, long.ID, many)
	for range 12 {
		b.clock.Advance(time.Second)
		refund(t, b, long.ID, shopifyfake.StaffRefund{Amount: usd(10)})
	}
	b.clock.Advance(time.Hour)
	page, err := b.Changed(t.Context(), shopadmin.Cursor{Since: start})
	require.NoError(t, err)
	require.Empty(t, page.Faulty)
	for _, got := range []shopadmin.Order{page.Orders[0], reread(t, b, long.ID)} {
		require.Len(t, got.Refunds, 13)
		require.Len(t, got.Refunds[0].Lines, 125)
		require.Equal(t, usd(12500), got.Refunds[0].Moved)
		require.Equal(t, usd(10), got.Refunds[12].Moved)
		require.Equal(t, o.Paid, got.Captured)
		for i, r := range got.Refunds[1:] {
			require.True(t, r.CreatedAt.After(got.Refunds[i].CreatedAt), "oldest first")
		}
	}
	_, err = b.Refund(t.Context(), "k", long.ID, shopadmin.NewRefund{Note: "bridge:op-1", Amount: usd(10781)})
	require.True(t, fault.Is(err, fault.Refused), "all twelve count, beyond the first answer too: %v", err)
	_, err = b.Refund(t.Context(), "k", long.ID, shopadmin.NewRefund{Note: "bridge:op-1", Amount: usd(10780)})
	require.NoError(t, err)
}

// A refund that was named and is not there yet is no order without it.
func TestARefundThatCannotBeRead(t *testing.T) {
	b := newBench(t)
	o := made(t, b)
	refund(t, b, o.ID, shopifyfake.StaffRefund{Amount: usd(10)})
	next := b.wire.next
	b.wire.next = roundTrip(func(r *http.Request) (*http.Response, error) {
		if body, err := io.ReadAll(r.Body); err != nil || strings.Contains(string(body), `"operationName":"Refunds"`) {
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"data":{"nodes":[null]}}`))}, err
		} else {
			r.Body = io.NopCloser(strings.NewReader(string(body)))
		}
		return next.RoundTrip(r)
	})
	_, err := b.Order(t.Context(), o.ID)
	require.True(t, fault.Is(err, fault.Temporary), "%v", err)
	_, err = b.Changed(t.Context(), shopadmin.Cursor{Since: start})
	require.True(t, fault.Is(err, fault.Temporary), "nor is it left out of a listing: %v", err)
}

// One action of the staff is one event under several topics, and none of them leads the queue.
func TestPushesAboutMoney(t *testing.T) {
	var b *bench
	topics := map[string][]string{}
	b = newBench(t, func(s *shopifyfake.Config, _ *shopify.Config) {
		s.HookClient = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			h, err := b.Receive(b.clock.Now(), shopadmin.Inbound{Header: r.Header, Body: body})
			require.NoError(t, err)
			require.NotEmpty(t, h.Order)
			require.False(t, h.Urgent)
			topics[h.EventID] = append(topics[h.EventID], h.Topic)
			return &http.Response{StatusCode: 200, Body: http.NoBody, Header: http.Header{}}, nil
		})}
	})
	_, err := b.Subscriptions(t.Context(), "https://bridge.example.com/webhooks/shop", true)
	require.NoError(t, err)
	o := made(t, b)
	heard := func() []string {
		b.store.Deliver(t.Context())
		require.Len(t, topics, 1)
		for _, list := range topics {
			clear(topics)
			return list
		}
		return nil
	}
	heard()
	pending := refund(t, b, o.ID, shopifyfake.StaffRefund{Amount: usd(100), Pending: true})
	require.Equal(t, []string{"refunds/create", "order_transactions/create", "orders/updated"}, heard())
	require.NoError(t, b.store.SettleRefund(pending, true))
	require.Equal(t, []string{"orders/updated"}, heard())
	require.NoError(t, b.store.Cancel(string(o.ID), shopifyfake.Cancellation{Refund: true}))
	require.Equal(t, []string{"orders/cancelled", "refunds/create", "order_transactions/create", "orders/updated"}, heard())
	got := reread(t, b, o.ID)
	require.Equal(t, "other", got.CancelReason)
	require.Equal(t, got.Captured.Minor, got.Refunds[0].Moved.Minor+got.Refunds[1].Moved.Minor)
	require.Equal(t, "REFUNDED", got.Financial)
}

// What staff wrote is never lost to a note of ours.
func TestNotesAreAddedTo(t *testing.T) {
	b := newBench(t)
	o := made(t, b)
	require.NoError(t, b.store.WriteNote(string(o.ID), "call the warehouse\nask for Kim"))
	for range 2 {
		require.NoError(t, b.Update(t.Context(), "k", o.ID, shopadmin.Update{Note: "Refunded at the channel: 5.00 USD", AddTags: []string{"channel-refunded"}}))
		got := reread(t, b, o.ID)
		require.Equal(t, "call the warehouse\nask for Kim\nRefunded at the channel: 5.00 USD", got.Note)
		require.Contains(t, got.Tags, "channel-refunded")
	}
	require.Len(t, b.wire.of("UpdateOrder"), 1)
}

// What a cancellation sends, and what is left out of it.
func TestWhatIsSentOnCancel(t *testing.T) {
	b := newBench(t)
	o := made(t, b)
	require.NoError(t, b.Cancel(t.Context(), "k", o.ID, shopadmin.Cancel{Reason: "fraud", Note: strings.Repeat("ä", 400)}))
	body := b.wire.of("CancelOrder")[0]
	require.Contains(t, body, "notifyCustomer: false")
	require.Contains(t, body, `"reason":"FRAUD"`)
	require.NotContains(t, body, `"refundMethod":`, "the money stays")
	require.NotContains(t, body, ":null")
	kept := b.store.Orders()[0]
	require.Len(t, []rune(kept.CancelNote), 255)
	require.Empty(t, kept.Refunds)
	require.Empty(t, b.store.Messages())
	require.NoError(t, b.Cancel(t.Context(), "k", o.ID, shopadmin.Cancel{Reason: "fraud"}))
	require.Len(t, b.wire.of("CancelOrder"), 1, "it is cancelled already")
}

// A job is watched for a few seconds; one that goes on leaves the answer to a later read.
func TestSlowCancellations(t *testing.T) {
	b := newBench(t, func(s *shopifyfake.Config, _ *shopify.Config) { s.CancelDelay = 2 * time.Second })
	o := made(t, b)
	require.NoError(t, b.Cancel(t.Context(), "k", o.ID, shopadmin.Cancel{Reason: "customer", Refund: true}))
	require.LessOrEqual(t, b.clock.slept, 5*time.Second)
	require.False(t, reread(t, b, o.ID).CancelledAt.IsZero())

	b = newBench(t, func(s *shopifyfake.Config, _ *shopify.Config) { s.CancelDelay = time.Minute })
	o = made(t, b)
	require.NoError(t, b.Cancel(t.Context(), "k", o.ID, shopadmin.Cancel{Reason: "customer", Refund: true}))
	require.LessOrEqual(t, b.clock.slept, 5*time.Second)
	require.True(t, reread(t, b, o.ID).CancelledAt.IsZero(), "it says nothing yet")
	at, ok := b.store.Due()
	require.True(t, ok)
	require.Equal(t, start.Add(time.Minute), at)
	b.clock.Advance(time.Minute)
	require.False(t, reread(t, b, o.ID).CancelledAt.IsZero())

	b = newBench(t, func(s *shopifyfake.Config, _ *shopify.Config) { s.CancelDelay = time.Second })
	o = made(t, b)
	b.store.Fail("CancelResult", shopifyfake.FaultLost)
	require.NoError(t, b.Cancel(t.Context(), "k", o.ID, shopadmin.Cancel{Reason: "customer"}), "it was taken; only watching it failed")

	ctx, stop := context.WithCancel(t.Context())
	b = newBench(t, func(s *shopifyfake.Config, a *shopify.Config) {
		s.CancelDelay = time.Minute
		a.Sleep = func(ctx context.Context, _ time.Duration) error { stop(); return ctx.Err() }
	})
	o = made(t, b)
	require.NoError(t, b.Cancel(ctx, "k", o.ID, shopadmin.Cancel{Reason: "customer"}), "it was taken; nobody waits for it any more")
}

// A job that fails says so with the store's words; one that fails because somebody was faster
// has what it wanted.
func TestFailingCancellations(t *testing.T) {
	b := newBench(t)
	o := made(t, b)
	b.store.Fail("CancelOrder", shopifyfake.FaultCancelFails)
	err := b.Cancel(t.Context(), "k", o.ID, shopadmin.Cancel{Reason: "customer", Restock: true})
	require.True(t, fault.Is(err, fault.Refused), "%v", err)
	require.ErrorContains(t, err, "INVALID")
	require.ErrorContains(t, err, "deactivated location")
	require.NotEmpty(t, fault.Hint(err))

	b = newBench(t, func(s *shopifyfake.Config, _ *shopify.Config) { s.CancelDelay = time.Second })
	o = made(t, b)
	next := b.wire.next
	b.wire.next = roundTrip(func(r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if kept := b.store.Orders()[0]; kept.CancelledAt.IsZero() && b.store.Calls()["CancelOrder"] > 0 {
			require.NoError(t, b.store.CancelOrder(string(o.ID)))
		}
		return resp, err
	})
	require.NoError(t, b.Cancel(t.Context(), "k", o.ID, shopadmin.Cancel{Reason: "customer"}))
}

// The store's answers to a cancellation and to a refund, each with its meaning.
func TestAnswersAboutMoney(t *testing.T) {
	answer := func(t *testing.T, op, body string) *bench {
		b := newBench(t)
		next := b.wire.next
		b.wire.next = roundTrip(func(r *http.Request) (*http.Response, error) {
			sent, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			if strings.Contains(string(sent), `"operationName":"`+op+`"`) {
				return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
			}
			r.Body = io.NopCloser(strings.NewReader(string(sent)))
			return next.RoundTrip(r)
		})
		return b
	}
	said := func(code string) string {
		return `{"data":{"orderCancel":{"jobResult":null,"orderCancelUserErrors":[{"code":"` + code + `","message":"no"}]}}}`
	}
	job := func(status string) string {
		return `{"data":{"orderCancel":{"jobResult":{"id":"j","done":true,"status":"` + status + `","errors":[]},"orderCancelUserErrors":[]}}}`
	}
	for body, want := range map[string]string{
		said("INVALID"): "refused", said("NO_REFUND_PERMISSION"): "refused", said("NOT_FOUND"): "not_found", said("INTERNAL_ERROR"): "unknown", said("BRAND_NEW"): "refused",
		job("FAILED"): "refused", job("SUCCEEDED"): "", job("DREAMING"): "",
		`{"data":{"orderCancel":null}}`: "unknown", `{"data":{"orderCancel":{"jobResult":null,"orderCancelUserErrors":[]}}}`: "unknown",
		`{"errors":[{"message":"no","extensions":{"code":"THROTTLED"}}]}`: "temporary", `{"errors":[{"message":"no","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`: "unknown",
	} {
		b := answer(t, "CancelOrder", body)
		err := b.Cancel(t.Context(), "k", made(t, b).ID, shopadmin.Cancel{Reason: "customer", Refund: true})
		require.Equal(t, want == "", err == nil, "%s: %v", body, err)
		if want != "" {
			require.Equal(t, want, fault.Of(err).String(), body)
		}
	}
	refused := func(message string) string {
		return `{"data":{"refundCreate":{"refund":null,"userErrors":[{"field":null,"message":"` + message + `"}]}}}`
	}
	for body, want := range map[string]string{
		refused("too much"): "refused", refused("IDEMPOTENCY_CONCURRENT_REQUEST"): "unknown", refused("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"): "refused",
		`{"data":{"refundCreate":null}}`: "unknown", `{"data":{"refundCreate":{"refund":null,"userErrors":[]}}}`: "unknown", `{"data":{"refundCreate":{"refund":{},"userErrors":[]}}}`: "unknown",
		`{"errors":[{"message":"wait","extensions":{"code":"IDEMPOTENCY_CONCURRENT_REQUEST"}}]}`: "unknown",
	} {
		b := answer(t, "CreateRefund", body)
		o := made(t, b)
		_, err := b.Refund(t.Context(), "k", o.ID, unit(o, shopadmin.RestockNone))
		require.Error(t, err, body)
		require.Equal(t, want, fault.Of(err).String(), body)
		require.LessOrEqual(t, len(b.wire.of("CreateRefund")), 5, "attempts end")
	}
}

// With every call failing one time in five and a store that forgets keys, repeating what failed
// ends with one refund and one cancellation each.
func TestStormyMoney(t *testing.T) {
	b := newBench(t, func(s *shopifyfake.Config, _ *shopify.Config) {
		s.Bucket, s.Restore, s.Forgetful, s.CancelDelay = 1e6, 1e6, true, time.Second
	})
	var orders []shopadmin.Order
	for i := range 40 {
		o, err := b.Create(t.Context(), "k", newOrder(shopadmin.Mark{Channel: "amazon-us", Order: fmt.Sprint("113-", i)}))
		require.NoError(t, err)
		orders = append(orders, o)
	}
	b.store.SetFaults(shopifyfake.Faults{TooMany: .04, Throttled: .04, Unavailable: .04, LostBefore: .03, Lost: .05, Internal: .04, BadGateway: .03})
	until := func(do func() error) {
		for range 100 {
			err := do()
			if err == nil {
				return
			}
			require.Contains(t, []fault.Class{fault.Temporary, fault.Unknown}, fault.Of(err), "%v", err)
			b.clock.Advance(fault.After(err) + b.Traits().SettleIn)
		}
		t.Fatal("never done")
	}
	for _, o := range orders {
		until(func() error {
			_, err := b.Refund(t.Context(), "k/"+string(o.ID), o.ID, unit(o, shopadmin.RestockNone))
			return err
		})
		until(func() error {
			return b.Cancel(t.Context(), "k", o.ID, shopadmin.Cancel{Reason: "customer", Refund: true})
		})
	}
	b.clock.Advance(time.Minute)
	for _, kept := range b.store.Orders() {
		require.Len(t, kept.Refunds, 2, "ours, and what the cancellation gave back")
		require.Equal(t, kept.Paid, kept.Refunded())
		require.False(t, kept.CancelledAt.IsZero())
	}
	require.Empty(t, b.store.Messages())
}
