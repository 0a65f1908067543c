package amazon

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
	"channelbridge/marketplace/amazon/amazonfake"
	"channelbridge/marketplace/amazon/internal/official"
)

// brk writes a breakdown: brk("Tax", "-1.00", parts...).
func brk(name, amount string, parts ...string) string {
	return fmt.Sprintf(`{"breakdownType":%q,"breakdownAmount":{"currencyAmount":%s,"currencyCode":"USD"},"breakdowns":[%s]}`, name, amount, strings.Join(parts, ","))
}

// txn writes a refund of order 111-2222222-2222222; related are pairs of names and values.
func txn(id, status, total, breakdowns string, related ...string) string {
	ids := `{"relatedIdentifierName":"ORDER_ID","relatedIdentifierValue":"111-2222222-2222222"}`
	for i := 0; i+1 < len(related); i += 2 {
		ids += fmt.Sprintf(`,{"relatedIdentifierName":%q,"relatedIdentifierValue":%q}`, related[i], related[i+1])
	}
	return fmt.Sprintf(`{"transactionType":"Refund","transactionId":%q,"transactionStatus":%q,"postedDate":"2026-11-18T08:10:00Z","relatedIdentifiers":[%s],
	 "totalAmount":{"currencyAmount":%s,"currencyCode":"USD"},"items":[{"breakdowns":[%s]}],"contexts":null,"breakdowns":null}`, id, status, ids, total, breakdowns)
}

const charges = "-30.00"

// goods is a refund of 30.00 with 2.40 tax, of which 4.50 commission came back less 0.90.
var goods = strings.Join([]string{brk("ProductCharges", charges, brk("OurPricePrincipal", charges)), brk("Tax", "-2.40", brk("OurPriceTax", "-2.40")),
	brk("MarketplaceFacilitatorTax-Principal", "2.40"), brk("AmazonFees", "3.60", brk("Commission", "4.50", brk("Base", "4.00"), brk("Tax", "0.50")), brk("RefundCommission", "-0.90"))}, ",")

func answered(t testing.TB, transactions ...string) ([]marketplace.Refund, error) {
	t.Helper()
	c := &canned{status: 200, body: `{"payload":{"transactions":[` + strings.Join(transactions, ",") + `]}}`}
	return cannedAdapter(t, c).Refunds(t.Context(), "111-2222222-2222222")
}

// What a refund gives the buyer, from breakdowns of every shape seen.
func TestAmountsOfRefunds(t *testing.T) {
	t.Parallel()
	whole := txn("T1", "RELEASED", "-26.40", goods, "REFUND_ID", "R1")
	for _, c := range []struct {
		name, transaction string
		amount, untaxed   int64 // untaxed -1: not told
	}{
		{"goods and tax, fees left out", whole, 3240, 3000},
		{"a leaf alone", txn("T1", "RELEASED", "-26.40", brk("OurPricePrincipal", "-30")), 3000, 3000},
		{"the model's spelling", txn("T1", "RELEASED", "-10", brk("Product Charges", "-10", brk("Principle", "-10"))), 1000, 1000},
		{"shipping, gift wrap and their taxes", txn("T1", "RELEASED", "-9.00", strings.Join([]string{brk("Shipping", "-5.00", brk("ShippingPrincipal", "-5.00")),
			brk("GiftwrapPrincipal", "-3.00"), brk("Tax", "-0.60", brk("ShippingTax", "-0.40"), brk("GiftwrapTax", "-0.20"))}, ",")), 860, 800},
		{"a discount and a restocking fee go against the buyer", txn("T1", "RELEASED", "-7.00", strings.Join([]string{brk("OurPricePrincipal", "-10.00"), brk("PromoRebates", "1.00", brk("OurPriceDiscount", "1.00")),
			brk("RestockingDeductionPrincipal", "2.00"), brk("RestockingDeductionTax", "0.10")}, ",")), 690, 700},
		{"goodwill", txn("T1", "RELEASED", "-3.17", brk("GoodwillPrincipal", "-3.17")), 317, 317},
		{"headings", txn("T1", "RELEASED", "-26.40", brk("Refunded Sales", "-30.00", brk("ProductCharges", "-30.00"))+","+brk("Expenses", "3.60", brk("AmazonFees", "3.60"))), 3000, 3000},
		{"numbers with an exponent", txn("T1", "RELEASED", "-26.40", brk("OurPricePrincipal", "-3.0E+1")+","+brk("OurPriceTax", "-24e-1")), 3240, 3000},
		{"breakdowns of the whole, items without", string(edit(t, whole, `{"items":[{"breakdowns":null}],"breakdowns":[`+goods+`]}`)), 3240, 3000},
		{"an object where an array is declared", string(edit(t, whole, `{"items":null,"breakdowns":{"breakdowns":[`+goods+`]}}`)), 3240, 3000},
		{"one object, no array", string(edit(t, whole, `{"items":{"breakdowns":`+brk("OurPricePrincipal", "-30.00")+`}}`)), 3000, 3000},
		{"null arrays: the total", string(edit(t, whole, `{"items":null,"breakdowns":null}`)), 2640, -1},
		{"a name nobody knows: the larger of both", txn("T1", "RELEASED", "-31.00", brk("OurPricePrincipal", "-30.00")+","+brk("NewKindOfThing", "-1.00")), 3100, -1},
		{"a name nobody knows, fees returned", txn("T1", "RELEASED", "-20.00", brk("OurPricePrincipal", "-30.00")+","+brk("NewKindOfThing", "10.00")), 3000, -1},
		{"parts that do not come to the sum", txn("T1", "RELEASED", "-40.00", brk("ProductCharges", "-40.00", brk("OurPricePrincipal", "-30.00"))), 4000, -1},
		{"casing of everything", strings.NewReplacer("transactionType", "TransactionType", `"Refund"`, `"REFUND"`, "OurPrice", "ourprice", "ORDER_ID", "OrderId", "Tax", "TAX").Replace(whole), 3240, 3000},
		{"a claim", strings.Replace(whole, `"Refund"`, `"GuaranteeClaim"`, 1), 3240, 3000},
		{"a type nobody knows with the number of a refund", strings.Replace(whole, `"Refund"`, `"NewRefundKind"`, 1), 3240, 3000},
	} {
		got, err := answered(t, c.transaction)
		require.NoError(t, err, c.name)
		require.Len(t, got, 1, c.name)
		require.Equal(t, usd(c.amount), got[0].Amount, c.name)
		if c.untaxed < 0 {
			require.Equal(t, money.Money{}, got[0].Untaxed, c.name)
		} else {
			require.Equal(t, usd(c.untaxed), got[0].Untaxed, c.name)
		}
		require.Equal(t, time.Date(2026, 11, 18, 8, 10, 0, 0, time.UTC), got[0].PostedAt, c.name)
		require.False(t, got[0].Pending, c.name)
		require.NotEmpty(t, got[0].ID)
	}
	for name, none := range map[string]string{
		"a returned fee alone":             txn("T1", "RELEASED", "3.60", brk("AmazonFees", "3.60", brk("Commission", "3.60"))),
		"a sale":                           strings.Replace(whole, `"Refund"`, `"Shipment"`, 1),
		"a service fee":                    strings.Replace(whole, `"Refund"`, `"ServiceFee"`, 1),
		"an unknown type without a refund": strings.Replace(txn("T1", "RELEASED", "-26.40", goods), `"Refund"`, `"New"`, 1),
		"another order":                    strings.Replace(whole, "111-2222222-2222222", "111-2222222-9999999", 1),
		"no order":                         string(edit(t, whole, `{"relatedIdentifiers":null}`)),
	} {
		got, err := answered(t, none)
		require.NoError(t, err, name)
		require.Empty(t, got, name)
	}
	for name, bad := range map[string]string{
		"a text": `"x"`, "an amount in words": strings.Replace(whole, charges, `"much"`, 1), "two currencies": strings.Replace(whole, `-2.40,"currencyCode":"USD"`, `-2.40,"currencyCode":"EUR"`, 1),
		"a fraction of a cent": strings.Replace(whole, charges, "-30.001", 2), "a time of no form": strings.Replace(whole, "2026-11-18T08:10:00Z", "yesterday", 1),
		"a huge exponent": strings.Replace(whole, charges, "-3e400", 1),
	} {
		_, err := answered(t, bad)
		require.True(t, fault.Is(err, fault.Temporary), "%s: what cannot be read may be a refund: %v", name, err)
	}
}

// One refund number, one refund; a deferred one and its release are the same money.
func TestTransactionsThatAreOneRefund(t *testing.T) {
	t.Parallel()
	half := brk("OurPricePrincipal", "-10.00")
	link, back := []string{"RELEASE_TRANSACTION_ID", "T2"}, []string{"DEFERRED_TRANSACTION_ID", "T1"}
	for _, c := range []struct {
		name    string
		all     []string
		amounts []int64
		pending bool
	}{
		{"two parts of one refund", []string{txn("T1", "RELEASED", "-10", half, "REFUND_ID", "R1"), txn("T2", "RELEASED", "-10", half, "REFUND_ID", "R1")}, []int64{2000}, false},
		{"two refunds", []string{txn("T1", "RELEASED", "-10", half, "REFUND_ID", "R1"), txn("T2", "RELEASED", "-10", half, "REFUND_ID", "R2")}, []int64{1000, 1000}, false},
		{"two refunds without a number", []string{txn("T1", "RELEASED", "-10", half), txn("T2", "RELEASED", "-10", half)}, []int64{1000, 1000}, false},
		{"the same one on two pages", []string{txn("T1", "RELEASED", "-10", half, "REFUND_ID", "R1"), txn("T1", "RELEASED", "-10", half, "REFUND_ID", "R1")}, []int64{1000}, false},
		{"deferred", []string{txn("T1", "DEFERRED", "-10", half)}, []int64{1000}, true},
		{"deferred, in another spelling", []string{txn("T1", "Deferred", "-10", half)}, []int64{1000}, true},
		{"released: both links", []string{txn("T1", "DEFERRED_RELEASED", "-10", half, link...), txn("T2", "RELEASED", "-10", half, back...)}, []int64{1000}, false},
		{"released: one link only", []string{txn("T1", "DEFERRED_RELEASED", "-10", half, link...), txn("T2", "RELEASED", "-10", half)}, []int64{1000}, false},
		{"released: the other link only", []string{txn("T1", "DEFERRED_RELEASED", "-10", half), txn("T2", "RELEASED", "-10", half, back...)}, []int64{1000}, false},
		{"the release first", []string{txn("T2", "RELEASED", "-10", half, back...), txn("T1", "DEFERRED_RELEASED", "-10", half, link...)}, []int64{1000}, false},
		{"released, the first not told yet", []string{txn("T1", "DEFERRED", "-10", half), txn("T2", "RELEASED", "-10", half, back...)}, []int64{1000}, false},
		{"the release alone", []string{txn("T2", "RELEASED", "-10", half, back...)}, []int64{1000}, false},
		{"a part reversed", []string{txn("T1", "RELEASED", "-10", half, "REFUND_ID", "R1"), txn("T2", "RELEASED", "4", brk("OurPricePrincipal", "4.00"), "REFUND_ID", "R1")}, []int64{600}, false},
		{"all reversed", []string{txn("T1", "RELEASED", "-10", half, "REFUND_ID", "R1"), txn("T2", "RELEASED", "10", brk("OurPricePrincipal", "10.00"), "REFUND_ID", "R1")}, nil, false},
	} {
		got, err := answered(t, c.all...)
		require.NoError(t, err, c.name)
		var amounts []int64
		for _, r := range got {
			amounts = append(amounts, r.Amount.Minor)
			require.Equal(t, c.pending, r.Pending, c.name)
		}
		require.Equal(t, c.amounts, amounts, c.name)
	}
	alone, _ := answered(t, txn("T2", "RELEASED", "-10", half, back...))
	first, _ := answered(t, txn("T1", "DEFERRED", "-10", half))
	require.Equal(t, first[0].ID, alone[0].ID, "whichever of the two is seen, the refund has one number")
}

// Refunds made anywhere are read, late, through empty pages, deferred and released.
func TestRefundsMadeAnywhere(t *testing.T) {
	t.Parallel()
	for name, opt := range map[string]amazonfake.Options{"calm": {}, "empty pages": {EmptyPages: true, TransactionPage: 1}, "deferred": {Deferred: true}} {
		opt.Scale, opt.RefundDelay = -1, 6*time.Hour
		r := newRig(t, opt)
		id := r.sold(t, 2, func(s *amazonfake.OrderSpec) { s.TaxByAmazon = true })
		other := r.sold(t, 2)
		mark := marketplace.Cursor{Since: r.now().Add(-time.Hour)}
		_, err := r.fake.RefundByHand(string(id), map[string]map[string]string{item1: {"Principal": "10.00", "Shipping": "5.00"}})
		require.NoError(t, err, name)
		require.Equal(t, "a", states(r.run(t, laneAdjustment, refundOf(id, usd(300)))))
		_, err = r.fake.RefundByHand(string(other))
		require.NoError(t, err)

		soon, err := r.Refunds(t.Context(), id)
		require.NoError(t, err)
		require.Empty(t, soon, "Amazon is late")
		r.pass(7 * time.Hour)
		got, err := r.Refunds(t.Context(), id)
		require.NoError(t, err, name)
		require.Equal(t, []int64{1600, 330}, []int64{got[0].Amount.Minor, got[1].Amount.Minor}, name)
		require.Equal(t, []int64{1500, 300}, []int64{got[0].Untaxed.Minor, got[1].Untaxed.Minor}, name)
		require.Equal(t, opt.Deferred, got[0].Pending)
		require.Equal(t, "Refund", got[0].Kind)

		listed := map[marketplace.OrderID]int64{}
		for more := true; more; {
			var p marketplace.RefundPage
			p, err = r.Refunded(t.Context(), mark)
			require.NoError(t, err, name)
			for _, x := range p.Refunds {
				listed[x.Order] += x.Amount.Minor
			}
			mark, more = p.Next, p.More
		}
		require.Equal(t, map[marketplace.OrderID]int64{id: 1930, other: r.fake.Refunds(string(other))[0].Amount.Minor}, listed, name)
		require.Empty(t, mark.Token)
		require.False(t, mark.Since.After(r.now().Add(-2*time.Minute)))

		r.pass(8 * 24 * time.Hour)
		later, err := r.Refunds(t.Context(), id)
		require.NoError(t, err)
		require.Len(t, later, 2, "released, and still counted once")
		require.Equal(t, got[0].ID, later[0].ID)
		require.False(t, later[0].Pending)
	}
}

// A listing is cut into spans of less than 180 days, and reaches up to three minutes ago.
func TestSpansOfAListing(t *testing.T) {
	t.Parallel()
	c := &canned{status: 200, body: `{"payload":{"transactions":null}}`}
	a := cannedAdapter(t, c)
	at := marketplace.Cursor{Since: start.AddDate(-1, 0, 0)}
	end := at.Since
	for n := 1; ; n++ {
		p, err := a.Refunded(t.Context(), at)
		require.NoError(t, err)
		q, _ := url.ParseQuery(c.query)
		after, before := q.Get("postedAfter"), q.Get("postedBefore")
		require.Equal(t, stamp(end), after, "without a gap")
		x, _ := time.Parse(time.RFC3339, after)
		end, err = time.Parse(time.RFC3339, before)
		require.NoError(t, err)
		require.Less(t, end.Sub(x), 180*24*time.Hour)
		require.False(t, q.Has("marketplaceId"), "Amazon hides rows then")
		if at = p.Next; !p.More {
			require.Equal(t, 3, n)
			break
		}
	}
	require.Equal(t, marketplace.Cursor{Since: start.Add(-settledAfter)}, at)
	calls := c.calls
	p, err := a.Refunded(t.Context(), marketplace.Cursor{Since: start.Add(time.Hour)})
	require.NoError(t, err)
	require.False(t, p.More)
	require.Equal(t, calls, c.calls, "nothing to ask for yet")
	for _, bad := range []string{"x", "{}", `{"token":"t"}`} {
		_, err = a.Refunded(t.Context(), marketplace.Cursor{Since: start, Token: bad})
		require.True(t, fault.Is(err, fault.Refused), "%v", err)
	}
}

func TestTokensOfMoneyThatRepeat(t *testing.T) {
	t.Parallel()
	c := &canned{status: 200, body: `{"payload":{"nextToken":"same","transactions":[` + txn("T1", "RELEASED", "-26.40", goods, "REFUND_ID", "R1") + `]}}`}
	a := cannedAdapter(t, c)
	got, err := a.Refunds(t.Context(), "111-2222222-2222222")
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.Equal(t, 2, c.calls)
	since := start.Add(-time.Hour)
	p, err := a.Refunded(t.Context(), marketplace.Cursor{Since: since})
	require.NoError(t, err)
	require.True(t, p.More)
	require.Contains(t, p.Next.Token, "same")
	p, err = a.Refunded(t.Context(), p.Next)
	require.NoError(t, err)
	require.False(t, p.More)
	require.Equal(t, marketplace.Cursor{Since: since}, p.Next, "the watermark stays")

	c.status, c.body = 400, `{"errors":[{"code":"InvalidInput","message":"token"}]}`
	first := span{After: since, Before: start, Token: "ended"}.cursor(since)
	p, err = a.Refunded(t.Context(), first)
	require.NoError(t, err, "a token that has ended begins the listing anew")
	require.Equal(t, marketplace.Cursor{Since: since}, p.Next)
	_, err = a.Refunded(t.Context(), marketplace.Cursor{Since: since})
	require.True(t, fault.Is(err, fault.Refused), "%v", err)
}

// A transaction that cannot be read does not hold up the others of a listing; another site's is
// left out.
func TestAListingWithPoison(t *testing.T) {
	t.Parallel()
	foreign := string(edit(t, strings.Replace(txn("T3", "RELEASED", "-26.40", goods), "111-2222222-2222222", "111-2222222-3333333", 1),
		`{"marketplaceDetails":{"marketplaceId":"A1PA6795UKMFR9"}}`))
	c := &canned{status: 200, body: `{"payload":{"transactions":["x",` + strings.Replace(txn("T2", "RELEASED", "-26.40", brk("OurPricePrincipal", `"much"`)), "2222222\"", "1111111\"", 1) + `,` +
		txn("T1", "RELEASED", "-26.40", goods) + `,` + foreign + `]}}`}
	a := cannedAdapter(t, c)
	a.cfg.Sites = []string{usSite}
	p, err := a.Refunded(t.Context(), marketplace.Cursor{Since: start.Add(-time.Hour)})
	require.NoError(t, err)
	require.Len(t, p.Refunds, 1)
	require.Equal(t, marketplace.OrderID("111-2222222-2222222"), p.Refunds[0].Order)
	_, err = a.Refunds(t.Context(), "")
	require.True(t, fault.Is(err, fault.Refused))
}

func TestListTransactionsVectors(t *testing.T) {
	t.Parallel()
	models := official.Load(t)
	for _, v := range models[opListTransactions].Vectors() {
		c := &canned{status: v.Status, body: string(v.Response)}
		p, err := cannedAdapter(t, c).Refunded(t.Context(), marketplace.Cursor{Since: start.Add(-time.Hour)})
		if v.Status != 200 {
			require.True(t, fault.Is(err, fault.Refused), "%v", err)
			continue
		}
		require.NoError(t, err)
		require.Empty(t, p.Refunds, "Amazon's example is a sale")
		require.True(t, p.More)
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"12.50": "12.50", "-3.0E+1": "-30", "24e-1": "2.4", "5E-2": "0.05", "1.25e2": "125", "0e5": "000000", "-1e-3": "-0.001"} {
		got, err := expand(in)
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
	for _, bad := range []string{"1e", "1e99", "1e-99", "1e5x", "1e2e3"} {
		_, err := expand(bad)
		require.Error(t, err, bad)
	}
}

// Whatever Amazon answers: no panic, amounts positive, numbers unique per order, reading twice the
// same.
func FuzzTransactions(f *testing.F) {
	for _, s := range []string{txn("T1", "RELEASED", "-26.40", goods, "REFUND_ID", "R1"), txn("T1", "DEFERRED", "-1e1", brk("New", "-1.0")), `{"items":{"breakdowns":{"breakdowns":[]}}}`, "null", "7"} {
		f.Add([]byte(`{"payload":{"nextToken":"n","transactions":[` + s + `]}}`))
		f.Add([]byte(`{"transactions":[` + s + `,` + s + `]}`))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		read := func() []marketplace.Refund {
			var a transactionsAnswer
			if json.Unmarshal(raw, &a) != nil {
				return nil
			}
			all, _ := readTransactions(a.page().Transactions)
			out, err := gather(all)
			if err != nil {
				return nil
			}
			return out
		}
		first, seen := read(), map[string]bool{}
		for _, r := range first {
			require.Positive(t, r.Amount.Minor)
			require.NotEmpty(t, r.Order)
			key := string(r.Order) + " " + r.ID
			require.False(t, seen[key], key)
			seen[key] = true
		}
		require.Equal(t, first, read())
	})
}
