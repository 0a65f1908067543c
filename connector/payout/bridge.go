package payout

import (
	"fmt"
	"maps"
	"slices"

	"channelbridge/connector"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// Bridge leads from what was expected to what was paid, for one payout or for several of one
// currency, and sums exactly:
//
//	Paid = Expected + Σ Variances + NotInStore + Σ NonOrder + Reserve + Unplaced + Opening − Closing − Gap
type Bridge struct {
	Currency   string
	Paid       int64
	Opening    int64
	Closing    int64
	Expected   int64                          // of the orders that are settled
	Variances  map[CauseCode]int64            // of those orders
	NotInStore int64                          // lines of orders the store has never seen
	NonOrder   map[marketplace.Category]int64 // lines that belong to no order
	Reserve    int64                          // held (negative) and let go of
	Unplaced   int64                          // lines that should belong to an order and name none, or that nobody has classified
	Gap        int64                          // what the lines exceed the declared amounts by; zero when proven
	Lines      int
	Orders     int

	load load
}

func newBridge(currency string) *Bridge {
	return &Bridge{Currency: currency, Variances: map[CauseCode]int64{}, NonOrder: map[marketplace.Category]int64{}}
}

// explained is what the parts come to.
func (b *Bridge) explained() (int64, error) {
	parts := slices.AppendSeq([]int64{b.Expected, b.NotInStore, b.Reserve, b.Unplaced, b.Opening, -b.Closing, -b.Gap}, maps.Values(b.Variances))
	parts = slices.AppendSeq(parts, maps.Values(b.NonOrder))
	sum := money.New(0, b.Currency)
	for _, v := range parts {
		var err error
		if sum, err = sum.Add(money.New(v, b.Currency)); err != nil {
			return 0, fmt.Errorf("adding a bridge up: %w", err)
		}
	}
	return sum.Minor, nil
}

// Check reports a bridge that does not reach what was paid: a fault of this program.
func (b *Bridge) Check() error {
	got, err := b.explained()
	if err != nil {
		return err
	}
	if got != b.Paid {
		return fmt.Errorf("the bridge comes to %s, paid is %s", money.New(got, b.Currency), money.New(b.Paid, b.Currency))
	}
	return nil
}

// head adds a payout's own amounts.
func (b *Bridge) head(p connector.Payout) error {
	gap, err := p.Gap()
	if err == nil {
		err = b.load.add(p.Paid.Minor, p.Opening.Minor, p.Closing.Minor, gap.Minor)
	}
	if err != nil {
		return fmt.Errorf("payout %s: %w", p.External, err)
	}
	b.Paid += p.Paid.Minor
	b.Opening += p.Opening.Minor
	b.Closing += p.Closing.Minor
	b.Gap += gap.Minor
	return nil
}

// order adds an order's part.
func (b *Bridge) order(o Order, s Share) error {
	if err := b.load.add(s.Amount, s.Expected); err != nil {
		return fmt.Errorf("order %s: %w", o.Ref, err)
	}
	b.Orders++
	if !o.InStore {
		b.NotInStore += s.Amount
		return nil
	}
	b.Expected += s.Expected
	for c, v := range s.Variance {
		if err := b.load.add(v); err != nil {
			return fmt.Errorf("order %s: %w", o.Ref, err)
		}
		b.Variances[c] += v
	}
	return nil
}

// loose adds a line that belongs to no order.
func (b *Bridge) loose(v Verdict) error {
	amount := v.Line.Amount.Minor
	if err := b.load.add(amount); err != nil {
		return fmt.Errorf("line %d: %w", v.Line.No, err)
	}
	switch {
	case v.Outcome != NonOrder:
		b.Unplaced += amount
	case reserve(v.Line.Category):
		b.Reserve += amount
	default:
		b.NonOrder[marketplace.Category(v.Line.Category)] += amount
	}
	return nil
}

// join adds another bridge of the same currency. Orders that both have a part in are for the
// caller to count.
func (b *Bridge) join(o *Bridge) error {
	if err := b.load.add(int64(o.load)); err != nil {
		return err
	}
	b.Paid += o.Paid
	b.Opening += o.Opening
	b.Closing += o.Closing
	b.Expected += o.Expected
	b.NotInStore += o.NotInStore
	b.Reserve += o.Reserve
	b.Unplaced += o.Unplaced
	b.Gap += o.Gap
	b.Lines += o.Lines
	for c, v := range o.Variances {
		b.Variances[c] += v
	}
	for c, v := range o.NonOrder {
		b.NonOrder[c] += v
	}
	return nil
}
