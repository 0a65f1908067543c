package order

import (
	"encoding/json"
	"slices"

	"channelbridge/connector"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// cancelMirror cancels the store's order after the channel's was: by the buyer, by the channel,
// or by us on a person's wish. It is never sent back: a cancelled order has nothing to give back.
func (p *planner) cancelMirror() {
	wish := p.wish(connector.WishCancel)
	there, tried := p.latest(CancelMarket, "order")
	byUs := wish != nil && tried && there.State.Accepted()
	if p.Market.Lifecycle != marketplace.Cancelled && !byUs || !p.Shop.CancelledAt.IsZero() || !p.Policy.CancelsShop {
		return
	}
	if len(successful(p.Shop)) > 0 {
		return // parcels have left: a person decides
	}
	e, tried := p.latest(CancelMirror, "1")
	if !tried {
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
