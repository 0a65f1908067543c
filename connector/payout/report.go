package payout

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"maps"
	"slices"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/order"
	"channelbridge/internal/money"
	"channelbridge/internal/spool"
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
	Payouts    []string // the channel's numbers, or as Named
	From, To   time.Time
	FromDay    string // in the place of From and To, each in the account's own zone: 2026-11-01
	ToDay      string
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
	Snapshot  string // names rows and parameters: the same question about the same knowledge has the same
	At        time.Time
	Query     Query
	Payouts   []PayoutRow
	Late      []PayoutRow // of closed months, that have come or were issued anew since; not in the summary
	Orders    Rows[OrderRow]
	Unsettled Rows[OrderRow] // those of Orders whose money is still to come
	Lines     Rows[LineRow]
	Summary   []Summary // one per currency, by its code
	Closed    []Closed  // the closed months it is about
	// Until is when it would say something else although nothing new is known: something falls due,
	// a day ends, a deadline passes. Zero: never.
	Until time.Time

	accounts []Account // by place in its rows
	spool    *spool.Spool
}

// Size is how many bytes its rows take, most of them in a file. They are given back when the report
// is forgotten.
func (r *Report) Size() int64 { return r.spool.Size() }

// Accounts are those it is about, with the settings it rests on: of an earlier time or a closed month
// those that held then.
func (r *Report) Accounts() []Account { return slices.Clone(r.accounts) }

// Summary is a report's bridge in one currency, and what its orders come to by outcome. There is no
// bridge where the report is not about whole payouts: with another basis than the default.
type Summary struct {
	Bridge
	Outcomes map[Outcome]Count
	Payouts  int
	Whole    bool  // it has a bridge
	Selected int64 // what the lines asked for come to
	Prior    Prior
}

// Prior is what became known of closed months since they were closed, beside the bridge.
type Prior struct {
	Orders     int
	Difference int64 // by how much their differences are others now
	Payouts    int
	Paid       int64 // by how much more was paid than was known
}

// Count is how many orders have an outcome, and their differences' sum.
type Count struct {
	Orders     int
	Difference int64
}

// Make answers a query over the books of accounts. Rows go to a spool while orders are judged, so
// that memory does not grow with them, but for sixteen bytes each until they are sorted.
func Make(ctx context.Context, k Keep, accounts []Account, q Query, now time.Time) (*Report, error) {
	m := &maker{Keep: k, Report: &Report{At: now, Query: q, spool: spool.New(k.Scratch)}, now: now, sums: map[string]*Summary{}, hash: sha256.New()}
	if !q.AsOf.IsZero() {
		m.At = q.AsOf
	}
	accounts = slices.SortedFunc(slices.Values(accounts), func(a, b Account) int { return cmp.Compare(a.ID, b.ID) })
	var parts []*accountPart
	for _, a := range accounts {
		p, err := m.open(ctx, a)
		if err != nil {
			return nil, fmt.Errorf("account %s: %w", a.ID, err)
		}
		parts = append(parts, p)
	}
	if len(m.Closed) > 0 && len(m.Closed) == len(accounts) {
		m.At = slices.MaxFunc(m.Closed, func(a, b Closed) int { return a.KnownAt.Compare(b.KnownAt) }).KnownAt
	}
	m.choose(parts)
	for i, p := range parts {
		if err := m.judge(ctx, i, p); err != nil {
			return nil, fmt.Errorf("account %s: %w", p.Account.ID, err)
		}
	}
	return m.end(parts)
}

// maker makes a report.
type maker struct {
	Keep
	*Report
	now    time.Time
	sums   map[string]*Summary
	hash   hash.Hash // of all rows, as they are written
	record record
	// what the rows of each list are sorted by, and where they lie
	orders, unsettled []place
	lines             []place
}

// accountPart is one account of a report.
type accountPart struct {
	*Books
	query  Query        // as it is for this account
	was    *closedBooks // nil: no closed month is concerned
	chosen []int        // by payout: its place in the report; -1: it is not asked for
}

// open opens the books of one account: a closed month as it was closed, everything else as it is
// known, with what was learned of closed months since.
func (m *maker) open(ctx context.Context, a Account) (*accountPart, error) {
	acts, err := m.Keep.Payouts.Acts(ctx, a.ID, m.Query.AsOf)
	if err != nil {
		return nil, fmt.Errorf("reading what was said of payouts: %w", err)
	}
	people, err := Follow(acts)
	if err != nil {
		return nil, err
	}
	q, err := m.Query.in(a.Zone)
	if err != nil {
		return nil, err
	}
	q = people.tiled(q, a)
	asOf := q.AsOf
	if c, closed := people.within(q, a); closed {
		asOf, a = c.KnownAt, c.Settings.on(a)
		m.Closed = append(m.Closed, Closed{a.ID, c.Month, c.At, c.By, c.KnownAt})
	}
	b, err := open(ctx, m.Keep, a, asOf, m.now)
	if err != nil {
		return nil, err
	}
	p := &accountPart{Books: b, query: q}
	if c, end, found := b.People.before(q, a); found {
		p.was, err = closedAs(ctx, m.Keep, a, c, end, m.now)
	}
	return p, err
}

// choose picks the payouts the question is about and sorts them.
func (m *maker) choose(parts []*accountPart) {
	type at struct{ part, payout int }
	var all []at
	for i, p := range parts {
		m.accounts = append(m.accounts, p.Account)
		p.chosen = slices.Repeat([]int{-1}, len(p.Books.Payouts))
		for j, x := range p.Books.Payouts {
			if p.query.Covers(x.Payout) {
				all = append(all, at{i, j})
			}
		}
	}
	slices.SortFunc(all, func(x, y at) int {
		a, b := parts[x.part].Books.Payouts[x.payout], parts[y.part].Books.Payouts[y.payout]
		return cmp.Or(settledAt(a.Payout).Compare(settledAt(b.Payout)), cmp.Compare(a.Account, b.Account), cmp.Compare(a.External, b.External), cmp.Compare(a.Revision, b.Revision))
	})
	n := 0
	for place, x := range all {
		row := parts[x.part].rows[x.payout]
		parts[x.part].chosen[x.payout] = place
		m.Report.Payouts = append(m.Report.Payouts, row)
		n += row.Lines
	}
	m.lines = make([]place, 0, n)
}

// sum is the summary of a currency.
func (m *maker) sum(currency string) *Summary {
	s := m.sums[currency]
	if s == nil {
		s = &Summary{Bridge: *newBridge(currency), Outcomes: map[Outcome]Count{}, Whole: m.Query.byPaid()}
		m.sums[currency] = s
	}
	return s
}

// judge goes through the orders of one account.
func (m *maker) judge(ctx context.Context, account int, p *accountPart) error {
	gone := func(c closedOrder) error { return m.takeGone(account, p, c) }
	if err := p.judge(ctx, func(o Order) error {
		if err := p.was.before(&o, gone); err != nil {
			return err
		}
		if err := m.take(account, p, o); err != nil {
			return err
		}
		return p.was.passed(o)
	}); err != nil {
		return err
	}
	if err := p.was.before(nil, gone); err != nil {
		return err
	}
	for _, v := range p.Loose {
		if q := p.query; q.Basis == ByPlaced || q.Basis == ByDue { // it has no such instant
			break
		}
		if err := m.takeLine(account, p, LineRow{Verdict: v}); err != nil {
			return err
		}
	}
	for i, place := range p.chosen {
		if err := m.takePayout(p, i, place); err != nil {
			return fmt.Errorf("payout %s: %w", p.rows[i].External, err)
		}
	}
	return nil
}

// takePayout adds a payout to its place in the report, and to the summary; one that is not asked for
// is there if it is news of a closed month.
func (m *maker) takePayout(p *accountPart, i, place int) error {
	row := p.rows[i]
	row.charts = p.People.charts
	if p.AsOf.IsZero() { // a chart that was not kept yet holds from now on
		row.charts = append(slices.Clip(row.charts), dated{p.Now, p.Account.chart()})
	}
	row.known = p.People.closedBy(settledAt(row.Payout), p.Account)
	var then connector.Payout
	row.Prior, then = p.was.late(row.Payout)
	row.then = then.Revision
	switch {
	case place >= 0:
		m.Report.Payouts[place] = row
		s := m.sum(row.Currency)
		if s.Payouts++; !s.Whole {
			return nil
		}
		return s.join(row.Bridge)
	case row.Prior == "" || !p.query.wantsCurrency(row.Currency):
		return nil
	}
	m.Late = append(m.Late, row)
	s := m.sum(row.Currency)
	s.Prior.Payouts++
	more, err := row.Payout.Paid.Sub(then.Paid)
	if err == nil {
		err = s.load.add(more.Minor)
	}
	s.Prior.Paid += more.Minor
	return err
}

// take writes an order down if it is asked for, or news of a closed month.
func (m *maker) take(account int, p *accountPart, o Order) error {
	m.lasts(p.Books, o)
	row, in := p.orderRow(o)
	if !p.query.wantsCurrency(o.Currency) {
		return nil
	}
	var then int64
	row.Prior, then = p.was.news(p.Books, o)
	if in && p.settles(o) {
		m.sum(o.Currency).Orders++
	}
	if !in && row.Prior == "" {
		return nil
	}
	if s := m.sum(o.Currency); m.wants(row) {
		if err := s.count(row, in, then); err != nil {
			return fmt.Errorf("order %s: %w", o.Ref, err)
		}
		if err := m.write(account, row); err != nil {
			return err
		}
	}
	for _, v := range o.Lines {
		if err := m.takeLine(account, p, LineRow{Verdict: v, Ref: o.Ref, Store: o.Facts.Store}); err != nil {
			return err
		}
	}
	return nil
}

// takeGone writes down an order that a closed month knows and of which nothing is left.
func (m *maker) takeGone(account int, p *accountPart, c closedOrder) error {
	if !p.query.wantsCurrency(c.currency) {
		return nil
	}
	o := c.gone()
	row, _ := p.orderRow(o)
	row.Prior = c.month
	if !m.wants(row) {
		return nil
	}
	if err := m.sum(o.Currency).count(row, false, c.difference); err != nil {
		return fmt.Errorf("order %s: %w", o.Ref, err)
	}
	return m.write(account, row)
}

// write adds an order's row.
func (m *maker) write(account int, row OrderRow) error {
	m.record.b = m.record.b[:0]
	if err := m.record.order(account, row); err != nil {
		return err
	}
	at, err := m.add()
	if err != nil {
		return err
	}
	p := place{m.Query.key(row), at}
	m.orders = append(m.orders, p)
	if row.unsettled() {
		m.unsettled = append(m.unsettled, p)
	}
	return nil
}

// takeLine adds a line's row if it is asked for.
func (m *maker) takeLine(account int, p *accountPart, l LineRow) error {
	q, at := p.query, p.chosen[l.Rank]
	switch {
	case at < 0 || !p.wantsLine(l.Verdict):
		return nil
	case len(q.Categories) > 0 && !slices.Contains(q.Categories, marketplace.Category(l.Line.Category)):
		return nil
	}
	if !q.byPaid() {
		s := m.sum(l.Line.Amount.Currency)
		if err := s.load.add(l.Line.Amount.Minor); err != nil {
			return fmt.Errorf("line %d: %w", l.Line.No, err)
		}
		s.Selected, s.Lines = s.Selected+l.Line.Amount.Minor, s.Lines+1
	}
	m.record.b = m.record.b[:0]
	m.record.line(account, at, l)
	where, err := m.add()
	m.lines = append(m.lines, place{int64(at)<<32 | int64(l.Line.No), where})
	return err
}

// add adds what was recorded to the spool and to the report's name.
func (m *maker) add() (int64, error) {
	_, _ = m.hash.Write(m.record.b) // a hash takes everything
	return addRecord(m.spool, m.record.b)
}

// key is what an order's row is sorted by. Rows with equal keys are sorted by account, number and
// currency, which is the order they come in.
func (q Query) key(row OrderRow) int64 {
	switch q.Sort {
	case "due_at":
		return row.DueAt.UnixMicro()
	case "posted_at":
		return row.First.UnixMicro()
	case "order":
		return 0
	}
	return -max(row.Difference, -row.Difference)
}

// end sums up, sorts and names the report.
func (m *maker) end(parts []*accountPart) (r *Report, err error) {
	r = m.Report
	for _, c := range slices.Sorted(maps.Keys(m.sums)) {
		if err := m.sums[c].Check(); m.sums[c].Whole && err != nil {
			return nil, fmt.Errorf("the summary in %s: %w", c, err)
		}
		r.Summary = append(r.Summary, *m.sums[c])
	}
	order := func(d *reader) OrderRow { return d.order(r.accounts) }
	if r.Orders, err = list(m.spool, m.orders, order); err != nil {
		return nil, err
	}
	if r.Unsettled, err = list(m.spool, m.unsettled, order); err != nil {
		return nil, err
	}
	if r.Lines, err = list(m.spool, m.lines, func(d *reader) LineRow { return d.line(r.accounts, r.Payouts) }); err != nil {
		return nil, err
	}
	r.Snapshot, err = m.name()
	return r, err
}

// name makes the report's name: equal for equal rows, an equal summary and an equal question.
func (m *maker) name() (string, error) {
	q := m.Query
	q.From, q.To, q.AsOf = q.From.UTC(), q.To.UTC(), time.Time{} // as much is known whether one asks then or afterwards
	asked, err := json.Marshal(q)
	if err != nil {
		return "", fmt.Errorf("naming a question about payouts: %w", err)
	}
	d := &m.record
	d.b = d.b[:0]
	d.text("report/3", string(asked))
	d.number(int64(len(m.Summary)), int64(len(m.Report.Payouts)), int64(m.Orders.Len()), int64(m.Lines.Len()), int64(len(m.accounts)))
	for _, s := range m.Summary {
		text, err := json.Marshal(s.JSON())
		if err != nil {
			return "", fmt.Errorf("naming a summary: %w", err)
		}
		d.text(string(text))
	}
	for _, a := range m.accounts {
		d.text(string(a.ID), a.Zone)
	}
	for _, p := range m.PayoutRows() {
		d.payout(p)
	}
	_, _ = m.hash.Write(d.b)
	return "rs_" + hex.EncodeToString(m.hash.Sum(nil)[:16]), nil
}

// payout writes what a payout's row shows.
func (r *record) payout(p PayoutRow) {
	r.text(string(p.Account.ID), p.Account.Zone, p.External, p.Digest, string(p.State), p.Prior, p.Seen.Day, p.Seen.BankRef, string(p.Seen.Outcome))
	r.number(int64(p.Revision), int64(p.Unmatched), int64(p.Findings), p.Open, p.Seen.Amount, int64(len(p.Seen.Deposits)))
	r.text(p.Seen.Deposits...)
	r.yes(p.Proven())
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

// count adds an order to its outcome's, if it is part of what is asked for, and to the news of
// closed months.
func (s *Summary) count(row OrderRow, in bool, then int64) error {
	if err := s.load.add(row.Difference, then); err != nil {
		return err
	}
	if in {
		c := s.Outcomes[row.Outcome]
		s.Outcomes[row.Outcome] = Count{c.Orders + 1, c.Difference + row.Difference}
	}
	if row.Prior != "" {
		s.Prior.Orders++
		s.Prior.Difference += row.Difference - then
	}
	return nil
}

// settles reports that something of an order is among the lines asked for, in its currency.
func (p *accountPart) settles(o Order) bool {
	if p.query.byPaid() {
		return slices.ContainsFunc(o.Shares, func(s Share) bool { return p.chosen[s.Rank] >= 0 && p.Books.Payouts[s.Rank].Currency == o.Currency })
	}
	return slices.ContainsFunc(o.Lines, func(v Verdict) bool { return p.chosen[v.Rank] >= 0 && p.wantsLine(v) })
}

// PayoutRows are the payouts asked for, and after them the news of closed months.
func (r *Report) PayoutRows() []PayoutRow { return slices.Concat(r.Payouts, r.Late) }

// finding reports an order with something to do about it.
func (o Order) finding() bool {
	switch o.Outcome {
	case Matched, WithinTolerance, AwaitingRelease, PartiallySettled:
		return false
	}
	return true
}

func within(at, from, to time.Time) bool {
	return (from.IsZero() || !at.Before(from)) && (to.IsZero() || at.Before(to))
}

// in is the question with its days as instants of a zone.
func (q Query) in(zone string) (Query, error) {
	for _, x := range []struct {
		day string
		to  *time.Time
	}{{q.FromDay, &q.From}, {q.ToDay, &q.To}} {
		if x.day == "" {
			continue
		}
		at, err := ReadInstant(x.day, order.Zone(zone))
		if err != nil {
			return q, err
		}
		*x.to = at
	}
	return q, nil
}

// byPaid reports the default basis: the question is about whole payouts.
func (q Query) byPaid() bool { return q.Basis == ByPaid || q.Basis == "" }

func (q Query) wantsCurrency(currency string) bool {
	return len(q.Currencies) == 0 || slices.Contains(q.Currencies, currency)
}

// wantsLine reports that a line of a payout asked for is asked for by its own instant; one that has
// none has the payout's.
func (p *accountPart) wantsLine(v Verdict) bool {
	if p.query.Basis != ByPosted {
		return true
	}
	at := v.Line.PostedAt
	if at.IsZero() {
		at = settledAt(p.Books.Payouts[v.Rank].Payout)
	}
	return within(at, p.query.From, p.query.To)
}

// Covers reports that a payout is among those a question is about. Its days have to be instants.
func (q Query) Covers(p connector.Payout) bool {
	switch {
	case !q.names(p), !q.wantsCurrency(p.Currency):
		return false
	}
	return !q.byPaid() || within(settledAt(p), q.From, q.To)
}

// orderRow makes an order's row; false when it has no part in the selection: none of its lines is
// asked for, or for one without lines its own instant is not meant.
func (p *accountPart) orderRow(o Order) (OrderRow, bool) {
	q, in := p.query, false
	row := OrderRow{Account: p.Account, Order: o}
	if f, found := p.ofOrder(o); found {
		row.Work = workOf(f)
	}
	for _, s := range o.Shares {
		of := p.Books.Payouts[s.Rank]
		row.Payouts, row.revisions = append(row.Payouts, of.External), append(row.revisions, of.Revision)
	}
	for _, v := range o.Lines {
		if p.chosen[v.Rank] >= 0 && p.wantsLine(v) {
			in = true
			row.Selected += v.Line.Amount.Minor
		}
	}
	if !o.DueAt.IsZero() && p.Now.After(o.DueAt) && o.Outcome == MissingInSettlement {
		row.Age = daysBetween(o.DueAt, p.Now, p.Account.Zone)
	}
	switch q.Basis {
	case ByPlaced:
		in = within(o.Facts.PlacedAt, q.From, q.To)
	case ByDue:
		in = !o.DueAt.IsZero() && within(o.DueAt, q.From, q.To)
	case ByPosted:
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

// unsettled reports an order whose money is still to come.
func (o Order) unsettled() bool {
	return o.Outcome == MissingInSettlement || o.Outcome == AwaitingRelease || o.Outcome == PartiallySettled
}
