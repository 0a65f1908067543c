package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"strings"

	"channelbridge/connector/payout"
)

// sheet is a report at one level: rows by number.
type sheet struct {
	*reportAsk
	report *payout.Report
}

func sheetOf(ask *reportAsk, r *payout.Report) sheet { return sheet{ask, r} }

// length is how many rows there are; a summary has none beside itself.
func (s sheet) length() int {
	if s.level == "summary" {
		return 0
	}
	return s.report.Len(s.level)
}

// shown is the zone that times are shown in; "": each row has its account's.
func (s sheet) shown() string {
	if s.chosen {
		return s.zone
	}
	return ""
}

// pieces goes through the table in the columns that are asked for, which were checked.
func (s sheet) pieces() iter.Seq2[payout.Table, error] {
	return func(yield func(payout.Table, error) bool) {
		for t, err := range s.report.Pieces(s.level, s.shown()) {
			picked, _, _ := t.Pick(s.columns)
			if !yield(picked, err) {
				return
			}
		}
	}
}

// rows is some rows as programs see them: orders as they are, the others by column. With columns
// asked for all are by column.
func (s sheet) rows(from, to int) ([]any, error) {
	if len(s.columns) == 0 && (s.level == levelOfOrders || s.level == levelOfUnsettled) {
		orders, err := s.report.OrderRows(s.level).Part(from, to)
		if err != nil {
			return nil, fmt.Errorf("reading the rows of a report: %w", err)
		}
		return views(orders, func(o payout.OrderRow) any { return o.JSON() }), nil
	}
	t, err := s.report.Table(s.level, from, to, s.shown())
	if err != nil {
		return nil, fmt.Errorf("reading the rows of a report: %w", err)
	}
	t, _, _ = t.Pick(s.columns)
	out := make([]any, 0, len(t.Rows))
	for i, cells := range t.Rows {
		row := record{columns: t.Columns, cells: cells}
		if len(t.Of) > 0 {
			row.id = payout.ID(*t.Of[i])
		}
		out = append(out, row)
	}
	return out, nil
}

// record is one row of a table as an object. A column that does not apply is not there.
type record struct {
	id      string
	columns []string
	cells   []payout.Cell
}

// MarshalJSON writes the columns in their order; amounts and texts are strings, counts are numbers.
func (r record) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	put := func(name string, value any) error {
		v, err := json.Marshal(value)
		if err != nil {
			return err
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + name + `":`)
		b.Write(v)
		return nil
	}
	if r.id != "" {
		if err := put("payout_id", r.id); err != nil {
			return nil, err
		}
	}
	for i, c := range r.cells {
		if c.Text == "" {
			continue
		}
		var value any = c.Text
		if c.Number && c.Currency == "" && !strings.Contains(c.Text, ".") {
			value = json.Number(c.Text)
		}
		if err := put(r.columns[i], value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
