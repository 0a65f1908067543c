package demo

import (
	"fmt"
	"text/tabwriter"

	"channelbridge/internal/money"
	"channelbridge/marketplace/amazon/amazonfake"
)

// balance compares what both sides have given back of every order.
func (p *player) balance() {
	tw := tabwriter.NewWriter(p.out, 2, 4, 2, ' ', 0)
	fmt.Fprintln(tw, "\n  money given back of\tat Amazon\tin the store\tequal")
	var there, here, uncharged money.Money
	for _, o := range p.Amazon.Orders() {
		m, ok := p.Mirror(o.ID)
		if !ok {
			continue
		}
		gave, back := p.given(o), m.Refunded()
		if gave.IsZero() && back.IsZero() {
			continue
		}
		equal := "yes"
		switch {
		case o.Status == "CANCELLED" && gave.IsZero():
			equal, uncharged = "cancelled before the buyer was charged", plus(uncharged, back)
		case gave.Minor != back.Minor:
			equal = "NO"
			p.fault("%s: Amazon gave %s back, the store %s", o.ID, gave, back)
		}
		there, here = plus(there, gave), plus(here, back)
		fmt.Fprintf(tw, "  %s (%s)\t%s\t%s\t%s\n", o.ID, m.Name, gave, back, equal)
	}
	fmt.Fprintf(tw, "  in all\t%s\t%s\t%s of it never charged\n", there, here, uncharged)
	_ = tw.Flush()
	if plus(there, uncharged) != here {
		p.fault("Amazon gave %s back and did not charge %s, the store gave %s back", there, uncharged, here)
	}
}

// given is what Amazon has given back of an order.
func (p *player) given(o amazonfake.OrderState) (sum money.Money) {
	sum.Currency = "USD"
	for _, r := range p.Amazon.Refunds(o.ID) {
		sum = plus(sum, r.Amount)
	}
	return sum
}

// plus adds amounts of the demo's one currency.
func plus(a, b money.Money) money.Money {
	if a.Currency == "" {
		a.Currency = b.Currency
	}
	sum, err := a.Add(b)
	if err != nil {
		panic("demo: " + err.Error()) // all its orders are in dollars, and few
	}
	return sum
}
