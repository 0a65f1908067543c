package payout

import (
	"encoding/csv"
	"io"
	"strings"
)

// CSVOptions suit a spreadsheet program. The zero value is RFC 4180 in UTF-8.
type CSVOptions struct {
	BOM       bool
	Delimiter rune // 0: a comma
	Bare      bool // further rows of a table that was begun: no mark and no header
}

// WriteCSV writes a table: a header unless it goes on with one, lines that end in CRLF. A text that a spreadsheet
// would take for a formula gets an apostrophe in front; numbers never do.
func (t Table) WriteCSV(w io.Writer, o CSVOptions) error {
	if o.BOM && !o.Bare {
		if _, err := io.WriteString(w, "\ufeff"); err != nil {
			return err
		}
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if o.Delimiter != 0 {
		out.Comma = o.Delimiter
	}
	if !o.Bare {
		if err := out.Write(t.Columns); err != nil {
			return err
		}
	}
	row := make([]string, len(t.Columns))
	for _, r := range t.Rows {
		for i, c := range r {
			row[i] = c.plain()
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// plain is a cell that no spreadsheet takes for a formula.
func (c Cell) plain() string {
	if !c.Number && c.Text != "" && strings.ContainsRune("=+-@\t\r", rune(c.Text[0])) {
		return "'" + c.Text
	}
	return c.Text
}

// Pick keeps some columns, in the order given; false names the first that does not exist.
func (t Table) Pick(columns []string) (Table, string, bool) {
	if len(columns) == 0 {
		return t, "", true
	}
	place := map[string]int{}
	for i, c := range t.Columns {
		place[c] = i
	}
	out := Table{Columns: columns}
	for _, c := range columns {
		if _, ok := place[c]; !ok {
			return Table{}, c, false
		}
	}
	for _, r := range t.Rows {
		row := make([]Cell, len(columns))
		for i, c := range columns {
			row[i] = r[place[c]]
		}
		out.Rows = append(out.Rows, row)
	}
	return out, "", true
}
