package shopify_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/money"
	"channelbridge/shopadmin"
	"channelbridge/shopadmin/shopify"
	"channelbridge/shopadmin/shopify/shopifyfake"
	"channelbridge/shopadmin/shoptest"
)

// catcher keeps the last push instead of delivering it.
type catcher struct{ last shopadmin.Inbound }

func (c *catcher) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	c.last = shopadmin.Inbound{Header: req.Header.Clone(), Body: body}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(&bytes.Buffer{}), Request: req}, err
}

func refund(t *testing.T, b *bench, id shopadmin.OrderID, r shopifyfake.StaffRefund) string {
	t.Helper()
	made, err := b.store.Refund(string(id), r)
	require.NoError(t, err)
	return made
}

func TestExercise(t *testing.T) {
	shoptest.Exercise(t, func(t *testing.T) shoptest.Harness {
		hooks := &catcher{}
		b := newBench(t, func(s *shopifyfake.Config, _ *shopify.Config) {
			s.SearchLag, s.HookClient = 30*time.Second, &http.Client{Transport: hooks}
		})
		b.store.Subscribe(shopifyfake.Subscription{Topic: "ORDERS_CREATE", URI: "https://bridge.example/webhooks/my-store"})
		return shoptest.Harness{Admin: b.Admin, Advance: b.clock.Advance, Messages: func() int { return len(b.store.Messages()) },
			Ship: func(t *testing.T, id shopadmin.OrderID, company, number string) string {
				o, _ := b.store.Order(string(id))
				f, err := b.store.Fulfill(string(id), []shopifyfake.LineQty{{Line: o.Lines[0].ID, Quantity: 1}}, shopifyfake.Tracking{Company: company, Number: number})
				require.NoError(t, err)
				return f
			},
			LoseNextAnswer: func() { b.store.Fail("CreateOrder", shopifyfake.FaultLost) },
			ThrottleNext:   func() { b.store.Fail("CreateOrder", shopifyfake.FaultThrottled) },
			GiveBack: func(t *testing.T, id shopadmin.OrderID, amount money.Money) string {
				return refund(t, b, id, shopifyfake.StaffRefund{Amount: amount})
			},
			PutBack: func(t *testing.T, id shopadmin.OrderID) string {
				o, _ := b.store.Order(string(id))
				return refund(t, b, id, shopifyfake.StaffRefund{NoMoney: true, Lines: []shopifyfake.RefundQty{{Line: o.Lines[0].ID, Quantity: 1, Restock: "CANCEL"}}})
			},
			GiveBackLater: func(t *testing.T, id shopadmin.OrderID, amount money.Money) (string, func(bool)) {
				made := refund(t, b, id, shopifyfake.StaffRefund{Amount: amount, Pending: true})
				return made, func(moved bool) { require.NoError(t, b.store.SettleRefund(made, moved)) }
			},
			CancelThere: func(t *testing.T, id shopadmin.OrderID, refund bool) {
				require.NoError(t, b.store.Cancel(string(id), shopifyfake.Cancellation{Reason: "CUSTOMER", Restock: true, Refund: refund}))
			},
			LoseNextRefund: func() { b.store.Fail("CreateRefund", shopifyfake.FaultLost) },
			LoseNextCancel: func() { b.store.Fail("CancelOrder", shopifyfake.FaultLost) },
			FailNextCancel: func() { b.store.Fail("CancelOrder", shopifyfake.FaultCancelFails) },
			ThrottleNextWish: func() {
				b.store.Fail("CreateRefund", shopifyfake.FaultThrottled)
				b.store.Fail("CancelOrder", shopifyfake.FaultThrottled)
			},
			Deny: func() { b.store.SetStatus(http.StatusForbidden) },
			Push: func(t *testing.T) shopadmin.Inbound {
				b.clock.Advance(time.Minute)
				require.NotZero(t, b.store.Deliver(t.Context()))
				return hooks.last
			},
		}
	})
}
