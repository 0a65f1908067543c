package amazon

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"net/url"
	"os"
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

// sandboxPayout is the payout of Amazon's own example.
const sandboxPayout = `{"id":"11888387941","partnerMetadata":{"partnerId":"AXXXXXXXXXXXXX","accountType":"STANDARD_ORDERS","marketplaceId":"ATVPDKIKX0DER"},
 "currentStatus":"PAID","statusHistory":[{"status":"STARTED","lastUpdatedDate":"2024-06-01T00:00:00Z"},{"status":"IN_TRANSIT","lastUpdatedDate":"2024-06-01T06:00:00Z"},
 {"status":"PAID","lastUpdatedDate":"2024-06-02T12:00:00Z"}],"type":"SCHEDULED","amount":{"currencyCode":"USD","currencyAmount":1250.75},"accountTail":"1234",
 "paymentMethod":"BANK_ACCOUNT","creationDate":"2024-06-01T00:00:00Z","paymentRail":"ACH","traceId":"4B03616UONXSAWP",
 "period":{"startDate":"2025-12-13T06:26:45Z","endDate":"2025-12-14T06:30:45Z"},
 "relatedIdentifiers":[{"relatedIdentifierName":"SETTLEMENT_ID","relatedIdentifierValue":"11888387941"}]}`

func june(day, hour int) time.Time { return time.Date(2024, 6, day, hour, 0, 0, 0, time.UTC) }

var sandboxTransfer = marketplace.Transfer{ID: "11888387941", Statement: "11888387941", Status: marketplace.TransferPaid, Word: "PAID",
	Amount: money.New(125075, "USD"), CreatedAt: june(1, 0), ChangedAt: june(2, 12), BankRef: "4B03616UONXSAWP", AccountTail: "1234",
	Start: time.Date(2025, 12, 13, 6, 26, 45, 0, time.UTC), End: time.Date(2025, 12, 14, 6, 30, 45, 0, time.UTC)}

func payoutsOf(all ...string) *canned {
	return &canned{status: 200, body: `{"payouts":[` + strings.Join(all, ",") + `]}`}
}

// transferOf is Amazon's example changed by a merge patch.
func transferOf(t *testing.T, patch string) marketplace.Transfer {
	t.Helper()
	p, err := cannedAdapter(t, payoutsOf(string(edit(t, sandboxPayout, patch)))).Transfers(t.Context(), marketplace.Cursor{Since: june(1, 0)})
	require.NoError(t, err, patch)
	require.Len(t, p.Transfers, 1, patch)
	return p.Transfers[0]
}

func TestWhatAPayoutSays(t *testing.T) {
	t.Parallel()
	require.Equal(t, sandboxTransfer, transferOf(t, `{}`))
	for word, want := range map[string]marketplace.TransferStatus{"STARTED": marketplace.TransferStarted, "IN_TRANSIT": marketplace.TransferInTransit,
		"Paid": marketplace.TransferPaid, "FAILED": marketplace.TransferFailed, "CANCELLED": marketplace.TransferCancelled,
		"NO_PAYOUT": marketplace.TransferNone, "HELD_BY_BANK": marketplace.TransferUnknown, "": marketplace.TransferUnknown} {
		got := transferOf(t, `{"currentStatus":"`+word+`"}`)
		require.Equal(t, want, got.Status, word)
		require.Equal(t, word, got.Word, "kept as it came")
	}
	for name, c := range map[string]struct {
		patch string
		want  func(*marketplace.Transfer)
	}{
		"nothing to send": {`{"amount":null,"currentStatus":"NO_PAYOUT","traceId":null,"accountTail":null,"statusHistory":[{"status":"NO_PAYOUT","lastUpdatedDate":"2024-06-01T00:00:00Z"}]}`, func(x *marketplace.Transfer) {
			x.Amount, x.Status, x.Word, x.BankRef, x.AccountTail, x.ChangedAt = money.Money{}, marketplace.TransferNone, "NO_PAYOUT", "", "", june(1, 0)
		}},
		"failed, with the reason of the failure alone": {`{"currentStatus":"FAILED","statusHistory":[{"status":"STARTED","lastUpdatedDate":"2024-06-01T00:00:00Z","failureReason":"no"},{"status":"FAILED","lastUpdatedDate":"2024-06-03T12:00:00Z","failureReason":"Insufficient funds"},{"status":"IN_TRANSIT","lastUpdatedDate":"2024-06-02T12:00:00Z","failureReason":"no"}]}`, func(x *marketplace.Transfer) {
			x.Status, x.Word, x.ChangedAt, x.Reason = marketplace.TransferFailed, "FAILED", june(3, 12), "Insufficient funds"
		}},
		"a history in any order": {`{"statusHistory":[{"status":"PAID","lastUpdatedDate":"2024-06-02T12:00:00Z"},{"status":"IN_TRANSIT","lastUpdatedDate":"2024-06-01T06:00:00Z"}]}`, func(*marketplace.Transfer) {}},
		"a history behind the status": {`{"statusHistory":[{"status":"STARTED","lastUpdatedDate":"2024-06-01T00:00:00Z"},{"status":"IN_TRANSIT","lastUpdatedDate":"2024-06-01T06:00:00Z","failureReason":"no"}]}`, func(x *marketplace.Transfer) {
			x.ChangedAt = june(1, 6)
		}},
		"no history and no period": {`{"statusHistory":null,"period":null}`, func(x *marketplace.Transfer) {
			x.ChangedAt, x.Start, x.End = june(1, 0), time.Time{}, time.Time{}
		}},
		"no time of creation":       {`{"creationDate":null}`, func(*marketplace.Transfer) {}},
		"no settlement named":       {`{"relatedIdentifiers":null}`, func(x *marketplace.Transfer) { x.Statement = "" }},
		"one object, no array":      {`{"relatedIdentifiers":{"relatedIdentifierName":"SettlementId","relatedIdentifierValue":"7"}}`, func(x *marketplace.Transfer) { x.Statement = "7" }},
		"the same settlement twice": {`{"relatedIdentifiers":[{"relatedIdentifierName":"SETTLEMENT_ID","relatedIdentifierValue":"7"},{"relatedIdentifierName":"SETTLEMENT_ID","relatedIdentifierValue":"7"}]}`, func(x *marketplace.Transfer) { x.Statement = "7" }},
		"two settlements":           {`{"relatedIdentifiers":[{"relatedIdentifierName":"SETTLEMENT_ID","relatedIdentifierValue":"7"},{"relatedIdentifierName":"SETTLEMENT_ID","relatedIdentifierValue":"8"},{"relatedIdentifierName":"SETTLEMENT_ID","relatedIdentifierValue":"7"}]}`, func(x *marketplace.Transfer) { x.Statement = "" }},
		"yen":                       {`{"amount":{"currencyCode":"JPY","currencyAmount":19940}}`, func(x *marketplace.Transfer) { x.Amount = money.New(19940, "JPY") }},
		"more digits than a float holds": {`{"amount":{"currencyCode":"USD","currencyAmount":90071992547409.93}}`, func(x *marketplace.Transfer) {
			x.Amount = money.New(9007199254740993, "USD")
		}},
		"an exponent": {`{"amount":{"currencyCode":"usd","currencyAmount":1.25075E+3}}`, func(*marketplace.Transfer) {}},
	} {
		want := sandboxTransfer
		c.want(&want)
		require.Equal(t, want, transferOf(t, c.patch), name)
	}
}

// A payout that cannot be read does not hold up the others; another site's is left out.
func TestPayoutsThatAreLeftOut(t *testing.T) {
	t.Parallel()
	var all []string
	for _, patch := range []string{`{"id":""}`, `{"amount":{"currencyAmount":"much"}}`, `{"amount":{"currencyAmount":1.001}}`, `{"amount":{"currencyCode":"dollars"}}`,
		`{"creationDate":"yesterday"}`, `{"amount":{"currencyAmount":1e400}}`, `{"partnerMetadata":{"marketplaceId":"A1PA6795UKMFR9"}}`, `{}`,
		`{"id":"2","partnerMetadata":null}`} {
		all = append(all, string(edit(t, sandboxPayout, patch)))
	}
	a := cannedAdapter(t, payoutsOf(append(all, `"x"`, "null", "7")...))
	a.cfg.Sites = []string{usSite}
	p, err := a.Transfers(t.Context(), marketplace.Cursor{Since: june(1, 0)})
	require.NoError(t, err)
	require.Len(t, p.Transfers, 2)
	require.Equal(t, sandboxTransfer, p.Transfers[0])
	require.Equal(t, "2", p.Transfers[1].ID)

	for _, body := range []string{"x", `{"payouts":"x"}`, `{"nextToken":7}`} {
		_, err = cannedAdapter(t, &canned{status: 200, body: body}).Transfers(t.Context(), marketplace.Cursor{Since: june(1, 0)})
		require.True(t, fault.Is(err, fault.Temporary), "%s: %v", body, err)
	}
	p, err = cannedAdapter(t, &canned{status: 200, body: `{"payouts":null}`}).Transfers(t.Context(), marketplace.Cursor{Since: june(1, 0)})
	require.NoError(t, err)
	require.Empty(t, p.Transfers)
}

// A further page takes the arguments of the first; empty pages go on; what a finished listing
// hands on reaches back 45 days, and never before where it began.
func TestTheListOfPayoutsGoesOnAndReachesBack(t *testing.T) {
	t.Parallel()
	c := payoutsOf()
	c.body = `{"payouts":[],"nextToken":"t1"}`
	a := cannedAdapter(t, c)
	since := start.AddDate(0, -6, 0)
	p, err := a.Transfers(t.Context(), marketplace.Cursor{Since: since})
	require.NoError(t, err)
	require.True(t, p.More, "an empty page is not the last")
	require.Empty(t, p.Transfers)
	first, _ := url.ParseQuery(c.query)
	require.Equal(t, url.Values{"createdAfter": {stamp(since)}}, first, "of all sites at once")
	c.body = `{"payouts":[` + sandboxPayout + `]}`
	p, err = a.Transfers(t.Context(), p.Next)
	require.NoError(t, err)
	require.False(t, p.More)
	second, _ := url.ParseQuery(c.query)
	require.Equal(t, url.Values{"createdAfter": {stamp(since)}, "nextToken": {"t1"}}, second)
	require.Equal(t, marketplace.Cursor{Since: start.Add(-45 * 24 * time.Hour)}, p.Next)

	again, err := a.Transfers(t.Context(), p.Next)
	require.NoError(t, err)
	require.Equal(t, p.Next, again.Next, "it stands still while the time does")
	young, err := a.Transfers(t.Context(), marketplace.Cursor{Since: start.Add(-time.Hour)})
	require.NoError(t, err)
	require.Equal(t, marketplace.Cursor{Since: start.Add(-time.Hour)}, young.Next)
	_, err = a.Transfers(t.Context(), marketplace.Cursor{})
	require.NoError(t, err)
	require.Empty(t, c.query, "without a beginning, from the beginning")
	for _, bad := range []string{"x", "{}", `{"token":"t"}`, `{"begun":"2026-11-20T15:00:00Z"}`} {
		_, err = a.Transfers(t.Context(), marketplace.Cursor{Since: start, Token: bad})
		require.True(t, fault.Is(err, fault.Refused), "%v", err)
	}
}

// Tokens that end or go round in a circle break a listing off: the next begins anew.
func TestTokensOfPayoutsThatEndOrRepeat(t *testing.T) {
	t.Parallel()
	since := marketplace.Cursor{Since: start.AddDate(0, -6, 0)}
	c := payoutsOf()
	a, at := cannedAdapter(t, c), since
	for _, token := range []string{"a", "b", "c"} {
		c.body = `{"payouts":[],"nextToken":"` + token + `"}`
		p, err := a.Transfers(t.Context(), at)
		require.NoError(t, err)
		require.True(t, p.More, token)
		at = p.Next
	}
	c.body = `{"payouts":[],"nextToken":"a"}`
	p, err := a.Transfers(t.Context(), at)
	require.NoError(t, err)
	require.False(t, p.More)
	require.Equal(t, since, p.Next, "the watermark stays")

	c.status, c.body = 400, `{"errors":[{"code":"InvalidInput","message":"token"}]}`
	p, err = a.Transfers(t.Context(), at)
	require.NoError(t, err, "a token that has ended begins the listing anew")
	require.Equal(t, marketplace.TransferPage{Next: since}, p)
	_, err = a.Transfers(t.Context(), since)
	require.True(t, fault.Is(err, fault.Refused), "%v", err)
	c.status = 403
	_, err = a.Transfers(t.Context(), at)
	require.True(t, fault.Is(err, fault.Denied), "a missing role is no ended token: %v", err)
}

// Calls keep Amazon's pace by themselves: none of them is refused.
func TestPayoutsAreListedAtAmazonsPace(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{})
	for range 30 {
		_, err := r.Transfers(t.Context(), marketplace.Cursor{Since: start.Add(-time.Hour)})
		require.NoError(t, err)
	}
	require.GreaterOrEqual(t, r.now().Sub(start), 38*time.Second)
}

// Through throttling, lost answers and empty pages every transfer is seen until its end.
func TestTransfersThroughTrouble(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{EmptyPages: true, TransferPage: 1})
	fates := map[string]amazonfake.TransferFate{}
	for _, f := range []amazonfake.TransferFate{amazonfake.ArrivesWell, amazonfake.BankRefuses, amazonfake.CalledOff, amazonfake.ArrivesWell} {
		x, _ := r.fake.SettleAs(amazonfake.Settlement{Fate: f}, amazonfake.Other("Previous Reserve Amount Balance", "61.56"))
		fates[x.ID] = f
		r.pass(time.Hour)
	}
	nothing, _ := r.fake.SettleAs(amazonfake.Settlement{}, amazonfake.Other("Subscription Fee", "-39.99"))
	r.fake.SetFaults(amazonfake.Faults{Throttle: 0.2, Unavailable: 0.2, Lost: 0.2})
	at, seen, last := marketplace.Cursor{Since: start.Add(-time.Minute)}, map[string]string{}, map[string]marketplace.Transfer{}
	for end := r.now().Add(4 * 24 * time.Hour); r.now().Before(end); {
		p, err := r.Transfers(t.Context(), at)
		if err != nil {
			require.True(t, fault.Is(err, fault.Temporary), "%v", err)
			r.pass(max(fault.After(err), time.Second))
			continue
		}
		for _, x := range p.Transfers {
			if last[x.Statement].Word != x.Word {
				seen[x.Statement] += " " + x.Word
			}
			last[x.Statement] = x
		}
		if at = p.Next; !p.More {
			r.pass(2 * time.Hour)
		}
	}
	words := map[amazonfake.TransferFate]string{amazonfake.ArrivesWell: " STARTED IN_TRANSIT PAID", amazonfake.BankRefuses: " STARTED IN_TRANSIT FAILED",
		amazonfake.CalledOff: " STARTED CANCELLED"}
	for id, f := range fates {
		require.True(t, strings.HasSuffix(words[f], seen[id]) && strings.HasSuffix(seen[id], words[f][strings.LastIndex(words[f], " "):]), "%s: %s", f, seen[id])
		require.Equal(t, usd(6156), last[id].Amount)
	}
	require.Equal(t, marketplace.TransferNone, last[nothing.ID].Status)
	require.Equal(t, money.Money{}, last[nothing.ID].Amount)
	require.Zero(t, r.fake.Calls()["initiatePayout"])
}

// A settlement's report and its transfer name one number and one amount. A difference of a cent is
// a difference.
func TestATransferHeldAgainstItsSettlement(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{Scale: -1})
	r.fake.Publish(amazonfake.Settlement{ID: "11888387941", Total: "1250.75"})
	page, err := r.Statements(t.Context(), marketplace.Cursor{Since: start.Add(-time.Hour)})
	require.NoError(t, err)
	in, err := r.OpenStatement(t.Context(), page.Statements[0].ID)
	require.NoError(t, err)
	defer in.Close()
	var head marketplace.Statement
	require.NoError(t, r.StatementFormats()[0].ReadStatement(in, func(s marketplace.Statement) error { head = s; return nil }, func(marketplace.Movement) error { return nil }))
	r.pass(3 * 24 * time.Hour)
	p, err := r.Transfers(t.Context(), marketplace.Cursor{Since: start.Add(-time.Hour)})
	require.NoError(t, err)
	paid := p.Transfers[0]
	require.Equal(t, marketplace.TransferPaid, paid.Status)
	require.Equal(t, head.ID, paid.Statement)
	require.Equal(t, head.Paid, paid.Amount)
	require.NotEqual(t, head.Paid, transferOf(t, `{"amount":{"currencyAmount":1250.76}}`).Amount)
}

func TestListPayoutsVectors(t *testing.T) {
	t.Parallel()
	models := official.Load(t)
	seen := 0
	for _, v := range models[opListPayouts].Vectors() {
		c := &canned{status: v.Status, body: string(v.Response)}
		p, err := cannedAdapter(t, c).Transfers(t.Context(), marketplace.Cursor{Since: june(1, 0)})
		if v.Status != 200 {
			require.True(t, fault.Is(err, fault.Refused), "%v", err)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, []marketplace.Transfer{sandboxTransfer}, p.Transfers)
		require.True(t, p.More)
		require.JSONEq(t, string(v.Response), `{"payouts":[`+sandboxPayout+`],"nextToken":"eyJhbGciOiJIUzI1NiJ9"}`)
		seen++
	}
	require.Equal(t, 1, seen)
}

// The path that lists payouts begins one when it is called by POST. Nothing in the adapter calls
// anything of Amazon's finances but by GET, whatever the operation.
func TestNothingOfFinancesIsEverWritten(t *testing.T) {
	t.Parallel()
	paths := map[string]bool{}
	requests := 0
	for _, file := range sources(t) {
		ast.Inspect(file, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == 1 && text(v.Values[0], "/finances/") {
				paths[v.Names[0].Name] = true
			}
			return true
		})
	}
	require.Len(t, paths, 2, "the transactions and the payouts")
	for _, file := range sources(t) {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, isConst := n.(*ast.ValueSpec)
			if isConst && paths[spec.Names[0].Name] {
				return false
			}
			if e, ok := n.(ast.Expr); ok {
				require.False(t, text(e, "/finances/"), "a path stands in a constant")
			}
			lit, ok := n.(*ast.CompositeLit)
			if !ok || !isName(lit.Type, "request") {
				return true
			}
			method, path := field(lit, "method"), field(lit, "path")
			if id, plain := path.(*ast.Ident); plain && paths[id.Name] {
				sel, ok := method.(*ast.SelectorExpr)
				require.True(t, ok && sel.Sel.Name == "MethodGet", "%s is read only", id.Name)
				requests++
			}
			return true
		})
	}
	require.Equal(t, 2, requests)

	r := newRig(t, amazonfake.Options{Scale: -1})
	_, err := r.Transfers(t.Context(), marketplace.Cursor{Since: start.Add(-time.Hour)})
	require.NoError(t, err)
	for _, q := range r.sent {
		require.Equal(t, http.MethodGet, q.Method)
	}
	require.Zero(t, r.fake.Calls()["initiatePayout"])
}

// sources are the files of this package that are no tests.
func sources(t *testing.T) (all []*ast.File) {
	t.Helper()
	names, err := fs.Glob(os.DirFS("."), "*.go")
	require.NoError(t, err)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		all = append(all, f)
	}
	require.NotEmpty(t, all)
	return all
}

func text(e ast.Expr, part string) bool {
	lit, ok := e.(*ast.BasicLit)
	return ok && lit.Kind == token.STRING && strings.Contains(lit.Value, part)
}

func isName(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

func field(lit *ast.CompositeLit, name string) ast.Expr {
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok && isName(kv.Key, name) {
			return kv.Value
		}
	}
	return nil
}

// Whatever Amazon answers: no panic, every transfer has a number, and reading twice says the same.
func FuzzPayouts(f *testing.F) {
	f.Add([]byte(`{"payouts":[` + sandboxPayout + `],"nextToken":"n"}`))
	for _, s := range []string{`{"payouts":[{"id":"1","amount":{"currencyCode":"KWD","currencyAmount":-1.5e0},"statusHistory":{"status":"PAID"}}]}`,
		`{"payouts":{"payouts":[null,7]}}`, `{"payouts":[{"id":"1","relatedIdentifiers":[{}],"period":{}}]}`, "null", "[]"} {
		f.Add([]byte(s))
	}
	a := cannedAdapter(f, &canned{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		read := func() []marketplace.Transfer {
			var body payoutsAnswer
			if json.Unmarshal(raw, &body) != nil {
				return nil
			}
			all, bad := a.readPayouts(body.Payouts)
			require.Equal(t, len(body.Payouts), len(all)+len(bad), "nothing is dropped in silence")
			return all
		}
		first := read()
		for _, x := range first {
			require.NotEmpty(t, x.ID)
			require.NotEmpty(t, x.Status)
			require.False(t, x.ChangedAt.IsZero() && !x.CreatedAt.IsZero())
			require.True(t, x.Amount == (money.Money{}) || money.ValidCode(x.Amount.Currency))
		}
		require.Equal(t, first, read())
	})
}
