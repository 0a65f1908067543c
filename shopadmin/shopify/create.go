package shopify

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"channelbridge/internal/fault"
	"channelbridge/internal/money"
	"channelbridge/shopadmin"
)

// Create makes the order, marked and without any contact data. The store has no key that would
// drop a second creation, so key is not sent: a lost answer is fault.Unknown, and the caller
// looks for the mark before it creates again.
func (a *Admin) Create(ctx context.Context, _ string, o shopadmin.NewOrder) (shopadmin.Order, error) {
	if err := checkNew(o); err != nil {
		return shopadmin.Order{}, fault.New(fault.Refused, "shopify: order %s cannot be created: %w", o.Mark, err)
	}
	defined, err := a.defineMark(ctx)
	if err != nil {
		return shopadmin.Order{}, asTemporary(err, "preparing the mark's metafield")
	}
	variants, err := a.variantsOf(ctx, o.Lines)
	if err != nil {
		return shopadmin.Order{}, asTemporary(err, "looking up the order's products")
	}
	in := a.orderInput(o, variants)
	if defined {
		in.Metafields = []metafieldInput{{a.cfg.MarkNamespace, a.cfg.MarkKey, "id", o.Mark.String()}}
	}
	vars := a.markVars(map[string]any{"order": in, "options": options(o.Stock)})
	var out struct {
		OrderCreate *struct {
			Order      *orderNode
			UserErrors []userError
		}
	}
	if err := a.client.do(ctx, docCreateOrder, vars, &out); err != nil {
		return shopadmin.Order{}, fault.Wrap(err, "creating the order for %s", o.Mark)
	}
	if out.OrderCreate == nil {
		return shopadmin.Order{}, fault.New(fault.Unknown, "shopify: creating the order for %s: an empty answer", o.Mark)
	}
	if err := userErrors(docCreateOrder.name, out.OrderCreate.UserErrors); err != nil {
		a.forgetVariants(o.Lines)
		return shopadmin.Order{}, fault.Wrap(err, "creating the order for %s", o.Mark)
	}
	if out.OrderCreate.Order == nil {
		return shopadmin.Order{}, fault.New(fault.Unknown, "shopify: creating the order for %s: no order in the answer", o.Mark)
	}
	made, err := a.whole(ctx, out.OrderCreate.Order)
	if err != nil {
		// It exists; only reading it failed. Nothing but Unknown makes the caller look for it.
		return shopadmin.Order{}, fault.New(fault.Unknown, "shopify: order %s was created for %s: %s", out.OrderCreate.Order.ID, o.Mark, err)
	}
	return made, nil
}

func checkNew(o shopadmin.NewOrder) error {
	switch {
	case !o.Mark.Set():
		return fmt.Errorf("it has no mark")
	case !money.ValidCode(o.Currency):
		return fmt.Errorf("currency %q", o.Currency)
	case len(o.Lines) == 0:
		return fmt.Errorf("it has no lines")
	case len(o.Lines) > 250:
		return fmt.Errorf("%d lines; the store takes 250", len(o.Lines))
	}
	for _, l := range o.Lines {
		if l.Quantity <= 0 {
			return fmt.Errorf("line %s has quantity %d", l.ChannelLine, l.Quantity)
		}
		if l.UnitPrice.Currency != "" && l.UnitPrice.Currency != o.Currency {
			return fmt.Errorf("line %s is priced in %s: %w", l.ChannelLine, l.UnitPrice.Currency, money.ErrMismatch)
		}
	}
	return nil
}

func options(s shopadmin.StockBehaviour) optionsInput {
	o := optionsInput{InventoryBehaviour: "BYPASS"}
	if s == shopadmin.StockDecrement {
		o.InventoryBehaviour = "DECREMENT_IGNORING_POLICY"
	}
	return o
}

func (a *Admin) orderInput(o shopadmin.NewOrder, variants map[string]string) orderInput {
	in := orderInput{Currency: o.Currency, Name: o.Name, Tags: a.tags(o.Tags), SourceName: o.SourceName,
		SourceIdentifier: o.Mark.Order, SourceURL: o.SourceURL, Note: o.Note, PONumber: o.PONumber,
		CustomAttributes: a.attributes(o), ShippingAddress: toAddress(o.ShipTo), Test: o.Test}
	if a.cfg.SourceName != "" {
		in.SourceName = a.cfg.SourceName
	}
	if !o.PlacedAt.IsZero() {
		in.ProcessedAt = o.PlacedAt.UTC().Format(time.RFC3339)
	}
	for _, l := range o.Lines {
		in.LineItems = append(in.LineItems, toLineInput(l, variants[l.SKU], o.Currency))
	}
	for _, s := range o.Shipping {
		in.ShippingLines = append(in.ShippingLines, shippingInput{s.Title, s.Code, bag(s.Price, o.Currency), toTaxes(s.Taxes, o.Currency)})
	}
	if !o.Discount.IsZero() {
		code := "channel-discount"
		if o.Gateway != "" {
			code = o.Gateway + "-discount"
		}
		in.DiscountCode = &discountInput{fixedDiscount{code, bag(o.Discount, o.Currency)}}
	}
	if !o.Paid.IsZero() {
		in.Transactions = []transactionInput{{Kind: "SALE", Status: "SUCCESS", Gateway: o.Gateway,
			AmountSet: bag(o.Paid, o.Currency), ProcessedAt: in.ProcessedAt, Test: o.Test}}
	}
	return in
}

// tags adds the tag sweeps search by, if one is configured.
func (a *Admin) tags(tags []string) []string {
	if t := a.cfg.SearchTag; t != "" && !slices.Contains(tags, t) {
		return append(slices.Clone(tags), t)
	}
	return tags
}

// attributes adds the channel's name, which together with the source identifier is the second
// way to recognise the order.
func (a *Admin) attributes(o shopadmin.NewOrder) []attribute {
	m := map[string]string{}
	for k, v := range o.Attributes {
		m[k] = v
	}
	m[channelKey] = o.Mark.Channel
	return toAttributes(m)
}

// toLineInput makes a line of a product variant when the SKU names exactly one, and a custom
// line otherwise (R-132).
func toLineInput(l shopadmin.NewLine, variant, currency string) lineInput {
	in := lineInput{VariantID: variant, SKU: l.SKU, Quantity: l.Quantity, PriceSet: bag(l.UnitPrice, currency),
		RequiresShipping: l.Ships, Taxable: len(l.Taxes) > 0, TaxLines: toTaxes(l.Taxes, currency)}
	if variant == "" {
		in.Title = l.Title
		if in.Title == "" {
			in.Title = cmpOr(l.SKU, "Item "+l.ChannelLine)
		}
	}
	if l.ChannelLine != "" {
		in.Properties = []property{{lineKey, l.ChannelLine}}
	}
	return in
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func toTaxes(taxes []shopadmin.NewTax, currency string) []taxInput {
	var in []taxInput
	for _, t := range taxes {
		in = append(in, taxInput{cmpOr(t.Title, "Tax"), cmpOr(t.Rate, "0"), t.ChannelLiable, bag(t.Amount, currency)})
	}
	return in
}

// bag is an amount as the store takes it; an absent one is zero in the order's currency.
func bag(m money.Money, currency string) moneyBagInput {
	if m.Currency == "" {
		m.Currency = currency
	}
	return moneyBagInput{moneyInput{m.Decimal(), m.Currency}}
}

var (
	regionCode  = regexp.MustCompile(`^[A-Z]{2,3}$`)
	countryCode = regexp.MustCompile(`^[A-Z]{2}$`)
)

// toAddress leaves the phone number out: the store must have nothing to write to.
func toAddress(a *shopadmin.Address) *addressInput {
	if a == nil {
		return nil
	}
	in := &addressInput{FirstName: a.FirstName, LastName: a.LastName, Company: a.Company, Address1: a.Address1,
		Address2: a.Address2, City: a.City, Zip: a.PostalCode}
	if regionCode.MatchString(a.Region) {
		in.ProvinceCode = a.Region
	} else {
		in.Province = a.Region
	}
	if countryCode.MatchString(a.Country) {
		in.CountryCode = a.Country
	}
	return in
}
