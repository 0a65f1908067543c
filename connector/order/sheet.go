package order

import (
	"math/bits"
	"slices"

	"channelbridge/connector"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// part names one refundable part of an order: a channel line ("" for the whole order) and what
// it pays for.
type part struct {
	line string
	kind marketplace.Kind
}

// cash is an amount before tax and the tax on it, in minor units of the order's currency.
type cash struct{ net, tax int64 }

func (c cash) gross() int64         { return c.net + c.tax }
func (c cash) plus(o cash) cash     { return cash{c.net + o.net, c.tax + o.tax} }
func (c cash) minus(o cash) cash    { return cash{c.net - o.net, c.tax - o.tax} }
func (c cash) positive() bool       { return c.gross() > 0 }
func (c cash) of(cur string) string { return money.New(c.gross(), cur).String() }

// sheet is what an order's money comes to at the channel, part by part: what the buyer paid and
// what of it is spent, that is given back, about to be, or perhaps given back already. What is in
// doubt counts as spent: that makes a double payment impossible.
type sheet struct {
	currency string
	parts    []part // in the order of the lines
	paid     map[part]cash
	spent    map[part]cash
	refunded map[part]int64   // of spent: what was charged and given back
	kept     map[string]int64 // kept back by line, and not given later
	never    map[string]int64 // of spent, by what asked: charges of lines that were cancelled before they were charged
	beyond   int64            // given beyond the parts, or kept back (negative), in all
	foreign  int64            // given back at the channel without our doing
}

// newSheet adds up the order and the ledger. An amount in another currency than the order's
// makes it false: then nothing may be given back by machine.
func newSheet(m marketplace.Order, ledger []connector.Entry) (*sheet, bool) {
	s := &sheet{currency: m.Currency, paid: map[part]cash{}, spent: map[part]cash{}, refunded: map[part]int64{}, kept: map[string]int64{}, never: map[string]int64{}}
	ok := true
	add := func(line string, c marketplace.Component) {
		v, fits := valueOf(c, m.Currency)
		ok = ok && fits
		k := part{line, c.Kind}
		if _, known := s.paid[k]; !known {
			s.parts = append(s.parts, k)
		}
		s.paid[k] = s.paid[k].plus(v)
	}
	for _, l := range m.Lines {
		for _, c := range l.Parts {
			add(l.ID, c)
		}
	}
	for _, c := range m.Charges {
		add("", c)
	}
	for _, e := range ledger {
		if instructs(e.Verb) && e.State.Spent() {
			s.spend(m, instructionOf(e.Command))
		}
	}
	for _, e := range ledger {
		if e.Verb == CancelUnits && e.State.Spent() {
			s.uncharge(m, e)
		}
	}
	return s, ok
}

// valueOf is what the buyer paid for a component.
func valueOf(c marketplace.Component, currency string) (cash, bool) {
	for _, a := range []money.Money{c.Amount, c.Discount, c.Tax} {
		if a.Currency != "" && a.Currency != currency {
			return cash{}, false
		}
	}
	net := c.Amount.Minor - c.Discount.Minor
	if c.TaxIncluded {
		net -= c.Tax.Minor
	}
	return cash{net, c.Tax.Minor}, true
}

// spend counts an instruction. Cancelled units that the channel has taken out of the line already
// are no longer among what was paid.
func (s *sheet) spend(m marketplace.Order, in marketplace.Instruction) {
	for _, l := range in.Lines {
		if in.Op != marketplace.OpRefund && shrunk(m, l) {
			continue
		}
		for _, c := range l.Parts {
			v := cash{c.Amount.Minor, c.Tax.Minor}
			if k := (part{l.Line, c.Kind}); c.Kind != marketplace.Restocking && c.Kind != marketplace.Goodwill {
				s.spent[k] = s.spent[k].plus(v)
				if in.Op == marketplace.OpRefund {
					s.refunded[k] += v.gross()
				}
			} else {
				s.beyond += v.gross()
				if c.Kind == marketplace.Restocking {
					s.kept[l.Line] -= v.gross()
				}
			}
		}
	}
}

// uncharge counts as spent what else a line would have cost, all of whose units are cancelled
// before any has shipped: its shipping and the like are never charged either.
func (s *sheet) uncharge(m marketplace.Order, e connector.Entry) {
	for _, il := range instructionOf(e.Command).Lines {
		i := slices.IndexFunc(m.Lines, func(l marketplace.Line) bool { return l.ID == il.Line })
		if i < 0 || il.Left > 0 || m.Lines[i].Shipped > 0 {
			continue
		}
		for _, k := range s.parts {
			if k.line == il.Line && k.kind != marketplace.Item {
				s.never[e.About] += s.take(k, s.left(k).gross()).gross()
			}
		}
	}
}

// shrunk reports that the channel counts fewer units as ordered than when the instruction was
// planned.
func shrunk(m marketplace.Order, l marketplace.InstructionLine) bool {
	for _, x := range m.Lines {
		if x.ID == l.Line {
			return x.Ordered < l.Ordered
		}
	}
	return true
}

// left is what may still be given back of a part.
func (s *sheet) left(k part) cash {
	c := s.paid[k].minus(s.spent[k])
	return cash{max(c.net, 0), max(c.tax, 0)}
}

// rest is what may still be given back in all.
func (s *sheet) rest() int64 {
	sum := -s.beyond - s.foreign
	for _, k := range s.parts {
		sum += s.paid[k].gross() - s.spent[k].gross()
	}
	return max(sum, 0)
}

// total is what the buyer paid.
func (s *sheet) total() int64 {
	var sum int64
	for _, k := range s.parts {
		sum += s.paid[k].gross()
	}
	return sum
}

// take spends up to gross of a part and returns what it took, split into net and tax as the buyer
// paid them; the last of a part takes what is left of both.
func (s *sheet) take(k part, gross int64) cash {
	left := s.left(k)
	if gross >= left.gross() {
		s.spent[k] = s.spent[k].plus(left)
		return left
	}
	if gross <= 0 {
		return cash{}
	}
	paid := s.paid[k]
	tax := min(share(gross, paid.tax, paid.gross()), left.tax)
	v := cash{gross - tax, tax}
	if v.net > left.net {
		v = cash{left.net, gross - left.net}
	}
	s.spent[k] = s.spent[k].plus(v)
	return v
}

// roundsTo reports that a part has that much left, and that its tax differs from the buyer's own
// share of tax by no more than rounding.
func (s *sheet) roundsTo(k part, v cash, units int64) bool {
	left, paid := s.left(k), s.paid[k]
	diff := v.tax - share(v.gross(), paid.tax, paid.gross())
	return units > 0 && v.net >= 0 && v.net <= left.net && v.tax <= left.tax && diff <= units && -diff <= units
}

// share is amount × of / whole, rounded half to even; all are positive.
func share(amount, of, whole int64) int64 {
	if whole <= 0 || of <= 0 || amount <= 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(amount), uint64(of))
	if hi >= uint64(whole) {
		return amount
	}
	q, r := bits.Div64(hi, lo, uint64(whole))
	if twice := 2 * r; twice > uint64(whole) || twice == uint64(whole) && q%2 == 1 {
		q++
	}
	return int64(q)
}

func instructs(v connector.Verb) bool {
	return v == CancelMarket || v == CancelUnits || v == RefundMarket
}

func instructionOf(c connector.Command) marketplace.Instruction { return instructions.get(c.Body) }
