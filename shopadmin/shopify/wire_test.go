package shopify_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/internal/secret"
	"channelbridge/shopadmin"
	"channelbridge/shopadmin/shopify"
	"channelbridge/shopadmin/shopify/shopifyfake"
)

// What the fake pushes, the receiver understands: order, mark, urgency and repetition.
func TestPushesArrive(t *testing.T) {
	var hints []shopadmin.Hint
	var b *bench
	hooks := roundTrip(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		hint, err := b.Receive(b.clock.Now(), shopadmin.Inbound{Header: r.Header, Body: body})
		require.NoError(t, err)
		hints = append(hints, hint)
		return &http.Response{StatusCode: 200, Body: http.NoBody, Header: http.Header{}}, nil
	})
	b = newBench(t, func(s *shopifyfake.Config, _ *shopify.Config) {
		s.HookClient = &http.Client{Transport: hooks}
		s.Faults.HookTwice = 1
	})
	ctx := t.Context()
	_, err := b.Subscriptions(ctx, "https://bridge.example.com/webhooks/shop", true)
	require.NoError(t, err)
	made, err := b.Create(ctx, "key", newOrder(mark))
	require.NoError(t, err)
	f, err := b.store.Fulfill(string(made.ID), nil, shopifyfake.Tracking{Company: "UPS", Number: "1Z"})
	require.NoError(t, err)
	require.NoError(t, b.store.CancelFulfillment(f))
	require.NoError(t, b.store.CancelOrder(string(made.ID)))
	b.store.Uninstall()
	b.store.Deliver(ctx)

	deliveries, events, urgent := map[string]int{}, map[string]map[string]bool{}, 0
	for _, h := range hints {
		deliveries[h.DeliveryID]++
		if events[h.EventID] == nil {
			events[h.EventID] = map[string]bool{}
		}
		events[h.EventID][h.Topic] = true
		if h.Topic == "app/uninstalled" {
			require.Equal(t, shopadmin.Uninstalled, h.Lifecycle)
			require.Equal(t, b.clock.Now(), h.TriggeredAt)
			continue
		}
		require.Equal(t, made.ID, h.Order)
		if h.Urgent {
			urgent++
			continue
		}
		require.Equal(t, mark, h.Mark)
		require.False(t, h.Heard.IsZero())
	}
	require.Equal(t, 4, urgent)
	for id, n := range deliveries {
		require.Equal(t, 2, n, id)
	}
	require.Len(t, events, 5)
	require.Len(t, events[hints[0].EventID], 2, "one action, two topics")

	_, err = b.Order(ctx, made.ID)
	require.NoError(t, err, "a new token is granted, as after a new installation")
}

// Over a real connection a cut one is seen as such.
func TestOverTheNetwork(t *testing.T) {
	store, err := shopifyfake.New(shopifyfake.Config{ClientSecret: "s"})
	require.NoError(t, err)
	srv := httptest.NewServer(store)
	defer srv.Close()
	a, err := shopify.New(shopify.Config{Shop: "acme.myshopify.com", BaseURL: srv.URL, ClientID: "client-id", ClientSecret: secret.New("s")})
	require.NoError(t, err)
	store.Fail("CreateOrder", shopifyfake.FaultLost)
	_, err = a.Create(t.Context(), "k", newOrder(mark))
	require.True(t, fault.Is(err, fault.Unknown), "%v", err)
	store.Fail("OrderByMark", shopifyfake.FaultLostBefore, shopifyfake.FaultUnavailable)
	found, err := a.FindByMark(t.Context(), mark)
	require.NoError(t, err, "reads are repeated")
	require.Len(t, found, 1)
	srv.Close()
	a, err = shopify.New(shopify.Config{Shop: "acme.myshopify.com", BaseURL: srv.URL, Token: secret.New("t"), ClientSecret: secret.New("s"), Retries: -1})
	require.NoError(t, err)
	_, err = a.Create(t.Context(), "k", newOrder(mark))
	require.True(t, fault.Is(err, fault.Temporary), "nothing left this machine: %v", err)
}

// One odd order is shown as faulty and does not hide the others.
func TestFaultyOrders(t *testing.T) {
	b := newBench(t)
	var ids []shopadmin.OrderID
	for _, n := range []string{"1", "2", "3"} {
		o, err := b.Create(t.Context(), "k", newOrder(shopadmin.Mark{Channel: "amazon-us", Order: n}))
		require.NoError(t, err)
		ids = append(ids, o.ID)
	}
	next := b.wire.next
	b.wire.next = roundTrip(func(r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(resp.Body)
		if bytes.Contains(body, []byte(`"nodes":[{"createdAt"`)) || bytes.Contains(body, []byte(`"totalPriceSet"`)) {
			body = bytes.Replace(body, []byte(`"amount":"29.65"`), []byte(`"amount":"29.6543"`), 1)
		}
		resp.Body = io.NopCloser(bytes.NewReader(body))
		return resp, err
	})
	page, err := b.Changed(t.Context(), shopadmin.Cursor{Since: start})
	require.NoError(t, err)
	require.Len(t, page.Orders, 2)
	require.Len(t, page.Faulty, 1)
	require.Equal(t, ids[0], page.Faulty[0].ID)
	require.Equal(t, "1", page.Faulty[0].Mark.Order)
	require.ErrorContains(t, page.Faulty[0].Err, "29.6543")
	require.Contains(t, string(page.Faulty[0].Raw), "29.6543")
	require.Equal(t, start, page.Faulty[0].UpdatedAt)
}

// A cursor the store does not take any more starts the listing again instead of blocking it.
func TestRefusedCursor(t *testing.T) {
	b := newBench(t)
	_, err := b.Create(t.Context(), "k", newOrder(mark))
	require.NoError(t, err)
	page, err := b.Changed(t.Context(), shopadmin.Cursor{Since: start, Token: `{"a":"???"}`})
	require.NoError(t, err)
	require.Len(t, page.Orders, 1)
	page, err = b.Changed(t.Context(), shopadmin.Cursor{Since: start, Token: `not ours`})
	require.NoError(t, err)
	require.Len(t, page.Orders, 1)
}

// A store that prices orders higher gets smaller questions.
func TestSmallerQuestions(t *testing.T) {
	b := newBench(t)
	for _, n := range []string{"1", "2"} {
		_, err := b.Create(t.Context(), "k", newOrder(shopadmin.Mark{Channel: "amazon-us", Order: n}))
		require.NoError(t, err)
	}
	next := b.wire.next
	b.wire.next = roundTrip(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		if strings.Contains(string(body), `"operationName":"Orders"`) && strings.Count(string(body), "gid://") > 1 {
			no := `{"errors":[{"message":"too much","extensions":{"code":"MAX_COST_EXCEEDED"}}]}`
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(no))}, nil
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		return next.RoundTrip(r)
	})
	page, err := b.Changed(t.Context(), shopadmin.Cursor{Since: start})
	require.NoError(t, err)
	require.Len(t, page.Orders, 2)
}

func TestSearchTag(t *testing.T) {
	b := newBench(t, func(_ *shopifyfake.Config, a *shopify.Config) { a.SearchTag = "bridge's" })
	made, err := b.Create(t.Context(), "k", newOrder(mark))
	require.NoError(t, err)
	require.Contains(t, made.Tags, "bridge's")
	b.store.PlaceOrder("A", "a", 1, "")
	page, err := b.Changed(t.Context(), shopadmin.Cursor{Since: start})
	require.NoError(t, err)
	require.Len(t, page.Orders, 1)
}

// Two holders do not get into each other's way.
func TestHoldBesideAnother(t *testing.T) {
	b := newBench(t)
	made, err := b.Create(t.Context(), "k", newOrder(mark))
	require.NoError(t, err)
	require.NoError(t, b.store.PlaceHold(string(made.ID), "stock count"))
	require.NoError(t, b.Hold(t.Context(), "k", made.ID, strings.Repeat("ä", 400)))
	o, err := b.Order(t.Context(), made.ID)
	require.NoError(t, err)
	require.Len(t, o.Held, 2)
	require.False(t, o.Held[0].Ours)
	require.Equal(t, "stock count", o.Held[0].Reason)
	require.True(t, o.Held[1].Ours)
	require.Equal(t, 251, len([]rune(o.Held[1].Reason)))
	require.Equal(t, "ON_HOLD", o.Fulfillment)
}

// A lost answer of any write is unknown, one that was never sent is not.
func TestEveryWrite(t *testing.T) {
	for op, write := range map[string]func(*bench, shopadmin.OrderID) error{
		"CreateOrder": func(b *bench, _ shopadmin.OrderID) error {
			_, err := b.Create(b.ctx(), "k", newOrder(mark))
			return err
		},
		"UpdateOrder": func(b *bench, id shopadmin.OrderID) error {
			return b.Update(b.ctx(), "k", id, shopadmin.Update{Attributes: map[string]string{"a": "b"}})
		},
		"AddTags": func(b *bench, id shopadmin.OrderID) error {
			return b.Update(b.ctx(), "k", id, shopadmin.Update{AddTags: []string{"t"}})
		},
		"CreateRefund": func(b *bench, id shopadmin.OrderID) error {
			_, err := b.Refund(b.ctx(), "k", id, shopadmin.NewRefund{Note: "bridge:op-1", Amount: usd(100)})
			return err
		},
		"CancelOrder": func(b *bench, id shopadmin.OrderID) error {
			return b.Cancel(b.ctx(), "k", id, shopadmin.Cancel{Reason: "customer", Refund: true})
		},
		"HoldFulfillmentOrder": func(b *bench, id shopadmin.OrderID) error { return b.Hold(b.ctx(), "k", id, "r") },
		"Subscribe": func(b *bench, _ shopadmin.OrderID) error {
			_, err := b.Subscriptions(b.ctx(), "https://bridge.example.com/x", true)
			return err
		},
	} {
		for f, class := range map[shopifyfake.Fault]fault.Class{shopifyfake.FaultLost: fault.Unknown, shopifyfake.FaultBadGateway: fault.Unknown,
			shopifyfake.FaultInternal: fault.Unknown, shopifyfake.FaultThrottled: fault.Temporary, shopifyfake.FaultTooMany: fault.Temporary,
			shopifyfake.FaultInactive: fault.Denied} {
			t.Run(op+" "+string(f), func(t *testing.T) {
				b := newBench(t)
				made, err := b.Create(t.Context(), "k", newOrder(shopadmin.Mark{Channel: "c", Order: "first"}))
				require.NoError(t, err)
				b.store.Fail(op, f)
				err = write(b, made.ID)
				require.Equal(t, class.String(), fault.Of(err).String(), "%v", err)
				b.clock.Advance(time.Minute)
				if op != "CreateOrder" {
					require.NoError(t, write(b, made.ID), "doing it again is harmless")
					o, _ := b.store.Order(string(made.ID))
					require.LessOrEqual(t, len(o.Refunds), 1)
				}
			})
		}
	}
}
