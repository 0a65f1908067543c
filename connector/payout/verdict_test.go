package payout

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/memstore"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// B7: the smaller of both bounds; where nothing was expected nothing is tolerated.
func TestToleranceRows(t *testing.T) {
	usual := Tolerance{Minor: -1}
	for name, c := range map[string]struct {
		tol            Tolerance
		diff, expected int64
		currency       string
		want           bool
	}{
		"100 dong":                         {usual, 100, -8000, "VND", true},
		"100 dong less":                    {usual, -100, -8000, "VND", true},
		"101 dong":                         {usual, 101, -8000, "VND", false},
		"1 yen":                            {usual, 1, 8000, "JPY", true},
		"2 yen: only the dong is so small": {usual, 2, 8000, "JPY", false},
		"1 cent":                           {usual, -1, 8000, "USD", true},
		"2 cents":                          {usual, 2, 8000, "USD", false},
		"1 fils":                           {usual, 1, 8000, "KWD", true},
		"2 fils":                           {usual, 2, 8000, "KWD", false},
		"none":                             {Tolerance{}, 1, 8000, "USD", false},
		"of nothing":                       {usual, 1, 0, "USD", false},
		"no difference":                    {usual, 0, 8000, "USD", false},
		"relative is smaller":              {Tolerance{Minor: 100, BP: 10}, 9, 8000, "USD", false},
		"relative, its bound":              {Tolerance{Minor: 100, BP: 10}, 8, -8000, "USD", true},
		"absolute is smaller":              {Tolerance{Minor: 5, BP: 1000}, 6, 8000, "USD", false},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, c.tol.within(c.diff, c.expected, c.currency))
		})
	}
}

func refundedAt(at time.Time, amount int64) func(*Facts) {
	return func(f *Facts) { f.Refunds = append(f.Refunds, Refund{Ref: "R" + at.String(), At: at, Amount: amount}) }
}

func TestARefundWaitsForItsOwnPayout(t *testing.T) {
	now := day.Add(20 * 24 * time.Hour)
	late, long := now.Add(-time.Hour), day
	for name, c := range map[string]struct {
		facts *Facts
		lines []Line
		want  Outcome
		cause CauseCode
	}{
		"given an hour ago":              {sold("A", 200000, refundedAt(late, 30000)), nil, PartiallySettled, CauseNotYet},
		"given long ago":                 {sold("A", 200000, refundedAt(long, 30000)), nil, RefundMismatch, CauseRefund},
		"the first came, the last waits": {sold("A", 200000, refundedAt(long, 30000), refundedAt(late, 20000)), came("A", marketplace.RefundPrincipal, -30000), PartiallySettled, CauseNotYet},
		"the last came, the first is missing": {sold("A", 200000, refundedAt(long, 30000), refundedAt(late, 20000)), came("A", marketplace.RefundPrincipal, -20000),
			RefundMismatch, CauseRefund},
		"another amount came": {sold("A", 200000, refundedAt(late, 30000)), came("A", marketplace.RefundPrincipal, -25000), RefundMismatch, CauseRefund},
		"more came":           {sold("A", 200000, refundedAt(late, 30000)), came("A", marketplace.RefundPrincipal, -35000), RefundMismatch, CauseRefund},
	} {
		t.Run(name, func(t *testing.T) {
			o := verdict(t, caseOf(c.facts, append(full("A", 200000, 8000), c.lines...)...))
			require.Equal(t, c.want, o.Outcome, "%+v", o.Causes)
			require.Equal(t, c.cause, o.Causes[0].Code)
		})
	}
}

func TestAFeeRefundWaitsWithItsRefund(t *testing.T) {
	back := Tariff{Key: "back", Category: marketplace.FeeRefund, RateBP: 400, Base: []marketplace.Category{marketplace.RefundPrincipal}, From: day.Add(-time.Hour)}
	c := caseOf(sold("A", 200000, refundedAt(day.Add(20*24*time.Hour), 50000)), full("A", 200000, 8000)...)
	c.Tariffs = append(c.Tariffs, back)
	require.Equal(t, PartiallySettled, verdict(t, c).Outcome)
	c.Now = day.Add(60 * 24 * time.Hour)
	o := verdict(t, c)
	require.Equal(t, RefundMismatch, o.Outcome)
	require.EqualValues(t, 2000, o.ByKind[marketplace.FeeRefund].Expected)
}

// A tariff on what remains after refunds is lowered by them.
func TestABaseOfPrincipalLessRefunds(t *testing.T) {
	for _, c := range []struct{ back, want int64 }{{50000, 6000}, {200000, 0}, {250000, 0}} {
		f := *sold("A", 200000, gaveBack(c.back))
		got, err := Tariff{Base: []marketplace.Category{marketplace.Principal, marketplace.RefundPrincipal}, RateBP: 400}.takes(f)
		require.NoError(t, err)
		require.Equal(t, c.want, got)
	}
}

func TestAChargebackThatWasReversedIsNone(t *testing.T) {
	o := verdict(t, caseOf(sold("A", 200000), append(full("A", 200000, 8000), came("A", marketplace.Chargeback, -9000, marketplace.ChargebackReversal, 9000)...)...))
	require.Equal(t, Matched, o.Outcome)
	require.Empty(t, o.Causes)
	o = verdict(t, caseOf(sold("A", 200000), append(full("A", 200000, 8000), came("A", marketplace.Chargeback, -9000, marketplace.ChargebackReversal, 4000)...)...))
	require.Equal(t, RefundMismatch, o.Outcome)
	require.EqualValues(t, -5000, o.Causes[0].Amount)
}

func TestAFeeOfACancelledOrderIsAVariance(t *testing.T) {
	cancelled := func(f *Facts) { f.Cancelled = true }
	o := verdict(t, caseOf(sold("A", 200000, cancelled, gaveBack(200000)), came("A", marketplace.Commission, -8000)...))
	require.Equal(t, FeeVariance, o.Outcome)
	require.EqualValues(t, -8000, o.Difference)
}

// A channel that names no items settles an order as a whole, twice too.
func TestAnOrderWithoutItemNumbersPaidTwice(t *testing.T) {
	two := sold("A", 120000, func(f *Facts) {
		f.Items = append(f.Items, Item{ID: "A-2", SKU: "CUP", Units: 1, Parts: []Part{{marketplace.Principal, 80000}}})
	})
	require.Equal(t, Matched, verdict(t, caseOf(two, full("A", 200000, 8000)...)).Outcome)
	o := verdict(t, caseOf(two, append(full("A", 200000, 8000), inPayout(2, full("A", 200000, 8000))...)...))
	require.Equal(t, DuplicateSettlement, o.Outcome)
	for _, c := range o.Causes {
		require.Equal(t, CauseDuplicate, c.Code)
	}
}

// An item of two units is paid twice whether they come together or one by one.
func TestAnItemPaidTwiceUnitByUnit(t *testing.T) {
	two := sold("A", 200000, func(f *Facts) { f.Items[0].Units = 2 })
	paid := func(quantity int, amounts ...int) (out []Line) {
		for _, n := range amounts {
			l := came("A", marketplace.Principal, n)
			l[0].Item, l[0].Quantity = "A-1", quantity
			out = append(out, l...)
		}
		return out
	}
	fees := full("A", 200000, 8000)[1:]
	for name, c := range map[string]struct {
		lines []Line
		want  Outcome
	}{
		"once":                               {paid(1, 100000, 100000), Matched},
		"twice":                              {paid(1, 100000, 100000, 100000, 100000), DuplicateSettlement},
		"twice, without saying so":           {paid(0, 100000, 100000, 100000, 100000), DuplicateSettlement},
		"together, then one by one":          {append(paid(2, 200000), paid(1, 100000, 100000)...), DuplicateSettlement},
		"at two prices, as they say":         {paid(1, 120000, 80000, 120000, 80000), DuplicateSettlement},
		"one of them twice":                  {paid(1, 100000, 100000, 100000), AmountDiffers},
		"as much again, but not of its kind": {append(paid(2, 200000), paid(0, 150000, 50000)...), AmountDiffers},
		"twice and reversed":                 {paid(1, 100000, 100000, 100000, 100000, -100000, -100000), Matched},
	} {
		t.Run(name, func(t *testing.T) {
			o := verdict(t, caseOf(two, append(slices.Clone(fees), c.lines...)...))
			require.Equal(t, c.want, o.Outcome, "%+v", o.Causes)
			if c.want == DuplicateSettlement {
				require.Equal(t, CauseDuplicate, o.Causes[0].Code)
				require.EqualValues(t, 200000, o.Causes[0].Amount)
			}
		})
	}
}

func TestALineInAnotherCurrencyOfAKnownOrderIsNotMissingInTheStore(t *testing.T) {
	lines := full("A", 200000, 8000)
	lines[0].Amount.Currency = "USD"
	all, err := Judge(caseOf(sold("A", 200000), lines...))
	require.NoError(t, err)
	require.Equal(t, Matched, all[1].Lines[0].Outcome)
	all, err = Judge(caseOf(sold("A", 200000, notInStore), full("A", 200000, 8000)[0], lines[0]))
	require.NoError(t, err)
	for _, o := range all {
		require.Equal(t, MissingInStore, o.Outcome)
	}
}

// Amounts whose parts could wrap around are refused, also where their total would not.
func TestSumsBeyondInt64AreErrors(t *testing.T) {
	huge := int64(math.MaxInt64 - 1)
	line := func(minor int64) Line {
		return Line{PayoutLine: connector.PayoutLine{Payout: 1, Order: "A", Category: string(marketplace.Principal), Amount: money.New(minor, "VND")}}
	}
	for name, c := range map[string]Case{
		"lines that cancel out":    caseOf(sold("A", 1), line(huge), line(-huge)),
		"the smallest number":      caseOf(sold("A", 1), line(math.MinInt64)),
		"expectations":             caseOf(sold("A", huge)),
		"refunds":                  caseOf(sold("A", 1, gaveBack(huge), gaveBack(huge))),
		"nobody knows the order":   caseOf(nil, line(huge), line(-huge)),
		"a fixed fee of a tariff":  withTariff(caseOf(sold("A", 200000)), Tariff{Category: marketplace.FixedFee, Fixed: math.MaxInt64}),
		"the lowest fee of one":    withTariff(caseOf(sold("A", 200000)), Tariff{Category: marketplace.FixedFee, Minimum: math.MaxInt64}),
		"parts of one order alone": caseOf(sold("A", huge, voucher(huge))),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Judge(c)
			require.ErrorIs(t, err, money.ErrOverflow)
		})
	}
	a, b := newBridge("VND"), newBridge("VND")
	require.NoError(t, a.loose(Verdict{Line: line(mostLoad).PayoutLine}))
	require.NoError(t, b.loose(Verdict{Line: line(mostLoad).PayoutLine}))
	require.ErrorIs(t, a.join(b), money.ErrOverflow)
}

func withTariff(c Case, t Tariff) Case {
	t.Key, t.From = "huge", day.Add(-time.Hour)
	c.Tariffs = append(c.Tariffs, t)
	return c
}

func made(t *testing.T, store connector.Payouts, q Query) *Report {
	t.Helper()
	r, err := Make(context.Background(), Keep{Payouts: store}, []Account{shopee}, q, day.Add(20*24*time.Hour))
	require.NoError(t, err)
	return r
}

// What was known then has one name, whenever one asks.
func TestASnapshotIsNamedForWhatItShows(t *testing.T) {
	store := memstore.New()
	example(t, store)
	now := made(t, store, Query{})
	require.Equal(t, now.Snapshot, made(t, store, Query{AsOf: day.Add(20 * 24 * time.Hour)}).Snapshot)
	require.NotEqual(t, now.Snapshot, made(t, store, Query{Sort: "order"}).Snapshot)
	know(t, store, day.Add(2*time.Hour), sold("A", 500000, voucher(20000), func(f *Facts) { f.Delivered = day.Add(100 * time.Hour) }))
	require.NotEqual(t, now.Snapshot, made(t, store, Query{}).Snapshot, "a file has a column for it")
}

// A difference stands in the payout it arose in, and no amount of another currency beside it.
func TestWhatIsOpenStandsInOnePayout(t *testing.T) {
	store := memstore.New()
	price(t, store, day, vnTariffs()...)
	know(t, store, day, sold("A", 200000), sold("B", 100000))
	lines := full("A", 200000, 9000)
	put(t, store, "ST-1", day, nil, lines[0])
	foreign := came("B", marketplace.Compensation, 77)
	foreign[0].Amount.Currency = "USD"
	paid := int64(-9000 - 10000 - 2000 - 1000 + 89500)
	put(t, store, "ST-2", day, &paid, append(append(lines[1:], full("B", 100000, 4000)...), foreign...)...)
	r := made(t, store, Query{})
	require.Len(t, r.Payouts, 2)
	require.EqualValues(t, 0, r.Payouts[0].Open)
	require.EqualValues(t, -1000, r.Payouts[1].Open)
	require.True(t, r.Payouts[1].Proven())
	require.Equal(t, 2, r.Summary[len(r.Summary)-1].Orders, "A and B count once")
}

func TestAPayoutsOutcomeNamesWhereTheMoneyWentWrong(t *testing.T) {
	for state, want := range map[connector.PayoutState]string{connector.PayoutOpen: "open", connector.PayoutFailed: "failed", connector.PayoutReturned: "returned", connector.PayoutPaid: "proven", connector.PayoutClosed: "proven"} {
		require.Equal(t, want, Paid{Payout: connector.Payout{State: state}}.Outcome())
	}
	require.Equal(t, "not_proven", Paid{Payout: connector.Payout{State: connector.PayoutPaid, Declared: 1}}.Outcome())
}

// Money of an order whose number is lost is never called money of no order.
func TestALineThatMustBelongToAnOrderIsUnplaced(t *testing.T) {
	store := memstore.New()
	put(t, store, "ST-1", day, nil, came("", marketplace.Principal, 5000, marketplace.Penalty, -70)...)
	r := made(t, store, Query{})
	require.Equal(t, Ambiguous, all(t, r.Lines)[0].Outcome)
	require.Equal(t, NonOrder, all(t, r.Lines)[1].Outcome)
	require.EqualValues(t, 5000, r.Summary[0].Unplaced)
	require.Equal(t, 1, r.Payouts[0].Unmatched)
	know(t, store, day, sold("A", 200000))
	put(t, store, "ST-2", day, nil, append(full("A", 200000, 8000), came("A", marketplace.Unclassified, -7)...)...)
	require.Equal(t, 1, made(t, store, Query{}).Payouts[1].Unmatched, "a line of an order that nobody has classified")
}

// The columns of a payout are its own lines, however the report is narrowed.
func TestAPayoutsColumnsAddUpWhateverIsAskedFor(t *testing.T) {
	store := memstore.New()
	example(t, store)
	wide, narrow := whole(t, made(t, store, Query{}), "payout"), whole(t, made(t, store, Query{Categories: []marketplace.Category{marketplace.Commission}}), "payout")
	require.Equal(t, wide.Rows[0][2:], narrow.Rows[0][2:])
}

// A variance stands in the last payout that has a line of its category.
func TestAVarianceStandsInTheLastPayoutOfItsCategory(t *testing.T) {
	lines := append(full("A", 200000, 5000), inPayout(2, came("A", marketplace.Commission, -4000))...)
	lines = append(lines, inPayout(3, came("A", marketplace.Compensation, 10))...)
	lines[len(lines)-2].PaidAt, lines[len(lines)-1].PaidAt = day.Add(11*24*time.Hour), day.Add(12*24*time.Hour)
	o := verdict(t, caseOf(sold("A", 200000), lines...))
	require.Len(t, o.Shares, 3)
	require.Empty(t, o.Shares[0].Variance)
	require.EqualValues(t, -1000, o.Shares[1].Variance[CauseCommission])
	require.EqualValues(t, 10, o.Shares[2].Variance[CauseCompensation])
	require.Equal(t, day.Add(10*24*time.Hour), o.First)
	require.Equal(t, day.Add(12*24*time.Hour), o.Last)
}

func TestLinesByAnotherNumberNameTheirOrder(t *testing.T) {
	store := memstore.New()
	price(t, store, day, vnTariffs()...)
	know(t, store, day, sold("B", 200000, func(f *Facts) { f.Aliases = []string{"M-1", "M-1"} }), sold("A", 200000))
	put(t, store, "ST-1", day, nil, full("M-1", 200000, 8000)...)
	r := made(t, store, Query{})
	lines := whole(t, r, "line")
	require.Equal(t, "channel_order_id", lines.Columns[9])
	for i, row := range lines.Rows {
		require.Equal(t, "B", row[9].Text)
		require.Equal(t, "alias", all(t, r.Lines)[i].Rule)
	}
}

// B6: what could be of several orders is shown, and never chosen.
func TestALineByANumberOfTwoOrdersIsAmbiguous(t *testing.T) {
	also := func(f *Facts) { f.Aliases = []string{"M-1"} }
	named := full("M-1", 200000, 8000)
	aside := full("", 200000, 8000)
	for i := range aside {
		aside[i].Alias = "M-1"
	}
	for name, lines := range map[string][]Line{"in the place of the number": named, "beside it": aside} {
		t.Run(name, func(t *testing.T) {
			store := memstore.New()
			price(t, store, day, vnTariffs()...)
			know(t, store, day, sold("B", 700000, also), sold("C", 300000, also), sold("A", 200000, also))
			p := put(t, store, "ST-1", day, nil, lines...)
			r := made(t, store, Query{})
			for i, l := range all(t, r.Lines) {
				require.Equal(t, []any{Ambiguous, "A B C", "", ""}, []any{l.Outcome, l.Candidate, l.Rule, l.Ref})
				require.Equal(t, "A B C", whole(t, r, "line").Rows[i][9].Text)
			}
			require.EqualValues(t, 179000, r.Summary[0].Unplaced)
			for _, o := range all(t, r.Orders) {
				require.Equal(t, MissingInSettlement, o.Outcome, o.Ref)
			}
			desk := Desk{Keep{Payouts: store}, func() time.Time { return day.Add(20 * days) }}
			var ids []string
			for _, l := range all(t, r.Lines) {
				ids = append(ids, LineID(p.Account, p.External, l.Line))
			}
			m, err := desk.Match(t.Context(), shopee, "A", ids, "", By{Name: "anna"})
			require.NoError(t, err)
			require.Zero(t, made(t, store, Query{}).Summary[0].Unplaced, "a person has said whose they are")
			know(t, store, day.Add(time.Hour), sold("M-1", 200000))
			require.NoError(t, desk.Unmatch(t.Context(), shopee, m.ID, By{Name: "anna"}))
			for _, l := range all(t, made(t, store, Query{}).Lines) {
				require.Equal(t, "M-1", l.Ref, "an order of that very number")
			}
		})
	}
}

func TestALineWithoutAnOrderIsSuggestedNearItsAmountAndItsTime(t *testing.T) {
	placed, due := day, sold("A", 0).ShippedAt.Add(shopee.Terms.Wait+shopee.Terms.Every)
	for name, row := range map[string]struct {
		amount    int
		posted    time.Time
		orders    []string
		outcome   Outcome
		candidate string
	}{
		"just it":                    {200000, due, []string{"A"}, Suggested, "A"},
		"within the tolerance":       {199950, due, []string{"A"}, Suggested, "A"},
		"beyond the tolerance":       {199899, due, []string{"A"}, Ambiguous, ""},
		"two orders that fit":        {200000, due, []string{"A", "B"}, Ambiguous, "A B"},
		"long before it was placed":  {200000, placed.Add(-4 * 24 * time.Hour), []string{"A"}, Ambiguous, ""},
		"shortly before":             {200000, placed.Add(-2 * 24 * time.Hour), []string{"A"}, Suggested, "A"},
		"late":                       {200000, due.Add(9 * 24 * time.Hour), []string{"A"}, Suggested, "A"},
		"too late":                   {200000, due.Add(10 * 24 * time.Hour), []string{"A"}, Ambiguous, ""},
		"at a time nobody has named": {200000, time.Time{}, []string{"A"}, Suggested, "A"},
	} {
		t.Run(name, func(t *testing.T) {
			store := memstore.New()
			for _, ref := range row.orders {
				know(t, store, day, sold(ref, 200000))
			}
			lines := came("", marketplace.Principal, row.amount)
			lines[0].PostedAt = row.posted
			put(t, store, "ST-1", day, nil, lines...)
			v := all(t, made(t, store, Query{}).Lines)[0]
			require.Equal(t, []any{row.outcome, row.candidate}, []any{v.Outcome, v.Candidate})
		})
	}
}

// B6.4: several lines against one expectation, or one line against several, are told as a group where
// their sums agree.
func TestLinesThatAgreeTogetherAreAGroup(t *testing.T) {
	two := func(f *Facts) {
		f.Items = append(f.Items, Item{ID: "A-2", SKU: "TEA", Units: 1, Parts: []Part{{marketplace.Principal, 50000}}})
	}
	rules := func(f *Facts, lines ...Line) (out []string) {
		for _, v := range verdict(t, caseOf(f, lines...)).Lines {
			out = append(out, v.Rule)
		}
		return out
	}
	numbered := func(lines []Line) []Line {
		for i := range lines {
			lines[i].No = i + 1
		}
		return lines
	}
	halves := numbered(append(came("A", marketplace.Principal, 60000), came("A", marketplace.Principal, 40000)...))
	require.Equal(t, []string{"group", "group"}, rules(sold("A", 100000), halves...))
	require.Equal(t, []string{"group"}, rules(sold("A", 100000, two), came("A", marketplace.Principal, 150000)...))
	short := numbered(append(came("A", marketplace.Principal, 60000), came("A", marketplace.Principal, 30000)...))
	require.Equal(t, []string{"order", "order"}, rules(sold("A", 100000), short...), "they do not agree")
	require.Equal(t, []string{"order"}, rules(sold("A", 100000), came("A", marketplace.Principal, 100000)...))
}
