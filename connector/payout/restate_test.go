package payout

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/marketplace"
)

// closed is the worked example with its November closed on the 3rd of December, the next day.
func closed(t *testing.T) (*office, Closing) {
	o := newOffice(t)
	o.now = time.Date(2026, 12, 3, 9, 0, 0, 0, time.UTC)
	c, err := o.desk.Close(t.Context(), shopee, "2026-11", By{Name: "anna"})
	require.NoError(t, err)
	o.now = o.now.Add(days)
	return o, c
}

// month is the report of a month, as it is asked for in the account's zone.
func (o *office) month(month string, a Account) *Report {
	o.Helper()
	q, err := ofMonth(month, a.Zone)
	require.NoError(o, err)
	return o.asked(q, a)
}

func (o *office) asked(q Query, a ...Account) *Report {
	o.Helper()
	r, err := Make(o.Context(), o.desk.Keep, a, q, o.now)
	require.NoError(o, err)
	return r
}

// news are a report's rows about closed months.
func (o *office) news(r *Report) (out []string) {
	for _, row := range all(o, r.Orders) {
		if row.Prior != "" {
			out = append(out, row.Ref+" of "+row.Prior+" is "+string(row.Outcome))
		}
	}
	for _, p := range r.PayoutRows() {
		if p.Prior != "" {
			out = append(out, p.External+" of "+p.Prior)
		}
	}
	return out
}

// What becomes known of a closed month is news of the open one, and no money is in neither.
func TestWhatBecomesKnownOfAClosedMonthIsNewsOfTheOpenOne(t *testing.T) {
	november := full("B", 200000, 10000)
	november = append(november, came("A", marketplace.Principal, 500000, marketplace.SellerDiscount, -20000, marketplace.Commission, -19200, marketplace.PaymentFee, -24000,
		marketplace.WithheldVAT, -4800, marketplace.WithheldIncome, -2400)...)
	for name, c := range map[string]struct {
		later func(o *office)
		news  []string
		paid  int64 // more than was known
	}{
		"nothing": {func(o *office) {}, nil, 0},
		"a payout of it comes late": {func(o *office) {
			put(o.T, o.store, "ST-80", o.now, nil, append(came("", marketplace.Advertising, -30000), came("", marketplace.ReserveRelease, 40000)...)...)
		}, []string{"ST-80 of 2026-11"}, 10000},
		"a payout of it is issued anew without an order": {func(o *office) {
			put(o.T, o.store, "ST-77", o.now, nil, november...)
		}, []string{"C of 2026-11 is matched", "ST-77 of 2026-11"}, 0},
		"an order that was overdue is cancelled": {func(o *office) {
			d := sold("D", 100000)
			d.Cancelled, d.Items = true, nil
			know(o.T, o.store, o.now, d)
		}, []string{"D of 2026-11 is matched"}, 0},
		"a difference has other causes": {func(o *office) {
			put(o.T, o.store, "ST-80", o.now, nil, append(came("B", marketplace.Commission, 2000), came("B", marketplace.PaymentFee, -2000)...)...)
		}, []string{"B of 2026-11 is fee_variance", "ST-80 of 2026-11"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			o, then := closed(t)
			c.later(o)
			require.Equal(t, then.Snapshot, o.month("2026-11", shopee).Snapshot, "the closed month is what it was")
			december := o.month("2026-12", shopee)
			require.Equal(t, c.news, o.news(december))
			require.Zero(t, len(december.Payouts), "none was paid in it")
			paid, difference := int64(0), int64(0)
			for _, s := range december.Summary {
				require.Zero(t, s.Paid)
				delete(s.Outcomes, MissingInSettlement) // D is still to come
				require.Empty(t, s.Outcomes, "news are beside the selection")
				paid, difference = s.Prior.Paid, s.Prior.Difference
			}
			if name == "a payout of it is issued anew without an order" {
				c.paid = 606600 - 590850
				require.EqualValues(t, -134250, difference)
			}
			require.Equal(t, c.paid, paid)
			for _, q := range []Query{{Payouts: []string{"ST-90"}}, {From: december.Query.From, To: december.Query.To, Currencies: []string{"USD"}}} {
				require.Empty(t, o.news(o.asked(q, shopee)), "not what is asked for")
			}
		})
	}
}

// journal is a report's entries by their number.
func (o *office) journal(r *Report) map[string]Entry {
	o.Helper()
	entries, err := Journal(o.Context(), o.store, r)
	require.NoError(o, err)
	out := map[string]Entry{}
	for _, e := range entries {
		require.NotContains(o, out, e.Number)
		out[e.Number] = e
	}
	return out
}

// Whatever becomes known of a closed month is entered in the open one, once: the journals of the
// months are the journal of everything.
func TestTheJournalsOfMonthsAreTheJournalOfEverything(t *testing.T) {
	o, _ := closed(t)
	before := o.journal(o.month("2026-11", shopee))
	require.Len(t, before, 1)
	put(t, o.store, "ST-80", o.now, nil, came("", marketplace.Advertising, -30000)...)
	put(t, o.store, "ST-77", o.now, nil, append(full("B", 200000, 10000), full("A", 480000, 19200)...)...)
	o.now = o.now.Add(time.Hour)
	put(t, o.store, "ST-77", o.now, nil, full("B", 200000, 10000)...)
	require.Equal(t, before, o.journal(o.month("2026-11", shopee)))
	december := o.journal(o.month("2026-12", shopee))
	require.ElementsMatch(t, []string{"shopee-vn-ST-80-1-202611", "shopee-vn-ST-77-1-202611-R", "shopee-vn-ST-77-2-202611", "shopee-vn-ST-77-2-202611-R", "shopee-vn-ST-77-3-202611"}, slices.Collect(maps.Keys(december)))
	both := maps.Clone(before)
	for n, e := range december {
		require.Equal(t, "2026-12-04", e.Date.Format(time.DateOnly), n)
		both[n] = e
	}
	require.Equal(t, both, o.journal(o.asked(Query{}, shopee)))
}

// An entry stays on the accounts it was made on when the chart changes; what had none then is entered
// on the first it was given.
func TestAnEntryIsNotEditedWhenTheChartChanges(t *testing.T) {
	o := newOffice(t)
	chart := func(advertising string) Account {
		a := shopee
		a.Chart = DefaultChart()
		a.Chart.Categories[marketplace.Advertising] = advertising
		return a
	}
	o.now = day.Add(time.Hour)
	require.NoError(t, o.desk.KeepSettings(t.Context(), chart("")))
	o.now = day.Add(20 * days)
	_, err := Journal(t.Context(), o.store, o.asked(Query{}, chart("")))
	require.ErrorAs(t, err, new(*UnmappedError))
	account := func(a Account) (out string) {
		for _, e := range o.journal(o.asked(Query{}, a)) {
			for _, p := range e.Postings {
				if p.Description == string(marketplace.Advertising) {
					out = p.Account
				}
			}
		}
		return out
	}
	require.Equal(t, "Expenses:Ads", account(chart("Expenses:Ads")), "at once")
	require.NoError(t, o.desk.KeepSettings(t.Context(), chart("Expenses:Ads")))
	o.now = o.now.Add(days)
	require.NoError(t, o.desk.KeepSettings(t.Context(), chart("Expenses:Other")))
	require.Equal(t, "Expenses:Ads", account(chart("Expenses:Other")), "for ever")
}

// A month is closed in the zone that the account had then, whatever its zone is now.
func TestAClosedMonthOutlivesItsZone(t *testing.T) {
	o, c := closed(t)
	moved := shopee
	moved.Zone = "America/Los_Angeles"
	put(t, o.store, "ST-80", o.now, nil, came("", marketplace.Advertising, -1)...)
	for name, r := range map[string]*Report{"in the old zone's instants": o.asked(must(ofMonth("2026-11", shopee.Zone)), moved), "by its name": o.month("2026-11", moved),
		"by its days": o.asked(Query{FromDay: "2026-11-01", ToDay: "2026-12-01", Sort: "order", Basis: ByPaid}, moved)} {
		require.Len(t, r.Closed, 1, name)
		require.Len(t, r.Payouts, 1, name)
		require.EqualValues(t, 590850, r.Summary[0].Paid, name)
		require.Equal(t, shopee.Zone, all(t, r.Orders)[0].Account.Zone, name)
	}
	require.Equal(t, c.Snapshot, o.asked(must(ofMonth("2026-11", shopee.Zone)), moved).Snapshot)
	require.Equal(t, []string{"ST-80 of 2026-11"}, o.news(o.month("2026-12", moved)))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Days are those of each account's zone, so that a month of several is closed where it is.
func TestDaysAreOfEachAccountsZone(t *testing.T) {
	o, _ := closed(t)
	other := Account{ID: "elsewhere", Zone: "America/Los_Angeles", Terms: shopee.Terms}
	put(t, o.store, "ST-80", o.now, nil, came("", marketplace.Advertising, -1)...)
	r := o.asked(Query{FromDay: "2026-11-01", ToDay: "2026-12-01"}, other, shopee)
	require.Len(t, r.Closed, 1)
	require.EqualValues(t, 590850, r.Summary[0].Paid)
}

// Months are closed and opened in their order: what becomes known is news of one month only.
func TestMonthsAreClosedInTheirOrder(t *testing.T) {
	o := newOffice(t)
	o.now = time.Date(2027, 1, 3, 9, 0, 0, 0, time.UTC)
	_, err := o.desk.Close(t.Context(), shopee, "2026-12", By{Name: "anna"})
	require.NoError(t, err)
	o.now = o.now.Add(time.Hour)
	_, err = o.desk.Close(t.Context(), shopee, "2026-11", By{Name: "anna"})
	o.refused(RefusedState, err)
	require.NoError(t, o.desk.Unclose(t.Context(), shopee, "2026-12", "the one before first", By{Name: "ben"}))
	_, err = o.desk.Close(t.Context(), shopee, "2026-12", By{Name: "anna"})
	o.refused(RefusedMonth, err) // what was known a minute ago is that it is closed
	o.now = o.now.Add(2 * time.Minute)
	for _, month := range []string{"2026-11", "2026-12"} {
		c, err := o.desk.Close(t.Context(), shopee, month, By{Name: "anna"})
		require.NoError(t, err)
		require.Equal(t, c.Snapshot, o.month(month, shopee).Snapshot)
	}
	o.refused(RefusedState, o.desk.Unclose(t.Context(), shopee, "2026-11", "a mistake", By{Name: "ben"}))
}

// With another basis than the payment's a report is not about whole payouts: its summary is its
// lines', and there is no bridge.
func TestASummaryIsAboutWhatIsAskedFor(t *testing.T) {
	store := newOffice(t).store
	for basis, want := range map[Basis][2]int{ByPosted: {3, 18}, ByPlaced: {2, 11}, ByDue: {2, 11}} {
		r := made(t, store, Query{Basis: basis, From: day.Add(-100 * days), To: day.Add(100 * days)})
		s := r.Summary[0]
		require.False(t, s.Whole)
		var lines int64
		for _, l := range all(t, r.Lines) {
			lines += l.Line.Amount.Minor
		}
		require.Equal(t, lines, s.Selected, "%s: I4", basis)
		require.Equal(t, r.Lines.Len(), s.Lines)
		require.Equal(t, want[1], s.Lines, basis)
		require.Equal(t, want[0], s.Orders, basis)
		require.Empty(t, s.JSON().Paid)
		require.Equal(t, [][]string{{"selected", "lines"}}, [][]string{{whole(t, r, "summary").Rows[0][3].Text, whole(t, r, "summary").Rows[0][4].Text}})
	}
	for _, basis := range []Basis{ByPosted, ByPlaced, ByDue} {
		r := made(t, store, Query{Basis: basis, From: day.Add(1000 * days)})
		require.Zero(t, r.Orders.Len(), basis)
		if basis == ByPosted {
			require.Zero(t, r.Lines.Len())
		}
	}
}

// A closing that was kept without its instants is of its month, in the zone it was closed in.
func TestAClosingWithoutInstantsIsOfItsMonth(t *testing.T) {
	c := Closing{KnownAt: day, Settings: &Settings{Zone: shopee.Zone}}
	p, err := Follow([]connector.PayoutAct{act(shopee.ID, actClose, "2026-11", c, day, By{Name: "anna"})})
	require.NoError(t, err)
	from, to, err := span("2026-11", shopee.Zone)
	require.NoError(t, err)
	require.Equal(t, []time.Time{from, to}, []time.Time{p.closes["2026-11"].From, p.closes["2026-11"].To})
}
