package payout

import (
	"cmp"
	"slices"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/order"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// Basis is the instant of a row that From and To are about.
type Basis string

const (
	ByPaid   Basis = "paid_at" // the default: of the payout
	ByPosted Basis = "posted_at"
	ByPlaced Basis = "order_placed_at"
	ByDue    Basis = "due_at"
)

// Query is what a report is asked for. Zero fields do not narrow.
type Query struct {
	Payouts    []string // the channel's numbers, or as Named
	From, To   time.Time
	FromDay    string // in the place of From and To, each in the account's own zone: 2026-11-01
	ToDay      string
	Basis      Basis
	Currencies []string
	Outcomes   []Outcome
	Causes     []CauseCode
	Categories []marketplace.Category
	Text       string  // part of an order's number on either side, of a payout's, an SKU or a bank reference
	MinDiff    string  // decimal, in each row's own currency: the least absolute difference
	Sort       string  // -abs_difference (the default), due_at, posted_at, order
	States     []State // of the order's finding
	Assignees  []string
	AsOf       time.Time // what was known then; zero: now
}

func within(at, from, to time.Time) bool {
	return (from.IsZero() || !at.Before(from)) && (to.IsZero() || at.Before(to))
}

// In is the question with its days as instants of a zone.
func (q Query) In(zone string) (Query, error) {
	for _, x := range []struct {
		day string
		to  *time.Time
	}{{q.FromDay, &q.From}, {q.ToDay, &q.To}} {
		if x.day == "" {
			continue
		}
		at, err := ReadInstant(x.day, order.Zone(zone))
		if err != nil {
			return q, err
		}
		*x.to = at
	}
	return q, nil
}

// byPaid reports the default basis: the question is about whole payouts.
func (q Query) byPaid() bool { return q.Basis == ByPaid || q.Basis == "" }

func (q Query) wantsCurrency(currency string) bool {
	return len(q.Currencies) == 0 || slices.Contains(q.Currencies, currency)
}

// Covers reports that a payout is among those a question is about. Its days have to be instants.
func (q Query) Covers(p connector.Payout) bool {
	switch {
	case !q.names(p), !q.wantsCurrency(p.Currency):
		return false
	}
	return !q.byPaid() || within(settledAt(p), q.From, q.To)
}

// wants narrows rows without changing what the summary's bridge is about.
func (q Query) wants(row OrderRow) bool {
	if len(q.Outcomes) > 0 && !slices.Contains(q.Outcomes, row.Outcome) {
		return false
	}
	if len(q.Causes) > 0 && !slices.ContainsFunc(row.Causes, func(c Cause) bool { return slices.Contains(q.Causes, c.Code) }) {
		return false
	}
	if len(q.Categories) > 0 && !slices.ContainsFunc(q.Categories, func(c marketplace.Category) bool { _, ok := row.ByKind[c]; return ok }) {
		return false
	}
	if least, err := money.Parse(cmp.Or(q.MinDiff, "0"), row.Currency); err == nil && max(row.Difference, -row.Difference) < least.Minor {
		return false
	}
	if len(q.States) > 0 && !slices.Contains(q.States, row.state()) || len(q.Assignees) > 0 && !slices.Contains(q.Assignees, row.assignee()) {
		return false
	}
	return q.Text == "" || row.mentions(q.Text)
}

// key is what an order's row is sorted by. Rows with equal keys are sorted by account, number and
// currency, which is the order they come in.
func (q Query) key(row OrderRow) int64 {
	switch q.Sort {
	case "due_at":
		return row.DueAt.UnixMicro()
	case "posted_at":
		return row.First.UnixMicro()
	case "order":
		return 0
	}
	return -max(row.Difference, -row.Difference)
}
