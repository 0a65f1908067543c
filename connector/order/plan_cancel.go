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

// cancelOut cancels a whole order at the channel while nothing of it has shipped. It reports
// whether that takes care of every demand.
func (p *planner) cancelOut(ds []demand) bool {
	wish := p.wish(connector.WishCancel)
	if live, _ := p.attempts(CancelMarket, "order"); len(live) > 0 {
		e := live[len(live)-1]
		switch p.goOn(e, marketplace.OpCancel) {
		case alone:
			if e.State == connector.Done && p.moving() && p.MarketRead.After(e.SettledAt.Add(p.Policy.SettleMarket)) {
				p.blocksMoney("cancel_without_effect", "order", "the channel accepted to cancel the order, but shows it as shipped and nothing as given back",
					"look at the channel; what is owed has to be given back there by hand")
			}
			return true
		case turned:
			if p.moving() || p.Market.Lifecycle != marketplace.Open {
				return false // it has shipped meanwhile: its units are refunded
			}
			p.blocksMoney("cancel_refused", "order", "the channel refused to cancel the order: "+e.Reason,
				"cancel it at the channel, or run: channelbridge orders retry "+p.Subject.String())
			return true
		}
	}
	cancelled := !p.Shop.CancelledAt.IsZero()
	if cancelled && p.pendingOnly() {
		p.waits("order", "the order was cancelled in the store, its money is announced and has not moved yet")
		return true
	}
	if cancelled && !p.moneyGiven() {
		p.blocksMoney("cancel_without_refund", "", "the order was cancelled in the store without giving money back; at the channel every order is tied to a payment, so nothing was sent (R-146)",
			"refund the order in the store with an amount above zero, or cancel it at the channel")
		return false // what was refunded before is met all the same
	}
	if !cancelled && wish == nil && !p.allDemanded(ds) {
		return false
	}
	if wish != nil && !cancelled && p.moving() {
		p.warns("cancel_too_late", "", wish.Actor+" asked to cancel this order, but some of it has shipped", "refund what is owed instead: channelbridge orders refund "+p.Subject.String())
		return false
	}
	if wish != nil && !cancelled {
		p.stopShipping("operator-cancel", wish.Actor+" asked to cancel this order")
	}
	switch {
	case p.Market.Lifecycle == marketplace.Pending:
		p.waits("", "the order is cancelled in the store, but the channel has not released it yet; it is cancelled there as soon as it is")
		return true
	case p.Market.Lifecycle != marketplace.Open, p.moving(), !p.can(marketplace.OpCancel):
		return false
	}
	reason := p.Shop.CancelReason
	why := "the order was cancelled in the store with a refund"
	switch {
	case wish != nil:
		var body CancelWish
		_ = json.Unmarshal(wish.Body, &body)
		reason, why = body.Reason, wish.Actor+" asked to cancel the order"
	case !cancelled:
		reason, why = ds[len(ds)-1].reason, "the store refunded every unit before any had shipped"
	}
	if p.conflicts(demand{about: "order", at: p.Shop.CancelledAt}) {
		return true
	}
	asked := p.Shop.CancelledAt
	for _, d := range ds {
		if asked.IsZero() || !cancelled && d.at.After(asked) {
			asked = d.at
		}
	}
	total := p.sheet.rest()
	if total <= 0 && wish != nil && !cancelled {
		p.warns("amount_zero", "order", "the order was to be cancelled, but at the channel there is nothing to give back; a cancellation needs an amount above zero (R-146)", "cancel it at the channel by hand")
		return false
	}
	if p.asks("order", asked, total) {
		return true
	}
	in := marketplace.Instruction{Op: marketplace.OpCancel, Reason: p.reasonFor(marketplace.OpCancel, reason), Lines: p.wholeOrder()}
	p.instruct(CancelMarket, "order", in, total, why)
	return true
}

// moneyGiven reports that a cancellation in the store gave money back: with it, or
// everything before it. A goodwill of long ago is no cancellation's money.
func (p *planner) moneyGiven() bool {
	var sum int64
	for _, r := range p.Shop.Refunds {
		moved := r.Moved.Minor + r.Pending.Minor
		if moved > 0 && !r.CreatedAt.Before(p.Shop.CancelledAt.Add(-withCancel)) {
			return true
		}
		sum += moved
	}
	if sum > 0 && sum >= p.Shop.Captured.Minor {
		return true
	}
	live, _ := p.attempts(CancelMarket, "order")
	return p.wish(connector.WishCancel) != nil && len(live) > 0 && live[len(live)-1].State.Spent()
}

// withCancel is how long before a cancellation a refund still belongs to it.
const withCancel = 15 * time.Minute

// pendingOnly reports a cancellation whose money is announced and has not moved.
func (p *planner) pendingOnly() bool {
	some := false
	for _, r := range p.Shop.Refunds {
		if r.Moved.Minor > 0 {
			return false
		}
		some = some || r.Pending.Minor > 0
	}
	return some
}

// moving reports units that have shipped, on whichever side it is seen, or that the channel may
// have been told of.
func (p *planner) moving() bool {
	for _, l := range p.Market.Lines {
		if l.Shipped > 0 {
			return true
		}
	}
	for _, e := range p.Ledger {
		if e.Verb == ConfirmShipment && e.State != connector.Refused {
			return true
		}
	}
	return len(shippedInStore(p.Shop)) > 0
}

// allDemanded reports that the demands not met yet take back every unit that is left.
func (p *planner) allDemanded(ds []demand) bool {
	want := map[string]int{}
	for _, d := range ds {
		if d.pending || d.problem != "" || p.begun(d) {
			continue
		}
		for _, l := range d.lines {
			want[l.line] += l.unshipped
		}
	}
	some := false
	for _, l := range p.Market.Lines {
		n := l.Ordered - l.Cancelled
		if n > 0 && want[l.ID] < n {
			return false
		}
		some = some || n > 0
	}
	return some
}

// begun reports a demand with an entry of its own that was not withdrawn.
func (p *planner) begun(d demand) bool {
	a, _ := p.attempts(CancelUnits, d.about)
	b, _ := p.attempts(RefundMarket, d.about)
	return slices.ContainsFunc(append(a, b...), func(e connector.Entry) bool { return e.State != connector.Retry })
}

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

// cancelRest takes back units that have not shipped and that no refund of a cancelled order
// names.
func (p *planner) cancelRest(ds []demand) {
	if live, _ := p.attempts(CancelUnits, "rest"); len(live) > 0 && p.goOn(live[len(live)-1], marketplace.OpCancelUnits) != anew {
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
	if len(in.Lines) > 0 && !p.asks("rest", p.Shop.CancelledAt, total) {
		p.instruct(CancelUnits, "rest", in, total, "the order was cancelled in the store and these units have not shipped")
	}
}

// unshipped counts the units of a line that can still be cancelled at the channel.
func (p *planner) unshipped(l marketplace.Line) int {
	moving := max(l.Shipped, p.confirmedUnits()[l.ID], shippedInStore(p.Shop)[l.ID])
	return max(0, l.Ordered-l.Cancelled-moving-p.cancelling()[l.ID])
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
	if gross < full-int64(n) || gross > full+int64(n) {
		gross = full
	}
	v := p.sheet.take(k, gross)
	il.Parts = []marketplace.Component{p.component(k, v)}
	return il, v.gross()
}

// cancelMirror cancels the store's order after the channel's was: by the buyer, by the channel,
// or by us on a person's wish. It is never sent back: a cancelled order has nothing to give back.
func (p *planner) cancelMirror() {
	wish := p.wish(connector.WishCancel)
	live, _ := p.attempts(CancelMarket, "order")
	byUs := wish != nil && len(live) > 0 && (live[len(live)-1].State == connector.Done || live[len(live)-1].State == connector.Proven)
	if p.Market.Lifecycle != marketplace.Cancelled && !byUs || !p.Shop.CancelledAt.IsZero() || !p.Policy.CancelsShop {
		return
	}
	if len(successful(p.Shop)) > 0 {
		return // parcels have left: a person decides
	}
	entries, _ := p.attempts(CancelMirror, "1")
	if len(entries) == 0 {
		c := shopadmin.Cancel{Reason: "other", Restock: p.Policy.Restock, Refund: true, Note: "cancelled at the channel"}
		if p.Market.CancelRequest != nil {
			c.Reason = "customer"
		}
		if wish != nil {
			var body CancelWish
			_ = json.Unmarshal(wish.Body, &body)
			c.Reason, c.Restock, c.Note = or(body.Reason, "other"), body.Restock, body.Note
		}
		p.mirrorCancel(c, 0, "the order is cancelled at the channel and its mirror is open")
		return
	}
	e := entries[len(entries)-1]
	switch s, at := allow(e, marketplace.RepeatNatural, p.Policy.SettleShop, p.ShopRead, p.Now); s {
	case wait:
		p.wake(at)
	case again:
		var c shopadmin.Cancel
		_ = json.Unmarshal(e.Body, &c)
		p.mirrorCancel(c, e.ID, e.Why)
	case answered:
		p.blocks("mirror_not_cancelled", "", "the store refused to cancel the order: "+e.Reason, "cancel it in the store by hand")
	}
}

// storeKey is the key of a write in the store: of what is sent again its own, otherwise a new one.
func (p *planner) storeKey(v connector.Verb, about string, again int64) string {
	es := p.entries(v, about)
	for _, e := range es {
		if e.ID == again {
			return e.Key
		}
	}
	return p.key(v, about, len(es)+1)
}

// cancelsMirror reports that the mirror is being cancelled by the bridge.
func (p *planner) cancelsMirror() bool {
	if slices.ContainsFunc(p.d.Commands, func(c connector.Command) bool { return c.Verb == CancelMirror }) {
		return true
	}
	es, _ := p.attempts(CancelMirror, "1")
	return len(es) > 0 && es[len(es)-1].State.Happened()
}

func (p *planner) mirrorCancel(c shopadmin.Cancel, again int64, why string) {
	p.command(connector.Command{Key: p.storeKey(CancelMirror, "1", again), Verb: CancelMirror, Side: connector.Shop, About: "1", Why: why, Again: again}, c)
}

// waits shows that a demand is kept until it can be met.
func (p *planner) waits(about, reason string) {
	p.pendingMoney = true
	p.warns("refund_waits", about, reason, "nothing has to be done; it goes on by itself")
}

// asks holds money above the limit at which a person decides after a reconnection.
func (p *planner) asks(about string, at time.Time, total int64) bool {
	limit := p.Policy.AskAbove
	if limit.Currency == "" || limit.Currency != p.Market.Currency || total <= limit.Minor || !p.meanwhile(at) || p.approved(about, true) {
		return false
	}
	p.blocksMoney("approval_needed", about, fmt.Sprintf("%s would be given back for a cancellation or refund made while the channel was removed", money.New(total, p.Market.Currency)),
		"approve it: channelbridge orders approve "+p.Subject.String()+" "+about)
	return true
}
