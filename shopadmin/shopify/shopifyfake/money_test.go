package shopifyfake

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"channelbridge/internal/money"
)

const refundDoc = `mutation Q($i: RefundInput!, $k: String!) { refundCreate(input: $i) @idempotent(key: $k) { refund { id note } userErrors { message } } }`

// sold puts a paid order with one line of three units and shipping into the store.
func sold(t require.TestingT, s *Server, email string) Order {
	o := &Order{Currency: "USD", Email: email, Metafields: map[string]string{}, Gateway: "amazon", Total: money.New(3500, "USD"), Paid: money.New(3500, "USD"),
		Discount: money.New(100, "USD"), Shipping: []Charge{{Price: money.New(400, "USD"), Taxes: []Tax{{Amount: money.New(33, "USD")}}}},
		Lines:        []Line{{Title: "a", Quantity: 3, Current: 3, Unshipped: 3, Price: money.New(1000, "USD"), Taxes: []Tax{{Amount: money.New(167, "USD")}}}},
		Transactions: []Transaction{{Kind: "SALE", Status: "SUCCESS", Gateway: "amazon", Amount: money.New(3500, "USD")}}}
	s.mu.Lock()
	s.open(o)
	s.mu.Unlock()
	got, ok := s.Order(o.ID)
	require.True(t, ok)
	return got
}

func refundInput(o Order, amount string) map[string]any {
	return map[string]any{"orderId": o.ID, "note": "n", "transactions": []any{map[string]any{"orderId": o.ID, "parentId": o.Transactions[0].ID,
		"kind": "REFUND", "gateway": "amazon", "amount": amount}}}
}

// The key is obligatory, remembered for a day, and belongs to its contents.
func TestRefundKeys(t *testing.T) {
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	s := open(t, Config{Clock: func() time.Time { return now }}, nil)
	o := sold(t, s, "")
	bare := `mutation Q($i: RefundInput!) { refundCreate(input: $i) { refund { id } userErrors { message } } }`
	require.NotEmpty(t, ask(t, s, bare, map[string]any{"i": refundInput(o, "1.00")})["errors"])
	try := func(key, amount string) string {
		out := ask(t, s, refundDoc, map[string]any{"i": refundInput(o, amount), "k": key})
		raw, err := json.Marshal(out["data"])
		require.NoError(t, err)
		return string(raw)
	}
	first := try("a", "1.00")
	require.Contains(t, first, "gid://shopify/Refund/")
	require.Equal(t, first, try("a", "1.00"))
	require.Contains(t, try("a", "2.00"), "IDEMPOTENCY_KEY_PARAMETER_MISMATCH")
	require.Contains(t, try("b", "99.00"), "cannot be more than")
	require.Contains(t, try("b", "99.00"), "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED")
	got, _ := s.Order(o.ID)
	require.Len(t, got.Refunds, 1)
	now = now.Add(24 * time.Hour)
	require.NotEqual(t, first, try("a", "1.00"), "after a day it is made again")
	got, _ = s.Order(o.ID)
	require.Len(t, got.Refunds, 2)
	require.Equal(t, money.New(200, "USD"), got.Refunded())
}

// What the store refuses to give back.
func TestRefusedRefunds(t *testing.T) {
	s := open(t, Config{}, nil)
	o := sold(t, s, "")
	line := func(n int, restock, place string) StaffRefund {
		return StaffRefund{NoMoney: true, Lines: []RefundQty{{o.Lines[0].ID, n, restock, place}}}
	}
	for name, r := range map[string]StaffRefund{
		"more than was paid":       {Amount: money.New(3501, "USD")},
		"another currency":         {Amount: money.New(1, "EUR")},
		"more shipping":            {Shipping: money.New(401, "USD")},
		"more units":               line(4, "", ""),
		"returned, never shipped":  line(1, "RETURN", ""),
		"a kind of the past":       line(1, "LEGACY_RESTOCK", ""),
		"a place it does not have": line(1, "CANCEL", "gid://shopify/Location/1"),
		"a line of nobody":         {NoMoney: true, Lines: []RefundQty{{Line: "x", Quantity: 1}}},
	} {
		_, err := s.Refund(o.ID, r)
		require.Error(t, err, name)
	}
	_, err := s.Refund("gid://shopify/Order/1", StaffRefund{})
	require.ErrorIs(t, err, ErrNoSuch)
	require.ErrorIs(t, s.SettleRefund("x", true), ErrNoSuch)
	got, _ := s.Order(o.ID)
	require.Empty(t, got.Refunds)
	bad := refundInput(o, "1.00")
	bad["transactions"].([]any)[0].(map[string]any)["gateway"] = "visa"
	require.Contains(t, ask(t, s, refundDoc, map[string]any{"i": bad, "k": "k"})["data"].(map[string]any)["refundCreate"].(map[string]any)["userErrors"].([]any)[0].(map[string]any)["message"], "gateway")
}

// Refunded bit by bit, an order's parts come to exactly what they were sold for.
func TestPartsAddUp(t *testing.T) {
	s := open(t, Config{}, nil)
	rapid.Check(t, func(t *rapid.T) {
		o := sold(t, s, "")
		var total []money.Money
		for left := 3; left > 0; {
			n := rapid.IntRange(1, left).Draw(t, "units")
			left -= n
			_, err := s.Refund(o.ID, StaffRefund{NoMoney: true, Lines: []RefundQty{{Line: o.Lines[0].ID, Quantity: n}}})
			require.NoError(t, err)
		}
		for left := int64(400); left > 0; {
			n := rapid.Int64Range(1, left).Draw(t, "cents")
			left -= n
			_, err := s.Refund(o.ID, StaffRefund{NoMoney: true, Shipping: money.New(n, "USD")})
			require.NoError(t, err)
		}
		got, _ := s.Order(o.ID)
		for _, r := range got.Refunds {
			total = append(total, r.Shipping, r.ShippingTax)
			for _, l := range r.Lines {
				total = append(total, l.Subtotal, l.Tax)
			}
		}
		require.Equal(t, money.New(3*1000-100+167+400+33, "USD"), sum("USD", total...))
		require.Zero(t, got.Lines[0].Current)
		require.Zero(t, got.Lines[0].Unshipped)
		require.Equal(t, "CLOSED", got.FulfillmentOrders[0].Status)
		require.True(t, got.Refunded().IsZero())
	})
}

// Staff write to a buyer they can reach; an order of ours has none.
func TestMoneyAndMessages(t *testing.T) {
	s := open(t, Config{}, nil)
	for email, messages := range map[string]int{"": 0, "buyer@example.com": 2} {
		o := sold(t, s, email)
		_, err := s.Refund(o.ID, StaffRefund{Amount: money.New(100, "USD")})
		require.NoError(t, err)
		require.NoError(t, s.Cancel(o.ID, Cancellation{Refund: true}))
		require.Len(t, s.MessagesFor(o.ID), messages)
		got, _ := s.Order(o.ID)
		require.Equal(t, got.Paid, got.Refunded())
	}
}

// An order that left is cancelled only once its shipments are taken back; goods and money return.
func TestCancelling(t *testing.T) {
	s := open(t, Config{}, nil)
	o := sold(t, s, "")
	_, err := s.Fulfill(o.ID, nil)
	require.NoError(t, err)
	require.Error(t, s.Cancel(o.ID, Cancellation{Refund: true}))
	require.NoError(t, s.Cancel(o.ID, Cancellation{Refund: true, Restock: true, TakeBack: true, Reason: "STAFF"}))
	require.Error(t, s.Cancel(o.ID, Cancellation{}), "twice")
	require.ErrorIs(t, s.Cancel("gid://shopify/Order/1", Cancellation{}), ErrNoSuch)
	got, _ := s.Order(o.ID)
	require.Equal(t, "STAFF", got.CancelReason)
	require.Equal(t, "CANCELLED", got.Fulfillments[0].Status)
	require.Len(t, got.Refunds, 1)
	require.Equal(t, "CANCEL", got.Refunds[0].Lines[0].Restock)
	require.Equal(t, money.New(3500, "USD"), got.Given(got.Refunds[0].ID))
}
