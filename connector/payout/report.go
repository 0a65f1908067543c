package payout

import (
	"slices"
	"time"

	"channelbridge/internal/spool"
)

// Version stands in every report; it grows when a column or a meaning is added.
const Version = "1"

// Report is an answer. Its rows and its summary cover the same selection.
type Report struct {
	Snapshot  string // names rows and parameters: the same question about the same knowledge has the same
	At        time.Time
	Query     Query
	Payouts   []PayoutRow
	Late      []PayoutRow // of closed months, that have come or were issued anew since; not in the summary
	Orders    Rows[OrderRow]
	Unsettled Rows[OrderRow] // those of Orders whose money is still to come
	Lines     Rows[LineRow]
	Summary   []Summary // one per currency, by its code
	Closed    []Closed  // the closed months it is about
	// Until is when it would say something else although nothing new is known: something falls due,
	// a day ends, a deadline passes. Zero: never.
	Until time.Time

	accounts []Account // by place in its rows
	spool    *spool.Spool
}

// Size is how many bytes its rows take, most of them in a file. They are given back when the report
// is forgotten.
func (r *Report) Size() int64 { return r.spool.Size() }

// Accounts are those it is about, with the settings it rests on: of an earlier time or a closed month
// those that held then.
func (r *Report) Accounts() []Account { return slices.Clone(r.accounts) }

// Summary is a report's bridge in one currency, and what its orders come to by outcome. There is no
// bridge where the report is not about whole payouts: with another basis than the default.
type Summary struct {
	Bridge
	Outcomes map[Outcome]Count
	Payouts  int
	Whole    bool  // it has a bridge
	Selected int64 // what the lines asked for come to
	Prior    Prior
}

// Prior is what became known of closed months since they were closed, beside the bridge.
type Prior struct {
	Orders     int
	Difference int64 // by how much their differences are others now
	Payouts    int
	Paid       int64 // by how much more was paid than was known
}

// Count is how many orders have an outcome, and their differences' sum.
type Count struct {
	Orders     int
	Difference int64
}

// count adds an order to its outcome's, if it is part of what is asked for, and to the news of
// closed months.
func (s *Summary) count(row OrderRow, in bool, then int64) error {
	if err := s.load.add(row.Difference, then); err != nil {
		return err
	}
	if in {
		c := s.Outcomes[row.Outcome]
		s.Outcomes[row.Outcome] = Count{c.Orders + 1, c.Difference + row.Difference}
	}
	if row.Prior != "" {
		s.Prior.Orders++
		s.Prior.Difference += row.Difference - then
	}
	return nil
}

// PayoutRows are the payouts asked for, and after them the news of closed months. Where the report is
// not about whole payouts they are those that have a line asked for.
func (r *Report) PayoutRows() []PayoutRow {
	out := slices.Concat(r.Payouts, r.Late)
	if !r.Query.byPaid() {
		out = slices.DeleteFunc(out, func(p PayoutRow) bool { return !p.asked })
	}
	return out
}

// finding reports an order with something to do about it.
func (o Order) finding() bool {
	switch o.Outcome {
	case Matched, WithinTolerance, AwaitingRelease, PartiallySettled:
		return false
	}
	return true
}

// daysBetween counts the midnights of a zone between two instants.
func daysBetween(from, to time.Time, zone string) int {
	return int(dayOf(to, zone).Sub(dayOf(from, zone)) / (24 * time.Hour))
}

// unsettled reports an order whose money is still to come.
func (o Order) unsettled() bool {
	return o.Outcome == MissingInSettlement || o.Outcome == AwaitingRelease || o.Outcome == PartiallySettled
}
