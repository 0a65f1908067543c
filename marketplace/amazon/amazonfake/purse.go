package amazonfake

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"channelbridge/internal/money"
)

// Refund is money given back to a buyer, whoever asked for it.
type Refund struct {
	ID, Order string
	At        time.Time
	By        string // feed, acknowledgement, seller_central
	FeedID    string
	Refs      []string    // the seller's own numbers of its items
	Amount    money.Money // to the buyer, tax included
	Untaxed   money.Money
	Items     []RefundedItem
}

// RefundedItem is what a refund gives back of one item, by component: Principal, Tax, Shipping,
// ShippingTax, GiftWrap, GiftWrapTax, COD, RestockingFee, RestockingFeeTax, Goodwill.
type RefundedItem struct {
	ID    string
	Parts map[string]money.Money
}

// taxOf names the tax that goes with a component.
var taxOf = map[string]string{"Principal": "Tax", "Shipping": "ShippingTax", "GiftWrap": "GiftWrapTax"}

func isTax(name string) bool {
	return name == "Tax" || name == "ShippingTax" || name == "GiftWrapTax" || name == "RestockingFeeTax" || name == "CODTax"
}

// japan has its tax inside the prices and takes no component for it.
const japan = "A1VC38T7YXB528"

// paid is what the buyer pays for a whole item, by component and before tax.
func (o *order) paid(it *item) map[string]money.Money {
	sp := it.spec
	part := func(text string) money.Money {
		if text == "" {
			return money.New(0, o.spec.Currency)
		}
		return o.amount(text)
	}
	all := map[string]money.Money{
		"Principal": must(must(o.amount(sp.UnitPrice).Mul(int64(sp.Quantity))).Sub(part(sp.Discount))),
		"Shipping":  must(part(sp.Shipping).Sub(part(sp.ShippingDiscount))),
		"GiftWrap":  part(sp.GiftWrap), "COD": part(sp.CODFee),
		"Tax": part(sp.Tax), "ShippingTax": part(sp.ShippingTax), "GiftWrapTax": part(sp.GiftTax),
	}
	for name, tax := range taxOf {
		switch {
		case o.spec.Site == japan:
			all[tax] = money.New(0, o.spec.Currency)
		case o.spec.TaxIncluded:
			all[name] = must(all[name].Sub(all[tax]))
		}
	}
	return all
}

// captured is what was taken from the buyer: the share of the units that have shipped.
func (o *order) captured(it *item) map[string]money.Money { return o.share(it, it.fulfilled) }

// share is what the buyer pays for some of the units of an item.
func (o *order) share(it *item, units int) map[string]money.Money {
	all := o.paid(it)
	for name, m := range all {
		all[name] = m.Split(int64(units), int64(it.spec.Quantity-units))[0]
	}
	return all
}

// left is what may still be given back of an item.
func (o *order) left(it *item) map[string]money.Money {
	all := o.captured(it)
	for _, r := range o.refunds {
		for _, x := range r.Items {
			if x.ID != it.spec.ID {
				continue
			}
			for name, m := range x.Parts {
				if _, capped := all[name]; capped {
					all[name] = must(all[name].Sub(m))
				}
			}
		}
	}
	return all
}

// fill checks the components wanted of an item and adds the tax Amazon gives back by itself.
func (o *order) fill(it *item, want map[string]money.Money) (map[string]money.Money, error) {
	left, all := o.left(it), maps.Clone(want)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		m := want[name]
		rest, capped := left[name]
		switch {
		case m.Currency != o.spec.Currency:
			return nil, fmt.Errorf("the currency of %s is not the order's", name)
		case isTax(name) && o.spec.Site == japan:
			return nil, fmt.Errorf("a component %s is not allowed in this marketplace", name)
		case name == "RestockingFee" || name == "RestockingFeeTax":
			if m.Minor >= 0 {
				return nil, fmt.Errorf("%s must be negative", name)
			}
		case name == "Goodwill":
			if m.Minor <= 0 {
				return nil, fmt.Errorf("%s must be positive", name)
			}
		case !capped:
			return nil, fmt.Errorf("a component %s cannot be refunded", name)
		case m.Minor <= 0:
			return nil, fmt.Errorf("%s must be positive", name)
		case m.Minor > rest.Minor:
			return nil, fmt.Errorf("the refund of %s %s exceeds the %s that may still be refunded", name, m, rest)
		}
	}
	for name, tax := range taxOf {
		if m, named := want[name]; named && want[tax].IsZero() {
			if share := o.taxShare(it, name, m, left); !share.IsZero() {
				all[tax] = share
			}
		}
	}
	if fee, kept := want["RestockingFee"]; kept && want["RestockingFeeTax"].IsZero() {
		if share := o.taxOn(it, fee.Neg()); !share.IsZero() {
			all["RestockingFeeTax"] = share.Neg()
		}
	}
	return all, nil
}

// taxShare is the tax that goes with a component, so that all shares come to the whole tax.
func (o *order) taxShare(it *item, name string, m money.Money, left map[string]money.Money) money.Money {
	base, tax := o.captured(it)[name], o.captured(it)[taxOf[name]]
	given := base.Minor - left[name].Minor + m.Minor
	due := tax.Split(given, max(base.Minor-given, 0))[0]
	share := must(due.Sub(must(tax.Sub(left[taxOf[name]]))))
	return money.New(max(share.Minor, 0), share.Currency)
}

func (o *order) taxOn(it *item, fee money.Money) money.Money {
	all := o.captured(it)
	if fee.Minor > all["Principal"].Minor {
		return money.New(0, fee.Currency)
	}
	return all["Tax"].Split(fee.Minor, all["Principal"].Minor-fee.Minor)[0]
}
