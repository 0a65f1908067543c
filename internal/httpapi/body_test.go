package httpapi

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestABodyThatIsWrongIsRefusedByMember(t *testing.T) {
	r := newRig(t)
	sub := r.order("O1")
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	for _, c := range []struct{ body, code, member string }{
		{`{"amout": {"amount": "1.00", "currency": "USD"}}`, "unknown_member", "amout"},
		{`{"RESTOCK": true}`, "unknown_member", "RESTOCK"},
		{`{"lines": [{"line": "L1", "quantity": 1, "sku": "x"}]}`, "unknown_member", "lines[0].sku"},
		{`{"amount": {"amount": "1.00", "currency": "USD", "tax": "1"}}`, "unknown_member", "amount.tax"},
		{`{"lines": [{"line": "L1", "quantity": 1}, {"line": "L2", "quantity": "1"}]}`, "invalid_member", "lines[1].quantity"},
		{`{"lines": [{"line": "L1", "quantity": 0}]}`, "invalid_member", "lines[0].quantity"},
		{`{"lines": [{"line": "L1", "quantity": -1}]}`, "invalid_member", "lines[0].quantity"},
		{`{"lines": [{"line": "L1", "quantity": 1.5}]}`, "invalid_member", "lines[0].quantity"},
		{`{"lines": [{"line": "L1", "quantity": 1e3}]}`, "invalid_member", "lines[0].quantity"},
		{`{"lines": [{"line": "L1", "quantity": 1e999999}]}`, "invalid_member", "lines[0].quantity"},
		{`{"lines": [{"line": "L1", "quantity": 99999999999999999999}]}`, "invalid_member", "lines[0].quantity"},
		{`{"lines": [{"line": "L1", "quantity": 1}, {"line": "L1", "quantity": 1}]}`, "invalid_member", "lines[1].line"},
		{`{"lines": [{"line": "L1"}]}`, "missing_member", "lines[0].quantity"},
		{`{"lines": [{"line": "", "quantity": 1}]}`, "invalid_member", "lines[0].line"},
		{`{"lines": {"line": "L1", "quantity": 1}}`, "invalid_member", "lines"},
		{`{"amount": 1.00}`, "invalid_member", "amount"},
		{`{"amount": {"amount": 1.00, "currency": "USD"}}`, "invalid_member", "amount.amount"},
		{`{"amount": {"amount": "1,00", "currency": "USD"}}`, "invalid_member", "amount.amount"},
		{`{"amount": {"amount": "1.001", "currency": "USD"}}`, "invalid_member", "amount.amount"},
		{`{"amount": {"amount": "10.5", "currency": "JPY"}}`, "invalid_member", "amount.amount"},
		{`{"amount": {"amount": "1e2", "currency": "USD"}}`, "invalid_member", "amount.amount"},
		{`{"amount": {"amount": "999999999999999999999", "currency": "USD"}}`, "invalid_member", "amount.amount"},
		{`{"amount": {"amount": "1.00", "currency": "usd"}}`, "invalid_member", "amount.currency"},
		{`{"amount": {"amount": "1.00"}}`, "missing_member", "amount.currency"},
		{`{"amount": null}`, "invalid_member", "amount"},
		{`{"amount": {"amount": "1.00", "currency": "USD"}, "lines": [{"line": "L1", "quantity": 1}]}`, "invalid_member", "amount"},
		{`{"restock": "yes"}`, "invalid_member", "restock"},
		{`{"dry_run": 1}`, "invalid_member", "dry_run"},
		{`{"dry_run": true, "dry_run": false}`, "invalid_member", "dry_run"},
		{`{"note": "a\u0000b"}`, "invalid_member", "note"},
		{`{"note": "` + strings.Repeat("n", 501) + `"}`, "invalid_member", "note"},
		{`[]`, "invalid_member", ""},
		{`null`, "invalid_member", ""},
		{`{"lines": ` + deep + `}`, "invalid_member", "lines" + strings.Repeat("[0]", 15)},
		{`{`, "invalid_body", ""},
		{`{"restock": true} {}`, "invalid_body", ""},
		{`{"restock": tru}`, "invalid_body", ""},
		{"{\"note\": \"\xff\"}", "invalid_body", ""},
	} {
		p := r.post("/orders/am/O1/refunds", c.body).problem(http.StatusBadRequest, c.code)
		require.Equal(t, c.member, p.Member, c.body)
	}
	require.Empty(t, r.wishes(sub))
}

func TestABodyIsBounded(t *testing.T) {
	r := newRig(t)
	r.order("O1")
	r.post("/orders/am/O1/hold", `{"reason": "`+strings.Repeat(" ", 64<<10)+`"}`).problem(http.StatusRequestEntityTooLarge, "body_too_large")
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded"} {
		req := request(http.MethodPost, "/orders/am/O1/hold", r.token, `{}`)
		req.Header.Set("Idempotency-Key", "k"+kind)
		req.Header.Set("Content-Type", kind)
		r.send(req).problem(http.StatusUnsupportedMediaType, "unsupported_media")
	}
	req := request(http.MethodPost, "/orders/am/O1/hold", r.token, `{}`)
	req.Header.Set("Idempotency-Key", "k1")
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.send(req).is(http.StatusAccepted)
	r.post("/orders/am/O1/release", "").is(http.StatusAccepted) // no body is an empty one
}

func FuzzDecode(f *testing.F) {
	doc, err := document()
	require.NoError(f, err)
	schemas, err := bodySchemas(doc)
	require.NoError(f, err)
	for _, s := range []string{someRefund, `{"amount":{"amount":"1.00","currency":"USD"}}`, `{"lines":[{"line":"L1","quantity":1e9}]}`, `{"a":{"a":[]}}`, `[1,"\u0000"]`, ``, `{"dry_run":true,"dry_run":false}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var r RefundRequest
		if err := decode(schemas["RefundRequest"], body, &r); err != nil {
			p := problemOf(err)
			require.Equal(t, http.StatusBadRequest, p.Status, "%v", err)
			return
		}
		if r.check() != nil {
			return
		}
		require.True(t, r.Amount != nil || r.Shipping != nil || len(r.Lines) > 0)
		for _, l := range r.Lines {
			require.Positive(t, l.Quantity)
			require.NotEmpty(t, l.Line)
		}
		if r.Amount != nil {
			require.Positive(t, r.Amount.Minor)
			require.Empty(t, r.Lines)
		}
	})
}
