package payout

import (
	"fmt"
	"time"

	"channelbridge/marketplace"
)

// Expectation is what one category of an order should bring, signed.
type Expectation struct {
	Category marketplace.Category
	Item     string // "" for the order as a whole
	Amount   int64
	Tariff   string // the key of the tariff it follows from; "": from the order itself
}

// positive are what a channel gives back although tariffs name magnitudes.
var positive = map[marketplace.Category]bool{marketplace.FeeRefund: true, marketplace.ShippingRebate: true}

// Expect lists what an order should bring: its own parts, less what was given back, and what the
// tariffs in force take of it. A cancelled order brings nothing, and nothing is taken of it.
func Expect(f Facts, tariffs []Tariff) ([]Expectation, error) {
	if f.Cancelled {
		f.Items, f.Charges, f.Refunds = nil, nil, nil
	}
	if err := f.fit(); err != nil {
		return nil, err
	}
	var out []Expectation
	f.parts(func(item string, p Part) {
		if p.Amount != 0 {
			out = append(out, Expectation{Category: p.Category, Item: item, Amount: p.Amount})
		}
	})
	if back := f.refunded(); back != 0 {
		out = append(out, Expectation{Category: marketplace.RefundPrincipal, Amount: -back})
	}
	force := inForce(tariffs, f)
	for _, c := range marketplace.Categories() {
		t, ok := force[c]
		if !ok {
			continue
		}
		fee, err := t.takes(f)
		if err != nil {
			return nil, fmt.Errorf("tariff %s: %w", t.Key, err)
		}
		if !positive[c] {
			fee = -fee
		}
		out = append(out, Expectation{Category: c, Amount: fee, Tariff: t.Key}) // of nothing too: then a line of it is a variance
	}
	return out, nil
}

// Terms is when a channel frees the money of an order.
type Terms struct {
	Trigger Trigger
	Wait    time.Duration // after the trigger
	Every   time.Duration // of the payout calendar: the longest time until the next payout
}

// Trigger is what starts the wait.
type Trigger string

const (
	OnShipped   Trigger = "shipped" // the default
	OnDelivered Trigger = "delivered"
	OnPaid      Trigger = "paid"
)

// Due is when an order's money should be settled; zero while the trigger has not been seen.
func (t Terms) Due(f Facts) time.Time {
	at := f.ShippedAt
	switch t.Trigger {
	case OnDelivered:
		at = f.Delivered
	case OnPaid:
		at = f.PlacedAt
	}
	if at.IsZero() {
		return at
	}
	return at.Add(t.Wait + t.Every)
}

// Tolerance is the difference of one expectation that is too small to matter. It is never called
// matched. The smaller of both bounds counts; a payout's own proof has none.
type Tolerance struct {
	Minor int64 // minor units; negative: the default of the currency
	BP    int64 // of ten thousand of the expectation; 0: no relative bound
}

// most is the bound in minor units.
func (t Tolerance) most(currency string) int64 {
	switch {
	case t.Minor >= 0:
		return t.Minor
	case currency == "VND": // whose smallest note is 100
		return 100
	}
	return 1
}

// within reports whether a difference of an expectation is inside the tolerance. Where nothing
// was expected nothing is tolerated.
func (t Tolerance) within(diff, expected int64, currency string) bool {
	bound := t.most(currency)
	if t.BP > 0 {
		bound = min(bound, rate(max(expected, -expected), t.BP))
	}
	return expected != 0 && diff != 0 && diff <= bound && -diff <= bound
}
