package order

import (
	"fmt"
	"time"

	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// meet notes a demand that needs nothing more from us.
func (p *planner) meet(d demand) {
	if p.met == nil {
		p.met = map[string]bool{}
	}
	p.met[d.about] = true
}

// conflicts reports that the channel has given money back by itself: what was refunded there is
// never repeated, and the notice says so.
func (p *planner) conflicts(d demand) bool {
	for i, r := range p.foreign {
		if p.paired[i] || r.Amount.Minor != d.total.Minor && r.Untaxed.Minor != d.total.Minor || r.Amount.Currency != d.total.Currency {
			continue
		}
		if p.approved(beside(d.about), false) {
			continue
		}
		p.paired[i] = true
		p.meet(d)
		p.warns("already_refunded", d.about, fmt.Sprintf("%s, but that refund failed: the marketplace has refunded %s already, on %s",
			d.fulfills, r.Amount, r.PostedAt.UTC().Format(time.DateOnly)),
			"nothing is sent; if it was meant in addition, approve it: channelbridge orders approve "+p.Subject.String()+" "+beside(d.about))
		return true
	}
	if len(p.foreign) == 0 || p.approved(beside(d.about), false) {
		return false
	}
	p.blocksMoney("already_refunded", d.about, fmt.Sprintf("%s, but that refund failed: the marketplace has refunded %s already",
		or(d.fulfills, "the order was cancelled in the store"), money.New(p.sheet.foreign, p.Market.Currency)),
		"compare both; if it was meant in addition, approve it: channelbridge orders approve "+p.Subject.String()+" "+beside(d.about))
	return true
}

// beside names a demand for an approval that it is meant beside what the channel has given back
// by itself. An approval for another reason never means that.
func beside(about string) string { return "beside/" + about }

// credit notes units that the channel has cancelled by itself as meeting a demand.
func (p *planner) credit(d demand, there map[string]int) {
	if p.credited == nil {
		p.credited = map[string]map[string]int{}
	}
	p.credited[d.about] = there
}

// creditedTo is how many of a line's units that the channel cancelled by itself meet a demand:
// each of them meets one, and the first that asks.
func (p *planner) creditedTo(d demand, l marketplace.Line, most int) int {
	if there, decided := p.credited[d.about]; decided {
		return there[l.ID]
	}
	free := p.cancelledThere(l)
	for _, there := range p.credited {
		free -= there[l.ID]
	}
	return max(0, min(most, free))
}

// cancelledThere counts units of a line that were cancelled at the channel for no demand's sake: by
// itself, or with the rest of an order that was cancelled in the store. A refund in the store that
// asks for such units later finds its wish met.
func (p *planner) cancelledThere(l marketplace.Line) int {
	ours, all := 0, 0
	for _, e := range p.Ledger {
		if e.Verb == CancelUnits && e.State.Spent() && e.About != aboutRest {
			for _, il := range instructionOf(e.Command).Lines {
				if il.Line != l.ID {
					continue
				}
				all += il.Quantity
				if l.Ordered >= il.Ordered {
					ours += il.Quantity
				}
			}
		}
	}
	there := max(0, l.Cancelled-ours)
	if n := p.mirrored(l.ID); n > 0 { // a channel may count fewer as ordered instead
		there = max(there, n-(l.Ordered-l.Cancelled)-all)
	}
	return there
}

// mirrored is how many units of a channel line the store's order was made with.
func (p *planner) mirrored(line string) (n int) {
	for _, s := range p.Shop.Lines {
		if s.ChannelLine == line {
			n += s.Quantity
		}
	}
	return n
}
