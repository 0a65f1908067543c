package xlsx

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"channelbridge/connector/payout"
	"channelbridge/internal/money"
)

func amount(minor int64, currency string) payout.Cell {
	return payout.Cell{Text: money.New(minor, currency).Decimal(), Number: true, Currency: currency}
}

func text(s string) payout.Cell { return payout.Cell{Text: s} }

func table(columns string, rows ...[]payout.Cell) payout.Table {
	return payout.Table{Columns: strings.Split(columns, ","), Rows: rows}
}

// written gives the file and the library's reading of it.
func written(t *testing.T, most int, sheets ...Sheet) ([]byte, *excelize.File) {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, write(&b, sheets, most))
	f, err := excelize.OpenReader(bytes.NewReader(b.Bytes()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return b.Bytes(), f
}

func TestAmountsAreNumbersDigitByDigit(t *testing.T) {
	cells := []payout.Cell{amount(9007199254740993, "USD"), amount(-9007199254740993, "VND"), amount(9007199254740993, "KWD"), amount(math.MinInt64, "USD"),
		amount(-1230, "THB"), amount(0, "VND"), {Text: "42", Number: true}}
	var rows [][]payout.Cell
	for _, c := range cells {
		rows = append(rows, []payout.Cell{c})
	}
	file, f := written(t, MostRows, Of("Orders", table("net", rows...)))
	for i, c := range cells {
		place := fmt.Sprintf("A%d", i+2)
		raw, err := f.GetCellValue("Orders", place, excelize.Options{RawCellValue: true})
		require.NoError(t, err)
		require.Equal(t, c.Text, raw)
		kind, err := f.GetCellType("Orders", place)
		require.NoError(t, err)
		require.Equal(t, excelize.CellTypeUnset, kind, "a number is what has no other type")
		require.Contains(t, part(t, file, "xl/worksheets/sheet1.xml"), "<v>"+c.Text+"</v>")
	}
	for place, want := range map[string]string{"A6": "-12.30", "A7": "0", "A8": "42"} {
		shown, err := f.GetCellValue("Orders", place)
		require.NoError(t, err)
		require.Equal(t, want, shown)
	}
}

func TestEveryCurrencyHasItsDecimals(t *testing.T) {
	for currency, want := range map[string]string{"VND": "1,234,567", "USD": "12,345.67", "KWD": "1,234.567"} {
		_, f := written(t, MostRows, Of("Orders", table("net", []payout.Cell{amount(1234567, currency)})))
		shown, err := f.GetCellValue("Orders", "A2")
		require.NoError(t, err)
		require.Equal(t, want, shown)
	}
}

// A text is a text, whatever a spreadsheet program would take it for.
func TestTextsNeverBecomeFormulas(t *testing.T) {
	texts := []string{"=1+1", "+84 90", "-2", "@SUM(A1)", "\tx", "12.30", "=HYPERLINK(\"http://x\")", "<c><f>1</f></c>", "trà sữa 🧋 ชา", "_x0041_", " two  spaces ", "a\nb", "]]>", "1e5"}
	var rows [][]payout.Cell
	for _, s := range texts {
		rows = append(rows, []payout.Cell{text(s)})
	}
	rows = append(rows, []payout.Cell{{Text: "=2+2", Number: true}}, []payout.Cell{{Text: "1e5", Number: true}})
	texts = append(texts, "=2+2", "1e5")
	file, f := written(t, MostRows, Of("Lines", table("text", rows...)))
	for i, want := range texts {
		place := fmt.Sprintf("A%d", i+2)
		got, err := f.GetCellValue("Lines", place)
		require.NoError(t, err)
		require.Equal(t, want, got)
		kind, err := f.GetCellType("Lines", place)
		require.NoError(t, err)
		require.Equal(t, excelize.CellTypeInlineString, kind, want)
		formula, err := f.GetCellFormula("Lines", place)
		require.NoError(t, err)
		require.Empty(t, formula)
	}
	require.NotContains(t, part(t, file, "xl/worksheets/sheet1.xml"), "<f>")
}

func TestWhatNoFileCanHoldIsReplaced(t *testing.T) {
	long := strings.Repeat("🧋", 40000)
	_, f := written(t, MostRows, Of("Lines", table("a,b,c", []payout.Cell{text("a\x00b\xffc"), text(long), {}})))
	got, err := f.GetRows("Lines")
	require.NoError(t, err)
	require.Equal(t, "a\uFFFDb\uFFFDc", got[1][0])
	require.True(t, strings.HasSuffix(got[1][1], "🧋…"))
	require.Len(t, got[1], 2, "an empty cell is none")
}

func TestRowsThatDoNotFitGoOnOnTheNextSheet(t *testing.T) {
	var rows [][]payout.Cell
	for i := range 7 {
		rows = append(rows, []payout.Cell{amount(int64(i), "VND")})
	}
	_, f := written(t, 3, Of("Summary", table("part")), Of("Orders", table("net", rows...)), Of("Lines", table("net", rows[:3]...)))
	require.Equal(t, []string{"Summary", "Orders", "Orders 2", "Orders 3", "Lines"}, f.GetSheetList())
	for name, want := range map[string][][]string{"Summary": {{"part"}}, "Orders": {{"net"}, {"0"}, {"1"}, {"2"}}, "Orders 3": {{"net"}, {"6"}}} {
		got, err := f.GetRows(name)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestEqualTablesGiveEqualBytes(t *testing.T) {
	sheets := []Sheet{Of("Summary", table("a,b", []payout.Cell{text("x"), amount(5, "USD")})), Of("Orders", table("a", []payout.Cell{amount(7, "VND")})), Of("About", table("a"))}
	first, _ := written(t, MostRows, sheets...)
	for range 20 {
		again, _ := written(t, MostRows, sheets...)
		require.Equal(t, first, again)
	}
}

func TestSheetsThatCannotBeAreRefused(t *testing.T) {
	for name, sheets := range map[string][]Sheet{
		"none":             nil,
		"the same name":    {Of("Orders", table("a")), Of("orders", table("a"))},
		"no name":          {Of("", table("a"))},
		"a name too long":  {Of("Orders", table("a")), Of(strings.Repeat("x", 32), table("a"))},
		"a slash":          {Of("a/b", table("a"))},
		"a row of another": {Of("Orders", table("a,b", []payout.Cell{text("x")}))},
	} {
		require.Error(t, Write(io.Discard, sheets), name)
	}
}

type full struct{ left int }

var errFull = errors.New("disk full")

func (f *full) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestAWriterThatFailsIsToldOf(t *testing.T) {
	var whole bytes.Buffer
	sheets := []Sheet{Of("Orders", table("a", []payout.Cell{text("x")}))}
	require.NoError(t, Write(&whole, sheets))
	for n := 0; n < whole.Len(); n += 509 {
		require.ErrorIs(t, Write(&full{left: n}, sheets), errFull, "after %d bytes", n)
	}
}

func TestColumnsAreNamed(t *testing.T) {
	for i := range 800 {
		want, err := excelize.ColumnNumberToName(i + 1)
		require.NoError(t, err)
		require.Equal(t, want, letters(i))
	}
}

// Memory does not grow with the rows: what is written is not kept.
func TestRowsAreNotKept(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(50)) // whatever the environment says: what is measured is what is held
	row := []payout.Cell{text("a text of some length that would be kept"), amount(123456, "VND")}
	t200k := table("a,b")
	for range 200_000 {
		t200k.Rows = append(t200k.Rows, row)
	}
	var peak uint64
	w := writerFunc(func(b []byte) (int, error) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapInuse)
		return len(b), nil
	})
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	require.NoError(t, Write(w, []Sheet{Of("Lines", t200k)}))
	require.Less(t, int64(peak)-int64(before.HeapInuse), int64(24<<20))
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// part reads a file of a workbook, which has to be sound XML.
func part(t *testing.T, file []byte, name string) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	r, err := z.Open(name)
	require.NoError(t, err)
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, xml.Unmarshal(b, new(struct{})))
	return string(b)
}
