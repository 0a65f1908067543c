package order

import (
	"fmt"
	"slices"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// money brings what was given back in the store, or is asked for here, to the channel: once, and
// never beyond what the buyer paid. It looks at what both sides say now, so an
// order cancelled while the channel was removed is simply an order with money still to be given
// back, shipped or not.
func (p *planner) money() {
	p.observe()
	ds := p.demands()
	cancelled := !p.Shop.CancelledAt.IsZero()
	if len(ds) == 0 && !cancelled && p.wish(connector.WishCancel) == nil && !p.moneyBegun() {
		return
	}
	if why := p.keptBack(ds); why {
		return
	}
	var fits bool
	if p.sheet, fits = newSheet(*p.Market, p.Ledger); !fits {
		p.blocksMoney("unreadable", "money", "the order's amounts are in several currencies", "give the money back at the channel by hand")
		return
	}
	for _, r := range p.foreign {
		p.sheet.foreign += r.Amount.Minor
	}
	if !p.cancelOut(ds) {
		for _, d := range ds {
			p.lose(d)
		}
		p.loseUnits(aboutRest, p.cutUnits(aboutRest))
		for _, d := range ds {
			p.demandOut(d)
		}
		p.cancelRest(ds)
	}
	p.storeLegs(ds)
}

// keptBack reports that no money moves for this order at all, and says why.
func (p *planner) keptBack(ds []demand) bool {
	if why := p.byChannel(); why != "" {
		if len(ds) > 0 {
			p.warns("channel_refunds", "", "the store gave money back, but "+why, "nothing is sent to the channel; give the money back there if it is owed")
		}
		return true
	}
	if p.Market.Lifecycle == marketplace.Cancelled { // nothing was captured, or it is back
		p.doubts()
		p.storeLegs(ds)
		for _, d := range ds {
			if d.wish && !p.begun(d) && len(p.entries(RefundShop, d.about)) == 0 {
				p.warns("nothing_captured", d.about, d.fulfills+", but the order is cancelled at the channel: there is nothing to give back", "nothing has to be done")
			}
		}
		return true
	}
	if w := p.lastHold(); w != nil {
		p.doubts()
		for _, e := range p.Ledger { // what waits in a lane does not leave any more
			if instructs(e.Verb) && e.State == connector.Queued {
				p.withdraw(e)
			}
		}
		p.blocksMoney("held_by_operator", "", "money is held for this order: "+or(w.Reason, "no reason given"), "release it: channelbridge orders release "+p.Subject.String())
		return true
	}
	if p.Market.Lifecycle == marketplace.Unmapped {
		p.doubts()
		p.pendingMoney = true
		return true
	}
	return false
}

// doubts shows entries whose outcome nobody knows where nothing else is decided.
func (p *planner) doubts() {
	for _, e := range p.Ledger {
		if instructs(e.Verb) {
			p.inDoubt(e)
		}
	}
}

// moneyBegun reports money commands in the ledger.
func (p *planner) moneyBegun() bool {
	return slices.ContainsFunc(p.Ledger, func(e connector.Entry) bool {
		return e.Verb == RefundShop || e.Verb == CancelMirror || instructs(e.Verb)
	})
}

// wish returns the last wish of a kind.
func (p *planner) wish(k connector.WishKind) *connector.Wish {
	for i := len(p.Wishes) - 1; i >= 0; i-- {
		if p.Wishes[i].Kind == k {
			return &p.Wishes[i]
		}
	}
	return nil
}

// lastHold is the operator's hold unless it was released.
func (p *planner) lastHold() *connector.Wish {
	for i := len(p.Wishes) - 1; i >= 0; i-- {
		switch w := &p.Wishes[i]; w.Kind {
		case connector.WishHold:
			return w
		case connector.WishRelease:
			return nil
		}
	}
	return nil
}

// approved reports that a person let what is about go on. An approval that names nothing is one of
// the order's part in a reconnection, and of nothing else.
func (p *planner) approved(about string, whole bool) bool {
	return slices.ContainsFunc(p.Wishes, func(w connector.Wish) bool {
		return w.Kind == connector.WishApprove && (w.About == about || whole && w.About == "")
	})
}

// blocksMoney holds money: the order is not finished while it lasts.
func (p *planner) blocksMoney(kind, about, reason, hint string) {
	p.pendingMoney = true
	p.blocks(kind, about, reason, hint)
}

// attempts returns the entries of one money command, without those that were withdrawn before
// they were sent.
func (p *planner) attempts(v connector.Verb, about string) (live []connector.Entry, all int) {
	es := p.entries(v, about)
	for _, e := range es {
		if e.Class != Withdrawn || e.State != connector.Refused && e.State != connector.Retry {
			live = append(live, e)
		}
	}
	return live, len(es)
}

// latest is the newest of a money command's attempts.
func (p *planner) latest(v connector.Verb, about string) (e connector.Entry, tried bool) {
	live, _ := p.attempts(v, about)
	if len(live) == 0 {
		return e, false
	}
	return live[len(live)-1], true
}

// busy reports other money at the channel whose outcome is open, or a command of this plan: money
// is serial.
func (p *planner) busy(but int64) bool {
	return slices.ContainsFunc(p.Ledger, func(e connector.Entry) bool { return e.ID != but && instructs(e.Verb) && e.State.Open() }) ||
		slices.ContainsFunc(p.d.Commands, func(c connector.Command) bool { return instructs(c.Verb) })
}

// instruct adds a money command at the channel. What surely did not happen takes its old key.
func (p *planner) instruct(v connector.Verb, about string, in marketplace.Instruction, total int64, why string) {
	c, again := connector.Command{Verb: v, About: about}, int64(0)
	live, all := p.attempts(v, about)
	if n := len(live); n > 0 && live[n-1].State == connector.Retry {
		c.Key, again = live[n-1].Key, live[n-1].ID
	} else {
		c.Key = p.key(v, about, all+1)
	}
	p.pendingMoney = true
	if !p.busy(again) { // otherwise its outcome wakes the order
		p.send(c, in, total, again, why)
	}
}

// send completes a money command, if both sides were read a moment ago; otherwise it asks for
// that first.
func (p *planner) send(c connector.Command, in marketplace.Instruction, total int64, again int64, why string) {
	if p.RefundsFault != "" {
		p.blocksMoney("refunds_unreadable", "", "the refunds that the channel has made cannot be read: "+p.RefundsFault,
			"no money is given back without knowing them; check the application's roles at the channel")
	}
	if !p.readNow() {
		p.d.Look = true
		return
	}
	in.Order, in.Site, in.Amount = p.Market.ID, p.Market.Site, money.New(total, p.Market.Currency)
	p.command(connector.Command{Key: c.Key, Verb: c.Verb, Side: connector.Market, About: c.About, Amount: in.Amount, Money: true,
		Lane: p.Policy.Lanes[in.Op], Site: p.Market.Site, Budget: p.Policy.Budget, Why: why, Again: again}, in)
}

// mootMoney takes money commands that surely did not happen, and that this plan does not mean any
// more, out of the ledger's open ones.
func (p *planner) mootMoney() {
	if p.d.Look {
		return
	}
	for _, e := range p.Ledger {
		if !instructs(e.Verb) && e.Verb != RefundShop && e.Verb != CancelMirror || e.State != connector.Retry || p.Now.Before(e.RetryAt) {
			continue
		}
		again := func(c connector.Command) bool { return c.Again == e.ID }
		proven := func(pr Proof) bool { return pr.Entry == e.ID }
		if !slices.ContainsFunc(p.d.Commands, again) && !slices.ContainsFunc(p.d.Proven, proven) {
			p.withdraw(e)
		}
	}
}

// readNow reports that both sides and the channel's refunds were read within the policy's time.
func (p *planner) readNow() bool {
	from := p.Now.Add(-p.Policy.Fresh)
	fresh := func(at time.Time) bool { return !at.Before(from) }
	return fresh(p.MarketRead) && fresh(p.ShopRead) && (!p.Policy.ReadsRefunds || fresh(p.RefundsRead)) &&
		p.MarketFault == "" && p.ShopFault == "" && p.RefundsFault == ""
}

// can reports whether the channel takes an operation.
func (p *planner) can(op marketplace.Operation) bool {
	return slices.Contains(p.Policy.Instructions, op)
}

// reasonFor is the channel's word for the store's reason. A customer's cancellation counts as the
// buyer's own only with a request on record.
func (p *planner) reasonFor(op marketplace.Operation, store string) string {
	if store == "customer" && p.Market.CancelRequest != nil {
		store = "customer_request"
	}
	table := p.Policy.Reasons[op]
	if v, ok := table[store]; ok {
		return v
	}
	return or(table[""], store)
}

// inDoubt shows an entry whose effect nobody knows. It counts as spent; reading settles it, or a
// person.
func (p *planner) inDoubt(e connector.Entry) {
	if e.State != connector.Unknown && !(e.State == connector.Sent && p.Now.After(e.Deadline)) {
		return
	}
	p.pendingMoney = true
	p.blocks("money_unknown", e.About, fmt.Sprintf("nobody knows whether the channel carried out %s over %s: %s", e.Verb, e.Amount, or(e.Reason, "no answer came")),
		fmt.Sprintf("it is looked for and never sent again by itself; look at the channel, then run: channelbridge ledger resolve %d --happened yes|no --evidence TEXT", e.ID))
}

// stand is where a money command that is in the ledger stands.
type stand int

const (
	alone  stand = iota // what it is about is met, on its way, or held: nothing else may be done
	anew                // it surely did not happen and is decided about anew, under its own key
	turned              // refused: a person has to act, unless the order has moved on
)

// goOn handles a money command that is in the ledger.
func (p *planner) goOn(e connector.Entry, op marketplace.Operation) stand {
	switch e.State {
	case connector.Retry:
		if p.Now.Before(e.RetryAt) {
			p.pendingMoney = true
			p.wake(e.RetryAt)
			return alone
		}
		return anew
	case connector.Sent, connector.Unknown:
		p.unknownAgain(e, op)
	case connector.Refused:
		return turned
	}
	p.pendingMoney = p.pendingMoney || e.State.Open()
	return alone
}

// unknownAgain goes on with a doubtful command: where the channel drops a repeated key it is
// sent again, everywhere else it is only looked for.
func (p *planner) unknownAgain(e connector.Entry, op marketplace.Operation) {
	p.pendingMoney = true
	if shown, _, _ := p.shows(e); shown && (e.State == connector.Unknown || p.Now.After(e.Deadline)) {
		return // it is proven by this very look
	}
	if class := p.Policy.Repeat[op]; class == marketplace.RepeatNative && e.Batch == 0 && p.stillRight(op) {
		switch s, at := allow(e, class, p.Policy.SettleMarket, p.MarketRead, p.Now); s {
		case wait:
			p.wake(at)
		case again:
			p.send(e.Command, instructionOf(e.Command), e.Amount.Minor, e.ID, e.Why)
		}
		return
	}
	if e.State == connector.Sent && !p.Now.After(e.Deadline) {
		p.wake(e.Deadline.Add(time.Second))
		return
	}
	p.inDoubt(e)
	p.wake(p.Now.Add(doubtEvery))
}

// stillRight reports that a command in doubt may be repeated although its first attempt may not
// have arrived: nothing has left of an order to be cancelled, and the channel has given nothing
// back by itself since.
func (p *planner) stillRight(op marketplace.Operation) bool {
	return len(p.foreign) == 0 && !(op == marketplace.OpCancel && p.moving())
}

// doubtEvery is how often the channel is read about money in doubt.
const doubtEvery = time.Hour
