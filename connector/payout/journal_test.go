package payout

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/memstore"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// journalOf is the journal of everything a store holds.
func journalOf(t *testing.T, store connector.Payouts) []Entry {
	t.Helper()
	r, err := Make(context.Background(), Keep{Payouts: store}, []Account{shopee}, Query{}, day.Add(60*24*time.Hour))
	require.NoError(t, err)
	entries, err := Journal(context.Background(), store, r)
	require.NoError(t, err)
	return entries
}

// balances adds postings up by account.
func balances(entries []Entry) map[string]int64 {
	out := map[string]int64{}
	for _, e := range entries {
		for _, p := range e.Postings {
			if out[p.Account] += p.Amount.Minor; out[p.Account] == 0 {
				delete(out, p.Account)
			}
		}
	}
	return out
}

// read lets a public program read a text journal, and returns what it says of all accounts.
func read(t *testing.T, text string) string {
	t.Helper()
	path, err := exec.LookPath("ledger")
	if err != nil {
		t.Skip("NOT TESTED: whether a public ledger program accepts the journal. It needs Debian's package ledger")
	}
	cmd := exec.Command(path, "-f", "-", "--pedantic", "--no-color", "balance", "--flat")
	cmd.Stdin = strings.NewReader("commodity VND\n" + declared(text) + text)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// declared names all accounts of a journal, as a pedantic reader wants it.
func declared(text string) string {
	out := ""
	for line := range strings.Lines(text) {
		if name := strings.Fields(line); strings.HasPrefix(line, "    ") && len(name) > 0 && !strings.Contains(out, "account "+name[0]+"\n") {
			out += "account " + name[0] + "\n"
		}
	}
	return out
}

func TestAPayoutsJournalEndsAtTheBank(t *testing.T) {
	store := memstore.New()
	example(t, store)
	entries := journalOf(t, store)
	require.Equal(t, map[string]int64{"Assets:Bank": 590850, "Assets:Reserve": 100000, "Assets:TaxWithheld": 12450, "Expenses:Advertising": 50000,
		"Expenses:Fees:Commission": 35200, "Expenses:Fees:Payment": 41500, "Income:Discounts": 20000, "Income:Sales": -850000}, balances(entries))
	var b bytes.Buffer
	require.NoError(t, WriteLedger(&b, entries))
	golden(t, "example-journal.ledger", b.Bytes())
	text := b.String()
	t.Run("a_public_program_reads_it", func(t *testing.T) { require.Contains(t, read(t, text), "590850 VND  Assets:Bank") })
	b.Reset()
	require.NoError(t, JournalTable(entries).WriteCSV(&b, CSVOptions{}))
	golden(t, "example-journal.csv", b.Bytes())
}

func TestAPayoutAcrossAMonthEndHasAPartForEachMonth(t *testing.T) {
	vnd := func(n int64) money.Money { return money.New(n, "VND") }
	paid := time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)
	p := connector.Payout{Account: "shop", External: "7", Revision: 1, Currency: "VND", PaidAt: paid, Paid: vnd(900), Sum: vnd(900)}
	line := func(at time.Time, c marketplace.Category, n int64) connector.PayoutLine {
		return connector.PayoutLine{Category: string(c), Amount: vnd(n), PostedAt: at}
	}
	october := time.Date(2026, 10, 31, 16, 59, 0, 0, time.UTC) // a minute before November in Saigon
	lines := func(yield func(connector.PayoutLine) error) error {
		return errors.Join(yield(line(october, marketplace.Principal, 1000)), yield(line(october.Add(2*time.Minute), marketplace.Commission, -100)))
	}
	entries, err := EntriesOf(p, lines, "Asia/Ho_Chi_Minh", DefaultChart())
	require.NoError(t, err)
	require.Len(t, entries, 2)
	require.Equal(t, "shop-7-1-202610", entries[0].Number)
	require.Equal(t, "2026-10-31", entries[0].Date.Format(time.DateOnly))
	require.Equal(t, "Assets:Clearing:shop", entries[0].Postings[1].Account, "only the last part reaches the bank")
	require.Equal(t, "2026-11-03", entries[1].Date.Format(time.DateOnly))
	require.Equal(t, map[string]int64{"Assets:Bank": 900, "Income:Sales": -1000, "Expenses:Fees:Commission": 100}, balances(entries))
}

func TestWhatDidNotArriveStaysOnTheClearingAccount(t *testing.T) {
	vnd := func(n int64) money.Money { return money.New(n, "VND") }
	lines := func(yield func(connector.PayoutLine) error) error {
		return yield(connector.PayoutLine{Category: string(marketplace.Principal), Amount: vnd(900)})
	}
	for state, bank := range map[connector.PayoutState]int64{connector.PayoutPaid: 900, connector.PayoutClosed: 900, connector.PayoutFailed: 0, connector.PayoutReturned: 0} {
		p := connector.Payout{Account: "shop", External: "7", Revision: 1, Currency: "VND", State: state, PaidAt: day, Paid: vnd(900), Sum: vnd(900)}
		entries, err := EntriesOf(p, lines, "UTC", DefaultChart())
		require.NoError(t, err)
		is := balances(entries)
		require.Equal(t, bank, is["Assets:Bank"], state)
		require.Equal(t, 900-bank, is["Assets:Clearing:shop"], state)
	}
}

// One line in another currency is an outcome of its order, and no reason to export nothing.
func TestLinesInAnotherCurrencyAreAnEntryOfTheirOwn(t *testing.T) {
	store := memstore.New()
	lines := came("A", marketplace.Principal, 1000, marketplace.Commission, -100)
	put(t, store, "ST-1", day, nil, lines...)
	plain := journalOf(t, store)

	store, foreign := memstore.New(), came("A", marketplace.Principal, 500)
	foreign[0].Amount.Currency = "EUR"
	own := int64(900)
	put(t, store, "ST-1", day, &own, append(lines, foreign...)...)
	entries := journalOf(t, store)
	require.Len(t, entries, 2)
	require.Equal(t, plain[0], entries[0], "what is in the payout's currency stays as it was, its number included")
	require.Equal(t, "shopee-vn-ST-1-1-202611-EUR", entries[1].Number)
	require.Equal(t, entries[0].Date, entries[1].Date)
	require.Equal(t, []Posting{{"Income:Sales", money.New(-500, "EUR"), "principal"}, {"Assets:Clearing:shopee-vn", money.New(500, "EUR"), "owed by the channel"}}, entries[1].Postings)

	var b bytes.Buffer
	require.NoError(t, WriteLedger(&b, entries))
	require.Contains(t, read(t, "commodity EUR\n"+b.String()), "5.00 EUR  Assets:Clearing:shopee-vn")
}

func TestAPayoutIssuedAnewReversesTheEarlierEntries(t *testing.T) {
	store := memstore.New()
	put(t, store, "ST-1", day, nil, came("A", marketplace.Principal, 1000)...)
	before := journalOf(t, store)
	put(t, store, "ST-1", day.Add(20*24*time.Hour), nil, came("A", marketplace.Principal, 1200)...)
	after := journalOf(t, store)
	require.Len(t, after, 3)
	require.Equal(t, before[0], after[0], "an entry that was exported stays as it was")
	require.Equal(t, map[string]int64{"Assets:Bank": 1200, "Income:Sales": -1200}, balances(after))
	require.True(t, strings.HasSuffix(after[1].Number+after[2].Number, "-R"), "%s %s", after[1].Number, after[2].Number)
}

func TestAJournalWithoutAnAccountIsNotExported(t *testing.T) {
	store := memstore.New()
	put(t, store, "ST-1", day, nil, came("A", marketplace.Principal, 1000, marketplace.Unclassified, -5)...)
	r, err := Make(context.Background(), Keep{Payouts: store}, []Account{shopee}, Query{}, day)
	require.NoError(t, err)
	_, err = Journal(context.Background(), store, r)
	var missing *UnmappedError
	require.True(t, errors.As(err, &missing))
	require.Equal(t, []marketplace.Category{marketplace.Unclassified}, missing.Categories)
}

// What a file says is text in the journal, and nothing else: each entry stays one line and its postings.
func TestAPayoutsNumberCannotWriteIntoTheJournal(t *testing.T) {
	store := memstore.New()
	put(t, store, "X) y\n    Assets:Bank  1 VND\n    Income:Gift\n\n2026-11-12 * (Z", day, nil, came("", marketplace.Advertising, -5)...)
	var b bytes.Buffer
	require.NoError(t, WriteLedger(&b, journalOf(t, store)))
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	require.Len(t, lines, 5, b.String())
	code, _, _ := strings.Cut(lines[0], ") ")
	require.Equal(t, 1, strings.Count(code, "("), "the number ends where it ends: %s", lines[0])
	require.Contains(t, code, "Z")
}
