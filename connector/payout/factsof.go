package payout

import (
	"slices"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/order"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// FactsOf gathers what is known of an order for its payouts: what both sides say of it, and in the
// sheet what was given back. False for an order whose amounts cannot be used.
func FactsOf(m marketplace.Order, s *shopadmin.Order, ref connector.ShopRef, sheet order.Sheet) (Facts, bool) {
	if sheet.Problem != "" || m.Lifecycle == marketplace.Pending {
		return Facts{}, false
	}
	f := Facts{Order: string(m.ID), Aliases: m.Aliases, Store: ref.ID, Site: m.Site, Currency: m.Currency, PlacedAt: m.PlacedAt.UTC(),
		Cancelled: m.Lifecycle == marketplace.Cancelled, ByChannel: m.FulfilledBy == marketplace.ByChannel, Items: []Item{}}
	if s != nil {
		f.Store, f.Name = string(s.ID), s.Name
	}
	f.ShippedAt = shippedAt(m, s)
	for _, l := range m.Lines {
		n := max(l.Ordered-l.Cancelled, 0)
		if n == 0 {
			continue
		}
		i := Item{ID: l.ID, SKU: l.SKU, Units: n}
		for _, c := range l.Parts {
			i.Parts = append(i.Parts, PartsOf(c, int64(n), int64(l.Ordered))...)
		}
		f.Items = append(f.Items, i)
	}
	for _, c := range m.Charges {
		f.Charges = append(f.Charges, PartsOf(c, 1, 1)...)
	}
	f.Refunds = refundsOf(sheet)
	return f, true
}

// shippedAt is when the first parcel left, on whichever side it is known.
func shippedAt(m marketplace.Order, s *shopadmin.Order) (first time.Time) {
	take := func(at time.Time) {
		if !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at.UTC()
		}
	}
	for _, p := range m.Packages {
		take(p.ShippedAt)
	}
	if s != nil {
		for _, f := range s.Fulfillments {
			if f.Status == shopadmin.FulfillmentSuccess {
				take(f.CreatedAt)
			}
		}
	}
	return first
}

// charged are the categories of what buyers pay for.
var charged = map[marketplace.Kind]marketplace.Category{
	marketplace.Shipping: marketplace.ShippingCharged,
	marketplace.Handling: marketplace.ShippingCharged,
	marketplace.GiftWrap: marketplace.GiftWrapCharged,
}

// PartsOf is what n of so many units should bring of a component: the price without tax, the
// seller's discount, the tax, and the tax that the channel keeps to hand it on.
func PartsOf(c marketplace.Component, n, of int64) []Part {
	price := c.Amount.Minor
	if c.TaxIncluded {
		price -= c.Tax.Minor
	}
	category, ok := charged[c.Kind]
	if !ok {
		category = marketplace.Principal
	}
	var out []Part
	add := func(category marketplace.Category, amount int64) {
		if amount = portion(amount, n, of); amount != 0 {
			out = append(out, Part{category, amount})
		}
	}
	add(category, price)
	add(marketplace.SellerDiscount, -c.Discount.Minor)
	add(marketplace.TaxCharged, c.Tax.Minor)
	if c.TaxByChannel {
		add(marketplace.TaxByChannelCollected, -c.Tax.Minor)
	}
	return out
}

// portion is amount × n / of, rounded half to even.
func portion(amount, n, of int64) int64 {
	if n == of || of <= 0 {
		return amount
	}
	return scaled(amount, n, of)
}

// refundsOf lists the money that the store or somebody here gave back for what was charged. Units
// that were cancelled before they shipped were never charged, and are no refund at the channel.
func refundsOf(sheet order.Sheet) []Refund {
	var out []Refund
	for _, r := range sheet.Refunds {
		if r.Kind != "refund" || !given(r) {
			continue
		}
		amount := r.Amount.Minor
		for _, l := range r.Market {
			if l.Verb == order.CancelUnits || l.Verb == order.CancelMarket {
				amount -= l.Amount.Minor
			}
			if l.State == order.LegObserved { // the channel has cancelled its units by itself
				amount = 0
			}
		}
		if amount > 0 {
			out = append(out, Refund{Ref: r.About, At: r.At, Amount: amount})
		}
	}
	return out
}

// given reports a refund that moved money on one side at least.
func given(r order.SheetRefund) bool {
	moved := func(l order.Leg) bool {
		return l.State == order.LegSucceeded || l.State == order.LegPending || l.State == order.LegUnknown || l.State == order.LegObserved
	}
	return r.From == order.FromStore || slices.ContainsFunc(r.Market, moved) || r.Store != nil && moved(*r.Store)
}
