package payout

import (
	"context"
	"flag"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"channelbridge/connector/memstore"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// checks says how many worlds a property is tried on, unless -rapid.checks says otherwise.
func checks(t *testing.T, n string) {
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		require.NoError(t, flag.Set(f.Name, n))
		t.Cleanup(func() { _ = flag.Set(f.Name, f.DefValue) })
	}
}

// TestPayoutProperty: whatever a channel pays and wherever it errs, every error is found with its
// outcome and its amount, nothing else is reported, and all sums agree.
func TestPayoutProperty(t *testing.T) {
	checks(t, "2000")
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt)
		if w.chance(70, "the channel errs") {
			w.inject()
		}
		w.fill()
		store := memstore.New()
		w.load(store)
		r, err := Make(context.Background(), Keep{Payouts: store}, []Account{w.account}, Query{}, w.now)
		require.NoError(rt, err)
		w.judgeOrders(r)
		w.judgePayouts(r)
		w.judgeLines(r)
		w.judgeSummary(r)
		w.judgeTables(r)
	})
}

// judgeOrders: each order has its outcome and causes (I3), and there are no others.
func (w *world) judgeOrders(r *Report) {
	rows := map[[2]string]OrderRow{}
	for _, o := range all(w.T, r.Orders) {
		rows[[2]string{o.Ref, o.Currency}] = o
	}
	require.Len(w.T, rows, r.Orders.Len(), "a row for each order and currency")
	for _, s := range w.sales {
		key := [2]string{s.id, w.currency}
		o, ok := rows[key]
		delete(rows, key)
		if !ok && s.want.excused {
			continue
		}
		require.True(w.T, ok, "order %s is not reported", s.id)
		require.Equal(w.T, s.want.outcome, o.Outcome, "order %s: %+v", s.id, o.Causes)
		got, sum := map[CauseCode]int64{}, int64(0)
		for _, c := range o.Causes {
			got[c.Code] += c.Amount
			sum += c.Amount
		}
		require.Equal(w.T, sum, o.Difference, "I3")
		require.Equal(w.T, o.Actual-o.Expected, o.Difference)
		require.Equal(w.T, nonzero(s.want.causes), nonzero(got), "order %s", s.id)
		w.judgeRefunds(s, o)
		if s.want.foreign != 0 {
			key[1] = "EUR"
			require.Equal(w.T, CurrencyMismatch, rows[key].Outcome)
			require.Equal(w.T, s.want.foreign, rows[key].Actual)
			delete(rows, key)
		}
	}
	require.Empty(w.T, rows, "orders nobody has sold")
}

// judgeRefunds (I7): what was given back is no more than was captured, or the order says so.
func (w *world) judgeRefunds(s *sale, o OrderRow) {
	if s.facts == nil || s.facts.Store == "" {
		return
	}
	if _, back := o.Sum(Refunds); -back > w.captured(s.facts) {
		require.Equal(w.T, RefundMismatch, o.Outcome, "I7")
	}
}

func nonzero[K comparable](m map[K]int64) map[K]int64 {
	out := map[K]int64{}
	for k, v := range m {
		if v != 0 {
			out[k] = v
		}
	}
	return out
}

// judgePayouts (I1): opening and lines come to closing and paid, or the gap is told.
func (w *world) judgePayouts(r *Report) {
	require.Len(w.T, r.Payouts, len(w.batches), "I5: superseded revisions do not count")
	for i, p := range r.Payouts {
		b := w.batches[i]
		require.Equal(w.T, b.external, p.External)
		require.Equal(w.T, -b.lost, p.Bridge.Gap)
		lost := 0
		var sum int64
		for _, e := range b.lines {
			switch {
			case e.lost:
				lost++
			case !e.foreign:
				sum += e.Amount.Minor
			}
		}
		require.Equal(w.T, sum+b.opening, b.close+p.Payout.Paid.Minor+p.Bridge.Gap, "I1")
		require.Equal(w.T, b.lost == 0 && (!b.declared || lost == 0), p.Proven())
		require.NoError(w.T, p.Bridge.Check())
		require.Equal(w.T, len(b.lines)-lost, p.Bridge.Lines)
	}
}

// judgeLines (I2): every line stands in one place, and those without an order are called what they are.
func (w *world) judgeLines(r *Report) {
	type place struct {
		external string
		no       int
	}
	got := map[place]LineRow{}
	for _, l := range all(w.T, r.Lines) {
		got[place{l.Payout.External, l.Line.No}] = l
	}
	require.Len(w.T, got, r.Lines.Len(), "I2, I5: a line counts once")
	for _, b := range w.batches {
		for _, e := range b.lines {
			if e.lost {
				continue
			}
			l, ok := got[place{b.external, e.no}]
			require.True(w.T, ok)
			delete(got, place{b.external, e.no})
			require.Equal(w.T, e.Amount, l.Line.Amount)
			require.Contains(w.T, w.outcomesOf(e), l.Outcome, "%+v", l.Line)
		}
	}
	require.Empty(w.T, got)
}

// outcomesOf is what a line may be called.
func (w *world) outcomesOf(e *entry) []Outcome {
	switch {
	case e.unnumbered:
		return []Outcome{w.guess(e)}
	case e.Category == string(marketplace.Unclassified):
		return []Outcome{Unclassified}
	case e.Order == "" && e.Alias == "":
		return []Outcome{NonOrder}
	}
	for _, s := range w.sales {
		if s.want.notStore && slices.Contains(s.lines, e) {
			return []Outcome{MissingInStore}
		}
	}
	return []Outcome{Matched, WithinTolerance}
}

// guess is what a line is called that has lost its order's number: it is suggested where just one
// order wants it, and never matched.
func (w *world) guess(e *entry) Outcome {
	wanting := 0
	for _, s := range w.sales {
		if s.want.notStore {
			continue
		}
		named := false
		for _, x := range s.lines {
			named = named || x.Category == e.Category && x.batch >= 0 && !x.unnumbered && !x.lost
		}
		tol, ok := w.account.Tol[w.currency]
		if !ok {
			tol.Minor = -1
		}
		want := w.expects(s.facts)[marketplace.Category(e.Category)]
		if !named && want != 0 && (want == e.Amount.Minor || tol.within(e.Amount.Minor-want, want, w.currency)) {
			wanting++
		}
	}
	switch {
	case wanting == 1:
		return Suggested
	case wanting == 0 && kind(e.Category).group == Withheld, wanting == 0 && kind(e.Category).cause == CausePaymentFee:
		return NonOrder // a channel may take it of the account as a whole
	}
	return Ambiguous
}

// judgeSummary: every part of the bridge is what the world holds of it, and the levels agree (I4, I8).
func (w *world) judgeSummary(r *Report) {
	var s Summary
	for _, x := range r.Summary {
		if x.Currency == w.currency {
			s = x
		}
	}
	want := newBridge(w.currency)
	lines := w.tally(want)
	require.Equal(w.T, want.Paid, s.Paid)
	require.Equal(w.T, want.NotInStore, s.NotInStore)
	require.Equal(w.T, nonzero(want.NonOrder), nonzero(s.NonOrder))
	require.Equal(w.T, want.Reserve, s.Reserve, "I8")
	require.Equal(w.T, want.Unplaced, s.Unplaced)
	require.Equal(w.T, nonzero(want.Variances), nonzero(s.Variances))
	require.NoError(w.T, s.Check())
	require.Equal(w.T, lines, s.Paid+s.Closing-s.Opening+s.Gap, "I4: lines and summary")
	var orders, loose int64
	for _, o := range all(w.T, r.Orders) {
		if o.Currency == w.currency {
			orders += o.Selected
		}
	}
	for _, l := range all(w.T, r.Lines) {
		if l.Line.Amount.Currency == w.currency && (l.Outcome == NonOrder || l.Outcome == Suggested || l.Outcome == Ambiguous || l.Outcome == Unclassified && l.Line.Order == "") {
			loose += l.Line.Amount.Minor
		}
	}
	require.Equal(w.T, lines, orders+loose, "I4: orders and lines")
	w.judgeCounts(r, s)
}

// tally adds the world up into a bridge, and its lines.
func (w *world) tally(b *Bridge) (lines int64) {
	for _, x := range w.batches {
		b.Paid += w.head(x).Paid.Minor
		for _, e := range x.lines {
			if e.lost || e.foreign {
				continue
			}
			n := e.Amount.Minor
			lines += n
			switch {
			case e.unnumbered && w.guess(e) == NonOrder:
				b.NonOrder[marketplace.Category(e.Category)] += n
			case e.unnumbered, e.Order == "" && e.Alias == "" && e.Category == string(marketplace.Unclassified):
				b.Unplaced += n
			case e.Order != "" || e.Alias != "":
			case reserve(e.Category):
				b.Reserve += n
			default:
				b.NonOrder[marketplace.Category(e.Category)] += n
			}
		}
	}
	for _, s := range w.sales {
		for c, n := range s.want.causes {
			switch {
			case s.want.notStore:
				b.NotInStore += n
			case c != CauseNotYet:
				b.Variances[c] += n
			}
		}
	}
	return lines
}

// judgeCounts: an order counts once, however many payouts it is spread over.
func (w *world) judgeCounts(r *Report, s Summary) {
	settled, outcomes := 0, 0
	for _, o := range all(w.T, r.Orders) {
		if o.Currency == w.currency && len(o.Lines) > 0 {
			settled++
		}
	}
	require.Equal(w.T, settled, s.Orders)
	for _, x := range r.Summary {
		for _, c := range x.Outcomes {
			outcomes += c.Orders
		}
	}
	require.Equal(w.T, r.Orders.Len(), outcomes)
}

// judgeTables: the columns of a row add up.
func (w *world) judgeTables(r *Report) {
	orders, payouts := whole(w.T, r, "order"), whole(w.T, r, "payout")
	for _, row := range orders.Rows {
		c := cells(w.T, orders, row)
		var actual int64
		for _, p := range orderPairs {
			actual += c("actual_" + p.name)
		}
		require.Equal(w.T, c("actual_net"), actual+c("actual_other"))
		require.Equal(w.T, c("difference"), c("cause_1_amount")+c("cause_2_amount")+c("cause_other_amount"))
	}
	var open, difference int64
	for _, row := range payouts.Rows {
		c := cells(w.T, payouts, row)
		sum := c("opening")
		for _, name := range []string{"sales", "discounts", "refunds", "fees", "withheld_tax", "advertising", "other_non_order", "reserve_moved"} {
			sum += c(name)
		}
		require.Equal(w.T, sum, c("closing")+c("paid")+c("proof_gap"))
		open += c("open_difference")
	}
	for _, o := range all(w.T, r.Orders) {
		if o.state() != "" && o.Currency == w.currency {
			for _, c := range o.Causes {
				if c.Code != CauseNotYet && len(o.Shares) > 0 {
					difference += c.Amount
				}
			}
		}
	}
	require.Equal(w.T, difference, open, "a difference is open in one payout")
}

// cells reads amounts of a row by their column, the decimal point left out.
func cells(t *rapid.T, table Table, row []Cell) func(column string) int64 {
	place := map[string]int{}
	for i, c := range table.Columns {
		place[c] = i
	}
	return func(column string) int64 {
		i, ok := place[column]
		require.True(t, ok, column)
		return minor(t, row[i])
	}
}

func minor(t *rapid.T, c Cell) int64 {
	if c.Text == "" {
		return 0
	}
	m, err := money.Parse(c.Text, c.Currency)
	require.NoError(t, err)
	return m.Minor
}
