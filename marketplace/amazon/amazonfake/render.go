package amazonfake

import (
	"channelbridge/internal/money"
)

// render writes an order the way Amazon shows it with all data sets.
func (o *order) render() wireOrder {
	sp := &o.spec
	by := "MERCHANT"
	if sp.Amazon {
		by = "AMAZON"
	}
	due := o.created.Add(sp.ShipWithin)
	w := wireOrder{
		OrderID: sp.ID, Created: stamp(o.created), Updated: stamp(o.updated), Programs: sp.Programs,
		SalesChannel: wireChannel{"AMAZON", sp.Site, siteFacts[sp.Site].name},
		Fulfillment: &wireFulfillment{Status: o.status, By: by, Service: sp.Service,
			ShipBy:  wireWindow{stamp(o.created), stamp(due)},
			Deliver: wireWindow{stamp(due), stamp(due.Add(sp.ShipWithin))}},
	}
	if sp.Alias != "" {
		w.Aliases = []wireAlias{{sp.Alias, "SELLER_ORDER_ID"}}
	}
	if sp.Replaces != "" {
		w.Associated = []wireAssociation{{sp.Replaces, "REPLACEMENT_ORIGINAL_ID"}}
	}
	if !o.pending() {
		w.Buyer = &wireBuyer{Name: sp.Buyer, Company: sp.Company, PO: sp.PO}
		if !sp.Amazon {
			w.Buyer.Email = "buyer@marketplace.amazon.com"
		}
	}
	switch o.status {
	case "UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED":
		if !sp.Amazon {
			w.Recipient = &wireRecipient{*sp.Address}
		}
	}
	o.renderItems(&w)
	for _, p := range o.packages {
		w.Packages = append(w.Packages, p.render(o))
	}
	return w
}

func (o *order) renderItems(w *wireOrder) {
	total := money.New(0, o.spec.Currency)
	for _, it := range o.items {
		x := wireItem{ID: it.spec.ID, Quantity: it.spec.Quantity,
			Product:     wireProduct{ASIN: it.spec.ASIN, Title: it.spec.Title, SKU: it.spec.SKU},
			Fulfillment: &wireCounts{it.fulfilled, it.spec.Quantity - it.fulfilled - it.cancelled}}
		if it.requested {
			x.Cancellation = &wireCancellation{Request: &wireRequest{"BUYER", it.reason}}
		}
		if it.by != "" {
			x.Cancellation = &wireCancellation{Execution: &wireExecution{it.by, it.reason}}
		}
		if it.spec.Promo != "" {
			x.Promotion = &wirePromotion{[]wirePromotionID{{it.spec.Promo}}}
		}
		if o.spec.TaxByAmazon {
			x.Tax = &wireTax{[]wireCollection{{"MARKETPLACE_FACILITATOR", "Amazon Services, Inc."}}}
		}
		sum := o.price(it, &x)
		total = must(total.Add(sum))
		if o.pending() { // prices come with the payment
			x.Proceeds, x.Product.Price = nil, nil
		}
		w.Items = append(w.Items, x)
	}
	if o.pending() {
		return
	}
	w.Proceeds = &wireProceeds{Total: wire(total)}
	if o.spec.Tip != "" {
		w.Proceeds.Breakdowns = []wireBreakdown{{Type: "DELIVERY_TIP", Status: "FINALIZED", Subtotal: *wire(o.amount(o.spec.Tip))}}
	}
}

// price fills an item's proceeds and returns their sum.
func (o *order) price(it *item, x *wireItem) money.Money {
	unit := o.amount(it.spec.UnitPrice)
	x.Product.Price = &wirePrice{*wire(unit)}
	sum := must(unit.Mul(int64(it.spec.Quantity)))
	p := &wireProceeds{Breakdowns: []wireBreakdown{{Type: "ITEM", Subtotal: *wire(sum)}}}
	for _, part := range []struct{ kind, text string }{
		{"SHIPPING", it.spec.Shipping}, {"GIFT_WRAP", it.spec.GiftWrap}, {"COD_FEE", it.spec.CODFee}} {
		if part.text != "" {
			m := o.amount(part.text)
			p.Breakdowns = append(p.Breakdowns, wireBreakdown{Type: part.kind, Subtotal: *wire(m)})
			sum = must(sum.Add(m))
		}
	}
	tax := o.detailed(p, "TAX", [][2]string{{"ITEM", it.spec.Tax}, {"SHIPPING", it.spec.ShippingTax}, {"GIFT_WRAP", it.spec.GiftTax}})
	if !o.spec.TaxIncluded {
		sum = must(sum.Add(tax))
	}
	off := o.detailed(p, "DISCOUNT", [][2]string{{"ITEM", it.spec.Discount}, {"SHIPPING", it.spec.ShippingDiscount}})
	sum = must(sum.Sub(off))
	p.ItemTotal = wire(sum)
	x.Proceeds = p
	return sum
}

// detailed adds a breakdown with its details and returns its subtotal.
func (o *order) detailed(p *wireProceeds, kind string, parts [][2]string) money.Money {
	sum, details := money.New(0, o.spec.Currency), []wireDetail(nil)
	for _, part := range parts {
		if part[1] == "" {
			continue
		}
		m := o.amount(part[1])
		sum = must(sum.Add(m))
		details = append(details, wireDetail{part[0], *wire(m)})
	}
	if len(details) > 0 {
		p.Breakdowns = append(p.Breakdowns, wireBreakdown{Type: kind, Subtotal: *wire(sum), Details: details})
	}
	return sum
}

func (o *order) amount(text string) money.Money { return must(money.Parse(text, o.spec.Currency)) }

func wire(m money.Money) *wireMoney { return &wireMoney{m.Decimal(), m.Currency} }

// must panics on amounts that cannot be: specs are written by test authors.
func must(m money.Money, err error) money.Money {
	if err != nil {
		panic("amazonfake: " + err.Error())
	}
	return m
}

func (c Confirmation) render(o *order) wirePackage {
	carrier := c.Name
	if carrier == "" {
		carrier = c.Carrier
	}
	p := wirePackage{Ref: c.Ref, Created: stamp(c.At), Status: wireStatus{"SHIPPED"}, Carrier: carrier,
		Shipped: stamp(c.Shipped), Service: c.Method, Track: c.Tracking}
	for _, it := range o.items {
		if n := c.Items[it.spec.ID]; n > 0 {
			p.Items = append(p.Items, wirePackageItem{it.spec.ID, n})
		}
	}
	return p
}
