package payout

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/marketplace"
)

// putAt is put with a state and instants of its own.
func putAt(t *testing.T, store connector.Payouts, external string, imported time.Time, state connector.PayoutState, end, paidAt time.Time, lines ...Line) connector.Payout {
	t.Helper()
	return issue(t, store, imported, connector.Payout{External: external, State: state, End: end, PaidAt: paidAt}, nil, lines)
}

func TestAPayoutThatMovesToTheOpenMonthIsTakenBackThere(t *testing.T) {
	o := newOffice(t)
	nov30 := time.Date(2026, 11, 30, 3, 0, 0, 0, time.UTC)
	ads := came("", marketplace.Advertising, -30000)
	putAt(t, o.store, "ST-79", nov30, connector.PayoutClosed, nov30, time.Time{}, ads...)
	o.now = time.Date(2026, 12, 3, 9, 0, 0, 0, time.UTC)
	_, err := o.desk.Close(t.Context(), shopee, "2026-11", By{Name: "anna"})
	require.NoError(t, err)
	o.now = o.now.Add(days)
	putAt(t, o.store, "ST-79", o.now, connector.PayoutPaid, nov30, time.Date(2026, 12, 4, 1, 0, 0, 0, time.UTC), ads...)
	nov, dec, every := o.month("2026-11", shopee), o.month("2026-12", shopee), o.asked(Query{}, shopee)
	jn, jd := o.journal(nov), o.journal(dec)
	for n := range jn {
		if _, twice := jd[n]; twice {
			t.Errorf("entry %s is in the journal of November and of December", n)
		}
	}
	require.Equal(t, every.Summary[0].Paid, nov.Summary[0].Paid+dec.Summary[0].Paid+dec.Summary[0].Prior.Paid, "months together")
}

func TestAPayoutThatMovesToAClosedMonthIsNews(t *testing.T) {
	o := newOffice(t)
	ads := came("", marketplace.Advertising, -30000)
	dec1 := time.Date(2026, 12, 1, 3, 0, 0, 0, time.UTC)
	putAt(t, o.store, "ST-79", dec1, connector.PayoutPaid, dec1, dec1, ads...)
	o.now = time.Date(2026, 12, 3, 9, 0, 0, 0, time.UTC)
	_, err := o.desk.Close(t.Context(), shopee, "2026-11", By{Name: "anna"})
	require.NoError(t, err)
	o.now = o.now.Add(days)
	putAt(t, o.store, "ST-79", o.now, connector.PayoutPaid, dec1, dec1.Add(-3*days), ads...)
	nov, dec, every := o.month("2026-11", shopee), o.month("2026-12", shopee), o.asked(Query{}, shopee)
	jn, jd, je := o.journal(nov), o.journal(dec), o.journal(every)
	for n := range je {
		_, a := jn[n]
		_, b := jd[n]
		if !a && !b {
			t.Errorf("entry %s is in the journal of everything and in no month's", n)
		}
	}
	require.Equal(t, every.Summary[0].Paid, nov.Summary[0].Paid+dec.Summary[0].Paid+dec.Summary[0].Prior.Paid, "months together")
}

func TestAnOrderOfTheOpenMonthIsNoNews(t *testing.T) {
	o := newOffice(t)
	dec := time.Date(2026, 12, 2, 3, 0, 0, 0, time.UTC)
	f := sold("E", 100000)
	f.PlacedAt, f.ShippedAt = dec, dec.Add(days)
	know(t, o.store, dec, f)
	o.now = time.Date(2026, 12, 15, 9, 0, 0, 0, time.UTC)
	c, err := o.desk.Close(t.Context(), shopee, "2026-11", By{Name: "anna"})
	require.NoError(t, err)
	nov := o.month("2026-11", shopee)
	require.Equal(t, c.Snapshot, nov.Snapshot)
	for _, row := range all(t, nov.Orders) {
		require.NotEqual(t, "E", row.Ref, "November never heard of it")
	}
	o.now = o.now.Add(days)
	putAt(t, o.store, "ST-90", o.now, connector.PayoutPaid, o.now, o.now, full("E", 100000, 4000)...)
	december := o.month("2026-12", shopee)
	require.Empty(t, o.news(december))
	require.Zero(t, december.Summary[0].Prior)
}

func TestNewsSayByHowMuchADifferenceIsAnother(t *testing.T) {
	o := newOffice(t)
	nov := time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC)
	f := sold("E", 100000)
	f.PlacedAt, f.ShippedAt = nov, nov.Add(days)
	know(t, o.store, nov, f)
	o.now = time.Date(2026, 12, 3, 9, 0, 0, 0, time.UTC)
	_, err := o.desk.Close(t.Context(), shopee, "2026-11", By{Name: "anna"})
	require.NoError(t, err)
	find := func(r *Report) (out *OrderRow) {
		for _, row := range all(t, r.Orders) {
			if row.Ref == "E" {
				out = &row
			}
		}
		return out
	}
	then := find(o.month("2026-11", shopee))
	require.NotNil(t, then)
	o.now = o.now.Add(days)
	putAt(t, o.store, "ST-90", o.now, connector.PayoutPaid, nov.Add(days), nov.Add(days), full("E", 100000, 4000)...)
	december := o.month("2026-12", shopee)
	now := find(december)
	require.NotNil(t, now)
	require.Equal(t, now.Difference-then.Difference, december.Summary[0].Prior.Difference)
}

func TestMonthsClosedInTwoZonesHoldEveryPayoutOnce(t *testing.T) {
	for name, c := range map[string]struct {
		zone string
		paid time.Time
	}{
		"to the west: a gap":      {"America/Los_Angeles", time.Date(2026, 11, 30, 20, 0, 0, 0, time.UTC)},
		"to the east: an overlap": {"Pacific/Kiritimati", time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			require.NoError(t, o.desk.KeepSettings(t.Context(), shopee))
			putAt(t, o.store, "ST-79", c.paid.Add(time.Hour), connector.PayoutPaid, c.paid, c.paid, came("", marketplace.Advertising, -30000)...)
			o.now = time.Date(2026, 12, 3, 9, 0, 0, 0, time.UTC)
			_, err := o.desk.Close(t.Context(), shopee, "2026-11", By{Name: "anna"})
			require.NoError(t, err)
			o.now = o.now.Add(days)
			moved := shopee
			moved.Zone = c.zone
			require.NoError(t, o.desk.KeepSettings(t.Context(), moved))
			o.now = time.Date(2027, 1, 3, 9, 0, 0, 0, time.UTC)
			closing, err := o.desk.Close(t.Context(), moved, "2026-12", By{Name: "anna"})
			require.NoError(t, err)
			n, d, every := o.month("2026-11", moved), o.month("2026-12", moved), o.asked(Query{}, moved)
			if closing.Snapshot != d.Snapshot {
				t.Error("the closed month's report is another than it was closed on")
			}
			if len(n.Payouts)+len(d.Payouts) != len(every.Payouts) {
				t.Error("a payout is in neither month, or in both")
			}
		})
	}
}

func TestEntriesAreTakenBackInTheZoneTheyWereMadeIn(t *testing.T) {
	o, _ := closed(t)
	before := o.journal(o.month("2026-11", shopee))
	moved := shopee
	moved.Zone = "America/Los_Angeles"
	_ = before
	o2 := newOffice(t)
	require.NoError(t, o2.desk.KeepSettings(t.Context(), shopee))
	paid := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	l := came("", marketplace.Advertising, -30000)
	l[0].PostedAt = time.Date(2026, 10, 31, 20, 0, 0, 0, time.UTC) // 1 November in Vietnam, 31 October in Los Angeles
	putAt(t, o2.store, "ST-79", paid, connector.PayoutPaid, paid, paid, l...)
	o2.now = time.Date(2026, 12, 3, 9, 0, 0, 0, time.UTC)
	_, err := o2.desk.Close(t.Context(), shopee, "2026-11", By{Name: "anna"})
	require.NoError(t, err)
	nov := o2.journal(o2.month("2026-11", shopee))
	o2.now = o2.now.Add(days)
	require.NoError(t, o2.desk.KeepSettings(t.Context(), moved))
	putAt(t, o2.store, "ST-79", o2.now, connector.PayoutPaid, paid, paid, append(l, came("", marketplace.Advertising, -1)...)...)
	dec := o2.journal(o2.month("2026-12", moved))
	for n := range dec {
		if len(n) > 2 && n[len(n)-2:] == "-R" {
			if _, there := nov[n[:len(n)-2]]; !there {
				t.Errorf("reversal %s of an entry that November's journal never had", n)
			}
		}
	}
	for n := range nov {
		if n[:len("shopee-vn-ST-79")] != "shopee-vn-ST-79" {
			continue
		}
		if _, there := dec[n+"-R"]; !there {
			t.Errorf("entry %s is never taken back", n)
		}
	}
}

func TestAStoresNameOfTwoOrdersIsAmbiguous(t *testing.T) {
	o := newOffice(t)
	x, y := sold("X", 300000), sold("Y", 300000)
	x.Name, y.Name = "#1042", "#1042"
	know(t, o.store, day, x, y)
	l := came("", marketplace.Principal, 300000)
	l[0].Alias = "#1042"
	put(t, o.store, "ST-99", day.Add(12*days), nil, l...)
	for _, row := range all(t, o.asked(Query{}, shopee).Lines) {
		if row.Line.Alias == "#1042" {
			require.Equal(t, Ambiguous, row.Outcome, "given to %s by %s, %s", row.Ref, row.Rule, row.Confidence)
		}
	}
}

func TestAJournalIsOfWholePayouts(t *testing.T) {
	o := newOffice(t)
	r := o.asked(Query{Basis: ByPosted, From: day.Add(1000 * days), To: day.Add(1001 * days)}, shopee)
	_, err := Journal(t.Context(), o.store, r)
	require.ErrorIs(t, err, ErrNotWhole)
	require.Empty(t, r.PayoutRows(), "none has a line asked for")
}

func TestDaysOfThePastAreOfTheZoneOfThen(t *testing.T) {
	o := newOffice(t)
	require.NoError(t, o.desk.KeepSettings(t.Context(), shopee))
	p := time.Date(2026, 11, 30, 20, 0, 0, 0, time.UTC) // 1 Dec in Vietnam
	putAt(t, o.store, "ST-79", p, connector.PayoutPaid, p, p, came("", marketplace.Advertising, -30000)...)
	o.now = time.Date(2026, 12, 5, 0, 0, 0, 0, time.UTC)
	q := Query{FromDay: "2026-12-01", ToDay: "2027-01-01", AsOf: o.now}
	a := o.asked(q, shopee)
	o.now = o.now.Add(days)
	moved := shopee
	moved.Zone = "America/Los_Angeles"
	require.NoError(t, o.desk.KeepSettings(t.Context(), moved))
	require.Equal(t, a.Snapshot, o.asked(q, moved).Snapshot)
}

func TestAPayoutOfAMonthThatWasNeverClosedIsNoNews(t *testing.T) {
	o, _ := closed(t)
	oct := time.Date(2026, 10, 20, 3, 0, 0, 0, time.UTC)
	putAt(t, o.store, "ST-70", o.now, connector.PayoutPaid, oct, oct, came("", marketplace.Advertising, -30000)...)
	october, november, december, every := o.month("2026-10", shopee), o.month("2026-11", shopee), o.month("2026-12", shopee), o.asked(Query{}, shopee)
	jo, jd := o.journal(october), o.journal(december)
	for n, e := range jo {
		if x, twice := jd[n]; twice {
			t.Errorf("%s is in the journals of October (%s) and December (%s)", n, e.Date, x.Date)
		}
	}
	if got := october.Summary[0].Paid + november.Summary[0].Paid + december.Summary[0].Paid + december.Summary[0].Prior.Paid; got != every.Summary[0].Paid {
		t.Errorf("months: %d, everything: %d", got, every.Summary[0].Paid)
	}
}

func TestAMonthIsNotClosedOverNewsThatNobodyCanExplain(t *testing.T) {
	o, _ := closed(t)
	lines := append(came("", marketplace.Advertising, -30000), came("", marketplace.Unclassified, -5)...)
	paid := int64(-999)
	put(t, o.store, "ST-80", o.now, &paid, lines...)
	o.now = time.Date(2027, 1, 3, 9, 0, 0, 0, time.UTC)
	_, err := o.desk.Close(t.Context(), shopee, "2026-12", By{Name: "anna"})
	o.refused(RefusedUnproven, err)
	put(t, o.store, "ST-80", o.now, nil, lines...)
	o.now = o.now.Add(time.Hour)
	_, err = o.desk.Close(t.Context(), shopee, "2026-12", By{Name: "anna"})
	o.refused(RefusedUnmapped, err)
}

func TestTheSummarysTableHasTheNews(t *testing.T) {
	o, _ := closed(t)
	d := sold("D", 100000)
	d.Cancelled, d.Items = true, nil
	know(t, o.store, o.now, d)
	dec := o.month("2026-12", shopee)
	t.Logf("%+v", dec.Summary[0].Prior)
	found := false
	for _, row := range whole(t, dec, "summary").Rows {
		found = found || row[3].Text == "prior_period"
	}
	require.True(t, found, "prior_period is in JSON only")
}

func TestAPayoutWithoutInstantsIsIssuedAnew(t *testing.T) {
	o := newOffice(t)
	zero := time.Time{}
	nov := time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)
	putAt(t, o.store, "ST-79", nov, connector.PayoutPaid, zero, zero, came("", marketplace.Advertising, -30000)...)
	o.now = time.Date(2026, 12, 3, 9, 0, 0, 0, time.UTC)
	_, err := o.desk.Close(t.Context(), shopee, "2026-11", By{Name: "anna"})
	require.NoError(t, err)
	o.now = o.now.Add(days)
	putAt(t, o.store, "ST-79", o.now, connector.PayoutPaid, zero, zero, came("", marketplace.Advertising, -30001)...)
	n, d, e := o.month("2026-11", shopee), o.month("2026-12", shopee), o.asked(Query{}, shopee)
	require.Equal(t, e.Summary[0].Paid, n.Summary[0].Paid+d.Summary[0].Paid+d.Summary[0].Prior.Paid)
}
