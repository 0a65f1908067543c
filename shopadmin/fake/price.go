package fake

import "channelbridge/shopadmin"

// price is what a line was sold for: of one unit, and the tax of all.
type price struct {
	unit, tax int64
	units     int64
}

func priceOf(l shopadmin.NewLine) price {
	p := price{unit: l.UnitPrice.Minor, units: int64(l.Quantity)}
	for _, t := range l.Taxes {
		p.tax += t.Amount.Minor
	}
	return p
}

// of is what n units cost and the tax on them, given that done units were counted before: the
// parts of a line always add up to the whole.
func (p price) of(done, n int64) (amount, tax int64) {
	upTo := func(k int64) int64 { return p.tax * k / max(p.units, 1) }
	return p.unit * n, upTo(done+n) - upTo(done)
}
