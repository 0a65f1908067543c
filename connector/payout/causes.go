package payout

import (
	"cmp"
	"slices"

	"channelbridge/marketplace"
)

// explain lists the causes of the difference. They add up to it exactly: every category's
// difference becomes one cause, or two where a duplicate explains a part.
func (j *judgement) explain() {
	if j.f == nil || !j.o.InStore {
		if j.o.Actual != 0 || len(j.o.Lines) > 0 {
			j.cause(Cause{Code: CauseUnknown, Amount: j.o.Actual, Actual: j.o.Actual})
		}
		return
	}
	if len(j.o.Lines) == 0 {
		j.cause(Cause{Code: CauseNotYet, Amount: -j.o.Expected, Expected: j.o.Expected})
		return
	}
	twice := j.doubled()
	for _, c := range marketplace.Categories() {
		p, ok := j.o.ByKind[c]
		if ok && !summed(c) {
			j.explainOne(c, p, twice)
		}
	}
	j.explainSum(marketplace.RefundPrincipal)
	j.explainSum(marketplace.Chargeback)
}

// summed reports categories that are compared as one: the store does not divide a refund as the
// channel does, and a chargeback that was reversed is none.
func summed(c marketplace.Category) bool {
	k := kind(string(c))
	return k.group == Refunds || k.cause == CauseChargeback
}

// alike reports categories that are one when a difference is explained.
func alike(a, b marketplace.Category) bool {
	return a == b || summed(a) && kind(string(a)).cause == kind(string(b)).cause
}

// together adds up all categories that are alike.
func (j *judgement) together(c marketplace.Category) Pair {
	var sum Pair
	for of, p := range j.o.ByKind {
		if alike(c, of) {
			sum.Expected, sum.Actual, sum.lines = sum.Expected+p.Expected, sum.Actual+p.Actual, sum.lines+p.lines
		}
	}
	return sum
}

// explainSum names the cause of the difference of categories that are compared as one.
func (j *judgement) explainSum(c marketplace.Category) {
	p := j.together(c)
	d := p.Actual - p.Expected
	if d == 0 {
		return
	}
	out := Cause{Code: kind(string(c)).cause, Category: c, Amount: d, Expected: p.Expected, Actual: p.Actual}
	switch {
	case c == marketplace.RefundPrincipal && j.awaited(d):
		out.Code, out.Told = CauseNotYet, true
	case j.tol.within(d, p.Expected, j.o.Currency):
		out.Code = CauseRounding
	}
	j.cause(out)
}

// waits reports a refund whose payout is not due yet: it waits as long as a sale does.
func (j *judgement) waits(r Refund) bool {
	return !j.due || j.Now.Before(r.At.Add(j.Terms.Wait+j.Terms.Every))
}

// awaited reports that just the last refunds are missing, and not due yet.
func (j *judgement) awaited(missing int64) bool {
	last := slices.Clone(j.f.Refunds)
	slices.SortFunc(last, func(a, b Refund) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.Ref, a.Ref)) })
	for _, r := range last {
		if !j.waits(r) || missing <= 0 {
			return false
		}
		if missing -= r.Amount; missing == 0 {
			return true
		}
	}
	return false
}

// explainOne names the cause of one category's difference.
func (j *judgement) explainOne(c marketplace.Category, p Pair, twice repeat) {
	d := p.Actual - p.Expected
	again := int64(0)
	switch {
	case c == marketplace.Principal:
		again = twice.principal
	case twice.times > 1 && p.Expected != 0 && d%p.Expected == 0 && d/p.Expected == twice.times-1:
		again = d
	}
	k := kind(string(c))
	out := Cause{Code: k.cause, Category: c, Expected: p.Expected, Actual: p.Actual, Tariff: p.Tariff, Told: k.told}
	if again != 0 {
		first := out
		first.Code, first.Amount = CauseDuplicate, again
		j.cause(first)
		d -= again
	}
	if d == 0 {
		return
	}
	out.Amount = d
	switch {
	case !p.Known && (k.group == Fees || k.group == Withheld):
		out.Code, out.Told = CauseUnknown, true // no tariff covers it
	case j.short(c, p):
		out.Code, out.Told = CauseNotYet, true
	case j.tol.within(d, p.Expected, j.o.Currency):
		out.Code = CauseRounding
	}
	j.cause(out)
}

// short reports that a category has brought less than expected because something of it is still
// to come: the rest of the order, a category without any line, or what follows a refund.
func (j *judgement) short(c marketplace.Category, p Pair) bool {
	less := p.Expected > 0 && p.Actual >= 0 && p.Actual < p.Expected || p.Expected < 0 && p.Actual <= 0 && p.Actual > p.Expected
	switch {
	case !less:
		return false
	case c == marketplace.FeeRefund || c == marketplace.RefundAdminFee:
		return slices.ContainsFunc(j.f.Refunds, j.waits)
	}
	return !j.due && (p.lines == 0 || !j.complete)
}

// repeat is what was paid more than once: times counts how often, where it is every item alike.
type repeat struct{ times, principal int64 }

// doubled finds items whose own amount came again as a whole, with nothing that reversed it.
func (j *judgement) doubled() repeat {
	out, every := repeat{times: 1}, int64(0)
	for id, i := range j.items {
		if i.Expected <= 0 {
			continue
		}
		times := int64(1)
		if i.Actual%i.Expected == 0 && i.Actual/i.Expected > 1 && j.came(id, i, i.Actual/i.Expected) {
			times = i.Actual / i.Expected
			out.principal += i.Actual - i.Expected
		}
		switch every {
		case 0:
			every = times
		case times:
		default:
			every = -1
		}
	}
	out.times = max(every, 1)
	return out
}

// came reports that lines paid all of an item so many times: in lines of its whole amount, unit by
// unit, or for that many units as they say themselves.
func (j *judgement) came(item string, p Pair, times int64) bool {
	units := max(int64(j.unitsOf(item)), 1)
	paid := int64(0)
	for _, v := range j.o.Lines {
		if j.category(v.Line) != marketplace.Principal || j.item(v.Line) != item {
			continue
		}
		switch v.Line.Amount.Minor {
		case p.Expected:
			paid += units
		case p.Expected / units: // where it does not divide evenly, no line is taken for a unit by chance
			if p.Expected%units == 0 {
				paid++
			}
		}
	}
	return paid >= times*units || int64(p.units) >= times*units
}

func (j *judgement) cause(c Cause) { j.o.Causes = append(j.o.Causes, c) }

// decide picks the outcome: the first that applies.
func (j *judgement) decide() {
	has := func(is func(Cause) bool) bool { return slices.ContainsFunc(j.o.Causes, is) }
	of := func(groups ...Group) func(Cause) bool {
		return func(c Cause) bool {
			return !c.Told && c.Code != CauseRounding && slices.Contains(groups, kind(string(c.Category)).group)
		}
	}
	code := func(want CauseCode) func(Cause) bool { return func(c Cause) bool { return c.Code == want } }
	switch {
	case has(code(CauseDuplicate)):
		j.o.Outcome = DuplicateSettlement
	case !j.o.InStore:
		j.o.Outcome = MissingInStore
	case len(j.o.Lines) == 0 && j.due:
		j.o.Outcome = MissingInSettlement
	case len(j.o.Lines) == 0:
		j.o.Outcome = AwaitingRelease
	case has(of(Refunds)), has(code(CauseChargeback)):
		j.o.Outcome = RefundMismatch
	case has(of(Gross, Other)):
		j.o.Outcome = AmountDiffers
	case has(of(Withheld)) && !has(of(Fees)):
		j.o.Outcome = TaxVariance
	case has(of(Fees)):
		j.o.Outcome = FeeVariance
	case has(code(CauseNotYet)):
		j.o.Outcome = PartiallySettled
	case has(code(CauseRounding)):
		j.o.Outcome = WithinTolerance
	default:
		j.o.Outcome = Matched
	}
}
