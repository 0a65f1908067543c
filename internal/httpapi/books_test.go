package httpapi

import (
	"context"
	"encoding/csv"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/payout"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// books is a Payouts over the rig's store with two accounts.
type books struct {
	store    connector.Store
	clock    connector.Clock
	accounts []payout.Account
	made     int // reports
}

func newBooks(store connector.Store, clock connector.Clock) *books {
	terms := payout.Terms{Wait: 7 * 24 * time.Hour, Every: 24 * time.Hour}
	return &books{store: store, clock: clock, accounts: []payout.Account{{ID: "am", Zone: "Asia/Ho_Chi_Minh", Terms: terms}, {ID: "eb", Zone: "Asia/Ho_Chi_Minh", Terms: terms}}}
}

func (b *books) Accounts() []payout.Account { return b.accounts }
func (b *books) Store() connector.Payouts   { return b.store }
func (b *books) Desk() payout.Desk {
	return payout.Desk{Keep: payout.Keep{Payouts: b.store}, Clock: b.clock}
}

func (b *books) Report(ctx context.Context, ids []connector.ConnectionID, q payout.Query) (*payout.Report, error) {
	b.made++
	var chosen []payout.Account
	for _, id := range ids {
		for _, a := range b.accounts {
			if a.ID == id {
				chosen = append(chosen, a)
			}
		}
	}
	return payout.Make(ctx, b.Desk().Keep, chosen, q, b.clock())
}

func (b *books) Import(ctx context.Context, f payout.File) (payout.Imported, error) {
	i := payout.Importer{Store: b.store, Clock: b.clock, Formats: func(connector.ConnectionID) []marketplace.StatementFormat {
		return []marketplace.StatementFormat{slips{}}
	}}
	return i.Import(ctx, f)
}

// slips is a form of payout files: a head of number, currency, instant and amount paid, then
// lines of order, category, amount and the channel's own words.
type slips struct{}

func (slips) Name() string             { return "slips" }
func (slips) Detects(head []byte) bool { return strings.HasPrefix(string(head), "payout,") }

func (slips) ReadStatement(r io.Reader, head func(marketplace.Statement) error, line func(marketplace.Movement) error) error {
	in := csv.NewReader(r)
	in.FieldsPerRecord = -1
	currency := ""
	for row := 1; ; row++ {
		f, err := in.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return marketplace.BadRow(row, "", "", "is no CSV")
		}
		at := 2
		if row == 1 {
			at, currency = 4, f[2]
		}
		m, err := money.Parse(f[at], currency)
		switch {
		case err != nil:
			return marketplace.BadRow(row, "amount", f[at], "is no amount")
		case row == 1:
			paidAt, _ := time.Parse(time.RFC3339, f[3])
			err = head(marketplace.Statement{ID: f[1], Currency: currency, State: marketplace.StatementPaid, PaidAt: paidAt,
				Opening: money.New(0, currency), Closing: money.New(0, currency), Paid: m})
		default:
			err = line(marketplace.Movement{Order: marketplace.OrderID(f[0]), Category: marketplace.Category(f[1]), Amount: m, NativeText: f[3], Row: row})
		}
		if err != nil {
			return err
		}
	}
}

// slip writes such a file of one instant: lines of order, category, amount by turns.
func slip(number string, paidAt time.Time, lines ...any) string {
	var sum int64
	var b strings.Builder
	for i := 0; i < len(lines); i += 3 {
		sum += int64(lines[i+2].(int))
		b.WriteString(lines[i].(string) + "," + lines[i+1].(string) + "," + strconv.Itoa(lines[i+2].(int)) + ",as it came\n")
	}
	return "payout," + number + ",VND," + paidAt.Format(time.RFC3339) + "," + strconv.FormatInt(sum, 10) + "\n" + b.String()
}

// imports uploads a file for an account.
func (r *rig) imports(account, file string) answer {
	r.Helper()
	return r.upload("/payouts:import?name=slip.csv&account="+account, strings.NewReader(file))
}

func (r *rig) upload(path string, body io.Reader) answer {
	r.Helper()
	req := request(http.MethodPost, path, r.token, "")
	req.Body = io.NopCloser(body)
	return r.send(req)
}

// knows puts what is known of orders into the books.
func (r *rig) knows(account string, facts ...payout.Facts) {
	r.Helper()
	for _, f := range facts {
		_, err := r.store.KeepFacts(r.Context(), []connector.PayoutFacts{{Account: connector.ConnectionID(account), Order: f.Order, Store: f.Store, KnownAt: r.clock(), Body: f.Encode()}})
		require.NoError(r, err)
	}
}

// sold is an order of one item in the store.
func sold(id string, price int64) payout.Facts {
	return payout.Facts{Order: id, Store: "gid-" + id, Name: "#" + id, Currency: "VND", PlacedAt: noon.Add(-20 * 24 * time.Hour), ShippedAt: noon.Add(-19 * 24 * time.Hour),
		Items: []payout.Item{{ID: id + "-1", SKU: "TEA", Units: 1, Parts: []payout.Part{{Category: marketplace.Principal, Amount: price}}}}}
}

// reportBody is a page of a report as a program reads it.
type reportBody struct {
	Snapshot   string `json:"snapshot_id"`
	At         time.Time
	AsOf       time.Time `json:"as_of"`
	Parameters map[string]any
	Summary    []payout.SummaryJSON
	Rows       []map[string]any
	Next       string `json:"next_cursor"`
}

const reportOf = "/reports/payout-reconciliation?"

func (r *rig) report(query string) (b reportBody) {
	r.Helper()
	r.get(reportOf + query).is(http.StatusOK).into(&b)
	return b
}

// row finds the row of an order.
func (b reportBody) row(t require.TestingT, order string) map[string]any {
	for _, x := range b.Rows {
		if x["channel_order_id"] == order {
			return x
		}
	}
	require.Fail(t, "no such row", order)
	return nil
}
