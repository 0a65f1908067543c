package payout

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// Mapping describes the payout files of a channel that has no adapter for them: a table as text,
// one movement a row. It is a marketplace.StatementFormat.
type Mapping struct {
	Title     string            // the form's name
	Delimiter rune              // 0: a comma
	Decimal   string            // "." or ",": the mark of decimals; the other one is taken for a thousands mark
	Currency  string            // of all amounts, where no column says it
	Zone      string            // of instants without one
	Dates     []string          // how instants are written, such as "YYYY-MM-DD hh:mm:ss"
	Columns   map[string]string // what → the file's own heading; see Fields
	Rows      []MappedCategory  // the first that fits counts
}

// Fields are what a mapping can name a column for. Payout, amount and total are needed.
var Fields = []string{"payout", "total", "currency", "paid_at", "line", "type", "text", "amount", "order", "alias", "item", "refund", "shipment", "sku", "quantity", "posted_at"}

// MappedCategory says what the channel's words mean. An empty word fits every row.
type MappedCategory struct {
	Type     string
	Text     string
	Category marketplace.Category
}

// Check says everything that is wrong with a mapping.
func (m Mapping) Check() error {
	var all []error
	bad := func(is bool, format string, args ...any) {
		if is {
			all = append(all, fmt.Errorf(format, args...))
		}
	}
	bad(m.Title == "", "name: it needs one")
	bad(m.Decimal != "" && m.Decimal != "." && m.Decimal != ",", "decimal: %q is neither a point nor a comma", m.Decimal)
	for _, need := range []string{"payout", "total", "amount"} {
		bad(m.Columns[need] == "", "columns: %s is missing", need)
	}
	for _, f := range slices.Sorted(maps.Keys(m.Columns)) {
		bad(!slices.Contains(Fields, f), "columns: %q is not one of %s", f, strings.Join(Fields, ", "))
	}
	bad(m.Columns["currency"] == "" && !money.ValidCode(m.Currency), "currency: neither a column nor a code such as VND")
	bad(len(m.Dates) == 0 && (m.Columns["posted_at"] != "" || m.Columns["paid_at"] != ""), "dates: say how instants are written, such as YYYY-MM-DD")
	for _, c := range m.Rows {
		bad(!c.Category.Known(), "categories: %q is no category", c.Category)
	}
	if _, err := time.LoadLocation(m.Zone); err != nil {
		bad(true, "zone: %q is not known", m.Zone)
	}
	return errors.Join(all...)
}

// Name implements marketplace.StatementFormat.
func (m Mapping) Name() string { return m.Title }

// Detects reports that the first line has all headings of the mapping.
func (m Mapping) Detects(head []byte) bool {
	line, _, _ := strings.Cut(strings.TrimPrefix(string(head), "\ufeff"), "\n")
	r := m.reader(strings.NewReader(line))
	names, err := r.Read()
	if err != nil {
		return false
	}
	_, err = m.places(names)
	return err == nil
}

func (m Mapping) reader(r io.Reader) *csv.Reader {
	out := csv.NewReader(r)
	out.ReuseRecord, out.FieldsPerRecord = true, -1
	if m.Delimiter != 0 {
		out.Comma = m.Delimiter
	}
	return out
}

// places finds the mapped headings, whatever their case and order.
func (m Mapping) places(names []string) (map[string]int, error) {
	out := map[string]int{}
	for _, field := range slices.Sorted(maps.Keys(m.Columns)) {
		i := slices.IndexFunc(names, func(n string) bool {
			return strings.EqualFold(strings.TrimSpace(strings.TrimPrefix(n, "\ufeff")), m.Columns[field])
		})
		if i < 0 {
			return nil, marketplace.BadRow(1, m.Columns[field], "", "is missing from the headings")
		}
		out[field] = i
	}
	return out, nil
}

// mapped is one row while it is read.
type mapped struct {
	Mapping
	row    int
	cells  []string
	places map[string]int
	zone   *time.Location
}

// ReadStatement implements marketplace.StatementFormat. Every row belongs to the payout that the
// first one names.
func (m Mapping) ReadStatement(r io.Reader, head func(marketplace.Statement) error, line func(marketplace.Movement) error) error {
	rows := m.reader(r)
	names, err := rows.Read()
	if err != nil {
		return marketplace.BadRow(1, "", "", "the headings cannot be read: %v", err)
	}
	width := len(names)
	x := &mapped{Mapping: m, row: 1}
	if x.places, err = m.places(names); err != nil {
		return err
	}
	if x.zone, err = time.LoadLocation(m.Zone); err != nil {
		return fmt.Errorf("zone of the mapping %s: %w", m.Title, err)
	}
	var st marketplace.Statement
	for {
		x.cells, err = rows.Read()
		x.row++
		switch {
		case errors.Is(err, io.EOF) && st.ID == "":
			return marketplace.BadRow(x.row, "", "", "there is no row: the payout has no number and no total")
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return marketplace.BadRow(x.row, "", "", "cannot be read: %v", err)
		case len(x.cells) != width:
			return marketplace.BadRow(x.row, "", "", "has %d columns, the headings have %d", len(x.cells), width)
		}
		if st.ID == "" {
			if st, err = x.statement(); err != nil {
				return err
			}
			if err := head(st); err != nil {
				return err
			}
		}
		mv, err := x.movement(st)
		if err != nil {
			return err
		}
		if err := line(mv); err != nil {
			return err
		}
	}
}

func (x *mapped) cell(field string) string {
	i, ok := x.places[field]
	if !ok {
		return ""
	}
	return strings.TrimSpace(x.cells[i])
}

func (x *mapped) bad(field, reason string, args ...any) error {
	return marketplace.BadRow(x.row, x.Columns[field], x.cell(field), reason, args...)
}

func (x *mapped) statement() (s marketplace.Statement, err error) {
	s = marketplace.Statement{ID: x.cell("payout"), Currency: x.currency(), State: marketplace.StatementClosed}
	if s.ID == "" {
		return s, x.bad("payout", "is empty")
	}
	if !plain(s.ID) {
		return s, x.bad("payout", "holds a control character or is not UTF-8")
	}
	if !money.ValidCode(s.Currency) {
		return s, x.bad("currency", "is not a currency's code")
	}
	if s.Paid, err = x.amount("total", s.Currency); err != nil {
		return s, err
	}
	if s.PaidAt, err = x.instant("paid_at"); err != nil {
		return s, err
	}
	if !s.PaidAt.IsZero() {
		s.State = marketplace.StatementPaid
	}
	s.Opening, s.Closing = money.New(0, s.Currency), money.New(0, s.Currency)
	return s, nil
}

func (x *mapped) currency() string {
	if _, ok := x.places["currency"]; ok {
		return strings.ToUpper(x.cell("currency"))
	}
	return x.Currency
}

func (x *mapped) movement(s marketplace.Statement) (mv marketplace.Movement, err error) {
	if id := x.cell("payout"); id != s.ID {
		return mv, x.bad("payout", "belongs to another payout than the file's first row (%s)", s.ID)
	}
	mv = marketplace.Movement{Key: x.cell("line"), NativeType: x.cell("type"), NativeText: x.cell("text"), Order: marketplace.OrderID(x.cell("order")), Alias: x.cell("alias"),
		Item: x.cell("item"), Refund: x.cell("refund"), Shipment: x.cell("shipment"), SKU: x.cell("sku"), Row: x.row, Category: marketplace.Unclassified}
	for _, field := range []string{"order", "type", "text", "sku"} {
		if !utf8.ValidString(x.cell(field)) {
			return mv, x.bad(field, "is not UTF-8")
		}
	}
	cur := x.currency()
	if !money.ValidCode(cur) {
		return mv, x.bad("currency", "is not a currency's code")
	}
	if mv.Amount, err = x.amount("amount", cur); err != nil {
		return mv, err
	}
	if mv.PostedAt, err = x.instant("posted_at"); err != nil {
		return mv, err
	}
	if q := x.cell("quantity"); q != "" {
		if mv.Quantity, err = strconv.Atoi(q); err != nil {
			return mv, x.bad("quantity", "is not a whole number")
		}
	}
	for _, c := range x.Rows {
		if (c.Type == "" || strings.EqualFold(c.Type, mv.NativeType)) && (c.Text == "" || strings.EqualFold(c.Text, mv.NativeText)) {
			mv.Category = c.Category
			break
		}
	}
	return mv, nil
}

// amount reads a decimal in the mapping's marks, exactly.
func (x *mapped) amount(field, currency string) (money.Money, error) {
	text, thousands, mark := x.cell(field), ",", "."
	if x.Decimal == "," {
		thousands, mark = ".", ","
	}
	text = strings.NewReplacer("\u00a0", "", " ", "").Replace(text)
	if whole, _, _ := strings.Cut(text, mark); !grouped(whole, thousands) {
		return money.Money{}, x.bad(field, "has its thousands in groups that are not of three; decimals of this form are written with %q", mark)
	}
	text = strings.ReplaceAll(text, thousands, "")
	m, err := money.Parse(strings.Replace(text, mark, ".", 1), currency)
	if err != nil {
		return m, x.bad(field, "is not an amount in %s: %v", currency, err)
	}
	return m, nil
}

// grouped reports that a whole number's thousands marks, if it has any, stand where they should:
// otherwise they may be decimals.
func grouped(whole, mark string) bool {
	for i, group := range strings.Split(whole, mark) {
		if i > 0 && len(group) != 3 {
			return false
		}
	}
	return true
}

// layouts turns YYYY-MM-DD hh:mm:ss into Go's words.
var layouts = strings.NewReplacer("YYYY", "2006", "MM", "01", "DD", "02", "hh", "15", "mm", "04", "ss", "05", "Z", "Z07:00")

func (x *mapped) instant(field string) (time.Time, error) {
	text := x.cell(field)
	if text == "" {
		return time.Time{}, nil
	}
	for _, d := range x.Dates {
		if t, err := time.ParseInLocation(layouts.Replace(d), text, x.zone); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, x.bad(field, "is not written as %s", strings.Join(x.Dates, " or "))
}
