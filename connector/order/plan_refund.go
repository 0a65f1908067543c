package order

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// demandOut meets one demand at the channel: units that have not shipped are cancelled, money of
// those that have is refunded.
func (p *planner) demandOut(d demand) {
	if cut := p.cutUnits(d.about); len(cut) > 0 {
		p.lost += p.sheet.never[d.about] - min(d.rest, 0)
		for _, n := range cut { // the store and the channel may round a unit's share differently
			p.lost += int64(n)
		}
	}
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
	cut, back := p.split(d)
	if len(cut) > 0 {
		p.cancelUnits(d, cut)
		return
	}
	switch {
	case back.total.Minor == 0:
		p.meet(d)
		if !p.begun(d) {
			p.warns("cancelled_there", d.about, d.fulfills+"; the channel has cancelled these units by itself", "nothing has to be done")
		}
	case back.total.Minor > 0:
		p.refund(d, back)
	case back.total.Minor < 0:
		p.keptLost(d, fmt.Sprintf("the store kept %s back", back.total.Neg()))
	}
}

// meet notes a demand that needs nothing more from us.
func (p *planner) meet(d demand) {
	if p.met == nil {
		p.met = map[string]bool{}
	}
	p.met[d.about] = true
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
		live, _ := p.attempts(v, d.about)
		if len(live) == 0 {
			continue
		}
		e := live[len(live)-1]
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

// stillUnshipped reports that all units an instruction names could be cancelled now.
func (p *planner) stillUnshipped(e connector.Entry) bool {
	for _, l := range instructionOf(e.Command).Lines {
		if m, ok := p.line(l.Line); !ok || p.unshipped(m) < l.Quantity {
			return false
		}
	}
	return true
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
func (p *planner) credit(line string, n int) {
	if n <= 0 || p.splitting {
		return
	}
	if p.creditedThere == nil {
		p.creditedThere = map[string]int{}
	}
	p.creditedThere[line] += n
}

// split divides a demand into units to be cancelled and money to be refunded.
func (p *planner) split(d demand) (cut []demandLine, back demand) {
	begun := slices.ContainsFunc(p.entries(CancelUnits, d.about), func(e connector.Entry) bool { return e.State != connector.Retry && e.Class != Withdrawn })
	done := p.cutUnits(d.about)
	back = d
	back.lines = nil
	for _, l := range d.lines {
		m, ok := p.line(l.line)
		there := min(max(l.unshipped-done[l.line], 0), p.cancelledThere(m)-p.creditedThere[l.line]) // each of them meets one demand
		p.credit(l.line, there)
		gone := done[l.line] + max(there, 0)
		n := 0
		if ok && !begun && p.can(marketplace.OpCancelUnits) {
			n = min(l.unshipped-gone, p.unshipped(m), l.units-gone)
		}
		upTo := func(units int) int64 { return share(l.gross, int64(units), int64(l.units)) } // the parts add up to the whole
		if n = max(n, 0); n > 0 {
			cut = append(cut, demandLine{line: l.line, units: n, gross: upTo(gone+n) - upTo(gone)})
		}
		if rest := l.units - gone - n; rest > 0 || l.units == 0 {
			back.lines = append(back.lines, demandLine{line: l.line, units: rest, gross: l.gross - upTo(gone+n)})
		}
	}
	sum := back.charges + back.rest
	for _, l := range back.lines {
		sum += l.gross
	}
	back.total = money.New(sum, d.total.Currency)
	return cut, back
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

// cancelledThere counts units of a line that the channel has cancelled without our doing.
func (p *planner) cancelledThere(l marketplace.Line) int {
	ours, all := 0, 0
	for _, e := range p.Ledger {
		if e.Verb == CancelUnits && e.State.Spent() {
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
		if e.Verb == ConfirmShipment && (e.State == connector.Done || e.State == connector.Proven) && !p.superseded(e) {
			for _, l := range shipmentOf(e).Lines {
				if l.Line == line {
					n += l.Quantity
				}
			}
		}
	}
	return n
}

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
		over += l.gross - a.take(part{l.line, marketplace.Item}, l.gross)
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

// take puts up to gross onto a part and returns how much it took.
func (a *allocation) take(k part, gross int64) int64 {
	v := a.p.sheet.take(k, min(gross, a.p.charged(k)))
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

// free is what the buyer was charged and has not got back, whoever gave it.
func (p *planner) free() int64 {
	sum := -p.sheet.beyond - p.sheet.foreign
	for _, k := range p.sheet.parts {
		sum += p.charged(k)
	}
	return sum
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

// storeLegs records in the store what was asked for here and is done at the channel.
func (p *planner) storeLegs(ds []demand) {
	for _, d := range ds {
		if !d.wish || d.problem != "" {
			continue
		}
		entries, _ := p.attempts(RefundShop, d.about)
		if len(entries) == 0 {
			if p.marketLegDone(d) {
				p.refundShop(d, 0)
			}
			continue
		}
		e := entries[len(entries)-1]
		switch s, at := allow(e, marketplace.RepeatNative, p.Policy.SettleShop, p.ShopRead, p.Now); s {
		case wait:
			p.wake(at)
		case again:
			if !p.recorded(d.about) { // otherwise it is proven
				p.refundShop(d, e.ID)
			}
		case answered:
			p.blocksMoney("store_refund_refused", d.about, fmt.Sprintf("the channel gave %s back, but the store refused to record it: %s", d.total, e.Reason),
				"record the refund in the store by hand, without passing it on")
		}
	}
}

// marketLegDone reports that the channel has accepted all of a demand.
func (p *planner) marketLegDone(d demand) bool {
	some := false
	for _, v := range []connector.Verb{CancelUnits, RefundMarket} {
		live, _ := p.attempts(v, d.about)
		if len(live) == 0 {
			continue
		}
		switch live[len(live)-1].State {
		case connector.Done, connector.Proven:
			some = true
		case connector.Refused: // cancelled units are refunded instead; a refund that was refused is missing
			if v == RefundMarket {
				return false
			}
		default:
			return false
		}
	}
	if !some {
		live, _ := p.attempts(CancelMarket, "order")
		return len(live) > 0 && (live[len(live)-1].State == connector.Done || live[len(live)-1].State == connector.Proven) && live[len(live)-1].IntendedAt.After(d.at)
	}
	cut, back := p.splitQuiet(d)
	live, _ := p.attempts(RefundMarket, d.about)
	return len(cut) == 0 && (back == 0 || len(live) > 0)
}

// splitQuiet is what of a demand is left for the channel.
func (p *planner) splitQuiet(d demand) ([]demandLine, int64) {
	p.splitting = true
	cut, back := p.split(d)
	p.splitting = false
	return cut, back.total.Minor
}

// recorded reports that the store shows the refund behind a wish.
func (p *planner) recorded(about string) bool {
	return slices.ContainsFunc(p.Shop.Refunds, func(r shopadmin.Refund) bool { return noteNames(r.Note, about) })
}

func (p *planner) refundShop(d demand, again int64) {
	p.pendingMoney = true
	var body RefundWish
	for _, w := range p.Wishes {
		if wishAbout(w.ID) == d.about {
			_ = json.Unmarshal(w.Body, &body)
		}
	}
	r := shopadmin.NewRefund{Note: noteOf(d.about, body.Note), Amount: d.total}
	if d.charges > 0 {
		r.Shipping = money.New(d.charges, d.total.Currency)
	}
	cut := p.cutUnits(d.about)
	for _, l := range d.lines {
		n := min(cut[l.line], l.units)
		r.Lines = append(r.Lines, p.storeLines(l.line, n, true, body.Restock)...)
		r.Lines = append(r.Lines, p.storeLines(l.line, l.units-n, false, body.Restock)...)
	}
	p.command(connector.Command{Key: p.storeKey(RefundShop, d.about, again), Verb: RefundShop, Side: connector.Shop, About: d.about, Amount: d.total,
		Why: "the channel gave it back on " + d.fulfills, Again: again}, r)
}

// storeLines are the store's lines behind n units of a channel line that have not shipped, or
// have.
func (p *planner) storeLines(line string, n int, unshipped, restock bool) []shopadmin.NewRefundLine {
	how := shopadmin.RestockNone
	switch {
	case restock && unshipped:
		how = shopadmin.RestockCancel
	case restock:
		how = shopadmin.RestockReturn
	}
	var out []shopadmin.NewRefundLine
	for _, s := range p.Shop.Lines {
		free := s.Current - min(s.Unfulfilled, s.Current)
		if unshipped {
			free = min(s.Unfulfilled, s.Current)
		}
		if q := min(n, free); s.ChannelLine == line && q > 0 {
			out = append(out, shopadmin.NewRefundLine{Line: s.ID, Quantity: q, Restock: how})
			n -= q
		}
	}
	return out
}
