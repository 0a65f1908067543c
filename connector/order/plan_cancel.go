package order

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// cancelOut cancels a whole order at the channel while nothing of it has shipped. It reports
// whether that takes care of every demand.
func (p *planner) cancelOut(ds []demand) bool {
	wish, cancelled := p.wish(connector.WishCancel), !p.Shop.CancelledAt.IsZero()
	if wish != nil && !cancelled && !p.moving() { // until it is cancelled: also while the channel is asked
		p.stopShipping("operator-cancel", wish.Actor+" asked to cancel this order")
	}
	if begun, all := p.cancelBegun(); begun {
		return all
	}
	switch {
	case cancelled && p.pendingOnly():
		p.waits("order", "the order was cancelled in the store, its money is announced and has not moved yet")
		return true
	case cancelled && !p.moneyGiven():
		p.blocksMoney("cancel_without_refund", "", "the order was cancelled in the store without giving money back; at the channel every order is tied to a payment, so nothing was sent (R-146)",
			"refund the order in the store with an amount above zero, or cancel it at the channel")
		return false // what was refunded before is met all the same
	case !cancelled && wish == nil && !p.allDemanded(ds):
		return false
	case wish != nil && !cancelled && p.moving():
		p.warns("cancel_too_late", "", wish.Actor+" asked to cancel this order, but some of it has shipped", "refund what is owed instead: channelbridge orders refund "+p.Subject.String())
		return false
	case p.Market.Lifecycle == marketplace.Pending:
		p.waits("", "the order is cancelled in the store, but the channel has not released it yet; it is cancelled there as soon as it is")
		return true
	case p.Market.Lifecycle != marketplace.Open, p.moving(), !p.can(marketplace.OpCancel):
		return false
	}
	if p.conflicts(demand{about: "order", at: p.Shop.CancelledAt}) {
		return true
	}
	total := p.sheet.rest()
	if total <= 0 && wish != nil && !cancelled {
		p.warns("amount_zero", "order", "the order was to be cancelled, but at the channel there is nothing to give back; a cancellation needs an amount above zero (R-146)", "cancel it at the channel by hand")
		return false
	}
	if p.asks("order", p.cancelAsked(ds), total) {
		return true
	}
	reason, why := p.cancelReason(ds, wish)
	in := marketplace.Instruction{Op: marketplace.OpCancel, Reason: p.reasonFor(marketplace.OpCancel, reason), Lines: p.wholeOrder()}
	p.instruct(CancelMarket, "order", in, total, why)
	return true
}

// cancelBegun goes on with a cancellation that is in the ledger. It reports whether nothing else
// is to be decided about cancelling, and whether that takes care of every demand.
func (p *planner) cancelBegun() (begun, all bool) {
	e, tried := p.latest(CancelMarket, "order")
	if !tried {
		return false, false
	}
	switch p.goOn(e, marketplace.OpCancel) {
	case alone:
		if e.State == connector.Done && p.moving() && p.MarketRead.After(e.SettledAt.Add(p.Policy.SettleMarket)) {
			p.blocksMoney("cancel_without_effect", "order", "the channel accepted to cancel the order, but shows it as shipped and nothing as given back",
				"look at the channel; what is owed has to be given back there by hand")
		}
		return true, true
	case turned:
		if p.moving() || p.Market.Lifecycle != marketplace.Open {
			return true, false // it has shipped meanwhile: its units are refunded
		}
		p.blocksMoney("cancel_refused", "order", "the channel refused to cancel the order: "+e.Reason,
			"cancel it at the channel, or run: channelbridge orders retry "+p.Subject.String())
		return true, true
	}
	return false, false
}

// cancelAsked is when a cancellation was asked for: in the store, or by the last demand.
func (p *planner) cancelAsked(ds []demand) time.Time {
	asked := p.Shop.CancelledAt
	if !asked.IsZero() {
		return asked
	}
	for _, d := range ds {
		if d.at.After(asked) {
			asked = d.at
		}
	}
	return asked
}

// cancelReason is why an order is cancelled, in the store's words, and for people what it follows
// from.
func (p *planner) cancelReason(ds []demand, wish *connector.Wish) (reason, why string) {
	switch {
	case wish != nil:
		var body CancelWish
		_ = json.Unmarshal(wish.Body, &body)
		return body.Reason, wish.Actor + " asked to cancel the order"
	case p.Shop.CancelledAt.IsZero():
		return ds[len(ds)-1].reason, "the store refunded every unit before any had shipped"
	}
	return p.Shop.CancelReason, "the order was cancelled in the store with a refund"
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
	e, tried := p.latest(CancelMarket, "order")
	return p.wish(connector.WishCancel) != nil && tried && e.State.Spent()
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
