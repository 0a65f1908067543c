package amazonfake_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/money"
	"channelbridge/marketplace/amazon/amazonfake"
)

const (
	payouts      = "/finances/transfers/2024-06-01/payouts"
	transactions = "/finances/2024-06-19/transactions?postedAfter=2026-11-01T00:00:00Z"
)

type payoutList struct {
	Payouts []struct {
		ID, CurrentStatus, TraceID string
		PartnerMetadata            struct{ MarketplaceID string }
		StatusHistory              []struct{ Status, LastUpdatedDate, FailureReason string }
		Amount                     *struct{ CurrencyAmount json.Number }
		RelatedIdentifiers         []struct{ RelatedIdentifierValue string }
	}
	NextToken string
}

func (b *bench) payouts(t *testing.T, query string) (l payoutList) {
	t.Helper()
	status, text := b.do("GET", payouts+query, "")
	require.Equal(t, 200, status, text)
	require.NoError(t, json.Unmarshal([]byte(text), &l))
	return l
}

func (l payoutList) settlements() (all []string) {
	for _, p := range l.Payouts {
		all = append(all, p.RelatedIdentifiers[0].RelatedIdentifierValue)
	}
	return all
}

// transferAnswers asks for transfers in every state, and for money that is held back and let go.
func transferAnswers(b *bench, expect func(int, string, string, string) string) {
	for _, f := range []amazonfake.TransferFate{amazonfake.ArrivesWell, amazonfake.BankRefuses, amazonfake.CalledOff} {
		b.SettleAs(amazonfake.Settlement{Fate: f}, amazonfake.Other("Previous Reserve Amount Balance", "100.00"))
	}
	held := b.Place(amazonfake.OrderSpec{Deferred: "DD7", Items: []amazonfake.ItemSpec{{ID: "I1"}}})
	expect(204, "POST", "/orders/v0/orders/"+held+"/shipmentConfirmation", confirmBody(`"1"`, "I1", 1, b.now()))
	for _, wait := range []time.Duration{0, 7 * time.Hour, 3 * 24 * time.Hour, 7 * 24 * time.Hour} {
		b.pass(wait)
		b.tokens = map[string]string{} // they live for an hour
		expect(200, "GET", payouts, "")
		expect(200, "GET", payouts+"?marketplaceIds="+us+"&createdAfter=2026-11-20T00:00:00Z&createdBefore=2026-12-20T00:00:00Z&accountType=STANDARD_ORDERS", "")
		expect(200, "GET", transactions, "")
	}
	expect(400, "GET", payouts+"?marketplaceIds=INVALID_MARKETPLACE", "")
	expect(400, "GET", payouts+"?createdAfter=yesterday", "")
	expect(400, "GET", payouts+"?nextToken=none", "")
	expect(403, "POST", payouts, `{"marketplaceId":"`+us+`","accountType":"Standard Orders"}`)
}

func TestATransferGoesItsWay(t *testing.T) {
	t.Parallel()
	b := newBench(t, amazonfake.Options{Scale: -1, TokenLife: 1000 * time.Hour})
	fate := map[string]string{}
	for f, end := range map[amazonfake.TransferFate]string{amazonfake.ArrivesWell: "STARTED IN_TRANSIT PAID", amazonfake.BankRefuses: "STARTED IN_TRANSIT FAILED",
		amazonfake.CalledOff: "STARTED CANCELLED"} {
		x, _ := b.SettleAs(amazonfake.Settlement{Fate: f}, amazonfake.Other("Previous Reserve Amount Balance", "61.56"))
		fate[x.ID] = end
	}
	none, _ := b.SettleAs(amazonfake.Settlement{}, amazonfake.Other("Subscription Fee", "-39.99"))
	fate[none.ID] = "NO_PAYOUT"
	b.SettleAs(amazonfake.Settlement{Fate: amazonfake.NeverShown}, amazonfake.Other("x", "1.00"))
	b.Publish(amazonfake.Settlement{File: []byte("?")})
	b.Publish(amazonfake.Settlement{Status: "FATAL"})
	for _, p := range b.payouts(t, "").Payouts {
		require.Len(t, p.StatusHistory, 1)
		require.Empty(t, p.TraceID)
	}
	b.pass(50 * time.Hour)
	for _, p := range b.payouts(t, "").Payouts {
		var words []string
		for _, h := range p.StatusHistory {
			words = append(words, h.Status)
		}
		id := p.RelatedIdentifiers[0].RelatedIdentifierValue
		require.Equal(t, fate[id], strings.Join(words, " "))
		require.Equal(t, words[len(words)-1], p.CurrentStatus)
		require.Equal(t, p.CurrentStatus == "NO_PAYOUT", p.Amount == nil)
		require.Equal(t, p.CurrentStatus == "FAILED", p.StatusHistory[len(words)-1].FailureReason != "")
		require.Equal(t, len(words) == 3, p.TraceID != "")
		if p.Amount != nil {
			require.Equal(t, json.Number("61.56"), p.Amount.CurrencyAmount)
		}
		delete(fate, id)
	}
	require.Empty(t, fate)
	require.Len(t, b.Transfers(), 4)
	require.Equal(t, money.New(6156, "USD"), b.Transfers()[0].Amount)
}

// The list goes site by site, the newest first within each; a token stands for its own arguments.
func TestPayoutsAreListedBySite(t *testing.T) {
	t.Parallel()
	b := newBench(t, amazonfake.Options{Scale: -1, TransferPage: 2, EmptyPages: true})
	var made []string
	for _, currency := range []string{"USD", "CAD", "USD", "CAD"} {
		made = append(made, b.Publish(amazonfake.Settlement{Currency: currency, Total: "1.00"}).Settlement)
		b.pass(time.Minute)
	}
	l := b.payouts(t, "")
	require.Empty(t, l.Payouts, "an empty page comes first")
	var got []string
	for l.NextToken != "" {
		status, _ := b.do("GET", payouts+"?payoutId=7&nextToken="+l.NextToken, "")
		require.Equal(t, 400, status, "with other arguments")
		l = b.payouts(t, "?nextToken="+l.NextToken)
		got = append(got, l.settlements()...)
	}
	require.Equal(t, []string{made[3], made[1], made[2], made[0]}, got)

	b = newBench(t, amazonfake.Options{Scale: -1})
	made = nil
	for range 3 {
		made = append(made, b.Publish(amazonfake.Settlement{Total: "1.00"}).Settlement)
		b.pass(time.Minute)
	}
	require.Equal(t, []string{made[1]}, b.payouts(t, "?createdAfter=2026-11-20T15:01:00Z&createdBefore=2026-11-20T15:02:00Z").settlements())
	require.Empty(t, b.payouts(t, "?marketplaceIds=A2EUQ1WTGCTBG2").Payouts)
	require.Empty(t, b.payouts(t, "?accountType=INVOICED").Payouts)
	require.Len(t, b.payouts(t, "?payoutId="+b.Transfers()[2].ID).Payouts, 1)
}

func TestListsOfPayoutsKeepTheOfficialPace(t *testing.T) {
	t.Parallel()
	b := newBench(t, amazonfake.Options{})
	for range 10 {
		b.payouts(t, "")
	}
	status, _ := b.do("GET", payouts, "")
	require.Equal(t, http.StatusTooManyRequests, status)
	b.pass(2 * time.Second)
	b.payouts(t, "")
}

type shown struct {
	TransactionStatus, PostedDate, TransactionType string
	TotalAmount                                    struct{ CurrencyAmount json.Number }
	RelatedIdentifiers                             []struct{ RelatedIdentifierName, RelatedIdentifierValue string }
	Contexts                                       []struct{ DeferralReason, MaturityDate string }
}

func (b *bench) sales(t *testing.T) (all []shown) {
	t.Helper()
	_, text := b.do("GET", transactions, "")
	var l struct {
		Payload struct{ Transactions []shown }
	}
	require.NoError(t, json.Unmarshal([]byte(text), &l), text)
	return l.Payload.Transactions
}

// A sale held back shows late, becomes two a week later, and waits for a settlement as long.
func TestASaleIsHeldBackAndLetGo(t *testing.T) {
	t.Parallel()
	b := newBench(t, amazonfake.Options{Scale: -1, TokenLife: 1000 * time.Hour, Faults: amazonfake.Faults{MoneyLag: 48 * time.Hour}})
	id := b.Place(amazonfake.OrderSpec{Deferred: "B2B", Items: []amazonfake.ItemSpec{{ID: "I1", Quantity: 2, UnitPrice: "11.00", Shipping: "3.00", Tax: "2.00", Discount: "2.00"}}})
	order := "/orders/v0/orders/" + id + "/shipmentConfirmation"
	for _, ref := range []string{`"1"`, `"2"`} {
		status, text := b.do("POST", order, confirmBody(ref, "I1", 1, b.now()))
		require.Equal(t, 204, status, text)
	}
	b.pass(3 * time.Minute)
	require.Empty(t, b.sales(t), "not at once")
	b.pass(48 * time.Hour)
	for _, x := range b.sales(t) {
		require.Equal(t, "DEFERRED", x.TransactionStatus)
		require.Equal(t, "B2B", x.Contexts[0].DeferralReason)
		require.Equal(t, "2026-11-27T15:00:00Z", x.Contexts[0].MaturityDate)
		require.Equal(t, json.Number("11.00"), x.TotalAmount.CurrencyAmount, "of one unit: price less discount, shipping and tax, less 15 percent of the price")
	}
	require.Len(t, b.sales(t), 2)
	early, _ := b.Settle("USD")
	require.Empty(t, early.Rows)

	b.pass(9 * 24 * time.Hour)
	all := b.sales(t)
	require.Len(t, all, 4)
	for i, x := range all {
		if i%2 == 0 {
			require.Equal(t, "DEFERRED_RELEASED", x.TransactionStatus)
		} else {
			require.Equal(t, "RELEASED", x.TransactionStatus)
			require.Equal(t, "2026-11-27T15:00:00Z", x.PostedDate)
			require.Equal(t, "DEFERRED_TRANSACTION_ID", x.RelatedIdentifiers[1].RelatedIdentifierName)
			require.Empty(t, x.Contexts)
		}
	}
	late, p := b.Settle("USD")
	require.NotEmpty(t, late.Rows)
	require.Equal(t, p.Settlement, b.Transfers()[1].Settlement)
	require.Equal(t, money.New(2200, "USD"), b.Transfers()[1].Amount, "of both units: 20 and 3 and 2, less 3")
}
