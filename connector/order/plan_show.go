package order

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"channelbridge/connector"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// Attribute names under which a mirrored order shows what the channel says.
const (
	AttrChannel = "channel"
	AttrOrder   = "channel_order"
	AttrShipBy  = "channel_ship_by"
	AttrState   = "channel_state"
	AttrCancel  = "channel_cancel_request"
	AttrRefund  = "channel_refunded"
)

// show brings into the store what changed at the channel, instead of overwriting it.
func (p *planner) show() {
	p.cancelRequest()
	if p.Market.Lifecycle == marketplace.Cancelled && p.Shop.CancelledAt.IsZero() {
		if p.cancelsMirror() {
			return // it is cancelled at once or was a moment ago: no need to hold it first
		}
		p.blocks("cancelled_at_channel", "", "the order was cancelled at the channel and its mirror is still open in the store",
			"do not ship it; cancel it in the store")
		p.stopShipping("channel-cancelled", "the order was cancelled at the channel")
	}
	if p.Policy.CanUpdate && p.Shop.CancelledAt.IsZero() {
		p.update()
	}
}

// cancelRequest stops the shipping when the buyer asks to cancel before it. Letting the hold go
// in the store is the merchant's decision to ship.
func (p *planner) cancelRequest() {
	r := p.Market.CancelRequest
	if r == nil || p.Market.Lifecycle != marketplace.Open || !p.Shop.CancelledAt.IsZero() {
		return
	}
	reason := "the buyer asked at the channel to cancel this order"
	if r.Reason != "" {
		reason += ": " + r.Reason
	}
	p.warns("cancel_requested", "", reason,
		"cancel it with a refund in the store, or release the hold in the store to ship it anyway")
	p.stopShipping("buyer-cancel", reason)
}

// stopShipping puts the store order on hold, once per cause.
func (p *planner) stopShipping(about, reason string) {
	if !p.Policy.CanHold || p.byChannel() != "" || !p.leftToShip() {
		return
	}
	entries := p.entries(HoldShipping, about)
	n := len(entries)
	if n == 0 || withdrawn(entries[n-1]) {
		if !p.heldByUs() {
			p.holdShipping(about, n+1, 0, reason)
		}
		return
	}
	e := entries[n-1]
	p.asked(e)
	if e.Class == "denied" {
		p.warns("hold_refused", "", "the store does not let us hold orders: "+e.Reason, "give the app the permission, and stop the shipping by hand until then")
	}
	switch s, at := allow(e, marketplace.RepeatNatural, p.Policy.SettleShop, p.ShopAt, p.Now); s {
	case wait:
		p.wake(at)
	case again:
		p.holdShipping(about, n, e.ID, reason)
	case answered:
		p.warns("hold_refused", "", "the store did not put the order on hold: "+e.Reason, "stop the shipping by hand")
	}
}

// heldByUs reports a hold of ours on the store order.
func (p *planner) heldByUs() bool {
	return slices.ContainsFunc(p.Shop.Held, func(h shopadmin.Hold) bool { return h.Ours })
}

// leftToShip reports whether the store still has something to ship.
func (p *planner) leftToShip() bool {
	for _, l := range p.Shop.Lines {
		if l.Unfulfilled > 0 {
			return true
		}
	}
	return false
}

func (p *planner) holdShipping(about string, n int, again int64, reason string) {
	p.command(connector.Command{Key: p.key(HoldShipping, about, n), Verb: HoldShipping, Side: connector.Shop,
		About: about, Why: "the shipping has to stop: " + about, Again: again}, HoldBody{Reason: reason}) // the reason may hold a buyer's words
}

// HoldBody is the body of a HoldShipping command.
type HoldBody struct {
	Reason string `json:"reason"`
}

// update shows changed facts on the store order. What was shown before stands in the ledger, so
// a merchant's own edit in the store is never overwritten by an unchanged channel.
func (p *planner) update() {
	shown := p.shown()
	want := facts(*p.Market, p)
	if said, ok := want[AttrCancel]; ok && p.Redacted && said != unspoken { // the buyer's words are not put back
		want[AttrCancel] = or(shown.Attributes[AttrCancel], unspoken)
	}
	var u shopadmin.Update
	for k, v := range want {
		if shown.Attributes[k] != v {
			if u.Attributes == nil {
				u.Attributes = map[string]string{}
			}
			u.Attributes[k] = v
		}
	}
	if _, ok := u.Attributes[AttrRefund]; ok { // the visible mark that keeps people from refunding again
		u.AddTags = []string{p.Policy.Tag + " refunded"}
		u.Note = p.Policy.Tag + " has refunded " + want[AttrRefund] + " by itself. Do not refund it again here."
	}
	if a := ShipTo(p.Market.ShipTo); !p.Redacted && a != nil && a.Address1 != "" && (shown.ShipTo == nil || *a != *shown.ShipTo) { // a part of an address never replaces a whole one
		u.ShipTo = a
	}
	entries := p.entries(UpdateMirror, "facts")
	n := len(entries)
	if n > 0 {
		if e := entries[n-1]; !e.State.Accepted() && e.State != connector.Refused {
			p.updateAgain(e, n)
			return
		}
	}
	if u.Attributes == nil && u.ShipTo == nil {
		return
	}
	if n > 0 && p.mayStillCome(entries[n-1]) {
		return
	}
	if n > 0 && entries[n-1].State == connector.Refused && !withdrawn(entries[n-1]) {
		var was shopadmin.Update
		_ = json.Unmarshal(entries[n-1].Body, &was)
		if p.Redacted {
			was.ShipTo, was.Attributes = nil, impersonal(was.Attributes)
		}
		if sameUpdate(was, u) {
			p.warns("update_refused", "", "the store refused to show what changed at the channel: "+entries[n-1].Reason,
				"enter the change in the store by hand")
			return
		}
	}
	p.command(connector.Command{Key: p.key(UpdateMirror, "facts", n+1), Verb: UpdateMirror, Side: connector.Shop,
		About: "facts", Why: "the channel changed what the store shows"}, u)
}

func (p *planner) updateAgain(e connector.Entry, n int) {
	p.asked(e)
	if e.Class == "denied" {
		p.warns("update_refused", "", "the store does not let us change orders: "+e.Reason, "give the app the permission, or enter the change by hand")
	}
	switch s, at := allow(e, marketplace.RepeatNatural, p.Policy.SettleShop, p.ShopAt, p.Now); s {
	case wait:
		p.wake(at)
	case again:
		p.d.Commands = append(p.d.Commands, connector.Command{Key: p.key(UpdateMirror, "facts", n), Verb: UpdateMirror,
			Side: connector.Shop, About: "facts", Why: e.Why, Again: e.ID, Body: e.Body})
	}
}

func sameUpdate(a, b shopadmin.Update) bool {
	return maps.Equal(a.Attributes, b.Attributes) && (a.ShipTo == nil) == (b.ShipTo == nil) && (a.ShipTo == nil || *a.ShipTo == *b.ShipTo)
}

// shown is what we last wrote into the store order: at its creation and by updates since.
func (p *planner) shown() shopadmin.Update {
	out := shopadmin.Update{Attributes: map[string]string{}}
	created := false
	for _, e := range p.Ledger {
		if !e.State.Happened() {
			continue
		}
		switch e.Verb {
		case CreateMirror:
			var o shopadmin.NewOrder
			_ = json.Unmarshal(e.Body, &o)
			maps.Copy(out.Attributes, o.Attributes)
			out.ShipTo, created = o.ShipTo, true
		case UpdateMirror:
			var u shopadmin.Update
			_ = json.Unmarshal(e.Body, &u)
			maps.Copy(out.Attributes, u.Attributes)
			if u.ShipTo != nil {
				out.ShipTo = u.ShipTo
			}
		}
	}
	if !created { // a mirror found by its mark: what it shows is what it has
		seen := maps.Clone(p.Shop.Attributes)
		if seen == nil {
			seen = map[string]string{}
		}
		maps.Copy(seen, out.Attributes)
		out.Attributes = seen
		if out.ShipTo == nil {
			out.ShipTo = ShipTo(p.Market.ShipTo)
		}
	}
	return out
}

// facts are the channel's facts a store order shows once they arise.
func facts(m marketplace.Order, p *planner) map[string]string {
	out := map[string]string{}
	if len(p.foreign) > 0 {
		out[AttrRefund] = p.foreignSum()
	}
	if m.CancelRequest != nil {
		out[AttrCancel] = or(m.CancelRequest.Reason, "yes")
	}
	switch {
	case m.Lifecycle == marketplace.Cancelled:
		out[AttrState] = "cancelled"
	case p.byChannel() != "" && m.Lifecycle == marketplace.Closed:
		out[AttrState] = "shipped by the channel"
	case p.foreignUnits() > 0:
		out[AttrState] = shippedThere(p.foreignUnits())
	}
	return out
}

func shippedThere(n int) string { return fmt.Sprintf("%d units shipped at the channel", n) }

// foreignUnits counts units the channel counts as shipped without our having confirmed them.
func (p *planner) foreignUnits() int {
	if p.byChannel() != "" {
		return 0
	}
	ours, n := p.confirmedUnits(), 0
	for _, l := range p.Market.Lines {
		n += max(0, l.Shipped-ours[l.ID])
	}
	return n
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}
