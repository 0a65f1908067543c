package order

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// NewOrder says a channel's order in the store's words: tagged with its channel, every
// line whatever it sells (R-132), and without any contact data the store could write to (R-136).
// The problems tell what of the money could not be carried over exactly; an error means that the
// money makes no sense (two currencies, an overflow) and nothing may be created from it.
func NewOrder(s connector.Subject, m marketplace.Order, p Policy) (shopadmin.NewOrder, []string, error) {
	t := &translation{m: m, byMerchant: m.FulfilledBy != marketplace.ByChannel && m.NoShip == ""}
	o := shopadmin.NewOrder{
		Mark:     shopadmin.Mark{Channel: string(s.Channel), Order: s.ID},
		Currency: m.Currency, PlacedAt: m.PlacedAt, Gateway: p.Gateway, SourceName: p.SourceName,
		Tags:       tags(m, p),
		Attributes: map[string]string{AttrChannel: string(s.Channel), AttrOrder: s.ID},
		ShipTo:     ShipTo(m.ShipTo), PONumber: m.Buyer.PONumber, Stock: p.Stock,
	}
	if p.NamePrefix != "" { // otherwise the store numbers it like its own
		o.Name = p.NamePrefix + s.ID
	}
	if p.OrderURL != "" {
		o.SourceURL = strings.ReplaceAll(p.OrderURL, "{id}", s.ID)
	}
	if !m.ShipBy.To.IsZero() {
		o.Attributes[AttrShipBy] = m.ShipBy.To.UTC().Format(time.RFC3339)
	}
	for _, l := range m.Lines {
		t.line(&o, l)
	}
	for _, c := range m.Charges {
		t.charge(&o, c)
	}
	if t.shipped > 0 {
		o.Attributes[AttrState] = shippedThere(t.shipped)
	}
	o.Discount, o.Paid = t.discount, t.paid
	if o.Paid.Currency == "" {
		o.Paid = money.New(0, m.Currency)
	}
	if t.err == nil && o.Paid.Currency != m.Currency {
		t.err = fmt.Errorf("amounts in %s of an order in %s", o.Paid.Currency, m.Currency)
	}
	if m.Total.Currency != "" && m.Total != o.Paid {
		t.problems = append(t.problems, fmt.Sprintf("the parts add up to %s, the channel's total is %s", o.Paid, m.Total))
	}
	return o, t.problems, t.err
}

func tags(m marketplace.Order, p Policy) []string {
	out := append([]string{p.Tag}, p.Tags...)
	if m.FulfilledBy == marketplace.ByChannel {
		out = append(out, p.Tag+" fulfilled")
	}
	slices.Sort(out[1:])
	return slices.Compact(out)
}

// translation carries the money over, part by part.
type translation struct {
	m          marketplace.Order
	byMerchant bool
	shipped    int         // units that were shipped at the channel before the order was mirrored
	discount   money.Money // of items, over the whole order
	paid       money.Money
	problems   []string
	err        error
}

func (t *translation) add(to *money.Money, m money.Money) {
	sum, err := to.Add(m)
	if err != nil {
		t.err = err
		return
	}
	*to = sum
}

func (t *translation) line(o *shopadmin.NewOrder, l marketplace.Line) {
	n := l.Ordered - l.Cancelled
	if n <= 0 {
		return
	}
	var item marketplace.Component
	for _, c := range l.Parts {
		if c.Kind != marketplace.Item {
			t.charge(o, c)
			continue
		}
		t.add(&item.Amount, c.Amount)
		t.add(&item.Discount, c.Discount)
		if !c.TaxIncluded {
			t.add(&item.Tax, c.Tax)
		}
		item.TaxByChannel = item.TaxByChannel || c.TaxByChannel
	}
	if item.Amount.Currency == "" {
		item.Amount = money.New(0, t.m.Currency)
	}
	t.add(&t.discount, item.Discount)
	t.add(&t.paid, item.Amount)
	t.add(&t.paid, item.Discount.Neg())
	t.add(&t.paid, item.Tax)
	gone := 0 // units the channel counts as shipped: nobody may ship them from the store again
	if t.byMerchant {
		gone = min(l.Shipped, n)
		t.shipped += gone
	}
	if gone == 0 || gone == n {
		o.Lines = append(o.Lines, t.units(l, n, item, t.byMerchant && gone == 0)...)
		return
	}
	share := func(m money.Money) []money.Money { return m.Split(int64(gone), int64(n-gone)) }
	amounts, taxes := share(item.Amount), share(item.Tax)
	for i, q := range []int{gone, n - gone} {
		part := item
		part.Amount, part.Tax = amounts[i], taxes[i]
		o.Lines = append(o.Lines, t.units(l, q, part, i == 1)...)
	}
}

// units splits a line whose amount is not a multiple of its quantity into two store lines that
// differ by one minor unit, so that the parts add up to the whole.
func (t *translation) units(l marketplace.Line, n int, item marketplace.Component, ships bool) []shopadmin.NewLine {
	unit, rest := item.Amount.Minor/int64(n), item.Amount.Minor%int64(n)
	counts := []int{n - int(rest), int(rest)}
	taxes := item.Tax.Split((item.Amount.Minor - rest*(unit+1)), rest*(unit+1))
	var out []shopadmin.NewLine
	for i, q := range counts {
		if q == 0 {
			continue
		}
		price := money.New(unit+int64(i), item.Amount.Currency)
		nl := shopadmin.NewLine{ChannelLine: l.ID, SKU: l.SKU, Title: or(or(l.Title, l.SKU), "Item "+l.ID), Quantity: q,
			UnitPrice: price, Ships: ships}
		if tax := taxes[i]; !tax.IsZero() {
			whole, _ := price.Mul(int64(q))
			nl.Taxes = []shopadmin.NewTax{t.tax(tax, whole, item.TaxByChannel)}
		}
		out = append(out, nl)
	}
	return out
}

func (t *translation) tax(tax, base money.Money, byChannel bool) shopadmin.NewTax {
	title := "Tax"
	if byChannel {
		title = "Marketplace tax"
	}
	return shopadmin.NewTax{Title: title, Amount: tax, Rate: Rate(tax, base), ChannelLiable: byChannel}
}

// Rate is tax divided by base as decimal text with six digits, cut off; "0" where there is no base.
func Rate(tax, base money.Money) string {
	if base.Minor <= 0 || tax.Minor <= 0 {
		return "0"
	}
	whole, rest := tax.Minor/base.Minor, tax.Minor%base.Minor
	digits := make([]byte, 0, 6)
	for range 6 {
		rest *= 10
		digits = append(digits, byte('0'+rest/base.Minor))
		rest %= base.Minor
	}
	return fmt.Sprintf("%d.%s", whole, digits)
}

var chargeTitles = map[marketplace.Kind]string{
	marketplace.Shipping: "Shipping", marketplace.GiftWrap: "Gift wrap", marketplace.Handling: "Handling",
	marketplace.Fee: "Fee", marketplace.Tip: "Delivery tip", marketplace.Adjustment: "Adjustment",
}

// charge adds a part that is not an item. Charges of one kind become one store charge, net of
// their discount.
func (t *translation) charge(o *shopadmin.NewOrder, c marketplace.Component) {
	price, err := c.Amount.Sub(c.Discount)
	if err != nil {
		t.err = err
		return
	}
	if c.TaxIncluded {
		c.Tax = money.Money{}
	}
	if price.IsZero() && c.Tax.IsZero() {
		return
	}
	t.add(&t.paid, price)
	t.add(&t.paid, c.Tax)
	title := chargeTitles[c.Kind]
	if title == "" {
		title = string(c.Kind)
	}
	i := slices.IndexFunc(o.Shipping, func(s shopadmin.NewShipping) bool { return s.Title == title })
	if i < 0 {
		i = len(o.Shipping)
		o.Shipping = append(o.Shipping, shopadmin.NewShipping{Title: title, Price: money.New(0, t.m.Currency)})
		if c.Kind == marketplace.Shipping {
			o.Shipping[i].Code = t.m.Service
		}
	}
	s := &o.Shipping[i]
	t.add(&s.Price, price)
	if c.Tax.IsZero() {
		return
	}
	if len(s.Taxes) == 0 {
		s.Taxes = []shopadmin.NewTax{t.tax(money.New(0, t.m.Currency), s.Price, c.TaxByChannel)}
	}
	t.add(&s.Taxes[0].Amount, c.Tax)
	s.Taxes[0].Rate = Rate(s.Taxes[0].Amount, s.Price)
}

// ShipTo says an address in the store's words, without the phone number.
func ShipTo(a *marketplace.Address) *shopadmin.Address {
	if a == nil {
		return nil
	}
	name := strings.Fields(a.Name)
	out := &shopadmin.Address{Company: a.Company, Address1: a.Line1, Address2: join(a.Line2, a.Line3, a.District),
		City: a.City, Region: a.Region, PostalCode: a.PostalCode, Country: a.Country}
	if n := len(name); n > 0 {
		out.FirstName, out.LastName = strings.Join(name[:n-1], " "), name[n-1]
	}
	if out.Address1 == "" {
		out.Address1, out.Address2 = out.Address2, ""
	}
	return out
}

func join(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return strings.TrimSpace(s) == "" }), ", ")
}
