package payout

import (
	"fmt"
	"math"

	"channelbridge/internal/money"
)

// mostAmount bounds a single amount that comes from outside, in minor units either way: far above
// what a channel pays, and so far below int64 that no few of them bring a sum near it.
const mostAmount = 1_000_000_000_000_000

// plausible reports that an amount is within mostAmount.
func plausible(minor int64) bool { return -mostAmount <= minor && minor <= mostAmount }

// load adds the magnitudes of amounts up. While it is within mostLoad no sum of some of them, of
// their differences or of parts of these exceeds int64.
type load int64

const mostLoad = math.MaxInt64 / 8

func (l *load) add(amounts ...int64) error {
	for _, n := range amounts {
		if n < -mostLoad || n > mostLoad || int64(*l)+max(n, -n) > mostLoad {
			return fmt.Errorf("amounts of %d and more: %w", int64(*l), money.ErrOverflow)
		}
		*l += load(max(n, -n))
	}
	return nil
}
