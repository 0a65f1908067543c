package payout

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// deferred is money of order D that the channel holds back until an instant.
func deferred(until time.Time) marketplace.Deferral {
	return marketplace.Deferral{ID: "T1", Order: "D", Amount: money.New(89500, "VND"), PostedAt: day, Until: until, Reason: "DD7"}
}

func (o *office) hears(told ...marketplace.Deferral) int {
	o.Helper()
	n, err := Keeper{o.store}.KeepDeferrals(o.Context(), shopee.ID, told, o.now)
	require.NoError(o, err)
	return n
}

func (o *office) order(ref string, asOf time.Time) OrderRow {
	o.Helper()
	r, err := Make(o.Context(), Keep{Payouts: o.store}, []Account{shopee}, Query{AsOf: asOf}, o.now)
	require.NoError(o, err)
	for _, row := range all(o, r.Orders) {
		if row.Ref == ref {
			return row
		}
	}
	require.Fail(o, "no such order", ref)
	return OrderRow{}
}

func TestMoneyThatIsHeldBackIsNotOverdue(t *testing.T) {
	o := newOffice(t)
	require.Equal(t, MissingInSettlement, o.order("D", time.Time{}).Outcome)
	before := o.now
	o.now = o.now.Add(time.Hour)
	until := o.now.Add(3 * days)
	require.Equal(t, 1, o.hears(deferred(until)))
	row := o.order("D", time.Time{})
	require.Equal(t, []any{AwaitingRelease, until}, []any{row.Outcome, row.DueAt})
	require.Equal(t, "89500", row.JSON().Held.Amount)
	require.Equal(t, MissingInSettlement, o.order("D", before).Outcome, "as it was known")

	require.Zero(t, o.hears(deferred(until)), "told again it is no news")
	o.now = until
	require.Equal(t, MissingInSettlement, o.order("D", time.Time{}).Outcome, "the date has passed")
}

func TestAReleaseCountsOnceInWhateverOrderItComes(t *testing.T) {
	back := marketplace.Deferral{ID: "T1", Order: "D", Amount: money.New(89500, "VND"), Released: true, ReleasedAt: day.Add(days)}
	for name, told := range map[string][]marketplace.Deferral{
		"deferred, released": {deferred(time.Time{}), back},
		"released, deferred": {back, deferred(time.Time{})},
		"all at once again":  {deferred(time.Time{}), back, deferred(time.Time{}), back},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			for _, d := range told {
				o.now = o.now.Add(time.Hour)
				o.hears(d)
			}
			row := o.order("D", time.Time{})
			require.Equal(t, MissingInSettlement, row.Outcome)
			require.Nil(t, row.Held)
			n := 0
			require.NoError(t, o.store.Facts(t.Context(), shopee.ID, connector.DeferralFacts, time.Time{}, func(connector.PayoutFacts) error { n++; return nil }))
			require.Equal(t, 1, n)
		})
	}
}

func TestMoneyHeldWithoutADateWaits(t *testing.T) {
	o := newOffice(t)
	o.hears(deferred(time.Time{}))
	row := o.order("D", time.Time{})
	require.Equal(t, AwaitingRelease, row.Outcome)
	require.True(t, row.DueAt.IsZero())
}

// A trifle that is held back excuses nothing but itself.
func TestAHoldExcusesOnlyWhatItHolds(t *testing.T) {
	later := day.Add(90 * days)
	for name, row := range map[string]struct {
		held money.Money
		want Outcome
	}{
		"all that is missing":          {money.New(89500, "VND"), AwaitingRelease},
		"more, of another tariff":      {money.New(95000, "VND"), AwaitingRelease},
		"less by fees without tariffs": {money.New(60000, "VND"), AwaitingRelease},
		"just the greater part":        {money.New(44750, "VND"), AwaitingRelease},
		"the smaller part":             {money.New(44749, "VND"), MissingInSettlement},
		"a fee":                        {money.New(-10, "VND"), MissingInSettlement},
		"a refund of all":              {money.New(-89500, "VND"), MissingInSettlement},
		"nothing":                      {money.New(0, "VND"), MissingInSettlement},
		"another currency":             {money.New(89500, "USD"), MissingInSettlement},
	} {
		t.Run(name, func(t *testing.T) {
			for _, until := range []time.Time{{}, later} {
				o := newOffice(t)
				due := o.order("D", time.Time{}).DueAt
				d := deferred(until)
				d.Amount = row.held
				o.hears(d)
				got := o.order("D", time.Time{})
				require.Equal(t, row.want, got.Outcome)
				require.Equal(t, row.held, got.Held.Amount, "it is shown")
				if row.want == MissingInSettlement {
					require.Equal(t, due, got.DueAt)
				} else {
					require.Equal(t, until, got.DueAt)
				}
			}
		})
	}
}

func TestARefundThatIsHeldBackIsWaitedFor(t *testing.T) {
	c := caseOf(sold("A", 200000, gaveBack(30000)), full("A", 200000, 8000)...)
	require.Equal(t, RefundMismatch, verdict(t, c).Outcome)
	c.Held = &Held{Amount: money.New(-30000, "VND")}
	require.Equal(t, PartiallySettled, verdict(t, c).Outcome)
	c.Held = &Held{Amount: money.New(30000, "VND")}
	require.Equal(t, RefundMismatch, verdict(t, c).Outcome)
}
