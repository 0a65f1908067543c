package payout

import (
	"cmp"
	"slices"
	"sort"
	"strings"
	"time"

	"channelbridge/marketplace"
)

// Days before a sale's money is set free, and after it is due, within which a line may be posted for
// it to be a candidate.
const (
	postedEarly = 3 * 24 * time.Hour
	postedLate  = 10 * 24 * time.Hour
	mostListed  = 5 // candidates of an ambiguous line
)

// wanting names what a line without an order could match.
type wanting struct {
	currency string
	category marketplace.Category
}

// wanted is one order of which nothing of a category has come.
type wanted struct {
	ref      string
	amount   int64
	from, to time.Time // when a line for it may be posted; zero to: whenever later
}

// suggest looks for the order behind a line that names none: one of which nothing of the category
// has come, in the same currency, by the same amount to tolerance, at about its time. One candidate
// is suggested; several are ambiguous and listed, and so is a line without any that must belong to
// an order, or that names a number of several: a person decides. What belongs to no order is complete
// by itself.
func (w *walk) suggest() []Verdict {
	for _, all := range w.open {
		slices.SortFunc(all, func(a, b wanted) int { return cmp.Or(cmp.Compare(a.amount, b.amount), strings.Compare(a.ref, b.ref)) })
	}
	slices.SortFunc(w.loose, func(a, b Line) int { return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.No, b.No)) })
	out := make([]Verdict, 0, len(w.loose))
	for _, l := range w.loose {
		v := Verdict{Line: l.PayoutLine, Rank: l.Rank, Outcome: NonOrder}
		c := marketplace.Category(l.Category)
		var found []wanted
		if !kind(l.Category).alone {
			found = w.candidates(w.open[wanting{l.Amount.Currency, c}], l)
		}
		switch {
		case kind(l.Category).alone:
			v.Confidence = "certain"
		case !c.Known() || c == marketplace.Unclassified:
			v.Outcome = Unclassified
		case w.owners(l.PayoutLine) != nil:
			v.Outcome, v.Candidate = Ambiguous, listing(w.owners(l.PayoutLine))
		case len(found) == 1:
			v.Outcome, v.Rule, v.Confidence, v.Candidate = Suggested, "amount", "suggested", found[0].ref
			v.Expected, v.Difference = found[0].amount, l.Amount.Minor-found[0].amount
		case len(found) > 1, bound(c):
			v.Outcome, v.Candidate = Ambiguous, listing(refs(found))
		}
		out = append(out, v)
	}
	return out
}

// seeking are the amounts of lines without an order, sorted. What no line is near to need not be
// remembered.
type seeking map[wanting][]int64

// seek looks at the lines that name no order. They all come before the first order.
func (w *walk) seek() seeking {
	s := seeking{}
	add := func(l Line) {
		if !kind(l.Category).alone {
			k := wanting{l.Amount.Currency, marketplace.Category(l.Category)}
			s[k] = append(s[k], l.Amount.Minor)
		}
	}
	for _, l := range w.loose {
		add(l)
	}
	for _, all := range s {
		slices.Sort(all)
	}
	return s
}

// near reports that a line's amount is off by no more than the most.
func (s seeking) near(k wanting, amount, most int64) bool {
	i, exact := slices.BinarySearch(s[k], amount-most)
	return exact || i < len(s[k]) && s[k][i] <= amount+most
}

// want remembers what has not come of an order, where a line could be it.
func (w *walk) want(o Order) {
	if len(w.seeking) == 0 {
		return
	}
	for c, p := range o.ByKind {
		k := wanting{o.Currency, c}
		if p.Expected == 0 || p.lines > 0 || !w.seeking.near(k, p.Expected, w.toleranceOf(k.currency).most(k.currency)) {
			continue
		}
		x := wanted{ref: o.Ref, amount: p.Expected, from: o.Facts.PlacedAt.Add(-postedEarly)}
		if !o.DueAt.IsZero() {
			x.to = o.DueAt.Add(postedLate)
		}
		w.open[k] = append(w.open[k], x)
	}
}

// candidates are the orders a line could be for.
func (w *walk) candidates(open []wanted, l Line) (out []wanted) {
	tol := w.toleranceOf(l.Amount.Currency)
	most := tol.most(l.Amount.Currency)
	for i := sort.Search(len(open), func(i int) bool { return open[i].amount >= l.Amount.Minor-most }); i < len(open) && open[i].amount <= l.Amount.Minor+most; i++ {
		x := open[i]
		off := l.Amount.Minor - x.amount
		near := off == 0 || tol.within(off, x.amount, l.Amount.Currency)
		if near && (l.PostedAt.IsZero() || !l.PostedAt.Before(x.from) && (x.to.IsZero() || l.PostedAt.Before(x.to))) {
			out = append(out, x)
		}
	}
	return out
}

func (w *walk) toleranceOf(currency string) Tolerance {
	if t, ok := w.base.Tol[currency]; ok {
		return t
	}
	return Tolerance{Minor: -1}
}

func refs(found []wanted) (out []string) {
	for _, w := range found {
		out = append(out, w.ref)
	}
	return out
}

// listing names a few candidates.
func listing(orders []string) string {
	return strings.Join(orders[:min(len(orders), mostListed)], " ")
}
