package amazon

import (
	"fmt"

	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// TaxStrategy says how a refund writes the tax of what it gives back.
type TaxStrategy string

// The three ways. TaxLeftOut is the default: it can give back too little where it is wrong, never
// too much, and what a feed has given back Amazon does not fetch again.
const (
	// TaxLeftOut writes amounts before tax. Amazon gives back the tax it collected, and in its
	// VAT calculation service adds the VAT.
	TaxLeftOut TaxStrategy = "left_out"
	// TaxInside adds the tax to the amount it belongs to: Principal is what the buyer paid.
	TaxInside TaxStrategy = "inside"
	// TaxApart writes the tax beside the amount as a component of its own (Tax, ShippingTax, …).
	TaxApart TaxStrategy = "apart"
)

// siteTaxes are the marketplaces whose way is established. Japan refuses a component Tax. The
// European ones have the VAT calculation service; a seller outside of it enters TaxInside.
var siteTaxes = map[string]TaxStrategy{
	"A1VC38T7YXB528": TaxInside,  // JP
	"A1F83G8C2ARO7P": TaxLeftOut, // UK
	"A1PA6795UKMFR9": TaxLeftOut, // DE
	"A13V1IB3VIYZZH": TaxLeftOut, // FR
	"APJ6JRA9NG5V4":  TaxLeftOut, // IT
	"A1RKKUPIHCS9HS": TaxLeftOut, // ES
	"A1805IZSGTT6HS": TaxLeftOut, // NL
	"AMEN7PMS3EDWL":  TaxLeftOut, // BE
	"A2NODRKZP88ZB9": TaxLeftOut, // SE
	"A1C3SOZRARQ6R3": TaxLeftOut, // PL
	"A28R8C7NBKEWEA": TaxLeftOut, // IE
}

// taxStrategy is the way of a site: the operator's, the table's, else TaxLeftOut.
func (cfg Config) taxStrategy(site string) TaxStrategy {
	for _, table := range []map[string]TaxStrategy{cfg.Taxes, siteTaxes} {
		if t := table[site]; t != "" {
			return t
		}
	}
	return TaxLeftOut
}

func checkTaxes(over map[string]TaxStrategy) (bad []error) {
	for site, t := range over {
		if _, known := sites[site]; !known {
			bad = append(bad, fmt.Errorf("taxes of site %q: no such marketplace id is known", site))
		}
		if t != TaxLeftOut && t != TaxInside && t != TaxApart {
			bad = append(bad, fmt.Errorf("taxes of site %s: %q is not one of left_out, inside, apart", site, t))
		}
	}
	return bad
}

// componentNames are Amazon's names of what a part pays for and of the tax on it.
var componentNames = map[marketplace.Kind]struct{ amount, tax string }{
	marketplace.Item:       {"Principal", "Tax"},
	marketplace.Shipping:   {"Shipping", "ShippingTax"},
	marketplace.GiftWrap:   {"GiftWrap", "GiftWrapTax"},
	marketplace.Fee:        {"COD", "CODTax"},
	marketplace.Restocking: {"RestockingFee", "RestockingFeeTax"},
	marketplace.Goodwill:   {"Goodwill", ""},
	marketplace.Handling:   {"Other", ""},
	marketplace.Tip:        {"Other", ""},
	marketplace.Adjustment: {"Other", ""},
}

// componentOrder is the order in which components are written, so that one instruction always
// makes the same text.
var componentOrder = []string{"Principal", "Tax", "Shipping", "ShippingTax", "GiftWrap", "GiftWrapTax", "COD", "CODTax",
	"RestockingFee", "RestockingFeeTax", "Other", "Goodwill"}

// spread turns the parts of a line into amounts by component name.
func (t TaxStrategy) spread(parts []marketplace.Component) (map[string]money.Money, error) {
	sums := map[string]money.Money{}
	add := func(name string, all ...money.Money) error {
		sum, err := money.Sum(append(all, sums[name])...)
		sums[name] = sum
		return err
	}
	for _, p := range parts {
		names, known := componentNames[p.Kind]
		switch {
		case !known:
			return nil, fmt.Errorf("a part of kind %q cannot be given back at Amazon", p.Kind)
		case p.Kind != marketplace.Restocking && (p.Amount.Minor < 0 || p.Tax.Minor < 0):
			return nil, fmt.Errorf("%s of %s must be positive: it goes to the buyer", names.amount, p.Amount)
		}
		err := add(names.amount, p.Amount)
		switch {
		case err != nil || p.Tax.IsZero():
		case t == TaxInside:
			err = add(names.amount, p.Tax)
		case t == TaxApart && names.tax == "":
			err = fmt.Errorf("%s takes no tax of its own", names.amount)
		case t == TaxApart:
			err = add(names.tax, p.Tax)
		}
		if err != nil {
			return nil, err
		}
	}
	return sums, nil
}
