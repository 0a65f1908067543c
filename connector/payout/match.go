package payout

import (
	"slices"

	"channelbridge/marketplace"
)

// match says of each line what it was held against. A line of an order that nothing was expected
// for is matched to the order alone: its amount stands among the causes.
func (j *judgement) match() {
	groups := j.groups()
	for i := range j.o.Lines {
		v := &j.o.Lines[i]
		c := j.category(v.Line)
		v.Confidence = "certain"
		if v.hand {
			v.Confidence = "manual"
		}
		switch {
		case c == marketplace.Unclassified:
			v.Outcome = Unclassified
			continue
		case !j.o.InStore:
			v.Outcome = MissingInStore
			continue
		}
		p := j.together(c)
		v.Rule = j.rule(*v, c, groups)
		v.Expected, v.Difference = p.Expected, p.Actual-p.Expected
		v.Outcome = Matched
		if slices.ContainsFunc(j.o.Causes, func(x Cause) bool { return alike(x.Category, c) && x.Code == CauseRounding }) {
			v.Outcome = WithinTolerance
		}
	}
}

// groupKey names what is held against each other as a whole: a category of one item.
type groupKey struct {
	category marketplace.Category
	item     string
}

// group is several lines that stand against one expectation, or the reverse.
type group struct {
	lines, expectations int
	came, wanted        int64
}

// groups adds lines and expectations up by category and item.
func (j *judgement) groups() map[groupKey]group {
	out := map[groupKey]group{}
	for _, e := range j.expected {
		k := groupKey{e.Category, e.Item}
		if j.whole {
			k.item = ""
		}
		g := out[k]
		g.expectations, g.wanted = g.expectations+1, g.wanted+e.Amount
		out[k] = g
	}
	for _, v := range j.o.Lines {
		k := groupKey{j.category(v.Line), j.item(v.Line)}
		g := out[k]
		g.lines, g.came = g.lines+1, g.came+v.Line.Amount.Minor
		out[k] = g
	}
	return out
}

// agrees reports more than one line or more than one expectation, whose sums are the same to tolerance.
func (j *judgement) agrees(g group) bool {
	off := g.came - g.wanted
	return g.lines > 0 && g.expectations > 0 && g.lines+g.expectations > 2 && (off == 0 || j.tol.within(off, g.wanted, j.o.Currency))
}

// rule is the narrowest one that ties a line to an expectation.
func (j *judgement) rule(v Verdict, c marketplace.Category, groups map[groupKey]group) string {
	item := func(is func(Item) bool) bool { return slices.ContainsFunc(j.f.Items, is) }
	switch {
	case v.hand:
		return "manual"
	case v.alias:
		return "alias"
	case kind(string(c)).group == Refunds && slices.ContainsFunc(j.f.Refunds, func(r Refund) bool { return v.Line.Refund != "" && r.Ref == v.Line.Refund }):
		return "refund"
	case j.agrees(groups[groupKey{c, j.item(v.Line)}]):
		return "group"
	case v.Line.Item != "" && item(func(i Item) bool { return i.ID == v.Line.Item }):
		return "item"
	case v.Line.SKU != "" && item(func(i Item) bool { return i.SKU == v.Line.SKU }):
		return "sku"
	}
	return "order"
}

// share divides the order over the payouts that settled it. What a category came short or in
// excess of stands in the last of its payouts; what has not come yet stands in none.
func (j *judgement) share() {
	at := map[int64]int{}
	for _, v := range j.o.Lines {
		i, ok := at[v.Line.Payout]
		if !ok {
			i = len(j.o.Shares)
			at[v.Line.Payout] = i
			j.o.Shares = append(j.o.Shares, Share{Payout: v.Line.Payout, Rank: v.Rank, Variance: map[CauseCode]int64{}})
		}
		j.o.Shares[i].Amount += v.Line.Amount.Minor
		j.o.Shares[i].Expected += v.Line.Amount.Minor
	}
	if !j.o.InStore {
		for i := range j.o.Shares {
			s := &j.o.Shares[i]
			s.Expected, s.Variance[CauseUnknown] = 0, s.Amount
		}
		return
	}
	if len(j.o.Shares) == 0 {
		return
	}
	for _, c := range j.o.Causes {
		if c.Code == CauseNotYet {
			continue
		}
		s := &j.o.Shares[at[j.lastOf(c)]]
		s.Expected -= c.Amount
		s.Variance[c.Code] += c.Amount
	}
}

// lastOf is the last payout with a line of a cause's category, or of the order. Lines are in the
// order of their payouts.
func (j *judgement) lastOf(c Cause) int64 {
	last := j.o.Lines[len(j.o.Lines)-1].Line.Payout
	for _, v := range slices.Backward(j.o.Lines) {
		if alike(j.category(v.Line), c.Category) {
			return v.Line.Payout
		}
	}
	return last
}
