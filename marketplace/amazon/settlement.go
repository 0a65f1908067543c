package amazon

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"time"

	"channelbridge/marketplace"
)

// settlementName stands in stored records.
const settlementName = "amazon-settlement-v2"

// column is a column of a settlement report.
type column int

const (
	colSettlement column = iota
	colStart
	colEnd
	colDeposit
	colTotal
	colCurrency
	colTransaction
	colOrder
	colAmountType
	colDescription
	colAmount
	colPosted
	requiredColumns // those above have to be there

	colAlias column = iota - 1
	colAdjustment
	colShipment
	colItem
	colSKU
	colQuantity
	knownColumns
)

// columnNames are Amazon's. Columns that are not named here, such as marketplace-name,
// fulfillment-id and promotion-id, are passed over. So is posted-date, whose day and month change
// places between regions.
var columnNames = [knownColumns]string{
	colSettlement: "settlement-id", colStart: "settlement-start-date", colEnd: "settlement-end-date", colDeposit: "deposit-date",
	colTotal: "total-amount", colCurrency: "currency", colTransaction: "transaction-type", colOrder: "order-id",
	colAmountType: "amount-type", colDescription: "amount-description", colAmount: "amount", colPosted: "posted-date-time",
	colAlias: "merchant-order-id", colAdjustment: "adjustment-id", colShipment: "shipment-id", colItem: "order-item-code",
	colSKU: "sku", colQuantity: "quantity-purchased",
}

type settlementV2 struct{ zone *time.Location }

// SettlementV2 reads Amazon's settlement report, flat file V2
// (GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2): text separated by tabs, with a header line, whose
// first row carries the total, the period and the currency and whose other rows are one movement
// each. zone is where times belong that name none; nil refuses such times.
//
// Text is UTF-8, or Windows-1252, or Shift_JIS where the currency is the yen. Whether a comma or a
// point marks decimals is one property of a file: it follows from the first amount that can only
// be read one way. A file that leaves open what an amount is, or contradicts itself, is refused.
//
// Sources: developer-docs.amazon.com/sp-api/docs/report-type-values-settlement, and the columns and
// forms of values seen in files of several regions.
func SettlementV2(zone *time.Location) marketplace.StatementFormat { return settlementV2{zone} }

// Name implements marketplace.StatementFormat.
func (settlementV2) Name() string { return settlementName }

// Detects looks for the columns that have to be there. The older flat file names others.
func (settlementV2) Detects(head []byte) bool {
	first, _, _ := bytes.Cut(bytes.TrimPrefix(head, utf8Mark), []byte("\n"))
	have := strings.Split(strings.ToLower(strings.TrimRight(string(first), "\r")), "\t")
	for _, name := range columnNames[:requiredColumns] {
		if !slices.ContainsFunc(have, func(c string) bool { return strings.TrimSpace(c) == name }) {
			return false
		}
	}
	return true
}

// ReadStatement implements marketplace.StatementFormat.
func (f settlementV2) ReadStatement(r io.Reader, head func(marketplace.Statement) error, line func(marketplace.Movement) error) error {
	in := newLines(r)
	first, err := in.next()
	if err == io.EOF {
		return marketplace.BadRow(1, "", "", "the file is empty")
	}
	if err != nil {
		return err
	}
	cols, err := readColumns(first)
	if err != nil {
		return err
	}
	s := settlement{zone: f.zone, cols: cols, amounts: amounts{head: head, line: line}}
	for {
		raw, err := in.next()
		if err == io.EOF {
			return s.end(in.row)
		}
		if err != nil {
			return err
		}
		if len(raw) == 0 {
			continue
		}
		if err := s.take(in.row, raw); err != nil {
			return err
		}
	}
}

// columns says where each known column stands; -1: it is not there.
type columns struct {
	at    [knownColumns]int
	width int
}

func readColumns(line []byte) (columns, error) {
	var c columns
	for i := range c.at {
		c.at[i] = -1
	}
	names := strings.Split(string(line), "\t")
	c.width = len(names)
	for i, name := range names {
		known := slices.Index(columnNames[:], strings.ToLower(strings.TrimSpace(name)))
		if known < 0 {
			continue
		}
		if c.at[known] >= 0 {
			return c, marketplace.BadRow(1, columnNames[known], name, "stands twice in the header")
		}
		c.at[known] = i
	}
	for i, name := range columnNames[:requiredColumns] {
		if c.at[i] < 0 {
			return c, marketplace.BadRow(1, name, "", "is missing in the header")
		}
	}
	return c, nil
}
