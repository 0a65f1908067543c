package shopifyfake

import (
	"time"

	"channelbridge/internal/money"
)

// Transaction is a payment, or what was given back of one. Nothing moves outside the store.
type Transaction struct {
	ID, Kind, Status, Gateway string
	Parent                    string // the payment a REFUND is of
	Refund                    string // the refund it belongs to
	Amount                    money.Money
	At                        time.Time
}

// Refund is what was given back at one time.
type Refund struct {
	ID, Note              string
	CreatedAt             time.Time
	Lines                 []RefundLine
	Shipping, ShippingTax money.Money
	Adjustments           []Adjustment
}

// RefundLine is a line of a refund: for all its units, net of discounts.
type RefundLine struct {
	Line, Restock, Location string
	Quantity                int
	Subtotal, Tax           money.Money
}

// Adjustment is the difference between what a refund's parts come to and what was given back.
type Adjustment struct {
	ID, Reason string
	Amount     money.Money
}

// place is the id of the store's only location.
func (s *Server) place() string { return "gid://shopify/Location/820982911946154001" }

// sum adds amounts of the order, which are all of one currency.
func sum(currency string, all ...money.Money) money.Money {
	total, err := money.Sum(append([]money.Money{money.New(0, currency)}, all...)...)
	if err != nil {
		panic("shopifyfake: " + err.Error()) // an order has one currency and is not that dear
	}
	return total
}

// share is the part of m that falls to k of n.
func share(m money.Money, k, n int64) money.Money {
	return m.Split(k, n-k)[0]
}

// moves reports whether a refund's transaction has given money back or may yet.
func (t Transaction) moves() bool {
	return t.Kind == "REFUND" && (t.Status == "SUCCESS" || t.Status == "PENDING")
}

// Refunded is the money that was given back; what is pending or failed does not count.
func (o Order) Refunded() money.Money {
	total := money.New(0, o.Currency)
	for _, t := range o.Transactions {
		if t.Kind == "REFUND" && t.Status == "SUCCESS" {
			total = sum(o.Currency, total, t.Amount)
		}
	}
	return total
}

// Given is the money of one refund, pending included.
func (o Order) Given(refund string) money.Money {
	total := money.New(0, o.Currency)
	for _, t := range o.Transactions {
		if t.Refund == refund && t.moves() {
			total = sum(o.Currency, total, t.Amount)
		}
	}
	return total
}

// left is what has not been given back of a payment.
func (o *Order) left(payment Transaction) money.Money {
	left := payment.Amount
	for _, t := range o.Transactions {
		if t.Parent == payment.ID && t.moves() {
			left = sum(o.Currency, left, t.Amount.Neg())
		}
	}
	return left
}

// refunded is how many units of a line have been refunded.
func (o *Order) refunded(line string) (n int) {
	for _, r := range o.Refunds {
		for _, l := range r.Lines {
			if l.Line == line {
				n += l.Quantity
			}
		}
	}
	return n
}

// worth is what the next n units of a line come to: their share of the line's price after its
// part of the discount, and of its taxes.
func (o *Order) worth(line string, n int) (net, tax money.Money) {
	weights, at := make([]int64, len(o.Lines)), 0
	for i, l := range o.Lines {
		weights[i] = l.Price.Minor * int64(l.Quantity)
		if l.ID == line {
			at = i
		}
	}
	l := o.Lines[at]
	whole := sum(o.Currency, money.New(weights[at], o.Currency), o.Discount.Split(weights...)[at].Neg())
	taxes := money.New(0, o.Currency)
	for _, t := range l.Taxes {
		taxes = sum(o.Currency, taxes, t.Amount)
	}
	before, after, of := int64(o.refunded(line)), int64(o.refunded(line)+n), int64(l.Quantity)
	part := func(m money.Money) money.Money {
		return sum(o.Currency, share(m, after, of), share(m, before, of).Neg())
	}
	return part(whole), part(taxes)
}

// shippingLeft is the shipping charge that has not been given back, and its tax.
func (o *Order) shippingLeft() (price, tax money.Money) {
	price, tax = money.New(0, o.Currency), money.New(0, o.Currency)
	for _, c := range o.Shipping {
		price = sum(o.Currency, price, c.Price)
		for _, t := range c.Taxes {
			tax = sum(o.Currency, tax, t.Amount)
		}
	}
	for _, r := range o.Refunds {
		price, tax = sum(o.Currency, price, r.Shipping.Neg()), sum(o.Currency, tax, r.ShippingTax.Neg())
	}
	return price, tax
}
