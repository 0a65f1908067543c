package amazon

import (
	"strings"

	"channelbridge/internal/money"
)

// given is what breakdowns say the buyer gets: Amazon books it as negative charges. Fees Amazon
// returns to the seller and tax it takes back on itself stand in the same tree and are no part of
// it. Amazon publishes no list of names; these are its model's and those seen in real refunds:
//
//	Sales, Expenses, Refunded Sales, …             headings
//	ProductCharges > OurPricePrincipal             what the buyer paid for goods
//	Shipping > ShippingPrincipal, GiftwrapPrincipal, GoodwillPrincipal
//	Tax > OurPriceTax, ShippingTax, GiftwrapTax    tax the buyer paid
//	PromoRebates > OurPriceDiscount, …             discounts taken back, against the buyer
//	RestockingDeductionPrincipal, …                kept by the seller
//	AmazonFees > Commission > Base, Tax            fees
//	MarketplaceFacilitatorTax-…, LowValueGoodsTax-…  tax Amazon remits
type given struct {
	untaxed, tax money.Money
	unknown      bool // a name nobody knows carries money, or the tree contradicts itself
}

type charge int

const (
	chargeUnknown charge = iota
	chargeHeading
	chargeNet // before tax
	chargeTax
	chargeOther // not the buyer's
)

// classify tells what a name stands for. Casing, blanks and hyphens vary.
func classify(name string) charge {
	n := letters(name)
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(n, p) {
				return true
			}
		}
		return false
	}
	switch {
	case has("facilitator", "lowvaluegoods", "withheld", "commission", "chargeback", "fulfillment", "fees") || strings.HasSuffix(n, "fee"):
		return chargeOther
	case n == "sales" || n == "expenses" || n == "refundedsales" || n == "refundedexpenses":
		return chargeHeading
	case strings.HasSuffix(n, "tax") || strings.HasSuffix(n, "taxdiscount") || n == "taxes":
		return chargeTax
	case has("principal", "principle", "discount", "goodwill", "restocking"),
		n == "productcharges", n == "shipping", n == "shippingcharges", n == "giftwrap", n == "promo", n == "promorebates":
		return chargeNet
	}
	return chargeUnknown
}

// letters is a name in lower case without anything but letters.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, s)
}

// addAll walks breakdowns. What has parts is counted by its parts, when they come to it.
func (g *given) addAll(all list[finBreakdown], depth int) error {
	for _, b := range all {
		kind := classify(b.BreakdownType)
		own, err := b.BreakdownAmount.money()
		switch {
		case err != nil:
			return err
		case kind == chargeOther || own.IsZero() && len(b.Breakdowns) == 0:
			continue
		case depth > maxDepth:
			g.unknown = true
			continue
		case len(b.Breakdowns) > 0:
			if err := g.parts(b, own, depth); err != nil {
				return err
			}
			continue
		case kind == chargeTax:
			g.tax, err = g.tax.Sub(own)
		case kind == chargeNet:
			g.untaxed, err = g.untaxed.Sub(own)
		default: // a heading without parts, or a name nobody knows
			g.unknown = true
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// parts counts a breakdown by its parts. Parts that do not come to its amount leave a doubt.
func (g *given) parts(b finBreakdown, own money.Money, depth int) error {
	sum := money.Money{}
	for _, p := range b.Breakdowns {
		m, err := p.BreakdownAmount.money()
		if err != nil {
			return err
		}
		if sum, err = sum.Add(m); err != nil {
			return err
		}
	}
	rest, err := own.Sub(sum)
	if err != nil {
		return err
	}
	if b.BreakdownAmount != nil && !rest.IsZero() {
		g.unknown = true
	}
	return g.addAll(b.Breakdowns, depth+1)
}
