package amazonfake

import (
	"bytes"
	"compress/gzip"
	"strconv"
	"strings"
	"time"

	"channelbridge/internal/money"
)

const settlementType = "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2"

// Settlement is a settlement report. The zero values of optional fields are good.
type Settlement struct {
	ID                  string // empty: counted
	Currency            string // empty: USD
	Start, End, Deposit time.Time
	Total               string // decimal text; empty: the sum of the rows
	Rows                []SettlementRow
	File                []byte // the document as it is, instead of all the above
	Comma               bool   // amounts are written "1.234,56"

	Sites  []string      // named in the listing
	GZIP   bool          // the document is compressed
	Status string        // CANCELLED or FATAL: no document; empty: DONE
	DoneIn time.Duration // in work until then

	Fate TransferFate // of the money on its way to the bank
}

// SettlementRow is a row that moves money. Amount is decimal text with a point.
type SettlementRow struct {
	Type, Order, Alias, Adjustment, Shipment, Site string
	AmountType, Description, Amount                string
	Fulfillment                                    string // MFN, AFN
	Posted                                         time.Time
	Item, AdjustedItem, SKU                        string
	Quantity                                       int
}

// Other makes a row that belongs to no sale.
func Other(description, amount string) SettlementRow {
	return SettlementRow{Type: "other-transaction", AmountType: "other-transaction", Description: description, Amount: amount}
}

// Publication says under which numbers a settlement was published.
type Publication struct{ Settlement, Report, Document string }

// Publish files a settlement report as Amazon does by itself. It panics when amounts cannot be.
func (s *Server) Publish(x Settlement) Publication {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.publish(x)
}

func (s *Server) publish(x Settlement) Publication {
	s.serial++
	if x.ID == "" {
		x.ID = strconv.Itoa(11888000000 + s.serial)
	}
	if x.Currency == "" {
		x.Currency = "USD"
	}
	body := x.File
	if body == nil {
		body = x.file(s.now())
	}
	if x.GZIP {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		_, _ = w.Write(body)
		_ = w.Close()
		body = z.Bytes()
	}
	d := s.file(body)
	d.gzip = x.GZIP
	p := &publication{id: strconv.Itoa(50015000000 + s.serial), document: d.id, made: s.now(), done: s.now().Add(x.DoneIn), of: x}
	s.reports = append(s.reports, p)
	s.dispatch(x)
	return Publication{x.ID, p.id, d.id}
}

// settlementColumns are Amazon's, in its order.
var settlementColumns = []string{"settlement-id", "settlement-start-date", "settlement-end-date", "deposit-date", "total-amount", "currency",
	"transaction-type", "order-id", "merchant-order-id", "adjustment-id", "shipment-id", "marketplace-name", "amount-type", "amount-description",
	"amount", "fulfillment-id", "posted-date", "posted-date-time", "order-item-code", "merchant-order-item-id", "merchant-adjustment-item-id",
	"sku", "quantity-purchased"}

// file writes the document: the first row carries the total and no movement.
func (x Settlement) file(now time.Time) []byte {
	var b bytes.Buffer
	row := func(cells ...string) { b.WriteString(strings.Join(cells, "\t") + "\n") }
	row(settlementColumns...)
	head := make([]string, len(settlementColumns))
	copy(head, []string{x.ID, day(x.Start), day(x.End), day(x.Deposit), x.number(x.total()), x.Currency})
	row(head...)
	for _, r := range x.Rows {
		posted, quantity := r.Posted, ""
		if posted.IsZero() {
			posted = now
		}
		if r.Quantity != 0 {
			quantity = strconv.Itoa(r.Quantity)
		}
		row(x.ID, "", "", "", "", "", r.Type, r.Order, r.Alias, r.Adjustment, r.Shipment, r.Site, r.AmountType, r.Description,
			x.number(must(money.Parse(r.Amount, x.Currency))), r.Fulfillment, posted.UTC().Format("2006-01-02"), day(posted), r.Item, "", r.AdjustedItem,
			r.SKU, quantity)
	}
	return b.Bytes()
}

// total is what the settlement says it pays.
func (x Settlement) total() money.Money {
	if x.Total != "" {
		return must(money.Parse(x.Total, x.Currency))
	}
	sum := money.New(0, x.Currency)
	for _, r := range x.Rows {
		sum = must(sum.Add(must(money.Parse(r.Amount, x.Currency))))
	}
	return sum
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// number writes an amount the way of the settlement.
func (x Settlement) number(m money.Money) string {
	if !x.Comma {
		return m.Decimal()
	}
	whole, decimals, marked := strings.Cut(strings.TrimPrefix(m.Decimal(), "-"), ".")
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + "." + whole[at:]
	}
	if marked {
		whole += "," + decimals
	}
	if m.Minor < 0 {
		return "-" + whole
	}
	return whole
}
