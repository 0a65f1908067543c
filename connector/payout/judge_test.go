package payout

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

var day = time.Date(2026, 11, 2, 3, 10, 0, 0, time.UTC)

// vnTariffs are those of the worked example: commission 4 %, payment fee 5 %, withheld 1 % and 0.5 %.
func vnTariffs() []Tariff {
	from := time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC)
	return []Tariff{
		{Key: "commission", Category: marketplace.Commission, RateBP: 400, From: from},
		{Key: "payment", Category: marketplace.PaymentFee, RateBP: 500, From: from},
		{Key: "vat", Category: marketplace.WithheldVAT, RateBP: 100, From: from},
		{Key: "income", Category: marketplace.WithheldIncome, RateBP: 50, From: from},
	}
}

// sold is an order of one item in the store's books.
func sold(id string, price int64, edits ...func(*Facts)) *Facts {
	f := &Facts{Order: id, Store: "gid-" + id, Name: "#" + id, Currency: "VND", PlacedAt: day, ShippedAt: day.Add(24 * time.Hour),
		Items: []Item{{ID: id + "-1", SKU: "TEA", Units: 1, Parts: []Part{{marketplace.Principal, price}}}}}
	for _, e := range edits {
		e(f)
	}
	return f
}

func voucher(amount int64) func(*Facts) {
	return func(f *Facts) {
		f.Items[0].Parts = append(f.Items[0].Parts, Part{marketplace.SellerDiscount, -amount})
	}
}

func gaveBack(amount int64) func(*Facts) {
	return func(f *Facts) { f.Refunds = append(f.Refunds, Refund{Ref: "R1", At: day, Amount: amount}) }
}

func notInStore(f *Facts) { f.Store = "" }

// came is lines of one order in the first payout, category and amount by turns.
func came(id string, pairs ...any) []Line {
	var out []Line
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, Line{PaidAt: day.Add(10 * 24 * time.Hour), PayoutLine: connector.PayoutLine{Payout: 1, No: i + 1, Order: id,
			Category: string(pairs[i].(marketplace.Category)), Amount: money.New(int64(pairs[i+1].(int)), "VND")}})
	}
	return out
}

// full is what the example's channel pays for a price, the commission given.
func full(id string, price, commission int) []Line {
	return came(id, marketplace.Principal, price, marketplace.Commission, -commission, marketplace.PaymentFee, -price/20,
		marketplace.WithheldVAT, -price/100, marketplace.WithheldIncome, -price/200)
}

// inPayout puts lines into another payout.
func inPayout(n int, lines []Line) []Line {
	for i := range lines {
		lines[i].Payout, lines[i].Rank = int64(n), n-1
	}
	return lines
}

func caseOf(f *Facts, lines ...Line) Case {
	c := Case{Order: "A", Facts: f, Lines: lines, Tariffs: vnTariffs(), Terms: Terms{Wait: 7 * 24 * time.Hour}, Now: day.Add(20 * 24 * time.Hour)}
	if f != nil {
		c.Order = f.Order
	}
	return c
}

func verdict(t *testing.T, c Case) Order {
	t.Helper()
	all, err := Judge(c)
	require.NoError(t, err)
	require.Len(t, all, 1)
	o := all[0]
	var sum, shares int64
	for _, x := range o.Causes {
		sum += x.Amount
	}
	require.Equal(t, o.Difference, sum, "I3: the causes of an order are its difference")
	for _, s := range o.Shares {
		part := s.Expected
		for _, v := range s.Variance {
			part += v
		}
		require.Equal(t, s.Amount, part, "a share is what was expected of it and its variances")
		shares += s.Amount
	}
	require.Equal(t, o.Actual, shares)
	return o
}

func early(c Case) Case { c.Now = day.Add(48 * time.Hour); return c }

func TestOutcomes(t *testing.T) {
	a := func(edits ...func(*Facts)) *Facts { return sold("A", 200000, edits...) }
	for name, c := range map[string]struct {
		of    Case
		want  Outcome
		diff  int64
		cause CauseCode
	}{
		"every category as expected":              {caseOf(a(), full("A", 200000, 8000)...), Matched, 0, ""},
		"a voucher of the seller lowers the base": {caseOf(sold("A", 500000, voucher(20000)), append(full("A", 480000, 19200), came("A", marketplace.Principal, 20000, marketplace.SellerDiscount, -20000)...)...), Matched, 0, ""},
		"the commission is higher":                {caseOf(a(), full("A", 200000, 10000)...), FeeVariance, -2000, CauseCommission},
		"withheld tax alone differs":              {caseOf(a(), append(full("A", 200000, 8000), came("A", marketplace.WithheldVAT, -500)...)...), TaxVariance, -500, CauseWithheld},
		"less by 100 dong":                        {caseOf(a(), full("A", 200000, 8100)...), WithinTolerance, -100, CauseRounding},
		"the price differs":                       {caseOf(a(), append(full("A", 200000, 8000), came("A", marketplace.Principal, -5000)...)...), AmountDiffers, -5000, CausePrice},
		"nothing came and it is due":              {caseOf(a()), MissingInSettlement, -179000, CauseNotYet},
		"nothing came yet":                        {early(caseOf(a())), AwaitingRelease, -179000, CauseNotYet},
		"the fees are still to come":              {early(caseOf(a(), came("A", marketplace.Principal, 200000)...)), PartiallySettled, 21000, CauseNotYet},
		"the store has never seen it":             {caseOf(a(notInStore), full("A", 200000, 8000)...), MissingInStore, 179000, CauseUnknown},
		"nobody knows the order":                  {caseOf(nil, full("A", 200000, 8000)...), MissingInStore, 179000, CauseUnknown},
		"paid twice":                              {caseOf(a(), append(full("A", 200000, 8000), inPayout(2, full("A", 200000, 8000))...)...), DuplicateSettlement, 179000, CauseDuplicate},
		"paid twice and reversed":                 {caseOf(a(), append(append(full("A", 200000, 8000), inPayout(2, full("A", 200000, 8000))...), inPayout(3, full("A", -200000, -8000))...)...), Matched, 0, ""},
		"R-141_refunded at the channel alone":     {caseOf(a(), append(full("A", 200000, 8000), came("A", marketplace.RefundPrincipal, -30000)...)...), RefundMismatch, -30000, CauseRefund},
		"R-139_refunded on both sides":            {caseOf(a(gaveBack(30000)), append(full("A", 200000, 8000), came("A", marketplace.RefundPrincipal, -25000, marketplace.RefundShipping, -5000)...)...), Matched, 0, ""},
		"refunded in the store alone":             {caseOf(a(gaveBack(30000)), full("A", 200000, 8000)...), RefundMismatch, 30000, CauseRefund},
		"charged back":                            {caseOf(a(), append(full("A", 200000, 8000), came("A", marketplace.Chargeback, -200000)...)...), RefundMismatch, -200000, CauseChargeback},
		"compensated: the line explains itself":   {caseOf(a(), append(full("A", 200000, 8000), came("A", marketplace.Compensation, 1500)...)...), Matched, 1500, CauseCompensation},
		"a line nobody has classified":            {caseOf(a(), append(full("A", 200000, 8000), came("A", marketplace.Unclassified, -7)...)...), AmountDiffers, -7, CauseUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			o := verdict(t, c.of)
			require.Equal(t, c.want, o.Outcome, "%+v", o.Causes)
			require.Equal(t, c.diff, o.Difference)
			if c.cause != "" {
				require.Equal(t, c.cause, o.Causes[0].Code)
			}
		})
	}
}

func TestAFeeThatNoTariffCoversIsNoVariance(t *testing.T) {
	c := caseOf(sold("A", 200000), full("A", 200000, 8000)...)
	c.Tariffs = nil
	o := verdict(t, c)
	require.Equal(t, Matched, o.Outcome)
	for _, x := range o.Causes {
		require.Equal(t, CauseUnknown, x.Code)
		require.True(t, x.Told)
	}
}

func TestTwoCurrenciesAreNeverAdded(t *testing.T) {
	lines := full("A", 200000, 8000)
	lines[0].Amount.Currency = "USD"
	all, err := Judge(caseOf(sold("A", 200000), lines...))
	require.NoError(t, err)
	require.Len(t, all, 2)
	for _, o := range all {
		require.Equal(t, CurrencyMismatch, o.Outcome)
	}
	require.EqualValues(t, 200000, all[1].Actual)
}

func TestATariffCountsFromItsInstantOn(t *testing.T) {
	dear := Tariff{Key: "commission-2027", Category: marketplace.Commission, RateBP: 600, From: day.Add(time.Hour)}
	c := caseOf(sold("A", 200000), full("A", 200000, 8000)...)
	c.Tariffs = append(c.Tariffs, dear)
	require.Equal(t, Matched, verdict(t, c).Outcome, "placed before")
	c.Facts.PlacedAt = dear.From
	require.Equal(t, FeeVariance, verdict(t, c).Outcome, "placed at that instant")
}

func TestATariffBeyondAllMeasureIsRefused(t *testing.T) {
	fee := Tariff{Key: "fee", Category: marketplace.FixedFee, Currency: "VND", From: day}
	for _, set := range []func(*Tariff, int64){
		func(t *Tariff, n int64) { t.Fixed = n },
		func(t *Tariff, n int64) { t.Maximum = n },
		func(t *Tariff, n int64) { t.Minimum, t.Maximum = n, n },
	} {
		set(&fee, mostAmount)
		require.NoError(t, fee.Check())
		set(&fee, mostAmount+1)
		require.ErrorContains(t, fee.Check(), "far beyond what a channel takes")
		set(&fee, 0)
	}
}

func TestTheVerdictDoesNotDependOnTheOrderOfLines(t *testing.T) {
	lines := append(full("A", 200000, 10000), inPayout(2, came("A", marketplace.RefundPrincipal, -30000, marketplace.Compensation, 5))...)
	want := verdict(t, caseOf(sold("A", 200000), slices.Clone(lines)...))
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		c := caseOf(sold("A", 200000), slices.Clone(lines)...)
		r.Shuffle(len(c.Lines), func(i, k int) { c.Lines[i], c.Lines[k] = c.Lines[k], c.Lines[i] })
		r.Shuffle(len(c.Tariffs), func(i, k int) { c.Tariffs[i], c.Tariffs[k] = c.Tariffs[k], c.Tariffs[i] })
		require.Equal(t, want, verdict(t, c))
	}
}

func TestRatesRoundHalfToEven(t *testing.T) {
	for _, c := range []struct{ amount, bp, want int64 }{{50, 100, 0}, {150, 100, 2}, {250, 100, 2}, {251, 100, 3}, {-150, 100, -2}, {0, 5000, 0}, {1 << 62, 10000, 1 << 62}} {
		require.Equal(t, c.want, rate(c.amount, c.bp), "%d at %d", c.amount, c.bp)
	}
}
