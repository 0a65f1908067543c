package payout

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/order"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// Version stands in every report; it grows when a column or a meaning is added.
const Version = "1"

// Basis is the instant of a row that From and To are about.
type Basis string

const (
	ByPaid   Basis = "paid_at" // the default: of the payout
	ByPosted Basis = "posted_at"
	ByPlaced Basis = "order_placed_at"
	ByDue    Basis = "due_at"
)

// Query is what a report is asked for. Zero fields do not narrow.
type Query struct {
	Payouts    []string // the channel's numbers
	From, To   time.Time
	Basis      Basis
	Currencies []string
	Outcomes   []Outcome
	Causes     []CauseCode
	Categories []marketplace.Category
	Text       string  // part of an order's number on either side, of a payout's, an SKU or a bank reference
	MinDiff    string  // decimal, in each row's own currency: the least absolute difference
	Sort       string  // -abs_difference (the default), due_at, posted_at, order
	States     []State // of the order's finding
	Assignees  []string
	AsOf       time.Time // what was known then; zero: now
}

// Report is an answer. Its rows and its summary cover the same selection.
type Report struct {
	Snapshot string // names rows and parameters: the same question about the same knowledge has the same
	At       time.Time
	Query    Query
	Payouts  []PayoutRow
	Orders   []OrderRow
	Lines    []LineRow
	Summary  []Summary // one per currency, by its code
	Closed   []Closed  // the closed months it is about
	// Until is when it would say something else although nothing new is known: something falls due,
	// a day ends, a deadline passes. Zero: never.
	Until time.Time
}

// PayoutRow is one payout of a report.
type PayoutRow struct {
	Account Account
	Paid
	Unmatched int   // lines that name no order they should name, or that nobody has classified
	Findings  int   // orders of it that somebody has to look at
	Open      int64 // this payout's part of their differences
	Seen      Seen  // at the bank

	columns map[string]int64 // of its lines, by the payout level's columns
}

// OrderRow is one order of a report.
type OrderRow struct {
	Account Account
	Order
	Payouts []string // the channel's numbers, in the order of time
	Age     int      // days since it was due, in the account's zone; 0: not due
	// Selected is the part of Actual that lies in the report's payouts.
	Selected int64
	Finding  *Finding // nil: there is nothing to do about it, and never was
	// Prior is the closed month the order belongs to, where something else was known of it when that
	// month was closed; "": it is no news of a closed month.
	Prior string

	books *Books // that it stands in
}

// LineRow is one line of a report. What it shares with other rows is not copied: there may be
// millions.
type LineRow struct {
	Account *Account
	Payout  *connector.Payout
	*Verdict
	Ref   string // the order it belongs to, by the channel's number; "" when it belongs to none
	Store string // the mirrored order
}

// Summary is a report's bridge in one currency, and what its orders come to by outcome.
type Summary struct {
	Bridge
	Outcomes map[Outcome]Count
	Payouts  int
}

// Count is how many orders have an outcome, and their differences' sum.
type Count struct {
	Orders     int
	Difference int64
}

// Make answers a query over the books of accounts.
func Make(ctx context.Context, store connector.Payouts, accounts []Account, q Query, now time.Time) (*Report, error) {
	r := &Report{At: now, Query: q}
	if !q.AsOf.IsZero() {
		r.At = q.AsOf
	}
	sums := map[string]*Summary{}
	for _, a := range accounts {
		if err := r.account(ctx, store, a, sums, now); err != nil {
			return nil, fmt.Errorf("account %s: %w", a.ID, err)
		}
	}
	if len(r.Closed) > 0 && len(r.Closed) == len(accounts) {
		r.At = slices.MaxFunc(r.Closed, func(a, b Closed) int { return a.KnownAt.Compare(b.KnownAt) }).KnownAt
	}
	for _, c := range slices.Sorted(maps.Keys(sums)) {
		if err := sums[c].Check(); err != nil {
			return nil, fmt.Errorf("the summary in %s: %w", c, err)
		}
		r.Summary = append(r.Summary, *sums[c])
	}
	r.sort()
	r.Snapshot = r.digest()
	return r, nil
}

// account answers for one account: a closed month as it was closed, everything else as it is known,
// with what was learned of closed months since.
func (r *Report) account(ctx context.Context, store connector.Payouts, a Account, sums map[string]*Summary, now time.Time) error {
	acts, err := store.Acts(ctx, a.ID, r.Query.AsOf)
	if err != nil {
		return fmt.Errorf("reading what was said of payouts: %w", err)
	}
	people, err := Follow(acts)
	if err != nil {
		return err
	}
	asOf := r.Query.AsOf
	if c, closed := people.within(r.Query, a.Zone); closed {
		asOf, a = c.KnownAt, c.Settings.on(a)
		r.Closed = append(r.Closed, Closed{a.ID, c.Month, c.At, c.By, c.KnownAt})
	}
	b, err := Open(ctx, store, a, asOf, now)
	if err != nil {
		return err
	}
	prior := map[orderName]string{}
	if c, end, found := b.People.before(r.Query, a.Zone); found {
		was, err := Open(ctx, store, c.Settings.on(a), c.KnownAt, now)
		if err != nil {
			return fmt.Errorf("the closed month %s: %w", c.Month, err)
		}
		prior = b.sinceClosed(was, end)
	}
	return r.take(b, prior, sums)
}

// take selects what an account's books hold for the query.
func (r *Report) take(b *Books, prior map[orderName]string, sums map[string]*Summary) error {
	sum := func(currency string) *Summary {
		s := sums[currency]
		if s == nil {
			s = &Summary{Bridge: *newBridge(currency), Outcomes: map[Outcome]Count{}}
			sums[currency] = s
		}
		return s
	}
	chosen := map[int64]bool{}
	for _, p := range b.payoutRows() {
		if !r.wantsPayout(p.Paid) {
			continue
		}
		chosen[p.ID] = true
		s := sum(p.Currency)
		s.Payouts++
		if err := s.join(p.Bridge); err != nil {
			return fmt.Errorf("payout %s: %w", p.External, err)
		}
		r.Payouts = append(r.Payouts, p)
	}
	for _, o := range b.Orders {
		r.lasts(b, o)
		if o.settledIn(b, chosen) {
			sum(o.Currency).Orders++
		}
		row, in := r.orderRow(b, o, chosen)
		row.Prior = prior[orderName{o.Ref, o.Currency}]
		if !in && row.Prior == "" {
			continue
		}
		if s := sum(o.Currency); r.wants(row) {
			if err := s.count(o); err != nil {
				return fmt.Errorf("order %s: %w", o.Ref, err)
			}
			r.Orders = append(r.Orders, row)
		}
		for i := range o.Lines {
			r.takeLine(b, &o.Lines[i], o.Ref, o.Facts.Store, chosen)
		}
	}
	for i := range b.Loose {
		r.takeLine(b, &b.Loose[i], "", "", chosen)
	}
	return nil
}

// lasts bounds how long the report says the same of an order.
func (r *Report) lasts(b *Books, o Order) {
	if !b.AsOf.IsZero() {
		return
	}
	instants := []time.Time{o.DueAt}
	for _, f := range o.Facts.Refunds {
		instants = append(instants, f.At.Add(b.Account.Terms.Wait+b.Account.Terms.Every))
	}
	if o.Outcome == MissingInSettlement {
		y, m, d := b.Now.In(order.Zone(b.Account.Zone)).Date()
		instants = append(instants, time.Date(y, m, d+1, 0, 0, 0, 0, order.Zone(b.Account.Zone)))
	}
	if p := b.progressOf(o); p != nil && p.Claim != nil {
		instants = append(instants, p.Claim.Deadline)
	}
	for _, at := range instants {
		if at.After(b.Now) && (r.Until.IsZero() || at.Before(r.Until)) {
			r.Until = at
		}
	}
}

// count adds an order to its outcome's.
func (s *Summary) count(o Order) error {
	if err := s.load.add(o.Difference); err != nil {
		return err
	}
	c := s.Outcomes[o.Outcome]
	s.Outcomes[o.Outcome] = Count{c.Orders + 1, c.Difference + o.Difference}
	return nil
}

// settledIn reports that one of the payouts, of the order's currency, has a part of the order.
func (o Order) settledIn(b *Books, chosen map[int64]bool) bool {
	return slices.ContainsFunc(o.Shares, func(s Share) bool { return chosen[s.Payout] && b.Of(s.Payout).Currency == o.Currency })
}

// payoutRows makes a row of every payout, in one pass over the orders.
func (b *Books) payoutRows() []PayoutRow {
	rows := make([]PayoutRow, len(b.Payouts))
	for i, p := range b.Payouts {
		rows[i] = PayoutRow{Account: b.Account, Paid: p, Seen: b.Seen[p.External], columns: map[string]int64{}}
	}
	line := func(v Verdict) *PayoutRow {
		row := &rows[v.Rank]
		if v.Line.Amount.Currency == row.Currency {
			row.columns[columnOf(v.Line.Category)] += v.Line.Amount.Minor
		}
		return row
	}
	for _, o := range b.Orders {
		for _, v := range o.Lines {
			if row := line(v); v.Outcome == Unclassified {
				row.Unmatched++
			}
		}
		if !o.finding() {
			continue
		}
		for _, s := range o.Shares {
			rows[s.Rank].find(o, s)
		}
	}
	for _, v := range b.Loose {
		if row := line(v); v.Outcome != NonOrder {
			row.Unmatched++
		}
	}
	return rows
}

// find counts an order that somebody has to look at. Two currencies are never added.
func (p *PayoutRow) find(o Order, s Share) {
	p.Findings++
	if o.Currency != p.Currency {
		return
	}
	for _, v := range s.Variance {
		p.Open += v
	}
}

// finding reports an order with something to do about it.
func (o Order) finding() bool {
	switch o.Outcome {
	case Matched, WithinTolerance, AwaitingRelease, PartiallySettled:
		return false
	}
	return true
}

func (r *Report) takeLine(b *Books, v *Verdict, ref, store string, chosen map[int64]bool) {
	q := r.Query
	switch {
	case !chosen[v.Line.Payout]:
	case q.Basis == ByPosted && !within(v.Line.PostedAt, q.From, q.To):
	case len(q.Categories) > 0 && !slices.Contains(q.Categories, marketplace.Category(v.Line.Category)):
	default:
		r.Lines = append(r.Lines, LineRow{Account: &b.Account, Payout: &b.Payouts[b.places[v.Line.Payout]].Payout, Verdict: v, Ref: ref, Store: store})
	}
}

func within(at, from, to time.Time) bool {
	return (from.IsZero() || !at.Before(from)) && (to.IsZero() || at.Before(to))
}

func (r *Report) wantsPayout(p Paid) bool { return r.Query.Covers(p.Payout) }

// Covers reports that a payout is among those a question is about.
func (q Query) Covers(p connector.Payout) bool {
	switch {
	case len(q.Payouts) > 0 && !slices.Contains(q.Payouts, p.External):
		return false
	case len(q.Currencies) > 0 && !slices.Contains(q.Currencies, p.Currency):
		return false
	case q.Basis != ByPaid && q.Basis != "":
		return true
	}
	return within(settledAt(p), q.From, q.To)
}

// orderRow makes an order's row; false when it has no part in the selection: none of its lines is
// in a selected payout, or for one without lines its own instant is not meant.
func (r *Report) orderRow(b *Books, o Order, chosen map[int64]bool) (OrderRow, bool) {
	q := r.Query
	row := OrderRow{Account: b.Account, Order: o, books: b}
	if f, found := b.ofOrder(o); found {
		row.Finding = &f
	}
	if len(q.Currencies) > 0 && !slices.Contains(q.Currencies, o.Currency) {
		return row, false
	}
	in := false
	for _, s := range o.Shares {
		if chosen[s.Payout] {
			in = true
			row.Selected += s.Amount
		}
		row.Payouts = append(row.Payouts, b.Of(s.Payout).External)
	}
	if !o.DueAt.IsZero() && b.Now.After(o.DueAt) && o.Outcome == MissingInSettlement {
		row.Age = daysBetween(o.DueAt, b.Now, b.Account.Zone)
	}
	switch q.Basis {
	case ByPlaced:
		in = within(o.Facts.PlacedAt, q.From, q.To)
	case ByDue:
		in = !o.DueAt.IsZero() && within(o.DueAt, q.From, q.To)
	default:
		in = in || len(o.Lines) == 0 && len(q.Payouts) == 0 && (q.To.IsZero() || o.Facts.PlacedAt.Before(q.To))
	}
	return row, in
}

// daysBetween counts the midnights of a zone between two instants.
func daysBetween(from, to time.Time, zone string) int {
	return int(dayOf(to, zone).Sub(dayOf(from, zone)) / (24 * time.Hour))
}

// wants narrows rows without changing what the summary's bridge is about.
func (r *Report) wants(row OrderRow) bool {
	q := r.Query
	if len(q.Outcomes) > 0 && !slices.Contains(q.Outcomes, row.Outcome) {
		return false
	}
	if len(q.Causes) > 0 && !slices.ContainsFunc(row.Causes, func(c Cause) bool { return slices.Contains(q.Causes, c.Code) }) {
		return false
	}
	if len(q.Categories) > 0 && !slices.ContainsFunc(q.Categories, func(c marketplace.Category) bool { _, ok := row.ByKind[c]; return ok }) {
		return false
	}
	if least, err := money.Parse(cmp.Or(q.MinDiff, "0"), row.Currency); err == nil && max(row.Difference, -row.Difference) < least.Minor {
		return false
	}
	if len(q.States) > 0 && !slices.Contains(q.States, row.state()) || len(q.Assignees) > 0 && !slices.Contains(q.Assignees, row.assignee()) {
		return false
	}
	return q.Text == "" || row.mentions(q.Text)
}

// state is what people have done about a row; "": there is nothing to do.
func (row OrderRow) state() State {
	if row.Finding == nil {
		return ""
	}
	return row.Finding.State
}

func (row OrderRow) assignee() string {
	if row.Finding == nil {
		return ""
	}
	return row.Finding.Progress.Assignee
}

func (row OrderRow) mentions(text string) bool {
	texts := append([]string{row.Ref, row.Facts.Store, row.Facts.Name}, row.Payouts...)
	for _, i := range row.Facts.Items {
		texts = append(texts, i.SKU)
	}
	return slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(strings.ToLower(s), strings.ToLower(text)) })
}

// Unsettled are the orders whose money is still to come.
func (r *Report) Unsettled() []OrderRow {
	var out []OrderRow
	for _, o := range r.Orders {
		if o.Outcome == MissingInSettlement || o.Outcome == AwaitingRelease || o.Outcome == PartiallySettled {
			out = append(out, o)
		}
	}
	return out
}

// sort orders rows; equal ones by account, number and currency, so that it is the same each time.
func (r *Report) sort() {
	abs := func(n int64) int64 { return max(n, -n) }
	slices.SortFunc(r.Orders, func(a, b OrderRow) int {
		first := 0
		switch r.Query.Sort {
		case "due_at":
			first = a.DueAt.Compare(b.DueAt)
		case "posted_at":
			first = a.First.Compare(b.First)
		case "order":
		default:
			first = cmp.Compare(abs(b.Difference), abs(a.Difference))
		}
		return cmp.Or(first, cmp.Compare(a.Account.ID, b.Account.ID), cmp.Compare(a.Ref, b.Ref), cmp.Compare(a.Currency, b.Currency))
	})
	slices.SortFunc(r.Payouts, func(a, b PayoutRow) int {
		return cmp.Or(settledAt(a.Payout).Compare(settledAt(b.Payout)), cmp.Compare(a.Account.ID, b.Account.ID), cmp.Compare(a.External, b.External), cmp.Compare(a.Revision, b.Revision))
	})
	slices.SortFunc(r.Lines, func(a, b LineRow) int {
		return cmp.Or(settledAt(*a.Payout).Compare(settledAt(*b.Payout)), cmp.Compare(a.Account.ID, b.Account.ID), cmp.Compare(a.Payout.External, b.Payout.External),
			cmp.Compare(a.Payout.Revision, b.Payout.Revision), cmp.Compare(a.Line.No, b.Line.No))
	})
}
