package rules

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/connector/payout"
	"channelbridge/internal/demo"
	"channelbridge/marketplace/amazon/amazonfake"
)

// report is the endpoint's answer.
type report struct {
	Snapshot string               `json:"snapshot_id"`
	Summary  []payout.SummaryJSON `json:"summary"`
	Rows     []payout.OrderJSON   `json:"rows"`
}

// row is an order's row, if it is there.
func (r report) row(id string) payout.OrderJSON {
	for _, o := range r.Rows {
		if o.Order == id {
			return o
		}
	}
	return payout.OrderJSON{}
}

// TestPayouts lets Amazon pay, and asks the endpoint.
func TestPayouts(t *testing.T) {
	w := open(t)
	w.Shop.AddProduct("ECHO", "Echo")
	a := w.api(t, "payouts:read", "payouts:write")
	plain, _ := w.shipped(t)
	here, m := w.shipped(t)
	given := w.refund(t, m.ID, unit(m))
	require.Equal(t, given, w.atAmazon(t, here, 1))
	w.settled(t, here)
	there, _ := w.shipped(t)
	_, err := w.Amazon.RefundByHand(there)
	require.NoError(t, err)
	byAmazon := w.atAmazon(t, there, 1)
	w.held(t, there, "refunded_at_channel")
	_, pub := w.Amazon.Settle("USD", amazonfake.Other("Subscription Fee", "-39.99"))

	var r report
	w.eventually(t, "the settlement is in the report", func() bool {
		r = report{}
		a.call(t, http.StatusOK, http.MethodGet, "/v1/reports/payout-reconciliation?from=2020-01-01&to=2100-01-01&limit=1000", nil, &r)
		return len(r.Summary) == 1 && r.Summary[0].Payouts == 1
	})
	t.Run("R-147_payouts_come_from_the_marketplaces_reports", func(t *testing.T) {
		require.Equal(t, pub.Settlement, r.row(plain).Payouts[0].External)
		require.Equal(t, payout.Matched, r.row(plain).Outcome)
		require.Equal(t, "0.00", r.Summary[0].Gap)
		require.Equal(t, "-39.99", r.Summary[0].NonOrder["subscription"])
		calls := fmt.Sprint(w.Amazon.Calls())
		require.Contains(t, calls, "getReports")
		require.NotContains(t, calls, "createReport")
	})
	t.Run("R-139_a_refund_made_in_the_store_is_in_the_report_on_both_sides", func(t *testing.T) {
		o := r.row(here)
		require.Equal(t, "-"+given.Decimal(), o.Expected.Refunds)
		require.Equal(t, "-"+given.Decimal(), o.Actual.Refunds)
		require.Equal(t, payout.Matched, o.Outcome, "%+v", o.Causes)
	})
	t.Run("R-141_a_refund_made_at_Amazon_alone_stands_there_as_a_difference", func(t *testing.T) {
		o := r.row(there)
		require.Equal(t, payout.RefundMismatch, o.Outcome, "%+v", o.Causes)
		require.Equal(t, "0.00", o.Expected.Refunds)
		require.Equal(t, "-"+byAmazon.Decimal(), o.Actual.Refunds)
	})
	t.Run("R-147_the_same_settlement_again_changes_nothing", func(t *testing.T) {
		var again report
		a.call(t, http.StatusOK, http.MethodGet, "/v1/reports/payout-reconciliation?channel="+demo.Channel+"&from=2020-01-01&to=2100-01-01", nil, &again)
		require.Equal(t, r.Summary, again.Summary)
		a.call(t, http.StatusNotFound, http.MethodGet, "/v1/reports/payout-reconciliation?channel=nobody", nil, nil)
	})
}
