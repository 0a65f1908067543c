package amazon

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
	"channelbridge/marketplace/amazon/amazonfake"
)

const dd7 = `{"contextType":"DeferredContext","deferralReason":"DD7","maturityDate":"2026-11-25T08:10:00Z"}`

// sale is a sale of order 111-2222222-2222222 for 38.25; related are pairs of names and values.
func sale(t *testing.T, id, status, posted, patch string, related ...string) string {
	t.Helper()
	doc := strings.Replace(txn(id, status, "38.25", "", related...), `"Refund"`, `"Shipment"`, 1)
	doc = string(edit(t, doc, `{"postedDate":"`+posted+`"}`))
	return string(edit(t, doc, patch))
}

func heldBack(t *testing.T, transactions ...string) []marketplace.Deferral {
	t.Helper()
	c := &canned{status: 200, body: `{"payload":{"transactions":[` + strings.Join(transactions, ",") + `]}}`}
	p, err := cannedAdapter(t, c).Deferrals(t.Context(), marketplace.Cursor{Since: start.Add(-72 * time.Hour)})
	require.NoError(t, err)
	return p.Deferrals
}

// A deferred transaction, itself released, and the one that releases it are one, whichever of them
// stand on a page and in whatever order.
func TestADeferralAndItsReleaseAreOne(t *testing.T) {
	t.Parallel()
	posted, released := time.Date(2026, 11, 18, 8, 10, 0, 0, time.UTC), time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	link, back := []string{"RELEASE_TRANSACTION_ID", "T2"}, []string{"DEFERRED_TRANSACTION_ID", "T1"}
	original := func(status string, related ...string) string {
		return sale(t, "T1", status, "2026-11-18T08:10:00Z", `{"contexts":[`+dd7+`]}`, related...)
	}
	release := func(related ...string) string {
		return sale(t, "T2", "RELEASED", "2026-11-20T09:00:00Z", `{}`, related...)
	}
	held := marketplace.Deferral{ID: "T1", Order: "111-2222222-2222222", Amount: usd(3825), PostedAt: posted,
		Until: time.Date(2026, 11, 25, 8, 10, 0, 0, time.UTC), Reason: "DD7"}
	over, both, alone := held, held, marketplace.Deferral{ID: "T1", Order: held.Order, Amount: usd(3825), Released: true, ReleasedAt: released}
	over.Released = true
	both.Released, both.ReleasedAt = true, released
	for name, c := range map[string]struct {
		all  []string
		want marketplace.Deferral
	}{
		"deferred":                         {[]string{original("DEFERRED")}, held},
		"deferred, in another spelling":    {[]string{original("Deferred")}, held},
		"deferred, seen twice":             {[]string{original("DEFERRED"), original("DEFERRED")}, held},
		"released, the release not shown":  {[]string{original("DEFERRED_RELEASED", link...)}, over},
		"released, no link yet":            {[]string{original("DeferredReleased")}, over},
		"released, by its link alone":      {[]string{original("RELEASED", link...)}, over},
		"both links":                       {[]string{original("DEFERRED_RELEASED", link...), release(back...)}, both},
		"one link only":                    {[]string{original("DEFERRED_RELEASED", link...), release()}, both},
		"the other link only":              {[]string{original("DEFERRED_RELEASED"), release(back...)}, both},
		"the release first":                {[]string{release(back...), original("DEFERRED_RELEASED", link...)}, both},
		"the release first, one link only": {[]string{release(), original("DEFERRED_RELEASED", link...)}, both},
		"released, the first not told yet": {[]string{original("DEFERRED"), release(back...)}, both},
		"the release alone":                {[]string{release(back...)}, alone},
		"the release with its own number":  {[]string{release("DEFERRED_TRANSACTION_ID", "T1", "RELEASE_TRANSACTION_ID", "T2")}, alone},
	} {
		require.Equal(t, []marketplace.Deferral{c.want}, heldBack(t, c.all...), name)
	}
	require.Empty(t, heldBack(t, release()), "money that was never held back")
	require.Empty(t, heldBack(t, release("RELEASE_TRANSACTION_ID", "T2")), "it names itself alone")
	require.Equal(t, both, heldBack(t, release(back...))[0].With(heldBack(t, original("DEFERRED"))[0]), "on two pages, the release first")
	require.Equal(t, both, heldBack(t, original("DEFERRED"))[0].With(heldBack(t, release(back...))[0]))
}

// What a deferred transaction says of itself, and what keeps it from being told.
func TestWhatADeferralSays(t *testing.T) {
	t.Parallel()
	const at = "2026-11-18T08:10:00Z"
	plain := marketplace.Deferral{ID: "T1", Order: "111-2222222-2222222", Amount: usd(3825), PostedAt: time.Date(2026, 11, 18, 8, 10, 0, 0, time.UTC)}
	until := time.Date(2026, 11, 25, 8, 10, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		patch string
		want  func(*marketplace.Deferral)
	}{
		"nothing said":                    {`{}`, func(*marketplace.Deferral) {}},
		"contexts null":                   {`{"items":null}`, func(*marketplace.Deferral) {}},
		"a reason nobody knows, verbatim": {`{"contexts":[{"contextType":"DeferredContext","deferralReason":"New Policy"}]}`, func(d *marketplace.Deferral) { d.Reason = "New Policy" }},
		"one object, no array":            {`{"contexts":` + dd7 + `}`, func(d *marketplace.Deferral) { d.Reason, d.Until = "DD7", until }},
		"among other contexts":            {`{"contexts":[{"contextType":"ProductContext","sku":"S"},{"contextType":"New","x":[1]},` + dd7 + `]}`, func(d *marketplace.Deferral) { d.Reason, d.Until = "DD7", until }},
		"on an item":                      {`{"items":[{"contexts":null},{"contexts":[` + dd7 + `]}]}`, func(d *marketplace.Deferral) { d.Reason, d.Until = "DD7", until }},
		"contexts of no known form":       {`{"contexts":"x","items":[{"contexts":[` + dd7 + `]}]}`, func(d *marketplace.Deferral) { d.Reason, d.Until = "DD7", until }},
		"a day of no form":                {`{"contexts":[{"deferralReason":"B2B","maturityDate":"soon"}]}`, func(d *marketplace.Deferral) { d.Reason = "B2B" }},
		"no order named":                  {`{"relatedIdentifiers":null}`, func(d *marketplace.Deferral) { d.Order = "" }},
		"a refund held back":              {`{"transactionType":"Refund","totalAmount":{"currencyAmount":-26.40}}`, func(d *marketplace.Deferral) { d.Amount = usd(-2640) }},
		"yen":                             {`{"totalAmount":{"currencyAmount":19940,"currencyCode":"JPY"}}`, func(d *marketplace.Deferral) { d.Amount = money.New(19940, "JPY") }},
		"nothing in the end":              {`{"totalAmount":{"currencyAmount":0}}`, func(d *marketplace.Deferral) { d.Amount = usd(0) }},
	} {
		want := plain
		c.want(&want)
		require.Equal(t, []marketplace.Deferral{want}, heldBack(t, sale(t, "T1", "DEFERRED", at, c.patch)), name)
	}
	for name, bad := range map[string]string{"no number": `{"transactionId":null}`, "no total": `{"totalAmount":null}`, "a fraction of a cent": `{"totalAmount":{"currencyAmount":1.001}}`,
		"no currency": `{"totalAmount":{"currencyCode":"$"}}`, "an amount in words": `{"totalAmount":{"currencyAmount":"much"}}`} {
		require.Equal(t, []marketplace.Deferral{plain}, heldBack(t, sale(t, "T0", "DEFERRED", at, bad), sale(t, "T1", "DEFERRED", at, `{}`)), "%s: left out, and it does not hold up the others", name)
	}
	foreign := sale(t, "T2", "DEFERRED", at, `{"marketplaceDetails":{"marketplaceId":"A1PA6795UKMFR9"}}`)
	a := cannedAdapter(t, &canned{status: 200, body: `{"payload":{"transactions":[` + foreign + `,` + sale(t, "T1", "DEFERRED", at, `{}`) + `]}}`})
	a.cfg.Sites = []string{usSite}
	p, err := a.Deferrals(t.Context(), marketplace.Cursor{Since: start.Add(-72 * time.Hour)})
	require.NoError(t, err)
	require.Equal(t, []marketplace.Deferral{plain}, p.Deferrals)
	_, err = a.Deferrals(t.Context(), marketplace.Cursor{Since: start, Token: "x"})
	require.True(t, fault.Is(err, fault.Refused), "%v", err)
}

// Contexts that nobody can read do not hide a refund.
func TestContextsDoNotHideARefund(t *testing.T) {
	t.Parallel()
	for _, patch := range []string{`{"contexts":"x"}`, `{"contexts":[7]}`, `{"contexts":[{"maturityDate":{}}]}`} {
		got, err := answered(t, string(edit(t, txn("T1", "DEFERRED", "-26.40", goods, "REFUND_ID", "R1"), patch)))
		require.NoError(t, err, patch)
		require.Len(t, got, 1, patch)
	}
}

// The list of what is held back and the list of refunds are the same calls; only the first reaches
// back by itself.
func TestTheListOfDeferralsReachesBackTwoDays(t *testing.T) {
	t.Parallel()
	c := &canned{status: 200, body: `{"payload":{"transactions":null}}`}
	a := cannedAdapter(t, c)
	at := marketplace.Cursor{Since: start.AddDate(-1, 0, 0)}
	end := at.Since
	for n := 1; ; n++ {
		p, err := a.Deferrals(t.Context(), at)
		require.NoError(t, err)
		q, _ := url.ParseQuery(c.query)
		require.Equal(t, stamp(end), q.Get("postedAfter"), "without a gap")
		end, err = time.Parse(time.RFC3339, q.Get("postedBefore"))
		require.NoError(t, err)
		require.False(t, q.Has("marketplaceId"), "Amazon hides rows then")
		require.False(t, q.Has("transactionStatus"), "a release is a transaction like any other")
		if at = p.Next; !p.More {
			require.Equal(t, 3, n)
			break
		}
	}
	require.Equal(t, marketplace.Cursor{Since: start.Add(-settledAfter - 48*time.Hour)}, at)

	c.body = `{"payload":{"nextToken":"same","transactions":[]}}`
	p, err := a.Deferrals(t.Context(), at)
	require.NoError(t, err)
	require.True(t, p.More, "an empty page is not the last")
	p, err = a.Deferrals(t.Context(), p.Next)
	require.NoError(t, err)
	require.False(t, p.More)
	require.Equal(t, at, p.Next, "a token that repeats leaves the place as it is")
}

// However late and in however many pages Amazon shows it, each sale held back is told once as held
// and once as let go, with what the settlement will pay for it.
func TestMoneyHeldBackThroughTrouble(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{EmptyPages: true, TransactionPage: 1, Faults: amazonfake.Faults{MoneyLag: 47 * time.Hour}})
	at, known := marketplace.Cursor{Since: start.Add(-time.Minute)}, map[string]marketplace.Deferral{}
	states := map[marketplace.OrderID]string{}
	look := func(days int) {
		for end := r.now().Add(time.Duration(days) * 24 * time.Hour); r.now().Before(end); {
			p, err := r.Deferrals(t.Context(), at)
			if err != nil {
				require.True(t, fault.Is(err, fault.Temporary), "%v", err)
				r.pass(max(fault.After(err), time.Second))
				continue
			}
			for _, d := range p.Deferrals {
				was, heard := known[d.ID]
				if heard {
					d = was.With(d)
				}
				if !heard || was.Released != d.Released {
					states[d.Order] += map[bool]string{false: " held", true: " let go"}[d.Released]
				}
				known[d.ID] = d
			}
			if at = p.Next; !p.More {
				r.pass(6 * time.Hour)
			}
		}
	}
	var ids []marketplace.OrderID
	for range 8 {
		ids = append(ids, r.sold(t, 2, func(s *amazonfake.OrderSpec) { s.Deferred = "DD7" }))
		r.sold(t, 1)
		r.pass(5 * time.Hour)
	}
	r.fake.SetFaults(amazonfake.Faults{Throttle: 0.1, Unavailable: 0.1, Lost: 0.1})
	look(4)
	early, _ := r.fake.Settle("USD")
	for _, row := range early.Rows {
		require.NotContains(t, ids, marketplace.OrderID(row.Order), "what is held back stands in no settlement")
	}
	look(12)
	require.Len(t, known, len(ids), "money that is not held back is none of it")
	late, _ := r.fake.Settle("USD")
	pays := map[marketplace.OrderID]money.Money{}
	for _, row := range late.Rows {
		m, err := money.Parse(row.Amount, "USD")
		require.NoError(t, err)
		pays[marketplace.OrderID(row.Order)], err = pays[marketplace.OrderID(row.Order)].Add(m)
		require.NoError(t, err)
	}
	for _, d := range known {
		require.Equal(t, " held let go", states[d.Order])
		require.Equal(t, pays[d.Order], d.Amount, "once, and what the settlement pays")
		require.Equal(t, "DD7", d.Reason)
		require.Equal(t, d.PostedAt.Add(7*24*time.Hour), d.Until)
		require.Equal(t, d.Until, d.ReleasedAt)
	}
}

// Whatever Amazon answers: no panic, each number once a page, and reading twice says the same.
func FuzzDeferrals(f *testing.F) {
	for _, s := range []string{txn("T1", "DEFERRED", "-26.40", goods, "REFUND_ID", "R1"), txn("T1", "DEFERRED_RELEASED", "1e1", "", "RELEASE_TRANSACTION_ID", "T2"),
		txn("T2", "RELEASED", "10", "", "DEFERRED_TRANSACTION_ID", "T1"), `{"transactionStatus":"DEFERRED","transactionId":"T3","totalAmount":{"currencyAmount":1,"currencyCode":"USD"},"contexts":{"contexts":[` + dd7 + `]}}`, "null", "7"} {
		f.Add([]byte(`{"payload":{"nextToken":"n","transactions":[` + s + `]}}`))
		f.Add([]byte(`{"transactions":[` + s + `,` + txn("T1", "DEFERRED", "10", "") + `,` + s + `]}`))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		read := func() []marketplace.Deferral {
			var a transactionsAnswer
			if json.Unmarshal(raw, &a) != nil {
				return nil
			}
			all, _ := readTransactions(a.page().Transactions)
			out, _ := deferrals(all)
			return out
		}
		first, seen := read(), map[string]bool{}
		for _, d := range first {
			require.NotEmpty(t, d.ID)
			require.False(t, seen[d.ID], d.ID)
			seen[d.ID] = true
			require.True(t, money.ValidCode(d.Amount.Currency))
			require.True(t, d.Released || d.ReleasedAt.IsZero())
		}
		require.Equal(t, first, read())
	})
}
