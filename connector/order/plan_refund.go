package order

import (
	"fmt"
	"slices"

	"channelbridge/connector"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// lose counts what the store gives back, or keeps, of units that were cancelled before the buyer was
// charged: by so much its figures may differ from the channel's, in whichever of its refunds.
func (p *planner) lose(d demand) {
	if cut := p.cutUnits(d.about); len(cut) > 0 {
		p.lost -= min(d.rest, 0)
		p.loseUnits(d.about, cut)
	}
}

// loseUnits counts the charges of lines that were cancelled as a whole, and what rounding may make of
// a unit's share.
func (p *planner) loseUnits(about string, cut map[string]int) {
	p.lost += p.sheet.never[about]
	for _, n := range cut { // the store and the channel may round a unit's share differently
		p.lost += int64(n)
	}
}

// demandOut meets one demand at the channel: units that have not shipped are cancelled, money of
// those that have is refunded.
func (p *planner) demandOut(d demand) {
	if p.settledAlready(d) {
		return
	}
	switch {
	case d.pending:
		p.waits(d.about, "a refund in the store is announced, its money has not moved yet")
		return
	case d.problem != "":
		p.blocksMoney("refund_unreadable", d.about, d.fulfills+", but "+d.problem, "give the money back at the channel by hand")
		return
	case d.total.Currency != p.Market.Currency:
		p.blocksMoney("currency_differs", d.about, fmt.Sprintf("%s, but the order's currency at the channel is %s", d.fulfills, p.Market.Currency), "give the money back at the channel by hand")
		return
	case p.Market.Lifecycle == marketplace.Pending:
		p.waits(d.about, d.fulfills+"; the channel has not released the order yet")
		return
	}
	if p.conflicts(d) || p.asks(d.about, d.at, d.total.Minor) {
		return
	}
	cut, back, there := p.split(d)
	p.credit(d, there)
	if len(cut) > 0 {
		p.cancelUnits(d, cut)
		return
	}
	switch {
	case back.total.Minor == 0:
		p.meet(d)
		if !p.begun(d) && !p.withRest(there) {
			p.warns("cancelled_there", d.about, d.fulfills+"; the channel has cancelled these units by itself", "nothing has to be done")
		}
	case back.total.Minor > 0:
		p.refund(d, back)
	case back.total.Minor < 0:
		p.keptLost(d, fmt.Sprintf("the store kept %s back", back.total.Neg()))
	}
}

// withRest reports that the units that meet a demand were cancelled from here, with the rest of the
// order, and not by the channel itself.
func (p *planner) withRest(there map[string]int) bool {
	rest := p.cutUnits(aboutRest)
	for line, n := range there {
		if n > rest[line] {
			return false
		}
	}
	return true
}

// keptLost shows money that the store keeps back of units the buyer was never charged for.
func (p *planner) keptLost(d demand, what string) {
	p.warns("kept_back_lost", d.about, what+", but the buyer was never charged for the units that were cancelled",
		"nothing has to be done at the channel; the store's figures differ by that much")
}

// settledAlready goes on with a demand's entries; it reports whether nothing else is to be
// decided about it now.
func (p *planner) settledAlready(d demand) bool {
	busy := false
	for _, v := range []connector.Verb{CancelUnits, RefundMarket} {
		e, tried := p.latest(v, d.about)
		if !tried {
			continue
		}
		where := p.goOn(e, instructionOf(e.Command).Op)
		switch {
		case where == alone:
			busy = busy || e.State.Open() || v == RefundMarket
		case where == turned && (v == RefundMarket || p.stillUnshipped(e)):
			p.blocksMoney("refund_refused", d.about, fmt.Sprintf("the channel refused %s over %s: %s", e.Verb, e.Amount, e.Reason),
				"correct the cause or give the money back at the channel, then run: channelbridge orders retry "+p.Subject.String())
			busy = true
		}
	}
	return busy
}

// split divides a demand into units to be cancelled and money to be refunded. What the channel
// cancelled by itself meets the rest: units per line.
func (p *planner) split(d demand) (cut []demandLine, back demand, there map[string]int) {
	begun := slices.ContainsFunc(p.entries(CancelUnits, d.about), func(e connector.Entry) bool { return e.State != connector.Retry && e.Class != Withdrawn })
	done := p.cutUnits(d.about)
	back, there = d, map[string]int{}
	back.lines = nil
	for _, l := range d.lines {
		m, ok := p.line(l.line)
		met := p.creditedTo(d, m, l.unshipped-done[l.line])
		there[l.line] = met
		gone := done[l.line] + met
		n := 0
		if ok && !begun && p.can(marketplace.OpCancelUnits) {
			n = min(l.unshipped-gone, p.unshipped(m), l.units-gone)
		}
		upTo := func(units int) int64 { return share(l.gross, int64(units), int64(l.units)) } // the parts add up to the whole
		taxTo := func(units int) int64 { return share(l.tax, int64(units), int64(l.units)) }
		if n = max(n, 0); n > 0 {
			cut = append(cut, demandLine{line: l.line, units: n, gross: upTo(gone+n) - upTo(gone)})
		}
		if rest := l.units - gone - n; rest > 0 || l.units == 0 {
			back.lines = append(back.lines, demandLine{line: l.line, units: rest, gross: l.gross - upTo(gone+n), tax: l.tax - taxTo(gone+n)})
		}
	}
	sum := back.charges + back.rest
	for _, l := range back.lines {
		sum += l.gross
	}
	back.total = money.New(sum, d.total.Currency)
	return cut, back, there
}

// cutUnits counts per line the units of a demand that were cancelled at the channel or are about
// to be.
func (p *planner) cutUnits(about string) map[string]int {
	out := map[string]int{}
	for _, e := range p.entries(CancelUnits, about) {
		if e.State.Spent() {
			for _, l := range instructionOf(e.Command).Lines {
				out[l.Line] += l.Quantity
			}
		}
	}
	return out
}

func (p *planner) cancelUnits(d demand, cut []demandLine) {
	in := marketplace.Instruction{Op: marketplace.OpCancelUnits, Reason: p.reasonFor(marketplace.OpCancelUnits, d.reason)}
	total := int64(0)
	for _, l := range cut {
		m, _ := p.line(l.line)
		il, sum := p.cancelLine(m, l.units, l.gross)
		in.Lines, total = append(in.Lines, il), total+sum
	}
	p.instruct(CancelUnits, d.about, in, total, d.fulfills+" for units that have not shipped")
}

// refund gives captured money back.
func (p *planner) refund(d, back demand) {
	switch {
	case !p.can(marketplace.OpRefund):
		p.blocksMoney("no_capability", d.about, d.fulfills+", but this channel takes no refunds", "give the money back at the channel by hand")
		return
	case p.Policy.CaptureOnShip && p.unchargedLine() && !p.captured(back):
		p.waits(d.about, d.fulfills+"; the channel charges the buyer when the units ship, it is refunded then")
		return
	case back.total.Minor > p.sheet.rest() && back.total.Minor-p.sheet.rest() <= p.lost:
		more := back.total.Minor - p.sheet.rest()
		back.rest, back.total.Minor = back.rest-more, p.sheet.rest()
		p.keptLost(d, fmt.Sprintf("the store gives %s more back", money.New(more, d.total.Currency)))
		if back.total.Minor == 0 {
			return
		}
	case back.total.Minor > p.sheet.rest() && !p.generous():
		p.blocksMoney("above_refundable", d.about, fmt.Sprintf("%s, but of this order only %s can still be given back at the channel", d.fulfills, money.New(p.sheet.rest(), p.Market.Currency)),
			"what is in doubt counts as given back; compare both sides")
		return
	}
	in := marketplace.Instruction{Op: marketplace.OpRefund, Reason: p.reasonFor(marketplace.OpRefund, d.reason)}
	generous, free := p.generous(), p.free()
	lines, ok := p.allocate(back, generous)
	ok = ok && (generous || back.total.Minor <= free)
	if !ok && p.Policy.CaptureOnShip && p.unchargedLine() {
		p.waits(d.about, d.fulfills+"; that is more than the buyer was charged so far, it is refunded when more units ship")
		return
	}
	if !ok {
		p.blocksMoney("above_refundable", d.about, d.fulfills+", but that is more than what is left of the parts it names",
			"what is in doubt counts as given back; compare both sides")
		return
	}
	if slices.Contains(p.Policy.WholeOnly, marketplace.OpRefund) && back.total.Minor != p.sheet.total() {
		p.blocksMoney("whole_only", d.about, d.fulfills+", but this channel refunds whole orders only", "give the money back at the channel by hand")
		return
	}
	in.Lines = lines
	p.instruct(RefundMarket, d.about, in, back.total.Minor, d.fulfills+" and the channel does not show it")
}

// free is what the buyer was charged and has not got back, whoever gave it.
func (p *planner) free() int64 {
	sum := -p.sheet.beyond - p.sheet.foreign
	for _, k := range p.sheet.parts {
		sum += p.charged(k)
	}
	return sum
}
