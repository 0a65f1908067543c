package payout

import (
	"slices"

	"channelbridge/marketplace"
)

// match says of each line what it was held against. A line of an order that nothing was expected
// for is matched to the order alone: its amount stands among the causes.
func (j *judgement) match() {
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
		v.Rule = j.rule(*v, c)
		v.Expected, v.Difference = p.Expected, p.Actual-p.Expected
		v.Outcome = Matched
		if slices.ContainsFunc(j.o.Causes, func(x Cause) bool { return alike(x.Category, c) && x.Code == CauseRounding }) {
			v.Outcome = WithinTolerance
		}
	}
}

// rule is the narrowest one that ties a line to an expectation.
func (j *judgement) rule(v Verdict, c marketplace.Category) string {
	item := func(is func(Item) bool) bool { return slices.ContainsFunc(j.f.Items, is) }
	switch {
	case v.hand:
		return "manual"
	case v.alias:
		return "alias"
	case kind(string(c)).group == Refunds && slices.ContainsFunc(j.f.Refunds, func(r Refund) bool { return v.Line.Refund != "" && r.Ref == v.Line.Refund }):
		return "refund"
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
