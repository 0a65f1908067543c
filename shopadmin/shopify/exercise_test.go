package shopify_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
			Deny:           func() { b.store.SetStatus(http.StatusForbidden) },
			Push: func(t *testing.T) shopadmin.Inbound {
				b.clock.Advance(time.Minute)
				require.NotZero(t, b.store.Deliver(t.Context()))
				return hooks.last
			},
		}
	})
}
