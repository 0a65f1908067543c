package load

import (
	"slices"
	"time"
)

// Quantile is the value that the share q of all does not exceed; 0 of none. It sorts in place.
func Quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[min(int(q*float64(len(all))), len(all)-1)]
}
