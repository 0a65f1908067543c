package amazon

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// settlement is a file being read.
type settlement struct {
	zone     *time.Location
	cols     columns
	letters  lettering
	id       string // "" before the first row
	currency string
	total    string // as written
	amounts
	last struct { // time that was read: lines of an order have the same
		text string
		at   time.Time
	}
}

// cells is a row of a settlement.
type cells struct {
	row  int
	at   *columns
	text []string
}

// verbatim is a cell as it is written; "" when the file has no such column.
func (c cells) verbatim(col column) string {
	if at := c.at.at[col]; at >= 0 {
		return c.text[at]
	}
	return ""
}

func (c cells) get(col column) string { return strings.TrimSpace(c.verbatim(col)) }

func (c cells) bad(col column, reason string, args ...any) error {
	return marketplace.BadRow(c.row, columnNames[col], c.verbatim(col), reason, args...)
}

// take reads a row below the header.
func (s *settlement) take(row int, raw []byte) error {
	if n := 1 + bytes.Count(raw, []byte("\t")); n != s.cols.width {
		return marketplace.BadRow(row, "", "", "the row has %d columns, the header %d: it may be cut off", n, s.cols.width)
	}
	if s.id == "" {
		s.currency = string(bytes.TrimSpace(bytes.Split(raw, []byte("\t"))[s.cols.at[colCurrency]]))
	}
	text, err := s.letters.read(row, raw, s.currency)
	if err != nil {
		return err
	}
	c := cells{row, &s.cols, strings.Split(text, "\t")}
	if s.id == "" {
		return s.opening(c, len(raw))
	}
	if err := s.belongs(c); err != nil {
		return err
	}
	return s.movement(c, len(raw))
}

// opening reads the first row, which tells of the settlement as a whole and usually is no
// movement.
func (s *settlement) opening(c cells, size int) error {
	s.id, s.total = c.get(colSettlement), c.get(colTotal)
	switch {
	case s.id == "":
		return c.bad(colSettlement, "is empty in the first row")
	case !money.ValidCode(s.currency):
		return c.bad(colCurrency, "is not a currency")
	case s.total == "":
		return c.bad(colTotal, "is empty in the first row")
	}
	st := marketplace.Statement{ID: s.id, Currency: s.currency, State: marketplace.StatementClosed,
		Opening: money.New(0, s.currency), Closing: money.New(0, s.currency)}
	for _, part := range []struct {
		col column
		to  *time.Time
	}{{colStart, &st.Start}, {colEnd, &st.End}, {colDeposit, &st.PaidAt}} {
		t, err := s.time(c, part.col)
		if err != nil {
			return err
		}
		*part.to = t
	}
	if !st.End.IsZero() && st.End.Before(st.Start) {
		return c.bad(colEnd, "lies before the start of the period")
	}
	if !st.PaidAt.IsZero() {
		st.State = marketplace.StatementPaid
	}
	if err := s.open(st, c.row, s.total); err != nil {
		return err
	}
	if c.get(colAmount) == "" && c.get(colTransaction) == "" {
		return nil
	}
	return s.movement(c, size)
}

// belongs refuses rows of another settlement, total or currency. Most rows leave these out.
func (s *settlement) belongs(c cells) error {
	for _, part := range []struct {
		col  column
		want string
	}{{colSettlement, s.id}, {colTotal, s.total}, {colCurrency, s.currency}} {
		if got := c.get(part.col); got != "" && got != part.want {
			return c.bad(part.col, "differs from the first row's %q", part.want)
		}
	}
	return nil
}

// movement reads a row that moves money.
func (s *settlement) movement(c cells, size int) error {
	transaction, what, text := c.verbatim(colTransaction), c.verbatim(colAmountType), c.verbatim(colDescription)
	m := marketplace.Movement{Row: c.row, Category: settlementCategory(transaction, what, text),
		NativeType: transaction + "/" + what, NativeText: text, Alias: c.get(colAlias), Item: c.get(colItem),
		Refund: c.get(colAdjustment), Shipment: c.get(colShipment), SKU: c.verbatim(colSKU)}
	// What else stands in order-id, such as the number of a shipment to a warehouse, is no order.
	if id := c.get(colOrder); orderNumber.MatchString(id) {
		m.Order = marketplace.OrderID(id)
	} else if id != "" {
		m.Shipment = id
	}
	if n := c.get(colQuantity); n != "" {
		var err error
		if m.Quantity, err = strconv.Atoi(n); err != nil {
			return c.bad(colQuantity, "is not a whole number")
		}
	}
	var err error
	if m.PostedAt, err = s.time(c, colPosted); err != nil {
		return err
	}
	return s.add(m, c.get(colAmount), s.currency, size)
}

// end closes the file.
func (s *settlement) end(row int) error {
	if s.id == "" {
		return marketplace.BadRow(row+1, "", "", "the file has a header and no settlement")
	}
	return s.amounts.end()
}
