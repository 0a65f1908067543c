package order

import (
	"fmt"
	"time"

	"channelbridge/connector"
)

// Withdrawn is the class of a refused entry that nobody refused: nothing asked for it any more, or
// it was taken out of its lane before it was sent.
const Withdrawn = "withdrawn"

// withdrawn reports an entry that was given up because nothing asked for it any more. Should it
// be asked for again, that is a new command.
func withdrawn(e connector.Entry) bool {
	return e.State == connector.Refused && e.Class == Withdrawn
}

// asked notes that this plan still wants an entry's effect.
func (p *planner) asked(e connector.Entry) {
	if p.wanted == nil {
		p.wanted = map[int64]bool{}
	}
	p.wanted[e.ID] = true
}

// moot settles what is open in the ledger and not asked for any more: the shipment was taken
// back, the buyer changed his mind, the mirror was cancelled. Nothing else would ever look at it
// again. What may have worked is looked for first.
func (p *planner) moot() {
	if p.Shop == nil {
		return
	}
	for _, e := range p.Ledger {
		if p.wanted[e.ID] || e.Verb != ConfirmShipment && e.Verb != HoldShipping && e.Verb != UpdateMirror {
			continue
		}
		switch e.State {
		case connector.Retry:
			p.withdraw(e)
		case connector.Sent, connector.Unknown:
			p.mootDoubt(e)
		}
	}
}

// mootDoubt decides about an attempt in doubt once its window is over and its side was read.
func (p *planner) mootDoubt(e connector.Entry) {
	end, read := p.window(e), p.MarketAt
	if e.Side == connector.Shop {
		read = p.ShopAt
	}
	switch {
	case p.Now.Before(end):
		p.wake(end)
	case read.Before(end): // a look is due
	case p.leftTrace(e):
		p.d.Proven = append(p.d.Proven, Proof{Entry: e.ID, Text: string(e.Verb) + " seen on the other side, or replaced since"})
	default:
		p.withdraw(e)
	}
}

// leftTrace reports whether the sides show an effect that is not asked for any more.
func (p *planner) leftTrace(e connector.Entry) bool {
	switch e.Verb {
	case ConfirmShipment:
		return p.confirmed(e)
	case HoldShipping:
		return p.heldByUs()
	}
	return false
}

func (p *planner) withdraw(e connector.Entry) {
	p.d.Withdrawn = append(p.d.Withdrawn, Proof{Entry: e.ID, Unsent: e.State == connector.Queued,
		Text: fmt.Sprintf("%s %s is not asked for any more and does not show on the other side; it is not sent again", e.Verb, e.About)})
}

// window is when every attempt of an entry so far has taken effect or never will.
func (p *planner) window(e connector.Entry) time.Time {
	if e.Side == connector.Shop {
		return e.Deadline.Add(p.Policy.SettleShop)
	}
	return e.Deadline.Add(p.Policy.SettleMarket)
}

// mayStillCome reports that an attempt of an entry could take effect after what would be sent
// now, and asks for another look when it no longer can.
func (p *planner) mayStillCome(e connector.Entry) bool {
	doubt := e.Attempts > 1 || e.State == connector.Sent || e.State == connector.Unknown
	if end := p.window(e); doubt && p.Now.Before(end) {
		p.wake(end)
		return true
	}
	return false
}
