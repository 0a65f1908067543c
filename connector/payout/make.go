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

	"channelbridge/internal/spool"
	"channelbridge/marketplace"
)

// Make answers a query over the books of accounts. Rows go to a spool while orders are judged, so
// that memory does not grow with them, but for sixteen bytes each until they are sorted.
func Make(ctx context.Context, k Keep, accounts []Account, q Query, now time.Time) (*Report, error) {
	m := &maker{Keep: k, Report: &Report{At: now, Query: q, spool: spool.New(k.Scratch)}, now: now, sums: map[string]*Summary{}, asked: map[int]bool{}, hash: sha256.New()}
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
	ranges            [][2]time.Time // what is asked for, by account
	asked             map[int]bool   // payouts of which a line is asked for, by place
}

// choose picks the payouts the question is about and sorts them.
func (m *maker) choose(parts []*accountPart) {
	type at struct{ part, payout int }
	var all []at
	for i, p := range parts {
		m.accounts = append(m.accounts, p.Account)
		m.ranges = append(m.ranges, [2]time.Time{p.query.From, p.query.To})
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
	l := p.was.late(row.Payout)
	row.Prior, row.asked = l.month, m.asked[place]
	row.history = history{p.ever, p.base, p.was != nil, place >= 0 || l.here}
	if place >= 0 {
		m.Report.Payouts[place] = row
		if err := m.join(row); err != nil {
			return err
		}
	} else if l.month != "" && p.query.wantsCurrency(row.Currency) {
		m.Late = append(m.Late, row)
	}
	if l.month == "" || !p.query.wantsCurrency(row.Currency) {
		return nil
	}
	m.sum(row.Currency).Prior.Payouts++
	if l.here {
		if err := m.sum(row.Currency).paid(row.Payout.Paid.Minor); err != nil {
			return err
		}
	}
	if l.then.Revision == 0 {
		return nil
	}
	return m.sum(l.then.Currency).paid(-l.then.Paid.Minor)
}

// join adds a payout asked for to its summary.
func (m *maker) join(row PayoutRow) error {
	s := m.sum(row.Currency)
	if !s.Whole && !row.asked {
		return nil
	}
	if s.Payouts++; !s.Whole {
		return nil
	}
	return s.join(row.Bridge)
}

// paid counts what was paid beyond what was known of a closed month.
func (s *Summary) paid(more int64) error {
	s.Prior.Paid += more
	return s.load.add(more)
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
	if s := m.sum(o.Currency); m.Query.wants(row) {
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
	if !m.Query.wants(row) {
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
	m.asked[at] = true
	where, err := m.add()
	m.lines = append(m.lines, place{int64(at)<<32 | int64(l.Line.No), where})
	return err
}

// add adds what was recorded to the spool and to the report's name.
func (m *maker) add() (int64, error) {
	_, _ = m.hash.Write(m.record.b) // a hash takes everything
	return addRecord(m.spool, m.record.b)
}

// end sums up, sorts and names the report.
func (m *maker) end(parts []*accountPart) (r *Report, err error) {
	r = m.Report
	for _, c := range slices.Sorted(maps.Keys(m.sums)) {
		if err := m.sums[c].Check(); err != nil {
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
	q.AsOf = time.Time{}                                                // as much is known whether one asks then or afterwards
	q.From, q.To, q.FromDay, q.ToDay = time.Time{}, time.Time{}, "", "" // each account has its own
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
	for i, a := range m.accounts {
		d.text(string(a.ID), a.Zone)
		d.instant(m.ranges[i][0], m.ranges[i][1])
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
