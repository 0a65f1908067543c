package payout

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/order"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// Table is rows for files and for terminals. Columns are only ever appended.
type Table struct {
	Columns []string
	Rows    [][]Cell
	Of      []*connector.Payout // at the levels payout and line: which one each row is about
}

// Cell is one value: a number with the currency's decimals, or a text. Empty is "not applicable".
type Cell struct {
	Text     string
	Number   bool
	Currency string // of an amount, for a spreadsheet's format
}

func text(s string) Cell { return Cell{Text: s} }
func count(n int) Cell   { return Cell{Text: strconv.Itoa(n), Number: true} }
func amount(minor int64, currency string) Cell {
	return Cell{Text: money.New(minor, currency).Decimal(), Number: true, Currency: currency}
}

// at is an instant in a zone, ISO 8601 with its offset.
func at(t time.Time, a Account) Cell {
	if t.IsZero() {
		return Cell{}
	}
	return text(t.In(order.Zone(a.Zone)).Format(time.RFC3339))
}

var orderColumns = strings.Split("report_version,snapshot_id,outcome,workflow_state,channel,account,channel_order_id,store_order_id,store_order_name,placed_at,shipped_at,delivered_at,due_at,first_settled_at,last_settled_at,payout_external_ids,currency,"+
	"expected_gross,actual_gross,expected_discount,actual_discount,expected_tax_charged,actual_tax_charged,expected_commission,actual_commission,expected_payment_fee,actual_payment_fee,expected_service_fee,actual_service_fee,"+
	"expected_shipping_cost,actual_shipping_cost,expected_withheld_tax,actual_withheld_tax,expected_refund,actual_refund,actual_other,expected_net,actual_net,difference,cause_1,cause_1_amount,cause_2,cause_2_amount,cause_other_amount,"+
	"age_days,assignee,claim_id,claim_state,claim_amount,note,prior_period", ",")

// pairs of columns of an order, and what each sums up. What stands in none of them is "other".
var orderPairs = []struct {
	name string
	is   func(c marketplace.Category, k kindOf) bool
}{
	{"gross", func(c marketplace.Category, k kindOf) bool {
		return k.group == Gross && k.cause != CauseDiscount && k.cause != CauseTax
	}},
	{"discount", func(_ marketplace.Category, k kindOf) bool { return k.cause == CauseDiscount }},
	{"tax_charged", func(_ marketplace.Category, k kindOf) bool { return k.cause == CauseTax }},
	{"commission", func(_ marketplace.Category, k kindOf) bool { return k.cause == CauseCommission }},
	{"payment_fee", func(_ marketplace.Category, k kindOf) bool { return k.cause == CausePaymentFee }},
	{"service_fee", func(_ marketplace.Category, k kindOf) bool { return k.cause == CauseServiceFee }},
	{"shipping_cost", func(_ marketplace.Category, k kindOf) bool { return k.cause == CauseShippingCost }},
	{"withheld_tax", func(_ marketplace.Category, k kindOf) bool { return k.group == Withheld }},
	{"refund", func(_ marketplace.Category, k kindOf) bool { return k.group == Refunds }},
}

// Levels are what a report can be read at.
func Levels() []string { return []string{"summary", "payout", "order", "line", "unsettled"} }

// Columns are those of a level.
func Columns(level string) []string {
	switch level {
	case "summary":
		return summaryColumns
	case "payout":
		return payoutColumns
	case "line":
		return lineColumns
	}
	return orderColumns
}

// OrderRows are a level's orders: all, or those whose money is still to come.
func (r *Report) OrderRows(level string) Rows[OrderRow] {
	if level == "unsettled" {
		return r.Unsettled
	}
	return r.Orders
}

// Len is how many rows a level's table has.
func (r *Report) Len(level string) int {
	switch level {
	case "summary":
		return len(r.summaryRows())
	case "payout":
		return len(r.PayoutRows())
	case "line":
		return r.Lines.Len()
	}
	return r.OrderRows(level).Len()
}

// Table is rows of a level, from one number to before another, in its columns. Times are in the
// zone, or in each account's where that is "".
func (r *Report) Table(level string, from, to int, zone string) (Table, error) {
	t := Table{Columns: Columns(level)}
	switch level {
	case "summary":
		t.Rows = r.summaryRows()[from:to]
	case "payout":
		for _, p := range r.PayoutRows()[from:to] {
			t.Rows, t.Of = append(t.Rows, r.payoutCells(p, p.Account.In(zone))), append(t.Of, &p.Payout)
		}
	case "line":
		lines, err := r.Lines.Part(from, to)
		if err != nil {
			return t, err
		}
		for _, l := range lines {
			t.Rows, t.Of = append(t.Rows, r.lineCells(l, l.Account.In(zone))), append(t.Of, l.Payout)
		}
	default:
		orders, err := r.OrderRows(level).Part(from, to)
		if err != nil {
			return t, err
		}
		for _, o := range orders {
			t.Rows = append(t.Rows, r.OrderCells(o, o.Account.In(zone)))
		}
	}
	return t, nil
}

// Pieces goes through a level's table in pieces of bounded size, of which there is at least one.
func (r *Report) Pieces(level, zone string) iter.Seq2[Table, error] {
	return func(yield func(Table, error) bool) {
		n := r.Len(level)
		for from := 0; from == 0 || from < n; from += atOnce {
			t, err := r.Table(level, from, min(from+atOnce, n), zone)
			if !yield(t, err) || err != nil {
				return
			}
		}
	}
}

// OrderCells is an order in the columns of the order level, its times in the account's zone.
func (r *Report) OrderCells(o OrderRow, a Account) []Cell {
	cur := o.Currency
	row := []Cell{text(Version), text(r.Snapshot), text(string(o.Outcome)), text(string(o.state())), text(string(a.ID)), text(string(a.ID)), text(o.Ref), text(o.Facts.Store), text(o.Facts.Name),
		at(o.Facts.PlacedAt, a), at(o.Facts.ShippedAt, a), at(o.Facts.Delivered, a), at(o.DueAt, a), at(o.First, a), at(o.Last, a), text(strings.Join(o.Payouts, " ")), text(cur)}
	rest := o.Actual
	for _, p := range orderPairs {
		expected, actual, known := o.pair(p.is)
		rest -= actual
		cell := Cell{}
		if known {
			cell = o.expectedCell(expected)
		}
		row = append(row, cell, amount(actual, cur))
	}
	row = append(row, amount(rest, cur), o.expectedCell(o.Expected), amount(o.Actual, cur), amount(o.Difference, cur))
	row = append(row, o.causeCells()...)
	age := Cell{}
	if o.Outcome == MissingInSettlement {
		age = count(o.Age)
	}
	return append(append(row, age), o.workCells()...)
}

// expectedCell is empty where nobody can expect anything: the store has never seen the order.
func (o OrderRow) expectedCell(minor int64) Cell {
	if !o.InStore {
		return Cell{}
	}
	return amount(minor, o.Currency)
}

// pair sums a column up. What is taken is expected only where a tariff covers some of it.
func (o OrderRow) pair(is func(marketplace.Category, kindOf) bool) (expected, actual int64, known bool) {
	taken := false
	for c, k := range kinds {
		if !is(c, k) {
			continue
		}
		p := o.ByKind[c]
		taken = taken || k.group == Fees || k.group == Withheld
		expected, actual, known = expected+p.Expected, actual+p.Actual, known || p.Known
	}
	return expected, actual, known || !taken
}

// workCells say what people have done about a row.
func (o OrderRow) workCells() []Cell {
	out := make([]Cell, 6)
	out[5] = text(o.Prior)
	if w := o.Work; w != nil {
		out[0], out[4] = text(w.Assignee), text(w.Note)
		if c := w.Claim; c != nil {
			out[1], out[2], out[3] = text(c.ID), text(string(c.State)), Cell{Text: c.Amount, Number: true, Currency: o.Currency}
		}
	}
	return out
}

// weighty are an order's causes by code, the greatest first.
func (o OrderRow) weighty() []Cause {
	by := map[CauseCode]int64{}
	for _, c := range o.Causes {
		by[c.Code] += c.Amount
	}
	var out []Cause
	for _, code := range slices.Sorted(maps.Keys(by)) {
		out = append(out, Cause{Code: code, Amount: by[code]})
	}
	slices.SortStableFunc(out, func(a, b Cause) int { return cmp.Compare(max(b.Amount, -b.Amount), max(a.Amount, -a.Amount)) })
	return out
}

func (o OrderRow) causeCells() []Cell {
	out := make([]Cell, 5)
	var rest int64
	for i, c := range o.weighty() {
		if i < 2 {
			out[2*i], out[2*i+1] = text(string(c.Code)), amount(c.Amount, o.Currency)
			continue
		}
		rest += c.Amount
		out[4] = amount(rest, o.Currency)
	}
	return out
}

var lineColumns = strings.Split("report_version,snapshot_id,payout_external_id,payout_revision,line_no,outcome,category,native_type,native_description,channel_order_id,order_item_ref,store_order_id,refund_id,sku,quantity,posted_at,currency,amount,match_rule,match_confidence,expectation_amount,difference", ",")

// lineCells is a line in the columns of the line level.
func (r *Report) lineCells(l LineRow, a Account) []Cell {
	v, cur := l.Line, l.Line.Amount.Currency
	row := []Cell{text(Version), text(r.Snapshot), text(l.Payout.External), count(l.Payout.Revision), count(v.No), text(string(l.Outcome)), text(v.Category), text(v.NativeType), text(v.NativeText),
		text(cmp.Or(l.Ref, l.Candidate, v.Order)), text(v.Item), text(l.Store), text(v.Refund), text(v.SKU), {}, at(v.PostedAt, a), text(cur), amount(v.Amount.Minor, cur), text(l.Rule), text(l.Confidence), {}, {}}
	if v.Quantity != 0 {
		row[14] = count(v.Quantity)
	}
	if l.Rule != "" {
		row[20], row[21] = amount(l.Expected, cur), amount(l.Difference, cur)
	}
	return row
}

var payoutColumns = strings.Split("report_version,snapshot_id,channel,account,payout_external_id,revision,state,outcome,period_start,period_end,paid_at,currency,opening,sales,discounts,refunds,fees,withheld_tax,advertising,other_non_order,reserve_moved,closing,paid,proof_gap,"+
	"deposit_amount,deposit_date,bank_reference,deposit_outcome,orders,lines,unmatched_lines,open_findings,open_difference,prior_period", ",")

// payoutCells is a payout in the columns of the payout level. Sales to reserve_moved are sums of
// its own lines; what has no column of its own stands in other_non_order.
func (r *Report) payoutCells(p PayoutRow, a Account) []Cell {
	cur, s := p.Currency, p.columns
	return []Cell{text(Version), text(r.Snapshot), text(string(a.ID)), text(string(a.ID)), text(p.External), count(p.Revision), text(string(p.State)), text(p.Outcome()),
		at(p.Start, a), at(p.End, a), at(p.PaidAt, a), text(cur), amount(p.Opening.Minor, cur), amount(s["sales"], cur), amount(s["discounts"], cur), amount(s["refunds"], cur), amount(s["fees"], cur),
		amount(s["withheld_tax"], cur), amount(s["advertising"], cur), amount(s["other"], cur), amount(s["reserve"], cur), amount(p.Closing.Minor, cur), amount(p.Payout.Paid.Minor, cur), amount(p.Bridge.Gap, cur),
		p.seenAmount(), text(p.Seen.Day), text(cmp.Or(p.BankRef, p.Seen.BankRef)), text(string(p.Seen.Outcome)), count(p.Bridge.Orders), count(p.Lines), count(p.Unmatched), count(p.Findings), amount(p.Open, cur), text(p.Prior)}
}

// seenAmount is what the bank side says of a payout; empty where it says nothing.
func (p PayoutRow) seenAmount() Cell {
	if len(p.Seen.Deposits) == 0 {
		return Cell{}
	}
	return amount(p.Seen.Amount, p.Currency)
}

// Outcome is the verdict on a payout: where the money went wrong, else whether its lines prove it.
// An open one need not add up yet.
func (p Paid) Outcome() string {
	switch p.State {
	case connector.PayoutOpen, connector.PayoutFailed, connector.PayoutReturned:
		return string(p.State)
	}
	if p.Proven() {
		return "proven"
	}
	return "not_proven"
}

func columnOf(category string) string {
	k := kind(category)
	switch {
	case reserve(category):
		return "reserve"
	case category == string(marketplace.Advertising):
		return "advertising"
	case k.cause == CauseDiscount:
		return "discounts"
	case k.group == Gross:
		return "sales"
	case k.group == Refunds:
		return "refunds"
	case k.group == Fees:
		return "fees"
	case k.group == Withheld:
		return "withheld_tax"
	}
	return "other"
}
