package amazon

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// table writes a settlement of the columns that have to be there; rows are amount and description.
func table(total, currency string, rows ...[2]string) string {
	var b strings.Builder
	b.WriteString(strings.Join(columnNames[:requiredColumns], "\t") + "\n")
	fmt.Fprintf(&b, "1\t\t\t\t%s\t%s\t\t\t\t\t\t\n", total, currency)
	for _, r := range rows {
		fmt.Fprintf(&b, "1\t\t\t\t\t\tother-transaction\t\tother-transaction\t%s\t%s\t2026-11-09 05:23:19 UTC\n", r[1], r[0])
	}
	return b.String()
}

// endless is a file of n equal rows that is never whole in memory.
type endless struct {
	head, row string
	n         int
	left      string
}

func (e *endless) Read(p []byte) (int, error) {
	if e.left == "" {
		e.left, e.head = e.head, ""
	}
	if e.left == "" && e.n > 0 {
		e.left, e.n = e.row, e.n-1
	}
	if e.left == "" {
		return 0, io.EOF
	}
	n := copy(p, e.left)
	e.left = e.left[n:]
	return n, nil
}

func TestMemoryDoesNotGrowWithASettlement(t *testing.T) {
	whole := table("1.00", "USD", [2]string{"0.01", strings.Repeat("x", 1500)})
	cut := strings.LastIndex(strings.TrimSuffix(whole, "\n"), "\n") + 1
	const rows = 20_000 // 30 MB
	var most uint64
	var n int
	var mem runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&mem)
	before := mem.HeapAlloc
	err := SettlementV2(nil).ReadStatement(&endless{head: whole[:cut], row: whole[cut:], n: rows}, func(marketplace.Statement) error { return nil },
		func(marketplace.Movement) error {
			if n++; n%5_000 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&mem)
				most = max(most, mem.HeapAlloc)
			}
			return nil
		})
	require.NoError(t, err)
	require.Equal(t, rows, n)
	require.Less(t, most, before+8<<20)
}

func TestAFieldOfTenMegabytesIsRefusedWithItsRow(t *testing.T) {
	t.Parallel()
	_, err := readSettlement(strings.NewReader(table("0", "USD", [2]string{"0", "x"}, [2]string{"0", strings.Repeat("x", 10<<20)})), nil)
	var bad *marketplace.RowError
	require.ErrorAs(t, err, &bad)
	require.Equal(t, 4, bad.Row)
	require.Less(t, len(bad.Error()), 200)
}

func TestRowsThatWaitForTheDecimalMarkAreBoundedInBytes(t *testing.T) {
	t.Parallel()
	whole := table("1.234", "KWD", [2]string{"1.234", strings.Repeat("x", 1000)})
	cut := strings.LastIndex(strings.TrimSuffix(whole, "\n"), "\n") + 1
	rows := &endless{head: whole[:cut], row: whole[cut:], n: 1_000_000}
	_, err := readSettlement(rows, nil)
	var bad *marketplace.RowError
	require.ErrorAs(t, err, &bad)
	require.Equal(t, marketplace.RowError{Row: 2, Column: "total-amount", Value: "1.234",
		Reason: "may have a decimal point or a decimal comma, and the rows that follow, 8 MiB of them, do not tell"}, *bad)
	require.Greater(t, rows.n, 980_000, "the rest was not read")
}

func TestRowsComeInTheOrderOfTheFileWhenTheMarkIsDecidedLate(t *testing.T) {
	t.Parallel()
	got, err := readSettlement(strings.NewReader(table("7.000", "KWD", [2]string{"1", "a"}, [2]string{"2.000", "b"}, [2]string{"3,00", "c"}, [2]string{"0.500", "d"})), nil)
	var bad *marketplace.RowError
	require.ErrorAs(t, err, &bad, "a point in one row and a comma in the next")
	require.Equal(t, "0.500", bad.Value)
	got, err = readSettlement(strings.NewReader(table("7.000", "KWD", [2]string{"1", "a"}, [2]string{"2.000", "b"}, [2]string{"3.500", "c"}, [2]string{"0.500", "d"})), nil)
	require.NoError(t, err)
	var text string
	for _, m := range got.lines {
		text += m.NativeText + m.Amount.Decimal() + " "
	}
	require.Equal(t, "a1.000 b2.000 c3.500 d0.500 ", text)
	require.Equal(t, money.New(7000, "KWD"), got.heads[0].Paid)
}

func TestAmountsUnderBothDecimalMarks(t *testing.T) {
	t.Parallel()
	const none = math.MinInt64
	for _, c := range []struct {
		text, currency string
		point, comma   int64
	}{
		{"0", "USD", 0, 0}, {"-0", "USD", 0, 0}, {"1000", "USD", 100000, 100000}, {"-6.75", "USD", -675, none}, {"-6,75", "USD", none, -675},
		{"1.234,56", "EUR", none, 123456}, {"1,234.56", "USD", 123456, none}, {"1.234.567", "EUR", none, 123456700}, {"1,234,567", "USD", 123456700, none},
		{"1.234", "EUR", none, 123400}, {"1,234", "EUR", 123400, none}, {"1.230", "EUR", 123, 123000}, {"0.500", "KWD", 500, none}, {"01.234", "KWD", 1234, none},
		{"1234.500", "KWD", 1234500, none}, {"12.345", "KWD", 12345, 12345000}, {"1,000", "JPY", 1000, none}, {"1.000", "JPY", none, 1000}, {"1010.0", "JPY", 1010, none},
		{"", "USD", none, none}, {"-", "USD", none, none}, {".5", "USD", none, none}, {"5.", "USD", none, none}, {"+5", "USD", none, none}, {"(5.00)", "USD", none, none},
		{"1e3", "USD", none, none}, {"1 000", "USD", none, none}, {"12,34.00", "USD", none, none}, {",123", "USD", none, none}, {"1,,234", "USD", none, none},
		{"1234,567.00", "USD", none, none}, {"--5", "USD", none, none}, {"٣", "USD", none, none}, {"92233720368547758.07", "USD", math.MaxInt64, none}, {"92233720368547758.08", "USD", none, none},
	} {
		f, err := readFigure(c.text, c.currency)
		for _, side := range []struct {
			mark reading
			want int64
			got  money.Money
		}{{point, c.point, f.withPoint}, {comma, c.comma, f.withComma}} {
			require.Equal(t, side.want != none, f.can&side.mark != 0, "%q %s with %s", c.text, c.currency, side.mark)
			if side.want != none {
				require.Equal(t, money.New(side.want, c.currency), side.got, "%q with %s", c.text, side.mark)
			}
		}
		require.Equal(t, c.point == none && c.comma == none, err != nil, "%q", c.text)
	}
}

func TestTimesWithoutZoneBelongToTheZoneGiven(t *testing.T) {
	t.Parallel()
	tokyo := time.FixedZone("", 9*3600)
	file := strings.Replace(table("1", "JPY", [2]string{"1", "x"}), " UTC", "", 1)
	got, err := readSettlement(strings.NewReader(file), tokyo)
	require.NoError(t, err)
	require.Equal(t, time.Date(2026, 11, 8, 20, 23, 19, 0, time.UTC), got.lines[0].PostedAt)
	_, err = readSettlement(strings.NewReader(file), nil)
	require.ErrorContains(t, err, "has no time zone")
}

func TestErrorsOfTheCallerAndOfTheFileItselfAreReturnedAsTheyAre(t *testing.T) {
	t.Parallel()
	stop := errors.New("enough")
	file := table("1.00", "USD", [2]string{"1.00", "x"})
	fine := func(marketplace.Statement) error { return nil }
	require.Equal(t, stop, SettlementV2(nil).ReadStatement(strings.NewReader(file), func(marketplace.Statement) error { return stop }, nil))
	require.Equal(t, stop, SettlementV2(nil).ReadStatement(strings.NewReader(file), fine, func(marketplace.Movement) error { return stop }))
	broken := io.MultiReader(strings.NewReader(file[:len(file)-8]), errReader{io.ErrUnexpectedEOF})
	require.Equal(t, io.ErrUnexpectedEOF, SettlementV2(nil).ReadStatement(broken, fine, func(marketplace.Movement) error { return nil }))
	require.Equal(t, "amazon-settlement-v2", SettlementV2(nil).Name())
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

func TestEveryCategoryOfTheTablesIsKnown(t *testing.T) {
	t.Parallel()
	for what, parts := range saleParts {
		for text, p := range parts {
			require.True(t, p.sale.Known() && p.refund.Known(), "%s/%s", what, text)
			require.Equal(t, plainName(text), text)
			require.LessOrEqual(t, len(text), longestStem+1)
		}
	}
	for name, c := range otherRows {
		require.True(t, c.Known(), name)
		require.Equal(t, plainName(name), name)
		require.LessOrEqual(t, len(name), longestStem+1)
	}
}

// A settlement is refused with its row, or read whole: one head before all rows, rows in order,
// amounts in its currency, times in UTC, categories of the list.
func FuzzSettlement(f *testing.F) {
	files, err := filepath.Glob("testdata/settlements/*.txt")
	require.NoError(f, err)
	for _, name := range files {
		raw, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		heads, last := 0, 0
		var of marketplace.Statement
		err := SettlementV2(time.UTC).ReadStatement(bytes.NewReader(raw), func(st marketplace.Statement) error {
			heads, of = heads+1, st
			require.NotEmpty(t, st.ID)
			require.Equal(t, st.Currency, st.Paid.Currency)
			require.Equal(t, st.State == marketplace.StatementPaid, !st.PaidAt.IsZero())
			return nil
		}, func(m marketplace.Movement) error {
			require.Equal(t, 1, heads)
			require.Greater(t, m.Row, last)
			last = m.Row
			require.Equal(t, of.Currency, m.Amount.Currency)
			require.True(t, m.Category.Known())
			require.Empty(t, m.Key)
			require.True(t, m.Order == "" || orderNumber.MatchString(string(m.Order)))
			require.Equal(t, time.UTC, m.PostedAt.Location())
			return nil
		})
		var bad *marketplace.RowError
		if err == nil {
			require.Equal(t, 1, heads)
			require.True(t, SettlementV2(nil).Detects(raw))
		} else {
			require.ErrorAs(t, err, &bad)
			require.Positive(t, bad.Row)
			require.Less(t, len(bad.Value), 100)
		}
	})
}
