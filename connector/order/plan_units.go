package order

import (
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// wholeOrder is every line with what is left of its money.
func (p *planner) wholeOrder() []marketplace.InstructionLine {
	var out []marketplace.InstructionLine
	for _, l := range p.Market.Lines {
		n := l.Ordered - l.Cancelled
		if n <= 0 {
			continue
		}
		il := marketplace.InstructionLine{Line: l.ID, Quantity: n, Ordered: l.Ordered}
		for _, k := range p.sheet.parts {
			if k.line == l.ID {
				il.Parts = append(il.Parts, p.component(k, p.sheet.take(k, p.sheet.left(k).gross())))
			}
		}
		out = append(out, il)
	}
	return out
}

func (p *planner) component(k part, v cash) marketplace.Component {
	cur := p.Market.Currency
	c := marketplace.Component{Kind: k.kind, Amount: money.New(v.net, cur)}
	if v.tax != 0 {
		c.Tax = money.New(v.tax, cur)
	}
	return c
}

// aboutRest is what the cancellation of units is about that no refund in the store has asked for.
const aboutRest = "rest"

// cancelRest takes back units that have not shipped and that no refund of a cancelled order
// names.
func (p *planner) cancelRest(ds []demand) {
	if e, tried := p.latest(CancelUnits, aboutRest); tried && p.goOn(e, marketplace.OpCancelUnits) != anew {
		return
	}
	if p.Shop.CancelledAt.IsZero() || !p.moneyGiven() || !p.can(marketplace.OpCancelUnits) || p.Market.Lifecycle != marketplace.Open {
		return
	}
	for _, d := range ds {
		if !d.pending && !p.met[d.about] && !p.marketLegDone(d) {
			return // its own units first
		}
	}
	in := marketplace.Instruction{Op: marketplace.OpCancelUnits, Reason: p.reasonFor(marketplace.OpCancelUnits, p.Shop.CancelReason)}
	total := int64(0)
	for _, l := range p.Market.Lines {
		if n := p.unshipped(l); n > 0 {
			il, sum := p.cancelLine(l, n, 0)
			in.Lines, total = append(in.Lines, il), total+sum
		}
	}
	if len(in.Lines) > 0 && !p.asks(aboutRest, p.Shop.CancelledAt, total) {
		p.instruct(CancelUnits, aboutRest, in, total, "the order was cancelled in the store and these units have not shipped")
	}
}

// unshipped counts the units of a line that can still be cancelled at the channel.
func (p *planner) unshipped(l marketplace.Line) int {
	return max(0, l.Ordered-l.Cancelled-p.moved(l)-p.cancelling()[l.ID])
}

// moved counts the units of a line that have shipped, or that the channel may have been told of.
func (p *planner) moved(l marketplace.Line) int {
	return max(l.Shipped, p.confirmedUnits()[l.ID], shippedInStore(p.Shop)[l.ID])
}

// cancelling counts per line the units that instructions take back and the channel does not show
// as taken back yet.
func (p *planner) cancelling() map[string]int {
	out := map[string]int{}
	for _, e := range p.Ledger {
		if e.Verb != CancelUnits || !e.State.Spent() {
			continue
		}
		for _, il := range instructionOf(e.Command).Lines {
			if m, ok := p.line(il.Line); ok && m.Ordered-m.Cancelled > il.Left {
				out[il.Line] += il.Quantity
			}
		}
	}
	return out
}

// cancelLine takes n units of a line back, with their share of the line's money: what has not
// shipped is not charged, whatever the store has made of it. The store's gross counts where it
// differs by rounding alone.
func (p *planner) cancelLine(l marketplace.Line, n int, gross int64) (marketplace.InstructionLine, int64) {
	active := l.Ordered - l.Cancelled
	il := marketplace.InstructionLine{Line: l.ID, Quantity: n, Ordered: l.Ordered, Left: active - n - p.cancelling()[l.ID]}
	k := part{l.ID, marketplace.Item}
	full := share(p.sheet.paid[k].gross(), int64(n), int64(max(l.Ordered, 1)))
	if off := int64(2*n + 1); gross < full-off || gross > full+off { // a price and a tax may each be off, on both sides
		gross = full
	}
	v := p.sheet.take(k, gross)
	il.Parts = []marketplace.Component{p.component(k, v)}
	return il, v.gross()
}
