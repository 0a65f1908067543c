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
// an order: a person decides. What belongs to no order is complete by itself.
func (r *reading) suggest() []Verdict {
	open := r.wanted()
	slices.SortFunc(r.loose, func(a, b Line) int { return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.No, b.No)) })
	out := make([]Verdict, 0, len(r.loose))
	for _, l := range r.loose {
		v := Verdict{Line: l.PayoutLine, Rank: l.Rank, Outcome: NonOrder}
		c := marketplace.Category(l.Category)
		var found []wanted
		if !kind(l.Category).alone {
			found = r.candidates(open[wanting{l.Amount.Currency, c}], l)
		}
		switch {
		case kind(l.Category).alone:
			v.Confidence = "certain"
		case !c.Known() || c == marketplace.Unclassified:
			v.Outcome = Unclassified
		case len(found) == 1:
			v.Outcome, v.Rule, v.Confidence, v.Candidate = Suggested, "amount", "suggested", found[0].ref
			v.Expected, v.Difference = found[0].amount, l.Amount.Minor-found[0].amount
		case len(found) > 1, bound(c):
			v.Outcome, v.Candidate = Ambiguous, listing(found)
		}
		out = append(out, v)
	}
	return out
}

// wanted lists what has not come, by amount.
func (r *reading) wanted() map[wanting][]wanted {
	open := map[wanting][]wanted{}
	for _, o := range r.Orders {
		for c, p := range o.ByKind {
			if p.Expected == 0 || p.lines > 0 {
				continue
			}
			w := wanted{ref: o.Ref, amount: p.Expected, from: o.Facts.PlacedAt.Add(-postedEarly)}
			if !o.DueAt.IsZero() {
				w.to = o.DueAt.Add(postedLate)
			}
			k := wanting{o.Currency, c}
			open[k] = append(open[k], w)
		}
	}
	for _, all := range open {
		slices.SortFunc(all, func(a, b wanted) int { return cmp.Or(cmp.Compare(a.amount, b.amount), strings.Compare(a.ref, b.ref)) })
	}
	return open
}

// candidates are the orders a line could be for.
func (r *reading) candidates(open []wanted, l Line) (out []wanted) {
	tol := r.toleranceOf(l.Amount.Currency)
	most := tol.most(l.Amount.Currency)
	for i := sort.Search(len(open), func(i int) bool { return open[i].amount >= l.Amount.Minor-most }); i < len(open) && open[i].amount <= l.Amount.Minor+most; i++ {
		w := open[i]
		off := l.Amount.Minor - w.amount
		near := off == 0 || tol.within(off, w.amount, l.Amount.Currency)
		if near && (l.PostedAt.IsZero() || !l.PostedAt.Before(w.from) && (w.to.IsZero() || l.PostedAt.Before(w.to))) {
			out = append(out, w)
		}
	}
	return out
}

func (r *reading) toleranceOf(currency string) Tolerance {
	if t, ok := r.base.Tol[currency]; ok {
		return t
	}
	return Tolerance{Minor: -1}
}

// listing names a few candidates.
func listing(found []wanted) string {
	var refs []string
	for _, w := range found[:min(len(found), mostListed)] {
		refs = append(refs, w.ref)
	}
	return strings.Join(refs, " ")
}
