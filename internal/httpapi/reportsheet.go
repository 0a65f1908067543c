package httpapi

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"channelbridge/connector/payout"
)

// sheet is a report at one level: rows by number.
type sheet struct {
	*reportAsk
	report *payout.Report
}

func sheetOf(ask *reportAsk, r *payout.Report) sheet {
	if ask.level == levelOfUnsettled {
		open := *r
		open.Orders = r.Unsettled()
		r = &open
	}
	return sheet{ask, r}
}

// length is how many rows there are; a summary has none beside itself.
func (s sheet) length() int {
	switch s.level {
	case "payout":
		return len(s.report.Payouts)
	case "line":
		return len(s.report.Lines)
	case "summary":
		return 0
	}
	return len(s.report.Orders)
}

// part is the report with some of its rows, their times in the zone that is asked for.
func (s sheet) part(from, to int) *payout.Report {
	r := *s.report
	switch s.level {
	case "payout":
		r.Payouts = slices.Clone(r.Payouts[from:to])
		for i := range r.Payouts {
			s.shift(&r.Payouts[i].Account)
		}
	case "line":
		r.Lines = slices.Clone(r.Lines[from:to])
		for i := range r.Lines {
			a := *r.Lines[i].Account // rows share it
			s.shift(&a)
			r.Lines[i].Account = &a
		}
	case levelOfOrders, levelOfUnsettled:
		r.Orders = slices.Clone(r.Orders[from:to])
		for i := range r.Orders {
			s.shift(&r.Orders[i].Account)
		}
	}
	return &r
}

func (s sheet) shift(a *payout.Account) {
	if s.chosen {
		a.Zone = s.zone
	}
}

// tableOf is a level's table; of no report it is the columns alone.
func tableOf(level string, r *payout.Report) payout.Table {
	if r == nil {
		r = &payout.Report{}
	}
	return r.Table(level)
}

// table is some rows in the columns that are asked for, which were checked.
func (s sheet) table(from, to int) payout.Table {
	t, _, _ := tableOf(s.level, s.part(from, to)).Pick(s.columns)
	return t
}

// rows is some rows as programs see them: orders as they are, the others by column. With columns
// asked for all are by column.
func (s sheet) rows(from, to int) ([]any, error) {
	if len(s.columns) == 0 && (s.level == levelOfOrders || s.level == levelOfUnsettled) {
		return views(s.report.Orders[from:to], func(o payout.OrderRow) any { return o.JSON() }), nil
	}
	t := s.table(from, to)
	out := make([]any, 0, len(t.Rows))
	for i, cells := range t.Rows {
		row := record{columns: t.Columns, cells: cells}
		if len(s.columns) == 0 {
			row.id = s.payoutID(from + i)
		}
		out = append(out, row)
	}
	return out, nil
}

// payoutID names the payout of a row.
func (s sheet) payoutID(i int) string {
	if s.level == "line" {
		return payout.ID(*s.report.Lines[i].Payout)
	}
	return payout.ID(s.report.Payouts[i].Payout)
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
