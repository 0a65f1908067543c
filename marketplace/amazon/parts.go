package amazon

import (
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// kinds map the names of priced parts. OTHER has no finer name.
var kinds = map[string]marketplace.Kind{
	"ITEM":      marketplace.Item,
	"SHIPPING":  marketplace.Shipping,
	"GIFT_WRAP": marketplace.GiftWrap,
	"COD_FEE":   marketplace.Fee,
	"OTHER":     marketplace.Adjustment,
}

// money reads an amount. All amounts of an order are in one currency.
func (b *builder) money(a *amount) money.Money {
	if a == nil {
		return money.Money{}
	}
	m, err := money.Parse(string(a.Amount), a.CurrencyCode)
	if err != nil {
		b.fail("order %s: %w", b.w.OrderID, err)
		return money.Money{}
	}
	if b.o.Currency == "" {
		b.o.Currency = m.Currency
	}
	if b.o.Currency != m.Currency {
		b.fail("order %s: amounts in %s and %s: %w", b.w.OrderID, b.o.Currency, m.Currency, money.ErrMismatch)
	}
	return m
}

func (b *builder) add(to *money.Money, m money.Money) {
	sum, err := to.Add(m)
	if err != nil {
		b.fail("order %s: %w", b.w.OrderID, err)
		return
	}
	*to = sum
}

func abs(m money.Money) money.Money {
	if m.Minor < 0 {
		return m.Neg()
	}
	return m
}

// partSet keeps one component per kind, in the order of first mention.
type partSet []marketplace.Component

func (p *partSet) at(k marketplace.Kind, currency string) *marketplace.Component {
	for i := range *p {
		if (*p)[i].Kind == k {
			return &(*p)[i]
		}
	}
	*p = append(*p, marketplace.Component{Kind: k, Amount: money.New(0, currency)})
	return &(*p)[len(*p)-1]
}

// parts splits an item's proceeds into priced parts with their discount and tax.
func (b *builder) parts(w *wireItem) []marketplace.Component {
	var parts partSet
	for _, x := range w.Proceeds.Breakdowns {
		if x.Type == "TAX" || x.Type == "DISCOUNT" {
			continue
		}
		kind, ok := kinds[x.Type]
		if !ok {
			kind = marketplace.Adjustment
			b.problem(problemPart, "item %s: proceeds of type %q are not known; kept as an adjustment", w.OrderItemID, x.Type)
		}
		m := b.money(x.Subtotal)
		b.add(&parts.at(kind, m.Currency).Amount, m)
	}
	if len(parts) == 0 {
		b.bare(w, &parts)
	}
	for _, x := range w.Proceeds.Breakdowns {
		switch x.Type {
		case "TAX":
			b.spread(w, x, func(m money.Money) money.Money { return m }, func(k marketplace.Kind, m money.Money) {
				b.add(&parts.at(k, m.Currency).Tax, m)
			})
		case "DISCOUNT": // with or without a minus; the size is what counts
			b.spread(w, x, abs, func(k marketplace.Kind, m money.Money) {
				b.add(&parts.at(k, m.Currency).Discount, m)
			})
		}
	}
	b.collected(w, parts)
	return parts
}

// bare prices an item that came without a breakdown.
func (b *builder) bare(w *wireItem, parts *partSet) {
	unit := b.money(w.Product.Price.UnitPrice)
	switch {
	case unit.Currency != "":
		m, err := unit.Mul(int64(*w.QuantityOrdered))
		if err != nil {
			b.fail("order %s: %w", b.w.OrderID, err)
			return
		}
		parts.at(marketplace.Item, m.Currency).Amount = m
	case w.Proceeds.ProceedsTotal != nil:
		m := b.money(w.Proceeds.ProceedsTotal)
		parts.at(marketplace.Item, m.Currency).Amount = m
	case b.o.Lifecycle == marketplace.Pending || b.o.Lifecycle == marketplace.Cancelled:
		return // prices are often withheld then
	default:
		b.problem(problemMissing, "item %s has no price", w.OrderItemID)
		return
	}
	if b.o.Lifecycle != marketplace.Pending {
		b.problem(problemMissing, "item %s came without a breakdown of its proceeds", w.OrderItemID)
	}
}

// spread gives a subtotal to the kinds its details name; what no detail explains falls to
// the item itself, so that the parts carry the whole subtotal.
func (b *builder) spread(w *wireItem, x breakdown, size func(money.Money) money.Money, give func(marketplace.Kind, money.Money)) {
	rest, named := size(b.money(x.Subtotal)), 0
	for _, d := range x.DetailedBreakdowns {
		kind, ok := kinds[d.Subtype]
		if !ok || kind == marketplace.Adjustment {
			continue
		}
		m := size(b.money(d.Value))
		give(kind, m)
		b.add(&rest, m.Neg())
		named++
	}
	if rest.IsZero() {
		return
	}
	if named == len(x.DetailedBreakdowns) && named > 0 || x.Type == "DISCOUNT" && rest.Minor < 0 {
		b.problem(problemDivergence, "item %s: the details of %s differ from its subtotal by %s", w.OrderItemID, x.Type, rest)
	}
	if x.Type != "DISCOUNT" || rest.Minor > 0 {
		give(marketplace.Item, rest)
	}
}

// collected marks parts whose tax Amazon remits itself.
func (b *builder) collected(w *wireItem, parts partSet) {
	for _, c := range w.Tax.TaxCollections {
		if c.Model != "MARKETPLACE_FACILITATOR" {
			b.problem(problemPart, "item %s: tax collection model %q is not known", w.OrderItemID, c.Model)
			continue
		}
		for i := range parts {
			parts[i].TaxByChannel = true
		}
	}
}

// totals reads the grand total and the order's own charges, and checks that all parts add up.
func (b *builder) totals() {
	b.o.Total = b.money(b.w.Proceeds.GrandTotal)
	var other, tips money.Money
	for _, x := range b.w.Proceeds.Breakdowns {
		switch x.Type {
		case "DELIVERY_TIP":
			b.add(&tips, b.money(x.Subtotal))
		case "OTHER":
			b.add(&other, b.money(x.Subtotal))
		case "ITEM", "SHIPPING", "GIFT_WRAP", "COD_FEE", "TAX", "DISCOUNT": // sums of the items'
		default:
			b.problem(problemPart, "order proceeds of type %q are not known", x.Type)
		}
	}
	var net, tax money.Money
	for _, l := range b.o.Lines {
		for _, p := range l.Parts {
			b.add(&net, p.Amount)
			b.add(&net, p.Discount.Neg())
			b.add(&tax, p.Tax)
			if p.Kind == marketplace.Adjustment {
				b.add(&other, p.Amount.Neg()) // the order's figure contains the items'
			}
		}
	}
	b.charge(marketplace.Adjustment, other, &net)
	b.charge(marketplace.Tip, tips, &net)
	b.balance(net, tax, tips)
}

func (b *builder) charge(k marketplace.Kind, m money.Money, net *money.Money) {
	if m.IsZero() || k == marketplace.Adjustment && !b.sumsOther() {
		return
	}
	b.o.Charges = append(b.o.Charges, marketplace.Component{Kind: k, Amount: m})
	b.add(net, m)
}

// sumsOther reports whether the order itself states a sum of type OTHER.
func (b *builder) sumsOther() bool {
	for _, x := range b.w.Proceeds.Breakdowns {
		if x.Type == "OTHER" {
			return true
		}
	}
	return false
}

// balance compares the parts with the grand total. The total tells whether prices contain the
// tax; where it fits neither way, the site's habit stands and the difference is a problem.
// A tip may be charged apart from the total.
func (b *builder) balance(net, tax, tips money.Money) {
	total := b.o.Total
	gross := net
	b.add(&gross, tax)
	fits := func(sum money.Money) bool {
		return sum.Minor == total.Minor || !tips.IsZero() && sum.Minor-tips.Minor == total.Minor
	}
	included := b.site.gross
	switch {
	case b.err != nil:
		return
	case total.Currency == "":
	case fits(gross):
		included = false
	case b.site.gross && fits(net):
		included = true
	case net.Currency != "":
		b.problem(problemDivergence, "the parts add up to %s, the grand total is %s", gross, total)
	}
	for i := range b.o.Lines {
		for j := range b.o.Lines[i].Parts {
			p := &b.o.Lines[i].Parts[j]
			p.TaxIncluded = included && !p.Tax.IsZero()
		}
	}
}
