package payout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/order"
	"channelbridge/internal/spool"
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

// closedOrders are the orders of a closed month as it was closed, sorted as books hand them over.
type closedOrders struct {
	records *cursor
	end     time.Time // of the month
	next    closedOrder
	over    bool
}

// closedOrder is what a closed month says of an order.
type closedOrder struct {
	ref, currency      string
	outcome            Outcome
	difference, actual int64
}

func (c closedOrder) compare(o Order) int {
	return cmp.Or(cmp.Compare(c.ref, o.Ref), cmp.Compare(c.currency, o.Currency))
}

// closedAs reads the books as they were when a month was closed, as far as something was settled
// before its end.
func closedAs(ctx context.Context, k Keep, a Account, c Closing, end, now time.Time) (*closedOrders, error) {
	s := spool.New(k.Scratch)
	var one record
	if _, err := Read(ctx, k, c.Settings.on(a), c.KnownAt, now, func(b *Books, o Order) error {
		if b.monthBefore(o, end) == "" {
			return nil
		}
		one.b = one.b[:0]
		one.text(o.Ref, o.Currency, string(o.Outcome))
		one.number(o.Difference, o.Actual)
		_, err := addRecord(s, one.b)
		return err
	}); err != nil {
		return nil, fmt.Errorf("the closed month %s: %w", c.Month, err)
	}
	out := &closedOrders{records: newCursor(s), end: end}
	return out, out.read()
}

func (c *closedOrders) read() error {
	r, err := c.records.next()
	if errors.Is(err, io.EOF) {
		c.over = true
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading a closed month again: %w", err)
	}
	n := closedOrder{}
	r.text(&n.ref, &n.currency, (*string)(&n.outcome))
	r.number(&n.difference, &n.actual)
	c.next = n
	return r.end()
}

// news is the month an order belongs to of which something else was known when that was closed; "":
// it is none. The month is the last before the end in which something of the order was settled.
// Orders are asked about in their order.
func (c *closedOrders) news(b *Books, o Order) (string, error) {
	if c == nil {
		return "", nil
	}
	for !c.over && c.next.compare(o) < 0 {
		if err := c.read(); err != nil {
			return "", err
		}
	}
	known, month := !c.over && c.next.compare(o) == 0, b.monthBefore(o, c.end)
	if month == "" && known {
		month = monthOf(c.end.Add(-time.Nanosecond), b.Account.Zone)
	}
	if known && c.next == (closedOrder{o.Ref, o.Currency, o.Outcome, o.Difference, o.Actual}) {
		return "", nil
	}
	return month, nil
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
