package httpapi

import (
	"cmp"
	"errors"
	"net/url"
	"time"

	"channelbridge/connector/payout"
)

// readTimes reads the zone, the range and the instant of a report. Without a range and without a
// payout's number it is about the month, in the zone, of the instant it is made for.
func (a *reportAsk) readTimes(q url.Values, now time.Time) (err error) {
	if err := a.readZone(q.Get("tz")); err != nil {
		return err
	}
	if a.query.AsOf, err = known(q.Get("as_of"), now); err != nil {
		return err
	}
	if a.query.From, err = a.dayOrInstant("from", q.Get("from")); err != nil {
		return err
	}
	if a.query.To, err = a.dayOrInstant("to", q.Get("to")); err != nil {
		return err
	}
	from, to := a.query.From, a.query.To
	switch {
	case !from.IsZero() && !to.IsZero() && !from.Before(to):
		return badParameter("to", "The range ends before it begins; to is not part of it.", "")
	case from.IsZero() && to.IsZero() && len(q["payout_id"]) == 0:
		if !a.query.AsOf.IsZero() {
			now = a.query.AsOf
		}
		a.query.From, a.query.To = a.monthOf(now)
		q = url.Values{"from": {a.query.From.In(a.place).Format(time.DateOnly)}, "to": {a.query.To.In(a.place).Format(time.DateOnly)}}
	}
	if a.mixed {
		a.inEachZone(q.Get("from"), q.Get("to"))
	}
	return nil
}

// inEachZone leaves days to the zones of the accounts, which are not the same.
func (a *reportAsk) inEachZone(from, to string) {
	if payout.IsDay(from) {
		a.query.From, a.query.FromDay = time.Time{}, from
	}
	if payout.IsDay(to) {
		a.query.To, a.query.ToDay = time.Time{}, to
	}
}

// readZone takes the zone that is asked for, else the one the accounts have in common.
func (a *reportAsk) readZone(name string) error {
	a.zone, a.chosen = name, name != ""
	if !a.chosen {
		a.zone, a.mixed = commonZone(a.accounts)
	}
	place, err := time.LoadLocation(a.zone)
	if err != nil && a.chosen || name == "Local" {
		return badParameter("tz", "It is the name of a zone such as Asia/Ho_Chi_Minh.", "")
	}
	if err != nil {
		a.zone, place = "UTC", time.UTC
	}
	a.place = place
	return nil
}

// commonZone is the zone of all accounts; where they have not the same it is UTC, and each has its own
// days.
func commonZone(accounts []payout.Account) (zone string, mixed bool) {
	for _, a := range accounts {
		if zone != "" && zone != a.Zone {
			return "UTC", true
		}
		zone = a.Zone
	}
	return cmp.Or(zone, "UTC"), false
}

// dayOrInstant reads a date in the report's zone, or an instant.
func (a *reportAsk) dayOrInstant(name, text string) (time.Time, error) {
	at, err := payout.ReadInstant(text, a.place)
	if errors.Is(err, payout.ErrYears) {
		return at, outsideYears(name)
	}
	if err != nil {
		return at, badParameter(name, "It is a date such as 2026-11-01, or an instant such as 2026-11-01T00:00:00Z.", "A plus sign in an address is written %2B.")
	}
	return at, nil
}

// monthOf is the month of an instant, in the zone.
func (a *reportAsk) monthOf(at time.Time) (from, to time.Time) {
	y, m, _ := at.In(a.place).Date()
	return time.Date(y, m, 1, 0, 0, 0, 0, a.place).UTC(), time.Date(y, m+1, 1, 0, 0, 0, 0, a.place).UTC()
}
