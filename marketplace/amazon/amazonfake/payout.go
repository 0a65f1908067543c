package amazonfake

import (
	"maps"
	"slices"
	"time"

	"channelbridge/internal/money"
)

// bankDelay is how long after its end a settlement is paid.
const bankDelay = 48 * time.Hour

// saleOrder is the order in which a settlement takes a price apart.
var saleOrder = []string{"Principal", "Tax", "Shipping", "ShippingTax", "GiftWrap", "GiftWrapTax", "COD"}

// withheld names the rows in which Amazon keeps the tax it pays over itself.
var withheld = map[string]string{"Tax": "MarketplaceFacilitatorTax-Principal", "ShippingTax": "MarketplaceFacilitatorTax-Shipping",
	"GiftWrapTax": "MarketplaceFacilitatorTax-Other", "RestockingFeeTax": "MarketplaceFacilitatorTax-RestockingFee"}

// fbaPerUnit is what Amazon takes for shipping a unit, in minor units.
const fbaPerUnit = 300

// Settle publishes a settlement of everything in a currency that has shipped or was given back and
// stands in no settlement yet: prices, the tax Amazon withholds, commission, and more rows as
// wished. It begins where the one before ended, and is published even if nothing stands in it.
func (s *Server) Settle(currency string, more ...SettlementRow) (Settlement, Publication) {
	return s.SettleAs(Settlement{Currency: currency}, more...)
}

// SettleAs is Settle with the properties of the settlement given: its number, form, sites and fate.
func (s *Server) SettleAs(x Settlement, more ...SettlementRow) (Settlement, Publication) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	if x.Currency == "" {
		x.Currency = "USD"
	}
	for _, id := range s.placed {
		if o := s.orders[id]; o.spec.Currency == x.Currency {
			x.Rows = append(x.Rows, s.due(o)...)
		}
	}
	x.Rows = append(x.Rows, more...)
	if x.Start.IsZero() {
		x.Start = s.closed
	}
	if x.Start.IsZero() {
		x.Start = s.now().Add(-14 * 24 * time.Hour)
	}
	if x.End.IsZero() {
		x.End = s.now()
	}
	if x.Deposit.IsZero() {
		x.Deposit = x.End.Add(bankDelay)
	}
	s.closed = x.End
	p := s.publish(x)
	x.ID = p.Settlement
	return x, p
}

// due lists the rows of an order that stand in no settlement, and counts them as settled. What is
// held back waits for a later one.
func (s *Server) due(o *order) (rows []SettlementRow) {
	if s.held(o) {
		return nil
	}
	for _, it := range o.items {
		rows = append(rows, o.saleRows(it, it.paidOut, it.fulfilled, s.now())...)
		it.paidOut = max(it.paidOut, it.fulfilled)
	}
	for _, r := range o.refunds[o.paidOut:] {
		for i, x := range r.Items {
			rows = append(rows, o.refundRows(r, i, x)...)
		}
	}
	o.paidOut = len(o.refunds)
	return rows
}

// saleRows are the rows of the sale of some units of an item: those that ship after some others
// have. What the buyer was let off is a row of its own.
func (o *order) saleRows(it *item, earlier, upTo int, at time.Time) (rows []SettlementRow) {
	units := upTo - earlier
	if units <= 0 {
		return nil
	}
	before, after := o.share(it, earlier), o.share(it, upTo)
	zero := money.New(0, o.spec.Currency)
	row := func(kind, name string, m money.Money, quantity int) {
		if !m.IsZero() {
			r := o.row("Order", it, kind, name, m, at)
			r.Quantity = quantity
			rows = append(rows, r)
		}
	}
	off := o.letOff(it, upTo, earlier)
	for _, name := range saleOrder {
		m, quantity := must(after[name].Sub(before[name])), 0
		if name == "Principal" {
			quantity = units
		}
		row("ItemPrice", name, must(m.Add(must(zero.Add(off[name])))), quantity)
	}
	for _, name := range saleOrder {
		if o.spec.TaxByAmazon && isTax(name) {
			row("ItemWithheldTax", withheld[name], must(before[name].Sub(after[name])), 0)
		}
	}
	for _, name := range []string{"Principal", "Shipping"} {
		row("Promotion", name, must(zero.Add(off[name])).Neg(), 0)
	}
	row("ItemFees", "Commission", must(commission(before["Principal"]).Sub(commission(after["Principal"]))), 0)
	if o.spec.Amazon {
		row("ItemFees", "FBAPerUnitFulfillmentFee", money.New(int64(-fbaPerUnit*units), o.spec.Currency), 0)
	}
	return rows
}

// letOff is the discount of some units, by component.
func (o *order) letOff(it *item, units, before int) map[string]money.Money {
	all := map[string]money.Money{}
	for name, text := range map[string]string{"Principal": it.spec.Discount, "Shipping": it.spec.ShippingDiscount} {
		if text == "" {
			continue
		}
		upTo := func(n int) money.Money { return o.amount(text).Split(int64(n), int64(it.spec.Quantity-n))[0] }
		all[name] = must(upTo(units).Sub(upTo(before)))
	}
	return all
}

// refundRows are the rows of one item of a refund: the sale's, turned round, and a fee for it.
func (o *order) refundRows(r Refund, place int, x RefundedItem) (rows []SettlementRow) {
	it := o.item(x.ID)
	row := func(kind, name string, m money.Money) {
		if m.IsZero() {
			return
		}
		w := o.row("Refund", it, kind, name, m, r.At)
		w.Adjustment = r.ID
		if place < len(r.Refs) {
			w.AdjustedItem = r.Refs[place]
		}
		rows = append(rows, w)
	}
	names := slices.Sorted(maps.Keys(x.Parts))
	for _, name := range names {
		row("ItemPrice", name, x.Parts[name].Neg())
	}
	for _, name := range names {
		if o.spec.TaxByAmazon && isTax(name) {
			row("ItemWithheldTax", withheld[name], x.Parts[name])
		}
	}
	back := commission(x.Parts["Principal"])
	back.Currency = o.spec.Currency
	row("ItemFees", "Commission", back)
	row("ItemFees", "RefundCommission", money.New(-back.Minor/5, back.Currency))
	return rows
}

func (o *order) row(transaction string, it *item, kind, name string, m money.Money, at time.Time) SettlementRow {
	by := "MFN"
	if o.spec.Amazon {
		by = "AFN"
	}
	return SettlementRow{Type: transaction, Order: o.spec.ID, Alias: o.spec.Alias, Site: siteFacts[o.spec.Site].name, AmountType: kind,
		Description: name, Amount: m.Decimal(), Fulfillment: by, Posted: at, Item: it.spec.ID, SKU: it.spec.SKU}
}
