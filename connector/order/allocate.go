package order

import (
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// generous reports that more may be given than the order's parts come to: the operator allows it,
// the buyer was charged for everything, and nothing was given back before, so that it cannot be
// the same money twice.
func (p *planner) generous() bool {
	return p.Policy.Goodwill && p.sheet.rest() == p.sheet.total() && !(p.Policy.CaptureOnShip && p.unchargedLine())
}

// allocate spreads a refund over the order's parts: lines first over their own item, charges over
// charges, and what no part of that name can take over the others, so that the sum is met to the
// minor unit and no part gives back more than the buyer paid for it. Where it is generous, what
// is left then is given as goodwill.
func (p *planner) allocate(d demand, generous bool) ([]marketplace.InstructionLine, bool) {
	a := &allocation{p: p, lines: map[string]*marketplace.InstructionLine{}}
	over := int64(0)
	for _, l := range d.lines {
		a.line(l.line).Quantity = l.units
		over += l.gross - a.takeUnits(l)
	}
	over += a.charges(d.charges) + d.rest
	if over < 0 {
		return a.done(-over)
	}
	if over = a.unkeep(a.spread(over)); over > 0 && (!generous || !a.goodwill(over)) {
		return nil, false
	}
	return a.done(0)
}

// allocation is a refund on its way onto the parts.
type allocation struct {
	p     *planner
	order []string
	lines map[string]*marketplace.InstructionLine
}

func (a *allocation) line(id string) *marketplace.InstructionLine {
	if a.lines[id] == nil {
		a.lines[id] = &marketplace.InstructionLine{Line: id}
		a.order = append(a.order, id)
	}
	return a.lines[id]
}

// takeUnits puts a line's money onto its item, with the tax the store has counted where that
// differs from the buyer's by rounding alone: then each refund is the store's to the minor unit,
// and not only all of them together.
func (a *allocation) takeUnits(l demandLine) int64 {
	k := part{l.line, marketplace.Item}
	if l.gross > a.p.charged(k) || !a.p.sheet.roundsTo(k, cash{l.gross - l.tax, l.tax}, int64(l.units)) {
		return a.take(k, l.gross)
	}
	v := cash{l.gross - l.tax, l.tax}
	a.p.sheet.spent[k] = a.p.sheet.spent[k].plus(v)
	return a.put(k, v)
}

// take puts up to gross onto a part and returns how much it took.
func (a *allocation) take(k part, gross int64) int64 {
	return a.put(k, a.p.sheet.take(k, min(gross, a.p.charged(k))))
}

// put writes what was taken of a part and returns how much that is.
func (a *allocation) put(k part, v cash) int64 {
	if v.gross() == 0 {
		return 0
	}
	a.p.sheet.refunded[k] += v.gross()
	l := a.line(k.line)
	for i := range l.Parts {
		if l.Parts[i].Kind == k.kind {
			l.Parts[i] = a.p.component(k, cash{l.Parts[i].Amount.Minor + v.net, l.Parts[i].Tax.Minor + v.tax})
			return v.gross()
		}
	}
	l.Parts = append(l.Parts, a.p.component(k, v))
	return v.gross()
}

// chargeable reports a line of which the buyer was charged something.
func (p *planner) chargeable(line string) bool {
	m, ok := p.line(line)
	return ok && (!p.Policy.CaptureOnShip || max(m.Shipped, p.provenUnits(line)) > 0)
}

// charges takes from shipping and other charges and returns what is over.
func (a *allocation) charges(gross int64) int64 {
	for _, want := range []bool{true, false} { // shipping first
		for _, k := range a.p.sheet.parts {
			if gross > 0 && k.kind != marketplace.Item && (k.kind == marketplace.Shipping) == want {
				gross -= a.take(k, gross)
			}
		}
	}
	return gross
}

// spread takes from every item in proportion to what is left of it, then from charges.
func (a *allocation) spread(gross int64) int64 {
	var items []part
	var weights []int64
	for _, k := range a.p.sheet.parts {
		if left := a.p.charged(k); k.kind == marketplace.Item && left > 0 {
			items, weights = append(items, k), append(weights, left)
		}
	}
	if gross > 0 && len(items) > 0 {
		for i, m := range money.New(gross, a.p.Market.Currency).Split(weights...) {
			gross -= a.take(items[i], m.Minor)
		}
		for _, k := range items {
			if gross > 0 {
				gross -= a.take(k, gross)
			}
		}
	}
	return a.charges(gross)
}

// charged is what may still be given back of a part: where the buyer is charged for what ships,
// nothing of a line of which nothing has, and of an item no more than its shipped units' share.
// That is rounded by the channel, so it may be off by a minor unit.
func (p *planner) charged(k part) int64 {
	left := p.sheet.left(k).gross()
	m, ok := p.line(k.line)
	shipped := max(m.Shipped, p.provenUnits(k.line))
	switch {
	case !ok, !p.Policy.CaptureOnShip, shipped >= m.Ordered:
		return left
	case shipped == 0:
		return 0
	case k.kind != marketplace.Item:
		return left
	}
	share := share(p.sheet.paid[k].gross(), int64(shipped), int64(m.Ordered)) + 1
	return max(0, min(left, share-p.sheet.refunded[k]))
}

// unkeep gives back what earlier refunds have kept, on the lines they kept it of, and returns
// what is over.
func (a *allocation) unkeep(gross int64) int64 {
	ids := []string{""}
	for _, l := range a.p.Market.Lines {
		ids = append(ids, l.ID)
	}
	for _, id := range ids {
		n := min(gross, a.p.sheet.kept[id], -a.p.sheet.beyond)
		if n <= 0 {
			continue
		}
		l := a.line(id)
		l.Parts = append(l.Parts, a.p.component(part{id, marketplace.Restocking}, cash{net: n}))
		a.p.sheet.kept[id] -= n
		a.p.sheet.beyond += n
		gross -= n
	}
	return gross
}

// goodwill gives beyond the parts.
func (a *allocation) goodwill(gross int64) bool {
	if len(a.p.Market.Lines) == 0 {
		return false
	}
	l := a.line(a.p.Market.Lines[0].ID)
	l.Parts = append(l.Parts, a.p.component(part{l.Line, marketplace.Goodwill}, cash{net: gross}))
	return true
}

// done is the finished refund with keep held back, line by line: none may come to less than
// nothing.
func (a *allocation) done(keep int64) (out []marketplace.InstructionLine, ok bool) {
	for _, id := range a.order {
		l, sum := a.lines[id], int64(0)
		for _, c := range l.Parts {
			sum += c.Amount.Minor
		}
		if n := min(keep, sum); n > 0 {
			l.Parts = append(l.Parts, a.p.component(part{id, marketplace.Restocking}, cash{net: -n}))
			keep -= n
		}
		if len(l.Parts) > 0 {
			out = append(out, *l)
		}
	}
	return out, keep == 0
}
