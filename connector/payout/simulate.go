package payout

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/money"
)

// Simulation is what tariffs would change if they were kept. Nothing is.
type Simulation struct {
	Orders  int      // that were compared
	Changes []Change // the greatest change of a difference first
	Sums    []Shift  // by currency, over all that change
}

// Change is one order whose outcome or difference would be another.
type Change struct {
	Order         string
	Currency      string
	Before, After Standing
}

// Standing is how an order stands under some tariffs; its Outcome is "" where it is no order yet.
type Standing struct {
	Outcome              Outcome
	Expected, Difference int64
}

// Shift is what the changes of one currency come to.
type Shift struct {
	Currency      string
	Orders        int
	Before, After Standing // sums; no outcome
}

// Simulate compares an account's books with what they would be with these tariffs beside those
// that are kept; one with a known key stands in the place of the kept one.
func Simulate(ctx context.Context, k Keep, a Account, tariffs []Tariff, now time.Time) (Simulation, error) {
	over, err := laidOver(k.Payouts, a, tariffs)
	if err != nil {
		return Simulation{}, err
	}
	before, err := standings(ctx, k, a, now)
	if err != nil {
		return Simulation{}, err
	}
	after, err := standings(ctx, Keep{over, k.Scratch}, a, now)
	if err != nil {
		return Simulation{}, fmt.Errorf("with other tariffs: %w", err)
	}
	return compared(before, after)
}

// overlay is a store with other tariffs.
type overlay struct {
	connector.Payouts
	own []connector.Tariff
}

func laidOver(store connector.Payouts, a Account, tariffs []Tariff) (overlay, error) {
	o := overlay{Payouts: store}
	for _, t := range tariffs {
		body, err := t.Encode()
		if err != nil {
			return o, fmt.Errorf("tariff %s: %w", t.Key, err)
		}
		o.own = append(o.own, connector.Tariff{Account: a.ID, Key: t.Key, Body: body})
	}
	return o, nil
}

// Tariffs are the kept ones, less those whose place is taken, and the own.
func (o overlay) Tariffs(ctx context.Context, account connector.ConnectionID, asOf time.Time) ([]connector.Tariff, error) {
	kept, err := o.Payouts.Tariffs(ctx, account, asOf)
	if err != nil {
		return nil, err
	}
	kept = slices.DeleteFunc(slices.Clone(kept), func(k connector.Tariff) bool {
		return slices.ContainsFunc(o.own, func(t connector.Tariff) bool { return t.Key == k.Key })
	})
	return append(kept, o.own...), nil
}

// named is an order in one currency.
type named struct{ order, currency string }

func standings(ctx context.Context, k Keep, a Account, now time.Time) (map[named]Standing, error) {
	out := map[named]Standing{}
	_, err := Read(ctx, k, a, time.Time{}, now, func(_ *Books, o Order) error {
		out[named{o.Ref, o.Currency}] = Standing{o.Outcome, o.Expected, o.Difference}
		return nil
	})
	return out, err
}

// compared lists what differs. An order that only one side has stands at nothing on the other.
func compared(before, after map[named]Standing) (Simulation, error) {
	var out Simulation
	all := map[named]bool{}
	for n := range before {
		all[n] = true
	}
	for n := range after {
		all[n] = true
	}
	out.Orders = len(all)
	for n := range all {
		b, a := before[n], after[n]
		if b.Outcome != a.Outcome || b.Difference != a.Difference {
			out.Changes = append(out.Changes, Change{n.order, n.currency, b, a})
		}
	}
	slices.SortFunc(out.Changes, func(x, y Change) int {
		return cmp.Or(cmp.Compare(y.size(), x.size()), cmp.Compare(x.Order, y.Order), cmp.Compare(x.Currency, y.Currency))
	})
	return out, out.add()
}

func (c Change) size() int64 {
	d := c.After.Difference - c.Before.Difference
	return max(d, -d)
}

// add sums the changes up by currency.
func (s *Simulation) add() error {
	by := map[string]*Shift{}
	for _, c := range s.Changes {
		sum := by[c.Currency]
		if sum == nil {
			sum = &Shift{Currency: c.Currency}
			by[c.Currency] = sum
		}
		sum.Orders++
		if err := cmp.Or(sum.Before.add(c.Before, c.Currency), sum.After.add(c.After, c.Currency)); err != nil {
			return fmt.Errorf("adding changes up: %w", err)
		}
	}
	for _, c := range slices.Sorted(maps.Keys(by)) {
		s.Sums = append(s.Sums, *by[c])
	}
	return nil
}

func (s *Standing) add(o Standing, currency string) error {
	sum := func(into *int64, more int64) error {
		m, err := money.New(*into, currency).Add(money.New(more, currency))
		*into = m.Minor
		return err
	}
	if err := sum(&s.Expected, o.Expected); err != nil {
		return err
	}
	return sum(&s.Difference, o.Difference)
}
