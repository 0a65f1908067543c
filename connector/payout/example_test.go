package payout

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/memstore"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

var update = flag.Bool("update", false, "rewrite golden files")

// golden compares with a file under testdata, byte for byte.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

var shopee = Account{ID: "shopee-vn", Zone: "Asia/Ho_Chi_Minh", Terms: Terms{Wait: 7 * 24 * time.Hour, Every: 24 * time.Hour}}

// put writes a payout with these lines, whose amounts come to paid unless it is given.
func put(t *testing.T, store connector.Payouts, external string, at time.Time, paid *int64, lines ...Line) connector.Payout {
	t.Helper()
	return issue(t, store, at, connector.Payout{External: external, State: connector.PayoutPaid, PaidAt: day.Add(10 * 24 * time.Hour)}, paid, lines)
}

// issue writes a payout of the example's account.
func issue(t *testing.T, store connector.Payouts, at time.Time, p connector.Payout, paid *int64, lines []Line) connector.Payout {
	t.Helper()
	var sum int64
	for _, l := range lines {
		sum += l.Amount.Minor
	}
	if paid == nil {
		paid = &sum
	}
	vnd := func(n int64) money.Money { return money.New(n, "VND") }
	p.Account, p.Currency, p.Opening, p.Closing, p.Paid = shopee.ID, "VND", vnd(0), vnd(0), vnd(*paid)
	p, _, err := store.ImportPayout(context.Background(), func() time.Time { return at }, func(head func(connector.Payout) error, line func(connector.PayoutLine) error) error {
		if err := head(p); err != nil {
			return err
		}
		for _, l := range lines {
			l.PayoutLine.Key = keyOf(l.PayoutLine)
			if err := line(l.PayoutLine); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, err)
	return p
}

func know(t *testing.T, store connector.Payouts, at time.Time, facts ...*Facts) {
	t.Helper()
	for _, f := range facts {
		_, err := store.KeepFacts(context.Background(), []connector.PayoutFacts{{Account: shopee.ID, Order: f.Order, Store: f.Store, KnownAt: at, Body: f.Encode()}})
		require.NoError(t, err)
	}
}

func price(t *testing.T, store connector.Payouts, at time.Time, tariffs ...Tariff) {
	t.Helper()
	for _, x := range tariffs {
		require.NoError(t, x.Check())
		body, err := x.Encode()
		require.NoError(t, err)
		_, err = store.KeepTariff(context.Background(), connector.Tariff{Account: shopee.ID, Key: x.Key, KnownAt: at, Author: "anna", Body: body})
		require.NoError(t, err)
	}
}

// example is the worked example: A as expected, B with a commission that is too high, C that the
// store has never seen, D that was not paid, advertising and a reserve.
func example(t *testing.T, store connector.Payouts) {
	price(t, store, day, vnTariffs()...)
	know(t, store, day.Add(time.Hour), sold("A", 500000, voucher(20000)), sold("B", 200000), sold("D", 100000))
	lines := came("A", marketplace.Principal, 500000, marketplace.SellerDiscount, -20000, marketplace.Commission, -19200, marketplace.PaymentFee, -24000,
		marketplace.WithheldVAT, -4800, marketplace.WithheldIncome, -2400)
	lines = append(lines, full("B", 200000, 10000)...)
	lines = append(lines, full("C", 150000, 6000)...)
	lines = append(lines, came("", marketplace.Advertising, -50000, marketplace.ReserveHold, -100000)...)
	put(t, store, "ST-77", day.Add(11*24*time.Hour), nil, lines...)
}

// indented is a value as golden files show it.
func indented(t *testing.T, v any) []byte {
	b, err := json.MarshalIndent(v, "", "  ")
	require.NoError(t, err)
	return append(b, '\n')
}

func TestTheWorkedExample(t *testing.T) {
	store := memstore.New()
	example(t, store)
	r, err := Make(context.Background(), Keep{Payouts: store}, []Account{shopee}, Query{}, day.Add(20*24*time.Hour))
	require.NoError(t, err)
	require.Len(t, r.Summary, 1)
	s := r.Summary[0]
	require.EqualValues(t, 608600, s.Expected, "of A and B")
	require.EqualValues(t, -2000, s.Variances[CauseCommission])
	require.EqualValues(t, 134250, s.NotInStore)
	require.EqualValues(t, -50000, s.NonOrder[marketplace.Advertising])
	require.EqualValues(t, -100000, s.Reserve)
	require.EqualValues(t, 590850, s.Paid)
	require.Zero(t, s.Gap)
	open := all(t, r.Unsettled)
	require.Len(t, open, 1)
	require.Equal(t, "D", open[0].Ref)
	require.EqualValues(t, 89500, open[0].Expected)

	var rows []OrderJSON
	for _, o := range all(t, r.Orders) {
		rows = append(rows, o.JSON())
	}
	golden(t, "example.json", indented(t, map[string]any{"snapshot": r.Snapshot, "summary": r.Summary[0].JSON(), "orders": rows}))
	for name, table := range map[string]Table{"orders": whole(t, r, "order"), "unsettled": whole(t, r, "unsettled"), "lines": whole(t, r, "line"), "payouts": whole(t, r, "payout"), "summary": whole(t, r, "summary")} {
		var b bytes.Buffer
		require.NoError(t, table.WriteCSV(&b, CSVOptions{}))
		golden(t, "example-"+name+".csv", b.Bytes())
	}
}
