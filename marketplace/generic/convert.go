package generic

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

var lifecycles = map[string]marketplace.Lifecycle{
	"pending":   marketplace.Pending,
	"open":      marketplace.Open,
	"closed":    marketplace.Closed,
	"cancelled": marketplace.Cancelled,
}

// order reads one order. An error means that it cannot be trusted as a whole; what only does not
// map or add up becomes a problem of the order.
func (a *Adapter) order(raw []byte) (marketplace.Order, error) {
	var w wireOrder
	if !utf8.Valid(raw) {
		return marketplace.Order{}, errors.New("not UTF-8")
	}
	if err := json.Unmarshal(raw, &w); err != nil {
		return marketplace.Order{}, err
	}
	if err := w.check(); err != nil {
		return marketplace.Order{}, err
	}
	o := marketplace.Order{
		ID: marketplace.OrderID(w.ID), Site: a.cfg.Site, SiteName: a.cfg.SiteName, Zone: a.cfg.Zone,
		PlacedAt: w.PlacedAt.UTC(), UpdatedAt: w.UpdatedAt.UTC(), External: w.Status, Currency: w.Currency,
		Service: w.Service, Buyer: marketplace.Buyer(w.Buyer), ShipTo: (*marketplace.Address)(w.ShipTo),
	}
	if !w.ShipBy.IsZero() {
		o.ShipBy.To = w.ShipBy.UTC()
	}
	if !w.DeliverBy.IsZero() {
		o.Deliver.To = w.DeliverBy.UTC()
	}
	w.state(&o)
	if c := w.CancelRequest; c != nil {
		o.CancelRequest = &marketplace.CancelRequest{Reason: c.Reason, Lines: texts(c.Lines)}
	}
	if err := w.money(&o); err != nil {
		return marketplace.Order{}, err
	}
	for _, p := range w.Packages {
		o.Packages = append(o.Packages, p.parcel())
	}
	return o, nil
}

// check finds what no order may lack.
func (w *wireOrder) check() error {
	switch {
	case w.ID == "":
		return errors.New("id is missing")
	case w.UpdatedAt.IsZero():
		return errors.New("updated_at is missing")
	case w.PlacedAt.IsZero():
		return errors.New("placed_at is missing")
	case w.Status == "":
		return errors.New("status is missing")
	case !money.ValidCode(w.Currency):
		return fmt.Errorf("currency %.10q is not an ISO code", w.Currency)
	case len(w.Lines) == 0:
		return errors.New("there are no lines")
	}
	known := map[ident]bool{}
	for i, l := range w.Lines {
		switch {
		case l.ID == "":
			return fmt.Errorf("line %d: id is missing", i+1)
		case known[l.ID]:
			return fmt.Errorf("line %d: its id occurs twice", i+1)
		case l.Quantity <= 0 || l.Shipped < 0 || l.Cancelled < 0:
			return fmt.Errorf("line %d: a quantity cannot be", i+1)
		case l.Price == "":
			return fmt.Errorf("line %d: price is missing", i+1)
		}
		known[l.ID] = true
	}
	return nil
}

// state maps status and fulfiller. A value nobody has mapped stops the order, with the reason.
func (w *wireOrder) state(o *marketplace.Order) {
	unmapped := func(what, value string) {
		o.Lifecycle = marketplace.Unmapped
		o.Problems = append(o.Problems, marketplace.Problem{Kind: "unmapped_state", Text: fmt.Sprintf("%s %.60q is not known", what, value)})
	}
	var ok bool
	if o.Lifecycle, ok = lifecycles[w.Status]; !ok {
		unmapped("status", w.Status)
	}
	switch w.FulfilledBy {
	case "", "merchant":
		o.FulfilledBy = marketplace.ByMerchant
	case "channel":
		o.FulfilledBy = marketplace.ByChannel
	default:
		unmapped("fulfilled_by", w.FulfilledBy)
	}
}

// money reads all amounts and compares their sum with the total.
func (w *wireOrder) money(o *marketplace.Order) error {
	r := reader{currency: w.Currency}
	var sum money.Money
	for _, l := range w.Lines {
		line := marketplace.Line{ID: string(l.ID), SKU: l.SKU, Title: l.Title, Ordered: l.Quantity, Shipped: l.Shipped, Cancelled: l.Cancelled}
		line.Parts = append(line.Parts, marketplace.Component{Kind: marketplace.Item, Amount: r.read("price", l.Price),
			Discount: r.discount("discount", l.Discount), Tax: r.read("tax", l.Tax), TaxByChannel: l.TaxByChannel, TaxIncluded: l.TaxIncluded})
		if l.Shipping != "" || l.ShippingTax != "" || l.ShippingDiscount != "" {
			line.Parts = append(line.Parts, marketplace.Component{Kind: marketplace.Shipping, Amount: r.read("shipping", l.Shipping),
				Discount: r.discount("shipping_discount", l.ShippingDiscount), Tax: r.read("shipping_tax", l.ShippingTax),
				TaxByChannel: l.TaxByChannel, TaxIncluded: l.TaxIncluded})
		}
		for _, c := range line.Parts {
			r.add(&sum, c)
		}
		if r.err != nil {
			return fmt.Errorf("line %s: %w", clip(l.ID), r.err)
		}
		if l.Shipped > l.Quantity-l.Cancelled {
			o.Problems = append(o.Problems, marketplace.Problem{Kind: "divergence",
				Text: fmt.Sprintf("line %s: more shipped and cancelled than ordered", clip(l.ID))})
		}
		o.Lines = append(o.Lines, line)
	}
	if w.Total == "" {
		return nil
	}
	if o.Total = r.read("total", w.Total); r.err != nil {
		return r.err
	}
	if o.Total != sum {
		o.Problems = append(o.Problems, marketplace.Problem{Kind: "divergence", Text: fmt.Sprintf("total is %s, the lines add up to %s", o.Total, sum)})
	}
	return nil
}

// reader reads amounts of one currency and remembers the first fault.
type reader struct {
	currency string
	err      error
}

// read returns an amount; one that is not given is zero of the currency.
func (r *reader) read(name string, a amount) money.Money {
	if a == "" {
		return money.New(0, r.currency)
	}
	m, err := money.Parse(string(a), r.currency)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%s: %w", name, err)
	}
	return m
}

// discount is a magnitude: a channel that writes it negative means something else.
func (r *reader) discount(name string, a amount) money.Money {
	m := r.read(name, a)
	if m.Minor < 0 && r.err == nil {
		r.err = fmt.Errorf("%s is negative", name)
	}
	return m
}

func (r *reader) add(sum *money.Money, c marketplace.Component) {
	if r.err != nil {
		return
	}
	parts := []money.Money{*sum, c.Amount, c.Discount.Neg()}
	if !c.TaxIncluded {
		parts = append(parts, c.Tax)
	}
	*sum, r.err = money.Sum(parts...)
}

func (p wirePackage) parcel() marketplace.Package {
	out := marketplace.Package{Ref: string(p.Ref), Carrier: p.Carrier, Tracking: p.Tracking, Status: p.Status, Lines: map[string]int{}}
	if !p.ShippedAt.IsZero() {
		out.ShippedAt = p.ShippedAt.UTC()
	}
	for _, l := range p.Lines {
		out.Lines[string(l.Line)] += l.Quantity
	}
	return out
}

func texts(ids []ident) []string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		out = append(out, string(id))
	}
	return out
}

func clip(id ident) string { return fmt.Sprintf("%.40q", string(id)) }
