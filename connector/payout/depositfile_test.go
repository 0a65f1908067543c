package payout

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

func TestABanksFileIsReadWholeOrNotAtAll(t *testing.T) {
	vnd := func(n int64) money.Money { return money.New(n, "VND") }
	want := []Deposit{{Day: "2026-11-12", Amount: vnd(590850), BankRef: "FT1", Payout: "ST-77", Origin: DepositBank}, {Day: "2026-11-13", Amount: vnd(5), Origin: DepositBank, Note: "đã nhận"}}
	for name, text := range map[string]string{
		"commas":                     "value_date,amount,currency,bank_reference,payout,note\n2026-11-12,590850,VND,FT1,ST-77,\n2026-11-13,5,vnd,,,đã nhận\n",
		"semicolons, another order":  "\ufeffcurrency;Date;amount;note;payout;reference\r\nVND;2026-11-12;590850;;ST-77;FT1\r\nVND;2026-11-13;5;đã nhận;;\r\n",
		"tabs and columns of no use": "date\tbalance\tamount\tcurrency\treference\tpayout\tnote\n2026-11-12\t9\t590850\tVND\tFT1\tST-77\t\n2026-11-13\t9\t5\tVND\t\t\tđã nhận\n",
	} {
		got, err := ReadDeposits(strings.NewReader(text))
		require.NoError(t, err, name)
		require.Equal(t, want, got, name)
	}
	for text, why := range map[string]string{
		"":                                     "no headings",
		"date,amount\n2026-11-12,1\n":          "no column currency",
		"date,amount,currency\n2026-11-12,1\n": "row 2",
		"date,amount,currency\n2026-11-12,\"1,5\",VND\n":              "amount",
		"date,amount,currency\n2026-11-12,1.5,VND\n":                  "decimals",
		"date,amount,currency\n12.11.2026,1,VND\n":                    "value_date",
		"date,amount,currency\n2026-11-12,0,VND\n":                    "not zero",
		"date,amount,currency\n2026-11-12,99999999999999999999,VND\n": "too large",
	} {
		got, err := ReadDeposits(strings.NewReader(text))
		require.ErrorContains(t, err, why, text)
		require.Empty(t, got)
	}
	_, err := ReadDeposits(strings.NewReader("date,amount,currency\n2026-11-11,1,VND\n2026-11-12,x,VND\n"))
	bad := new(marketplace.RowError)
	require.ErrorAs(t, err, &bad)
	require.Equal(t, []any{3, "amount", "x"}, []any{bad.Row, bad.Column, bad.Value})
}

// Files of a bank overlap: what was in an earlier one is not entered again, and two equal deposits of
// one day are two.
func TestABanksFilesMayOverlap(t *testing.T) {
	o := newOffice(t)
	enter := func(text string) {
		all, err := ReadDeposits(strings.NewReader("date,amount,currency,reference\n" + text))
		require.NoError(t, err)
		for i, key := range KeysOf(all) {
			_, err := o.desk.Deposit(t.Context(), shopee, all[i], key, By{Name: "anna"})
			require.NoError(t, err)
		}
	}
	enter("2026-11-12,7,VND,\n2026-11-12,7,VND,\n2026-11-12,590850,VND,FT1\n")
	enter("2026-11-12,7,VND,\n2026-11-12,590850,VND,FT1\n2026-11-13,7,VND,\n")
	all, err := o.desk.Deposits(t.Context(), shopee)
	require.NoError(t, err)
	require.Len(t, all, 4)
	require.Equal(t, DepositBank, all[0].Origin)
}

func FuzzReadDeposits(f *testing.F) {
	f.Add("value_date,amount,currency\n2026-11-12,590850,VND\n")
	f.Add("\ufeffdate;amount;currency\n2026-11-12;1.50;USD\n")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := ReadDeposits(strings.NewReader(text))
		if err != nil {
			require.Empty(t, all)
		}
		for _, d := range all {
			require.NoError(t, d.check())
		}
		require.Len(t, KeysOf(all), len(all))
	})
}
