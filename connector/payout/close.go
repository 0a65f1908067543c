package payout

import (
	"errors"
	"fmt"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/order"
)

// Closing is a month of an account that was closed: what was known of it then counts from now on.
// What is learned later is shown in the month that is open, with the month it belongs to.
type Closing struct {
	Month    string        `json:"-"`        // such as 2026-10, in the account's zone
	KnownAt  time.Time     `json:"known_at"` // what was known then is the closed month
	Snapshot string        `json:"snapshot"` // of its report
	From     time.Time     `json:"from"`     // its first instant, and the one after its last
	To       time.Time     `json:"to"`
	Settings *Settings     `json:"settings"` // that held
	Totals   []SummaryJSON `json:"totals"`
	Reason   string        `json:"reason,omitempty"` // of opening it again
	Undone   bool          `json:"undone,omitempty"`
	By       string        `json:"-"`
	At       time.Time     `json:"-"`
}

// closingOf is what an act says of a month.
func closingOf(a connector.PayoutAct) (Closing, error) {
	c, err := bodyOf[Closing](a)
	c.Month, c.By, c.At = a.About, a.Actor, a.At
	return c, err
}

// settling is how far the knowledge of a closing lies back, so that whatever was being written when
// the month was closed stands on one side of it.
const settling = time.Minute

// errMonth says that a text names no month.
var errMonth = errors.New("a month is written such as 2026-10")

// span is a month's first instant and the one after its last, in a zone.
func span(month, zone string) (from, to time.Time, err error) {
	at, err := time.ParseInLocation("2006-01", month, order.Zone(zone))
	if err != nil || at.Format("2006-01") != month {
		return from, to, fmt.Errorf("%q: %w", month, errMonth)
	}
	return at.UTC(), at.AddDate(0, 1, 0).UTC(), nil
}

// monthOf is the month an instant lies in.
func monthOf(t time.Time, zone string) string { return t.In(order.Zone(zone)).Format("2006-01") }

// ofMonth is the question whose answer a month is closed on.
func ofMonth(month, zone string) (Query, error) {
	from, to, err := span(month, zone)
	return Query{From: from, To: to, Basis: ByPaid, Sort: "order"}, err
}

// months are the closed ones, the first in time first.
func (p *People) months() []Closing {
	return sorted(p.closes, func(c Closing) string { return c.Month })
}

// after is the last closed month after a month; "": there is none.
func (p *People) after(month string) (last string) {
	for m := range p.closes {
		if m > month {
			last = max(last, m)
		}
	}
	return last
}

// tiled is a question whose range begins or ends where a closed month does in the account's zone: it
// does so where that month was closed, in whatever zone that was, so that nothing lies between two
// months or in both.
func (p *People) tiled(q Query, a Account) Query {
	asked := q
	for _, c := range p.months() {
		first, next, err := span(c.Month, a.Zone)
		if err != nil || !q.byPaid() {
			continue
		}
		for _, edge := range []struct {
			is time.Time
			at *time.Time
		}{{q.From, &asked.From}, {q.To, &asked.To}} {
			switch {
			case edge.is.Equal(first):
				*edge.at = c.From
			case edge.is.Equal(next):
				*edge.at = c.To
			}
		}
	}
	return asked
}

// within is the closed month that a question is about and nothing else; false: it is about more than
// one, or about an open one.
func (p *People) within(q Query) (Closing, bool) {
	if q.From.IsZero() || q.To.IsZero() || !q.byPaid() {
		return Closing{}, false
	}
	for _, c := range p.months() {
		if !q.From.Before(c.From) && !q.To.After(c.To) && (q.AsOf.IsZero() || !q.AsOf.Before(c.At)) {
			return c, true
		}
	}
	return Closing{}, false
}

// before is the last closed month before what a question is about; nil: there is none, or it is about
// closed months itself. A question that begins where that month ends tells what has become known of
// it, and of the ones before it, unless it is about single payouts.
func (p *People) before(q Query) (last *Closing, tells bool) {
	if !q.byPaid() || q.From.IsZero() {
		return nil, false
	}
	for _, c := range p.months() {
		if !c.To.After(q.From) {
			last = &c
		}
	}
	return last, last != nil && last.To.Equal(q.From) && len(q.Payouts) == 0
}

// closedMonth is the closed month an instant lies in; false: it is open.
func (p *People) closedMonth(at time.Time) (Closing, bool) {
	for _, c := range p.closes {
		if !at.Before(c.From) && at.Before(c.To) {
			return c, true
		}
	}
	return Closing{}, false
}

// upTo is the closed month an instant lies in, if it is this one or one before; "": it is none of them.
func (c Closing) upTo(p *People, at time.Time) string {
	if in, closed := p.closedMonth(at); closed && !in.To.After(c.To) {
		return in.Month
	}
	return ""
}

// Closed is a closed month that a report rests on.
type Closed struct {
	Account connector.ConnectionID `json:"account"`
	Month   string                 `json:"month"`
	At      time.Time              `json:"closed_at"`
	By      string                 `json:"closed_by"`
	KnownAt time.Time              `json:"known_at"`
}
