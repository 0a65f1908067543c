package payout

import (
	"context"
	"slices"
	"time"

	"channelbridge/connector/order"
)

// accountPart is one account of a report.
type accountPart struct {
	*Books
	query  Query        // as it is for this account
	base   *Closing     // the last closed month before what is asked for; nil: none
	was    *closedBooks // nil: no news of it are told
	ever   *People      // also what was said since a closed month
	chosen []int        // by payout: its place in the report; -1: it is not asked for
}

// open opens the books of one account: a closed month as it was closed, everything else as it is
// known, with what was learned of closed months since.
func (m *maker) open(ctx context.Context, a Account) (*accountPart, error) {
	ever, err := m.said(ctx, a.ID, m.Query.AsOf)
	if err != nil {
		return nil, err
	}
	then := a
	if !m.Query.AsOf.IsZero() {
		then = ever.settings.on(a)
	}
	q, err := m.Query.In(then.Zone)
	if err != nil {
		return nil, err
	}
	q = ever.tiled(q, then)
	people, asOf := ever, q.AsOf
	if c, closed := ever.within(q); closed {
		asOf, a = c.KnownAt, c.Settings.on(a)
		m.Closed = append(m.Closed, Closed{a.ID, c.Month, c.At, c.By, c.KnownAt})
		if people, err = m.said(ctx, a.ID, asOf); err != nil {
			return nil, err
		}
	}
	b, err := open(ctx, m.Keep, a, people, asOf, m.now)
	if err != nil {
		return nil, err
	}
	p := &accountPart{Books: b, query: q, ever: ever}
	tells := false
	if p.base, tells = b.People.before(q); tells {
		p.was, err = closedAs(ctx, m.Keep, a, *p.base, b.People, m.now)
	}
	return p, err
}

// settles reports that something of an order is among the lines asked for, in its currency.
func (p *accountPart) settles(o Order) bool {
	if p.query.byPaid() {
		return slices.ContainsFunc(o.Shares, func(s Share) bool { return p.chosen[s.Rank] >= 0 && p.Books.Payouts[s.Rank].Currency == o.Currency })
	}
	return slices.ContainsFunc(o.Lines, func(v Verdict) bool { return p.chosen[v.Rank] >= 0 && p.wantsLine(v) })
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
