package payout

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"channelbridge/connector"
	"channelbridge/marketplace"
)

// Case is all that a verdict about one order depends on.
type Case struct {
	Order   string
	Facts   *Facts // nil: the bridge knows no such order
	Held    *Held  // nil: the channel does not say that it holds anything back
	Lines   []Line // of all payouts that count, in any order
	Tariffs []Tariff
	Terms   Terms
	Tol     map[string]Tolerance // by currency; none: the default
	Now     time.Time
}

// Line is a payout's line and the place of its payout in time.
type Line struct {
	connector.PayoutLine
	Rank    int
	PaidAt  time.Time
	ByAlias bool // the line names the order by another of its numbers
	ByHand  bool // a person gave the line to the order
}

// Judge compares what an order should bring with what came. Lines in another currency than the
// order's make a verdict of their own, since two currencies are never added. It gives nothing for
// an order that should bring nothing and brought nothing. It is pure, and the order of lines and
// tariffs does not matter. An amount beyond int64 is an error.
func Judge(c Case) ([]Order, error) {
	var out []Order
	by := map[string][]Line{}
	for _, l := range c.Lines {
		by[l.Amount.Currency] = append(by[l.Amount.Currency], l)
	}
	own := ""
	if c.Facts != nil {
		own = c.Facts.Currency
		o, err := judged(c, c.Facts, own, by[own])
		if err != nil {
			return nil, err
		}
		foreign := o.InStore && len(c.Lines) > len(by[own])
		if foreign {
			o.Outcome = CurrencyMismatch
		}
		if foreign || o.Expected != 0 || len(o.Lines) > 0 {
			out = append(out, o)
		}
	}
	for _, cur := range slices.Sorted(maps.Keys(by)) {
		if c.Facts != nil && cur == own {
			continue
		}
		o, err := judged(c, nil, cur, by[cur])
		if err != nil {
			return nil, err
		}
		if c.Facts != nil {
			o.Facts = *c.Facts
		}
		if o.Facts.Store != "" {
			o.mismatch()
		}
		out = append(out, o)
	}
	return out, nil
}

// mismatch makes the verdict one on lines of an order that was sold in another currency.
func (o *Order) mismatch() {
	o.InStore, o.Outcome = true, CurrencyMismatch
	for i := range o.Lines {
		if v := &o.Lines[i]; v.Outcome == MissingInStore {
			v.Outcome, v.Rule, v.Difference = Matched, "order", v.Line.Amount.Minor
		}
	}
}

// judgement is a verdict in the making.
type judgement struct {
	Case
	o        Order
	f        *Facts
	expected []Expectation
	items    map[string]Pair // of principal, by item
	whole    bool            // the lines name no items
	complete bool            // every item has come
	due      bool
	tol      Tolerance
}

func judged(c Case, f *Facts, currency string, lines []Line) (Order, error) {
	j := &judgement{Case: c, f: f, tol: Tolerance{Minor: -1}}
	if t, ok := c.Tol[currency]; ok {
		j.tol = t
	}
	j.o = Order{Ref: c.Order, Currency: currency, ByKind: map[marketplace.Category]Pair{}}
	if f != nil {
		j.o.Facts, j.o.InStore, j.o.DueAt = *f, f.Store != "", c.Terms.Due(*f)
		j.due = !j.o.DueAt.IsZero() && !c.Now.Before(j.o.DueAt)
	}
	if err := j.count(lines); err != nil {
		return Order{}, err
	}
	if f != nil && c.Held.waits(c.Now) {
		j.holdBack()
	}
	j.explain()
	j.decide()
	j.share()
	j.match()
	return j.o, nil
}

// holdBack puts the due instant off for as long as the channel says that it holds the money back, if
// that is the money that is missing. Else the order is as due as it was.
func (j *judgement) holdBack() {
	j.o.Held = j.Held
	if !j.Held.explains(j.o.Expected-j.o.Actual, j.o.Currency) {
		return
	}
	j.due = false
	switch {
	case j.Held.Until.After(j.o.DueAt):
		j.o.DueAt = j.Held.Until
	case j.Held.Until.IsZero():
		j.o.DueAt = time.Time{}
	}
}

// count adds expectations and lines up, by category.
func (j *judgement) count(lines []Line) error {
	slices.SortFunc(lines, func(a, b Line) int { return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.No, b.No)) })
	for _, l := range lines {
		j.o.Lines = append(j.o.Lines, Verdict{Line: l.PayoutLine, Rank: l.Rank, alias: l.ByAlias, hand: l.ByHand})
		if j.o.First.IsZero() || l.PaidAt.Before(j.o.First) {
			j.o.First = l.PaidAt
		}
		if l.PaidAt.After(j.o.Last) {
			j.o.Last = l.PaidAt
		}
	}
	if j.f != nil && j.o.InStore {
		var err error
		if j.expected, err = Expect(*j.f, j.Tariffs); err != nil {
			return fmt.Errorf("order %s: %w", j.Order, err)
		}
	}
	if err := j.fit(); err != nil {
		return fmt.Errorf("order %s: %w", j.Order, err)
	}
	j.pairs()
	return nil
}

// fit refuses amounts whose sums could exceed int64; from then on they are simply added.
func (j *judgement) fit() error {
	var l load
	for _, e := range j.expected {
		if err := l.add(e.Amount); err != nil {
			return err
		}
	}
	for _, v := range j.o.Lines {
		if err := l.add(v.Line.Amount.Minor); err != nil {
			return err
		}
	}
	return nil
}

// pairs sets what was expected beside what came.
func (j *judgement) pairs() {
	j.items = map[string]Pair{}
	for _, e := range j.expected {
		j.o.Expected += e.Amount
		p := j.o.ByKind[e.Category]
		p.Expected, p.Known, p.Tariff = p.Expected+e.Amount, true, e.Tariff
		j.o.ByKind[e.Category] = p
		if e.Category == marketplace.Principal {
			i := j.items[e.Item]
			i.Expected += e.Amount
			j.items[e.Item] = i
		}
	}
	for _, v := range j.o.Lines {
		j.o.Actual += v.Line.Amount.Minor
		c := j.category(v.Line)
		p := j.o.ByKind[c]
		p.Actual, p.lines = p.Actual+v.Line.Amount.Minor, p.lines+1
		j.o.ByKind[c] = p
		if c == marketplace.Principal {
			i := j.items[j.item(v.Line)]
			i.Actual, i.lines, i.units = i.Actual+v.Line.Amount.Minor, i.lines+1, i.units+v.Line.Quantity
			j.items[j.item(v.Line)] = i
		}
	}
	j.offsetTax()
	j.o.Difference = j.o.Actual - j.o.Expected
	j.asOne()
	j.complete = true
	for id, i := range j.items {
		j.complete = j.complete && (i.Expected == 0 || i.lines > 0 && (i.units == 0 || i.units >= j.unitsOf(id)))
	}
}

// unitsOf is how many units of an item should be paid; where the order is taken for one item, of
// the whole order.
func (j *judgement) unitsOf(item string) (n int) {
	for _, i := range j.f.Items {
		if i.ID == item || j.whole {
			n += i.Units
		}
	}
	return n
}

// asOne takes the order for one item where the channel's lines name none of its items.
func (j *judgement) asOne() {
	var all Pair
	for _, i := range j.items {
		if i.Expected != 0 && i.lines > 0 {
			return
		}
		all.Expected, all.Actual, all.lines = all.Expected+i.Expected, all.Actual+i.Actual, all.lines+i.lines
	}
	j.whole, j.items = true, map[string]Pair{"": all}
}

// category is a line's category; what is in no list counts as unclassified.
func (j *judgement) category(l connector.PayoutLine) marketplace.Category {
	if c := marketplace.Category(l.Category); c.Known() {
		return c
	}
	return marketplace.Unclassified
}

// item is the order's item a line is about: by its number, else by the only item of its SKU.
func (j *judgement) item(l connector.PayoutLine) string {
	if j.whole {
		return ""
	}
	if j.f == nil {
		return l.Item
	}
	if l.Item == "" && l.SKU == "" && len(j.f.Items) == 1 {
		return j.f.Items[0].ID
	}
	found := ""
	for _, i := range j.f.Items {
		if i.ID == l.Item {
			return i.ID
		}
		if i.SKU != "" && i.SKU == l.SKU {
			if found != "" {
				return l.Item
			}
			found = i.ID
		}
	}
	if found != "" {
		return found
	}
	return l.Item
}

// offsetTax expects that tax which the channel collects for itself goes out as it came in, also
// that of refunds, whose tax only the channel's own lines tell.
func (j *judgement) offsetTax() {
	own, ok := j.o.ByKind[marketplace.TaxByChannelCollected]
	if !ok || !own.Known {
		return
	}
	back := j.o.ByKind[marketplace.RefundTax].Actual
	charged := j.o.ByKind[marketplace.TaxCharged].Expected
	if back == 0 || own.Expected != -charged {
		return
	}
	back = max(back, -charged)
	own.Expected -= back
	j.o.Expected -= back
	j.o.ByKind[marketplace.TaxByChannelCollected] = own
}
