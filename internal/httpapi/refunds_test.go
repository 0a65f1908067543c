package httpapi

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
)

func TestADryRunPreviewsAndKeepsNothing(t *testing.T) {
	r := newRig(t)
	sub := r.order("O1")
	body := `{"lines": [{"line": "L1", "quantity": 1, "amount": {"amount": "2.50", "currency": "USD"}}], "dry_run": true}`
	a := r.send(request(http.MethodPost, "/orders/am/O1/refunds", r.token, body)).is(http.StatusOK)
	var p Preview
	a.into(&p)
	require.Equal(t, "2.50 USD", p.Amount.String())
	require.Len(t, p.Commands, 2)
	require.Equal(t, connector.Market, p.Commands[0].Side, "the channel goes first")
	require.JSONEq(t, `[]`, string(field(t, a, "refusals")))
	require.JSONEq(t, `{"amount":"2.50","currency":"USD"}`, string(field(t, a, "amount")))

	r.money.says["O1"] = Refusal{Code: AlreadyRefunded, Reason: "Amazon gave it back on 1 March."}
	for range 2 { // the same key: a preview is never an old one
		req := request(http.MethodPost, "/orders/am/O1/cancel", r.token, `{"dry_run": true}`)
		req.Header.Set("Idempotency-Key", "k")
		r.send(req).is(http.StatusOK).into(&p)
		require.Equal(t, AlreadyRefunded, p.Refusals[0].Code)
		require.NotEmpty(t, p.Refusals[0].Hint)
	}
	require.Empty(t, r.wishes(sub))
}

func field(t *testing.T, a answer, name string) json.RawMessage {
	t.Helper()
	var m map[string]json.RawMessage
	a.into(&m)
	require.Contains(t, m, name)
	return m[name]
}

func TestARefundIsKeptAsAWish(t *testing.T) { onEachStore(t, testARefundIsKeptAsAWish) }

func testARefundIsKeptAsAWish(r *rig) {
	t := r.T
	sub := r.order("O1")
	nudged := 0
	r.server.cfg.Nudge = func() { nudged++ }
	a := r.postKey("k", "/orders/am/O1/refunds", `{"lines": [{"line": "L1", "quantity": 1}], "shipping": {"amount": "1.00", "currency": "USD"}, "restock": true, "reason": "customer", "note": "called", "dry_run": false}`)
	a.is(http.StatusAccepted)
	require.Equal(t, "/v1/orders/am/O1/refunds", a.Header().Get("Location"))
	require.Equal(t, 1, nudged)
	w := r.wishes(sub)
	require.Len(t, w, 1)
	require.Equal(t, connector.WishRefund, w[0].Kind)
	require.Equal(t, "tests", w[0].Actor)
	require.Equal(t, "customer", w[0].Reason)
	require.JSONEq(t, `{"lines":[{"line":"L1","quantity":1}],"shipping":{"amount":"1.00","currency":"USD"},"restock":true,"reason":"customer","note":"called"}`, string(w[0].Body))
	require.Equal(t, []string{"tests"}, r.audited("wish"))
	require.NotContains(t, r.get("/orders/am/O1").is(http.StatusOK).Body.String(), r.token)
	require.JSONEq(t, `{"amount":"4.00","currency":"USD"}`, string(field(t, r.get("/orders/am/O1/refunds").is(http.StatusOK), "refundable")))
}

// an order is tied to a payment, so cancelling needs an amount above zero.
func TestR146ACancelWithoutMoneyIsRefused(t *testing.T) {
	r := newRig(t)
	sub := r.order("O1")
	r.post("/orders/am/O1/cancel", `{"reason": "customer", "restock": true}`).is(http.StatusAccepted)
	require.Equal(t, connector.WishCancel, r.wishes(sub)[0].Kind)

	p := r.post("/orders/am/O1/cancel", `{}`).problem(http.StatusUnprocessableEntity, AmountZero)
	require.NotEmpty(t, p.Hint)
	require.Len(t, r.wishes(sub), 1)
}

func TestEveryRefusalHasItsCode(t *testing.T) {
	r := newRig(t)
	sub := r.order("O1")
	for _, c := range []struct{ body, code, line string }{
		{`{}`, AmountZero, ""},
		{`{"lines": []}`, AmountZero, ""},
		{`{"amount": {"amount": "0", "currency": "USD"}}`, AmountZero, ""},
		{`{"amount": {"amount": "-1.00", "currency": "USD"}}`, AmountZero, ""},
		{`{"shipping": {"amount": "0.00", "currency": "USD"}}`, AmountZero, ""},
		{`{"lines": [{"line": "L1", "quantity": 1, "amount": {"amount": "0.00", "currency": "USD"}}]}`, AmountZero, "L1"},
		{`{"lines": [{"line": "L1", "quantity": 1, "amount": {"amount": "1", "currency": "USD"}}], "shipping": {"amount": "1", "currency": "EUR"}}`, CurrencyDiffers, ""},
		{`{"amount": {"amount": "1.00", "currency": "EUR"}}`, CurrencyDiffers, ""},
		{`{"amount": {"amount": "15.01", "currency": "USD"}}`, AboveRefundable, ""},
		{`{"amount": {"amount": "92233720368547758.07", "currency": "USD"}}`, AboveRefundable, ""},
		{`{"lines": [{"line": "L9", "quantity": 1}]}`, UnknownLine, "L9"},
	} {
		p := r.post("/orders/am/O1/refunds", c.body).problem(http.StatusUnprocessableEntity, c.code)
		require.NotEmpty(t, p.Hint, c.body)
		require.Equal(t, c.code, p.Refusals[0].Code, c.body)
		require.Equal(t, c.line, p.Refusals[0].Line, c.body)
	}
	for code := range hints {
		r.money.says["O1"] = Refusal{Code: code, Reason: "So say the rules."}
		for _, path := range []string{"/orders/am/O1/refunds", "/orders/am/O1/cancel"} {
			body := map[bool]string{true: someRefund, false: `{}`}[path == "/orders/am/O1/refunds"]
			p := r.post(path, body).problem(http.StatusUnprocessableEntity, code)
			require.Equal(t, "So say the rules.", p.Detail)
			require.Equal(t, hints[code], p.Hint)
			require.Equal(t, "urn:channelbridge:problem:"+code, p.Type)
		}
	}
	require.Empty(t, r.wishes(sub))
	r.post("/orders/am/O2/refunds", someRefund).problem(http.StatusNotFound, "not_found")
	r.get("/orders/am/O2/refunds").problem(http.StatusNotFound, "not_found")
}

// Two requests that each would be right alone are not both taken: the second sees the first.
func TestARequestedRefundIsSpent(t *testing.T) { onEachStore(t, testARequestedRefundIsSpent) }

func testARequestedRefundIsSpent(r *rig) {
	r.order("O1")
	r.post("/orders/am/O1/refunds", `{"amount": {"amount": "10.00", "currency": "USD"}}`).is(http.StatusAccepted)
	r.post("/orders/am/O1/refunds", `{"amount": {"amount": "10.00", "currency": "USD"}}`).problem(http.StatusUnprocessableEntity, AboveRefundable)
	r.post("/orders/am/O1/refunds", `{"amount": {"amount": "5.00", "currency": "USD"}}`).is(http.StatusAccepted)
	r.post("/orders/am/O1/cancel", `{}`).problem(http.StatusUnprocessableEntity, AmountZero)
}
