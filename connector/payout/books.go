package payout

import (
	"cmp"
	"context"
	"fmt"
	"maps"
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

const usualDrift = 5

// drift is the bound in hundredths of a percent.
func (a Account) drift() int64 {
	if a.Drift == 0 {
		return usualDrift
	}
	return a.Drift
}

// Books is all of one account's payouts held against its orders, as known at one time.
type Books struct {
	Account Account
	AsOf    time.Time
	Now     time.Time // the instant it is true of: AsOf, or when it was opened
	Payouts []Paid    // in the order of time
	Orders  []Order   // sorted by the channel's number, then currency
	Loose   []Verdict
	People  *People         // what was said and done
	Seen    map[string]Seen // what the bank side says of a payout, by the channel's number
	// Deposits are sorted by day.
	Deposits []Deposit
	drifts   []drifted
	places   map[int64]int // of payouts by id
}

// Paid is one payout and how it is made up.
type Paid struct {
	connector.Payout
	Name   string // outside, the same in every database; see ID
	Bridge *Bridge
}

// Of returns the payout with an id.
func (b *Books) Of(id int64) Paid { return b.Payouts[b.places[id]] }

// Open reads an account's books. The same contents of the store give the same books.
func Open(ctx context.Context, store connector.Payouts, a Account, asOf, now time.Time) (*Books, error) {
	b := &Books{Account: a, AsOf: asOf, places: map[int64]int{}}
	if !asOf.IsZero() {
		now = asOf
	}
	b.Now = now
	acts, err := store.Acts(ctx, a.ID, asOf)
	if err != nil {
		return nil, fmt.Errorf("reading what was said of payouts: %w", err)
	}
	if b.People, err = Follow(acts); err != nil {
		return nil, err
	}
	if !asOf.IsZero() {
		a = b.People.settings.on(a)
		b.Account = a
	}
	if err := b.payouts(ctx, store); err != nil {
		return nil, err
	}
	b.Seen, b.Deposits = bank(b.Payouts, b.People.deposits, a.Zone)
	r, err := b.reading(ctx, store, now)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, 0, len(b.Payouts))
	for _, p := range b.Payouts {
		ids = append(ids, p.ID)
	}
	if len(ids) > 0 {
		if err := store.PayoutLines(ctx, connector.LineFilter{Payouts: ids}, r.line); err != nil {
			return nil, fmt.Errorf("reading the lines of payouts: %w", err)
		}
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	return b, b.prove()
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
	for _, o := range b.Orders {
		var sum int64
		for _, c := range o.Causes {
			sum += c.Amount
		}
		if sum != o.Difference {
			return fmt.Errorf("order %s: its causes come to %d, its difference is %d", o.Ref, sum, o.Difference)
		}
	}
	var err error
	b.drifts, err = b.drifting()
	return err
}

// reading gathers lines order by order.
type reading struct {
	*Books
	base    Case
	facts   map[string]Facts
	held    map[string]Held
	alias   map[string]string  // another number of an order → its number
	hands   map[lineKey]string // lines that people gave to an order
	moved   map[string][]Line  // lines that name their order by another number, or were given to it
	current string
	lines   []Line
	loose   []Line
	words   map[string]string // that lines have said
	before  struct{ order, item string }
}

func (b *Books) reading(ctx context.Context, store connector.Payouts, now time.Time) (*reading, error) {
	r := &reading{Books: b, words: map[string]string{}, facts: map[string]Facts{}, alias: map[string]string{}, hands: b.People.byHand(), moved: map[string][]Line{},
		base: Case{Terms: b.Account.Terms, Tol: b.Account.Tol, Now: now}}
	kept, err := store.Tariffs(ctx, b.Account.ID, b.AsOf)
	if err != nil {
		return nil, fmt.Errorf("reading tariffs: %w", err)
	}
	for _, k := range kept {
		t, err := DecodeTariff(k.Body)
		if err != nil {
			return nil, err
		}
		r.base.Tariffs = append(r.base.Tariffs, t)
	}
	err = store.Facts(ctx, b.Account.ID, connector.OrderFacts, b.AsOf, func(k connector.PayoutFacts) error {
		f, err := DecodeFacts(k.Body)
		if err != nil {
			return fmt.Errorf("order %s: %w", k.Order, err)
		}
		r.facts[k.Order] = f
		for _, a := range f.Aliases {
			if was, ok := r.alias[a]; !ok || k.Order < was {
				r.alias[a] = k.Order
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading what is known of orders: %w", err)
	}
	r.held, err = b.held(ctx, store)
	return r, err
}

// line takes the next line; lines come sorted by order.
func (r *reading) line(l connector.PayoutLine) error {
	p := &r.Payouts[r.places[l.Payout]]
	p.Bridge.Lines++
	r.sharing(&l)
	x := Line{PayoutLine: l, Rank: r.places[l.Payout], PaidAt: settledAt(p.Payout)}
	if to, given := r.hand(l); given {
		x.ByHand = true
		r.moved[to] = append(r.moved[to], x)
		return nil
	}
	if kind(l.Category).alone {
		r.loose = append(r.loose, x)
		return nil
	}
	if _, known := r.facts[l.Order]; !known {
		for _, name := range []string{l.Order, l.Alias} {
			if to, ok := r.alias[name]; ok && name != "" {
				x.ByAlias = true
				r.moved[to] = append(r.moved[to], x)
				return nil
			}
		}
		if f, ok := r.facts[l.Alias]; ok && l.Order == "" {
			x.ByAlias = true
			r.moved[f.Order] = append(r.moved[f.Order], x)
			return nil
		}
	}
	if l.Order == "" {
		r.loose = append(r.loose, x)
		return nil
	}
	if l.Order != r.current {
		if err := r.flush(); err != nil {
			return err
		}
		r.current = l.Order
	}
	r.lines = append(r.lines, x)
	return nil
}

// mostWords bounds how many words lines are let share.
const mostWords = 10_000

// sharing lets lines that say the same share the memory of their words. Lines of one order come one
// after the other.
func (r *reading) sharing(l *connector.PayoutLine) {
	for _, text := range []*string{&l.Category, &l.NativeType, &l.NativeText, &l.Amount.Currency, &l.SKU} {
		if known, ok := r.words[*text]; ok {
			*text = known
		} else if len(r.words) < mostWords {
			r.words[*text] = *text
		}
	}
	if l.Order == r.before.order {
		l.Order = r.before.order
	}
	if l.Item == r.before.item {
		l.Item = r.before.item
	}
	r.before.order, r.before.item = l.Order, l.Item
}

// flush keeps the lines gathered for one order until those that came by another number are known.
func (r *reading) flush() error {
	if len(r.lines) > 0 {
		f, known := r.facts[r.current]
		switch {
		case known && len(r.alias) == 0 && len(r.hands) == 0: // no line can still come by another way
			delete(r.facts, r.current)
			lines := append(r.moved[r.current], r.lines...)
			delete(r.moved, r.current)
			if err := r.judge(r.current, &f, lines); err != nil {
				return err
			}
		case known:
			r.moved[r.current] = append(r.moved[r.current], r.lines...)
		default:
			if err := r.judge(r.current, nil, r.lines); err != nil {
				return err
			}
		}
	}
	r.lines = nil
	return nil
}

// end judges the orders that are known, and the lines that belong to none.
func (r *reading) end() error {
	if err := r.flush(); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(r.facts)) {
		f := r.facts[id]
		if err := r.judge(id, &f, r.moved[id]); err != nil {
			return err
		}
	}
	slices.SortFunc(r.Orders, func(x, y Order) int { return cmp.Or(cmp.Compare(x.Ref, y.Ref), cmp.Compare(x.Currency, y.Currency)) })
	for _, v := range r.suggest() {
		r.Loose = append(r.Loose, v)
		p := r.Payouts[v.Rank]
		if v.Line.Amount.Currency != p.Currency {
			continue
		}
		if err := p.Bridge.loose(v); err != nil {
			return fmt.Errorf("payout %s: %w", p.External, err)
		}
	}
	return nil
}

func (r *reading) judge(id string, f *Facts, lines []Line) error {
	c := r.base
	c.Order, c.Facts, c.Lines = id, f, lines
	if h, there := r.held[id]; there {
		c.Held = &h
	}
	orders, err := Judge(c)
	if err != nil {
		return err
	}
	for _, o := range orders {
		for _, s := range o.Shares {
			p := r.Payouts[s.Rank]
			if p.Currency != o.Currency {
				continue
			}
			if err := p.Bridge.order(o, s); err != nil {
				return fmt.Errorf("payout %s: %w", p.External, err)
			}
		}
		r.Orders = append(r.Orders, o)
	}
	return nil
}
