package payout

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"channelbridge/connector"
)

// Account is what an operator chose for a channel's payouts.
type Account struct {
	ID    connector.ConnectionID
	Zone  string // in which its days and months end
	Terms Terms
	Tol   map[string]Tolerance
	Chart Chart // for journals; the zero value is the built-in one
	// Drift is how much of what a month has brought its tolerated differences may come to in one
	// direction, in hundredths of a percent up to 10,000; 0: 5.
	Drift int64
}

// In is the account with its times shown in another zone; "": in its own.
func (a Account) In(zone string) Account {
	if zone != "" {
		a.Zone = zone
	}
	return a
}

const usualDrift = 5

// drift is the bound in hundredths of a percent.
func (a Account) drift() int64 {
	if a.Drift == 0 {
		return usualDrift
	}
	return a.Drift
}

// Books is all of one account's payouts held against its orders, as known at one time. Orders are
// handed over while they are judged and not kept: there may be millions. What the books say of them
// together is complete when all were.
type Books struct {
	Account Account
	AsOf    time.Time
	Now     time.Time       // the instant it is true of: AsOf, or when it was opened
	Payouts []Paid          // in the order of time
	Loose   []Verdict       // lines that belong to no order
	People  *People         // what was said and done
	Seen    map[string]Seen // what the bank side says of a payout, by the channel's number
	// Deposits are sorted by day.
	Deposits []Deposit

	keep   Keep
	rows   []PayoutRow
	months tolerated
	drifts []drifted
	places map[int64]int // of payouts by id
}

// Paid is one payout and how it is made up.
type Paid struct {
	connector.Payout
	Name   string // outside, the same in every database; see ID
	Bridge *Bridge
}

// Of returns the payout with an id.
func (b *Books) Of(id int64) Paid { return b.Payouts[b.places[id]] }

// Keep is where payouts are kept, and a folder for what does not fit into memory while a report is
// made of them; "": the system's.
type Keep struct {
	Payouts connector.Payouts
	Scratch string
}

// said reads what was said and done about an account, as known by asOf; zero: by now.
func (k Keep) said(ctx context.Context, account connector.ConnectionID, asOf time.Time) (*People, error) {
	acts, err := k.Payouts.Acts(ctx, account, asOf)
	if err != nil {
		return nil, fmt.Errorf("reading what was said of payouts: %w", err)
	}
	return Follow(acts)
}

// Read reads an account's books: each order is handed to each while it is judged, sorted by the
// channel's number, then currency. The same contents of the store give the same books.
func Read(ctx context.Context, k Keep, a Account, asOf, now time.Time, each func(*Books, Order) error) (*Books, error) {
	people, err := k.said(ctx, a.ID, asOf)
	if err != nil {
		return nil, err
	}
	b, err := open(ctx, k, a, people, asOf, now)
	if err != nil {
		return nil, err
	}
	return b, b.judge(ctx, func(o Order) error { return each(b, o) })
}

// open reads what there is but orders and lines. The people's word is as known by asOf.
func open(ctx context.Context, k Keep, a Account, people *People, asOf, now time.Time) (*Books, error) {
	b := &Books{Account: a, AsOf: asOf, Now: now, People: people, keep: k, places: map[int64]int{}, months: tolerated{}}
	if !asOf.IsZero() {
		b.Now, b.Account = asOf, people.settings.on(a)
	}
	err := b.payouts(ctx, k.Payouts)
	if err != nil {
		return nil, err
	}
	if b.Seen, b.Deposits, err = bank(b.Payouts, b.People.deposits, b.Account.Zone); err != nil {
		return nil, err
	}
	for _, p := range b.Payouts {
		b.rows = append(b.rows, PayoutRow{Account: b.Account, Paid: p, Seen: b.Seen[p.External], columns: map[string]int64{}})
	}
	return b, nil
}

func (b *Books) payouts(ctx context.Context, store connector.Payouts) error {
	list, err := store.PayoutList(ctx, connector.PayoutFilter{Accounts: []connector.ConnectionID{b.Account.ID}, AsOf: b.AsOf})
	if err != nil {
		return fmt.Errorf("reading the list of payouts: %w", err)
	}
	slices.SortFunc(list, func(x, y connector.Payout) int {
		return cmp.Or(settledAt(x).Compare(settledAt(y)), cmp.Compare(x.External, y.External), cmp.Compare(x.Revision, y.Revision))
	})
	for i, p := range list {
		bridge := newBridge(p.Currency)
		if err := bridge.head(p); err != nil {
			return err
		}
		b.places[p.ID] = i
		b.Payouts = append(b.Payouts, Paid{Payout: p, Name: ID(p), Bridge: bridge})
	}
	return nil
}

// settledAt is a payout's instant: when it was sent, else when its period ends, else when it came.
func settledAt(p connector.Payout) time.Time {
	switch {
	case !p.PaidAt.IsZero():
		return p.PaidAt
	case !p.End.IsZero():
		return p.End
	}
	return p.ImportedAt
}

// judge holds every order against the lines of the payouts and hands it over.
func (b *Books) judge(ctx context.Context, each func(Order) error) error {
	w, err := b.walk(ctx, func(o Order) error {
		if err := b.enter(o); err != nil {
			return err
		}
		return each(o)
	})
	if err != nil {
		return err
	}
	if err := w.lines(ctx); err != nil {
		return err
	}
	for _, v := range w.suggest() {
		if err := b.enterLoose(v); err != nil {
			return err
		}
	}
	b.drifts = b.drifting()
	return b.prove()
}

// enter counts an order in the payouts that settled it. Its causes have to come to its difference.
func (b *Books) enter(o Order) error {
	var sum int64
	for _, c := range o.Causes {
		sum += c.Amount
	}
	if sum != o.Difference {
		return fmt.Errorf("order %s: its causes come to %d, its difference is %d", o.Ref, sum, o.Difference)
	}
	for _, s := range o.Shares {
		p := b.Payouts[s.Rank]
		if p.Currency != o.Currency {
			continue
		}
		if err := p.Bridge.order(o, s); err != nil {
			return fmt.Errorf("payout %s: %w", p.External, err)
		}
	}
	for _, v := range o.Lines {
		if row := b.row(v); v.Outcome == Unclassified {
			row.Unmatched++
		}
	}
	if o.finding() {
		for _, s := range o.Shares {
			b.rows[s.Rank].find(o, s)
		}
	}
	return b.months.add(o, b.Account.Zone)
}

// enterLoose counts a line that belongs to no order.
func (b *Books) enterLoose(v Verdict) error {
	b.Loose = append(b.Loose, v)
	if row := b.row(v); v.Outcome != NonOrder {
		row.Unmatched++
	}
	p := b.Payouts[v.Rank]
	if v.Line.Amount.Currency != p.Currency {
		return nil
	}
	if err := p.Bridge.loose(v); err != nil {
		return fmt.Errorf("payout %s: %w", p.External, err)
	}
	return nil
}

// row is the row of a line's payout, with the line in its column.
func (b *Books) row(v Verdict) *PayoutRow {
	row := &b.rows[v.Rank]
	if v.Line.Amount.Currency == row.Currency {
		row.columns[columnOf(v.Line.Category)] += v.Line.Amount.Minor
	}
	return row
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

// prove checks that every bridge reaches what was paid, and that every line stands in one place.
func (b *Books) prove() error {
	for _, p := range b.Payouts {
		if err := p.Bridge.Check(); err != nil {
			return fmt.Errorf("payout %s: %w", p.External, err)
		}
		if p.Bridge.Lines != p.Lines {
			return fmt.Errorf("payout %s: %d of its %d lines were placed", p.External, p.Bridge.Lines, p.Lines)
		}
	}
	return nil
}
