package order

import (
	"slices"

	"channelbridge/connector"
	"channelbridge/marketplace"
)

// stillUnshipped reports that all units an instruction names could be cancelled now.
func (p *planner) stillUnshipped(e connector.Entry) bool {
	for _, l := range instructionOf(e.Command).Lines {
		if m, ok := p.line(l.Line); !ok || p.unshipped(m) < l.Quantity {
			return false
		}
	}
	return true
}

// unchargedLine reports units that the channel does not count as shipped yet, for which the buyer
// will be charged.
func (p *planner) unchargedLine() bool {
	return slices.ContainsFunc(p.Market.Lines, func(l marketplace.Line) bool {
		return max(l.Shipped, p.provenUnits(l.ID))+p.cancelling()[l.ID] < l.Ordered-l.Cancelled
	})
}

// captured reports that the buyer was charged for what is to be given back.
func (p *planner) captured(d demand) bool {
	shipped := func(m marketplace.Line) int { return max(m.Shipped, p.provenUnits(m.ID)) }
	any := false
	for _, m := range p.Market.Lines {
		any = any || shipped(m) > 0
	}
	before := p.refundedUnits()
	for _, l := range d.lines {
		if m, ok := p.line(l.line); !ok || shipped(m) < max(1, before[l.line]+l.units) {
			return false
		}
	}
	return any
}

// refundedUnits counts per line the units that refunds have given back or are about to.
func (p *planner) refundedUnits() map[string]int {
	out := map[string]int{}
	for _, e := range p.Ledger {
		if e.Verb == RefundMarket && e.State.Spent() {
			for _, l := range instructionOf(e.Command).Lines {
				out[l.Line] += l.Quantity
			}
		}
	}
	return out
}

// provenUnits counts the units of a line that the channel has accepted as shipped.
func (p *planner) provenUnits(line string) int {
	n := 0
	for _, e := range p.Ledger {
		if e.Verb == ConfirmShipment && e.State.Accepted() && !p.superseded(e) {
			for _, l := range shipmentOf(e).Lines {
				if l.Line == line {
					n += l.Quantity
				}
			}
		}
	}
	return n
}
