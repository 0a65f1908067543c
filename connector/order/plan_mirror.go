package order

import (
	"fmt"

	"channelbridge/connector"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// expected reports whether a mirror should exist: every released order, whatever it sells
// also those the channel ships itself. Pending ones wait, and what was
// cancelled before it was mirrored never comes, nor what was placed and shipped before the
// channel was connected.
func (p *planner) expected() bool {
	if p.Market.Elsewhere != "" {
		return false
	}
	switch p.Market.Lifecycle {
	case marketplace.Open:
		return !waits(p.Market.Holds)
	case marketplace.Closed:
		return p.Shop != nil || p.ShopRef.Set() || !p.Market.PlacedAt.Before(p.Policy.Since)
	case marketplace.Cancelled:
		return p.Shop != nil || p.ShopRef.Set()
	}
	return false
}

// waits reports a hold of the channel during which an order is not released to the store.
func waits(holds []string) bool {
	for _, h := range holds {
		if h == "payment_review" || h == "invoice" {
			return true
		}
	}
	return false
}

// mirror makes sure the order exists in the store, once.
func (p *planner) mirror() {
	if len(p.Twins) > 0 {
		p.warns("mirror_double", "", fmt.Sprintf("the store has %d more orders with this order's mark: %v", len(p.Twins), p.Twins),
			"keep the one shown here and cancel the others in the store without notifying the customer")
	}
	entries := p.entries(CreateMirror, "1")
	if len(entries) > 0 {
		p.total(entries[0])
		p.mirrorAgain(entries[len(entries)-1])
		return
	}
	if p.Shop != nil || p.ShopRef.Set() || !p.expected() || p.MarketFault != "" || p.Missing {
		return
	}
	if p.Searched.IsZero() { // find before create
		p.wake(p.Now)
		return
	}
	p.create(0, fmt.Sprintf("the channel's order is %s and the store has no order with its mark", p.Market.Lifecycle))
}

// total shows a mirrored order whose total is not what was paid at the channel.
func (p *planner) total(e connector.Entry) {
	if p.Shop != nil && p.Shop.Total.Currency == e.Amount.Currency && p.Shop.Total != e.Amount {
		p.warns("divergence", "total", fmt.Sprintf("the store order's total is %s, at the channel %s was paid", p.Shop.Total, e.Amount),
			"compare the two orders; an edit in the store is one possible cause")
	}
}

// mirrorAgain goes on with a create that is in the ledger.
func (p *planner) mirrorAgain(e connector.Entry) {
	if p.Shop != nil {
		if !e.State.Accepted() && e.State != connector.Refused {
			p.d.Proven = append(p.d.Proven, Proof{Entry: e.ID, Shop: p.ShopRef, Text: "the store order " + p.Shop.Name + " carries the mark"})
		}
		return
	}
	if e.State.Accepted() || p.ShopRef.Set() {
		return
	}
	switch s, at := allow(e, marketplace.RepeatNone, p.Policy.SettleShop, p.Searched, p.Now); s {
	case wait:
		p.wake(at)
	case look:
		p.wake(p.Now)
	case again:
		if p.expected() {
			p.create(e.ID, "the earlier attempt left no order in the store")
		}
	case answered:
		p.blocks("mirror_refused", "", "the store refused to create the order: "+e.Reason, "correct the cause, then run: channelbridge orders retry "+p.Subject.String())
	}
}

func (p *planner) create(again int64, why string) {
	body, problems, err := NewOrder(p.Subject, *p.Market, p.Policy)
	if err != nil {
		p.blocks("unreadable", "money", "the order's amounts make no sense: "+err.Error(), "compare the order at the channel; it is mirrored once its amounts are right")
		return
	}
	for i, text := range problems {
		p.warns("divergence", fmt.Sprintf("mirror %d", i+1), text, "compare the amounts at the channel with the mirrored order")
	}
	if len(body.Lines) == 0 {
		p.blocks("no_lines", "", "the channel's order has no line that could be mirrored", "look at the order at the channel")
		return
	}
	p.command(connector.Command{Key: p.key(CreateMirror, "1", 1), Verb: CreateMirror, Side: connector.Shop, About: "1",
		Amount: body.Paid, Why: why, Again: again}, body)
}

// byChannel explains why nothing is ever sent to the channel for this order, if so.
func (p *planner) byChannel() string {
	if p.Market.FulfilledBy == marketplace.ByChannel {
		return "the channel ships this order from its own warehouse"
	}
	return p.Market.NoShip
}

// successful returns the store's shipments in the order they were made.
func successful(shop *shopadmin.Order) []shopadmin.Fulfillment {
	var out []shopadmin.Fulfillment
	for _, f := range shop.Fulfillments {
		if f.Status == shopadmin.FulfillmentSuccess {
			out = append(out, f)
		}
	}
	return out
}
