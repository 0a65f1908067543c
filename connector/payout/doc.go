// Package payout holds what a channel paid against what its orders should bring.
//
// An order's Facts and the Tariffs in force give Expectations; the lines of payouts are matched to
// them, and Judge says for one order what was expected, what came, and the causes that lead from
// one to the other, exactly. A Bridge does the same for a payout. All of that is pure: the same
// facts, lines and tariffs give the same verdict, in whatever order they come. The importer and
// the reporter are the thin shells that read and keep.
//
// Positive is owed to the seller, everywhere.
package payout
