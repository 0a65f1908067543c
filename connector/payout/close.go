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
	Settings *Settings     `json:"settings"` // that held
	Totals   []SummaryJSON `json:"totals"`
	Reason   string        `json:"reason,omitempty"` // of opening it again
	Undone   bool          `json:"undone,omitempty"`
	By       string        `json:"-"`
	At       time.Time     `json:"-"`
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

// within is the closed month that a question is about and nothing else; false: it is about more
// than that, or about an open one.
func (p *People) within(q Query, zone string) (Closing, bool) {
	if q.From.IsZero() || q.To.IsZero() || q.Basis != ByPaid && q.Basis != "" {
		return Closing{}, false
	}
	c, closed := p.closes[monthOf(q.From, zone)]
	if !closed {
		return c, false
	}
	_, to, err := span(c.Month, zone)
	return c, err == nil && !q.To.After(to) && !(!q.AsOf.IsZero() && q.AsOf.Before(c.At))
}

// before is the last closed month whose end lies in what is asked for: what was learned of it, and
// of the ones before it, is shown there.
func (p *People) before(q Query, zone string) (last Closing, end time.Time, found bool) {
	if q.Basis != ByPaid && q.Basis != "" {
		return last, end, false
	}
	for _, c := range p.closes {
		_, to, err := span(c.Month, zone)
		if err != nil || to.Before(q.From) || !q.To.IsZero() && !to.Before(q.To) || to.Before(end) {
			continue
		}
		last, end, found = c, to, true
	}
	return last, end, found
}

// standing is what a closed month says of an order.
type standing struct {
	outcome            Outcome
	difference, actual int64
}

type orderName struct{ ref, currency string }

// sinceClosed finds the orders of which a closed month says something else than is known now, and
// the month each belongs to: the last before the end in which something of it was settled.
func (b *Books) sinceClosed(was *Books, end time.Time) map[orderName]string {
	then := map[orderName]standing{}
	for _, o := range was.Orders {
		if was.monthBefore(o, end) != "" {
			then[orderName{o.Ref, o.Currency}] = standing{o.Outcome, o.Difference, o.Actual}
		}
	}
	out := map[orderName]string{}
	for _, o := range b.Orders {
		name := orderName{o.Ref, o.Currency}
		old, known := then[name]
		month := b.monthBefore(o, end)
		if month == "" && known {
			month = monthOf(end.Add(-time.Nanosecond), b.Account.Zone)
		}
		if month != "" && (!known || old != standing{o.Outcome, o.Difference, o.Actual}) {
			out[name] = month
		}
	}
	return out
}

// monthBefore is the last month before an instant in which something of an order was settled.
func (b *Books) monthBefore(o Order, end time.Time) string {
	month := ""
	for _, s := range o.Shares {
		if at := settledAt(b.Of(s.Payout).Payout); at.Before(end) {
			month = max(month, monthOf(at, b.Account.Zone))
		}
	}
	return month
}

// Closed is a closed month that a report rests on.
type Closed struct {
	Account connector.ConnectionID `json:"account"`
	Month   string                 `json:"month"`
	At      time.Time              `json:"closed_at"`
	By      string                 `json:"closed_by"`
	KnownAt time.Time              `json:"known_at"`
}
