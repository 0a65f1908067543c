package order

import (
	"fmt"
	"slices"
	"time"

	"channelbridge/connector"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// Plan decides what is missing on either side. It is pure: the same snapshot always gives the
// same decision, and planning again after its commands took effect gives none.
func Plan(s Snapshot) Decision { return planned(s).d }

// planned is Plan with all it found out on the way.
func planned(s Snapshot) *planner {
	p := &planner{Snapshot: s}
	if !p.readable() {
		return p
	}
	p.problems()
	p.mirror()
	if p.Shop != nil {
		p.money()
		p.ship()
		p.cancelMirror()
		p.show()
		p.moot()
	}
	p.proveDoubts()
	p.prove()
	p.mootMoney()
	p.warnings()
	p.summary()
	return p
}

// readable reports whether there is an order to decide about; otherwise it says what is wrong.
func (p *planner) readable() bool {
	switch {
	case p.Missing:
		p.blocks("not_found", "", "the channel answers that it does not know this order",
			"nothing is concluded from that; check the order at the channel")
	case p.MarketFault != "":
		p.blocks("unreadable", "", "the channel's order cannot be read: "+p.MarketFault,
			"it is read again several times a day and at every news; correct the order at the channel, or update the bridge")
	}
	switch {
	case p.Gone:
		p.blocks("mirror_missing", "", "the store says that the mirrored order "+p.ShopRef.ID+" does not exist, or does not let us read it",
			"it is not created again by itself; an order older than 60 days needs the scope read_all_orders")
	case p.ShopFault != "":
		p.blocks("unreadable", "store", "the store's order cannot be read: "+p.ShopFault,
			"it is read again several times a day and at every news; correct the order in the store, or update the bridge")
	}
	return p.Market != nil
}

// problems shows what the adapter could not map or add up. The order goes on.
func (p *planner) problems() {
	for i, pr := range p.Market.Problems {
		p.warns(pr.Kind, fmt.Sprint(i+1), pr.Text, "compare the order at the channel with its mirror")
	}
	if p.Market.Lifecycle == marketplace.Unmapped {
		p.blocks("unmapped_state", "", fmt.Sprintf("the channel calls this order %q, which is not mapped", p.Market.External),
			"nothing is sent for it until the state is mapped or changes")
	}
}

// prove finds ledger entries whose effect a later read shows, and asks for a read where none has.
func (p *planner) prove() {
	for _, e := range p.Ledger {
		if e.State != connector.Done {
			continue
		}
		shown, at, settle := p.shows(e)
		switch {
		case shown:
			p.d.Proven = append(p.d.Proven, Proof{Entry: e.ID, Text: string(e.Verb) + " seen on the other side"})
		case at.After(e.SettledAt.Add(max(settle, p.Policy.ProveAfter))):
			p.warns("not_visible", string(e.Verb)+" "+e.About,
				fmt.Sprintf("%s was accepted at %s but does not show", e.Verb, e.SettledAt.UTC().Format(time.RFC3339)),
				"it is not sent again by itself; look at the other side")
			p.wake(p.Now.Add(time.Hour))
		default:
			p.wake(e.SettledAt.Add(max(settle, p.Policy.ProveAfter) + time.Second))
		}
	}
}

// shows reports whether the snapshot shows an entry's effect, and when that side was read.
func (p *planner) shows(e connector.Entry) (shown bool, at time.Time, settle time.Duration) {
	switch e.Verb {
	case CreateMirror:
		return p.Shop != nil && p.ShopAt.After(e.SettledAt), p.ShopAt, p.Policy.SettleShop
	case UpdateMirror:
		return p.Shop != nil && p.ShopAt.After(e.SettledAt), p.ShopAt, p.Policy.SettleShop
	case HoldShipping:
		return p.Shop != nil && p.ShopAt.After(e.SettledAt), p.ShopAt, p.Policy.SettleShop
	case ConfirmShipment:
		return p.confirmed(e), p.MarketAt, p.Policy.SettleMarket
	case CancelMarket, CancelUnits:
		return p.instructed(e), p.MarketAt, p.Policy.SettleMarket
	case RefundMarket:
		return p.instructed(e), p.RefundsRead, max(p.Policy.RefundsIn, p.Policy.SettleMarket)
	case CancelMirror:
		return p.Shop != nil && !p.Shop.CancelledAt.IsZero(), p.ShopAt, p.Policy.SettleShop
	case RefundShop:
		return p.Shop != nil && p.recorded(e.About), p.ShopAt, p.Policy.SettleShop
	}
	return false, time.Time{}, 0
}

// summary derives what lists show.
func (p *planner) summary() {
	m := p.Market
	s := connector.Summary{
		Lifecycle: string(m.Lifecycle), FulfilledBy: string(m.FulfilledBy), PlacedAt: m.PlacedAt, ShipBy: m.ShipBy.To,
		Mirrored: p.Shop != nil || p.ShopRef.Set(), Expected: p.expected(),
	}
	if p.Shop != nil {
		s.Number = p.Shop.Name
	}
	s.Fulfillment = Fulfillment(*m, p.Shop)
	p.d.Summary = s
	if len(p.d.Commands) > 0 || p.d.Look || p.pendingMoney || p.unsettled() {
		return
	}
	if m.Elsewhere != "" {
		p.d.Final = p.Shop == nil
		return
	}
	switch m.Lifecycle {
	case marketplace.Cancelled:
		p.d.Final = p.Shop == nil && !p.ShopRef.Set() || p.Shop != nil && !p.Shop.CancelledAt.IsZero()
	case marketplace.Closed:
		p.d.Final = p.d.Due.IsZero() && (p.Shop != nil || !p.expected())
	}
}

func (p *planner) unsettled() bool {
	settled := map[int64]bool{}
	for _, pr := range slices.Concat(p.d.Proven, p.d.Withdrawn) {
		settled[pr.Entry] = true
	}
	for _, e := range p.Ledger {
		if e.State != connector.Proven && e.State != connector.Refused && !settled[e.ID] {
			return true
		}
	}
	return false
}

// Fulfillment rolls the order's lines up: fulfilled only when every item that is not cancelled
// has shipped; some but not all is partial. A unit counts once, on whichever side
// it is seen as shipped.
func Fulfillment(m marketplace.Order, shop *shopadmin.Order) string {
	inStore := map[string]int{}
	if shop != nil {
		inStore = shippedInStore(shop)
	}
	active, done := 0, 0
	for _, l := range m.Lines {
		n := max(l.Ordered-l.Cancelled, 0)
		active += n
		done += min(max(l.Shipped, inStore[l.ID]), n)
	}
	switch {
	case active == 0 || m.Lifecycle == marketplace.Cancelled:
		return "not_applicable"
	case done == active:
		return "fulfilled"
	case done > 0:
		return "partially_fulfilled"
	}
	return "unfulfilled"
}

// shippedInStore counts the units per channel line in the store's successful fulfillments.
func shippedInStore(shop *shopadmin.Order) map[string]int {
	lines, out := channelLines(shop), map[string]int{}
	for _, f := range shop.Fulfillments {
		if f.Status != shopadmin.FulfillmentSuccess {
			continue
		}
		for _, l := range f.Lines {
			if id := lines[l.Line]; id != "" {
				out[id] += l.Quantity
			}
		}
	}
	return out
}

// channelLines maps the store's line ids to the channel's.
func channelLines(shop *shopadmin.Order) map[string]string {
	out := make(map[string]string, len(shop.Lines))
	for _, l := range shop.Lines {
		out[l.ID] = l.ChannelLine
	}
	return out
}
