package payout

import (
	"slices"

	"channelbridge/connector"
)

// Named is how a query names one account's payout: numbers of two channels may be the same, and a
// number alone means all of them.
func Named(account connector.ConnectionID, external string) string {
	return string(account) + "/" + external
}

// names reports that a payout is among those a question names, or that it names none.
func (q Query) names(p connector.Payout) bool {
	return len(q.Payouts) == 0 || slices.Contains(q.Payouts, p.External) || slices.Contains(q.Payouts, Named(p.Account, p.External))
}
