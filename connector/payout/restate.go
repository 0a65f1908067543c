package payout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/spool"
)

// closedBooks is what was known of an account when a month was closed, as far as it is about that
// month or the ones before it: what is known now is held against it.
type closedBooks struct {
	Closing
	people  *People                     // of now: which months are closed
	payouts map[string]connector.Payout // by the channel's number

	orders *cursor // sorted as books hand them over
	next   closedOrder
	over   bool
}

// closedOrder is what a closed month says of an order.
type closedOrder struct {
	facts              Facts // what names it
	currency           string
	inStore            bool
	outcome            Outcome
	difference, actual int64
	causes             string
	month              string // "": nothing of it had to be settled by then
}

func (c closedOrder) compare(o Order) int {
	return cmp.Or(cmp.Compare(c.facts.Order, o.Ref), cmp.Compare(c.currency, o.Currency))
}

// same reports that nothing else is known of the order now.
func (c closedOrder) same(o Order) bool {
	return c.outcome == o.Outcome && c.difference == o.Difference && c.actual == o.Actual && c.causes == causesOf(o)
}

// causesOf are an order's causes as one text.
func causesOf(o Order) string {
	var b strings.Builder
	for _, c := range o.Causes {
		fmt.Fprintf(&b, "%s/%s/%d ", c.Code, c.Category, c.Amount)
	}
	return b.String()
}

// gone is the order as it is now that nothing of it is left.
func (c closedOrder) gone() Order {
	return Order{Ref: c.facts.Order, Currency: c.currency, InStore: c.inStore, Outcome: Matched, Facts: c.facts}
}

// closedAs reads the books as they were when a month was closed: the orders of which something was
// settled in a closed month, and those that were placed before its end and of which nothing was.
func closedAs(ctx context.Context, k Keep, a Account, c Closing, people *People, now time.Time) (*closedBooks, error) {
	out := &closedBooks{Closing: c, people: people, payouts: map[string]connector.Payout{}}
	s := spool.New(k.Scratch)
	var one record
	b, err := Read(ctx, k, c.Settings.on(a), c.KnownAt, now, func(b *Books, o Order) error {
		month := out.monthOf(b, o)
		if month == "" && (len(o.Lines) > 0 || !o.Facts.PlacedAt.Before(c.To)) {
			return nil
		}
		if month == "" && o.finding() {
			month = c.Month
		}
		one.b = one.b[:0]
		one.text(o.Ref, o.Facts.Store, o.Facts.Name, o.Currency, string(o.Outcome), causesOf(o), month)
		one.instant(o.Facts.PlacedAt)
		one.yes(o.InStore)
		one.number(o.Difference, o.Actual)
		_, err := addRecord(s, one.b)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("the closed month %s: %w", c.Month, err)
	}
	for _, p := range b.Payouts {
		out.payouts[p.External] = p.Payout
	}
	out.orders = newCursor(s)
	return out, out.read()
}

func (c *closedBooks) read() error {
	r, err := c.orders.next()
	if errors.Is(err, io.EOF) {
		c.over = true
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading a closed month again: %w", err)
	}
	n := closedOrder{}
	r.text(&n.facts.Order, &n.facts.Store, &n.facts.Name, &n.currency, (*string)(&n.outcome), &n.causes, &n.month)
	r.instant(&n.facts.PlacedAt)
	n.inStore = r.yes()
	r.number(&n.difference, &n.actual)
	c.next = n
	return r.end()
}

// before hands over the orders that the closed month knows and that come before one of now, which
// knows them no more; without an order all that are left.
func (c *closedBooks) before(o *Order, gone func(closedOrder) error) error {
	for c != nil && !c.over && (o == nil || c.next.compare(*o) < 0) {
		if c.next.month != "" {
			if err := gone(c.next); err != nil {
				return err
			}
		}
		if err := c.read(); err != nil {
			return err
		}
	}
	return nil
}

// news is the closed month an order belongs to of which something else was known when that was
// closed, and what its difference was then; "": it is none. Orders are asked about in their order,
// after before.
func (c *closedBooks) news(b *Books, o Order) (month string, then int64) {
	if c == nil {
		return "", 0
	}
	month = c.monthOf(b, o)
	if c.over || c.next.compare(o) != 0 {
		return month, 0
	}
	old := c.next
	if old.same(o) || month == "" && old.month == "" {
		return "", 0
	}
	return cmp.Or(month, old.month), old.difference
}

// passed goes on after an order of now.
func (c *closedBooks) passed(o Order) error {
	if c == nil || c.over || c.next.compare(o) != 0 {
		return nil
	}
	return c.read()
}

// monthOf is the last closed month in which something of an order was settled; "": none.
func (c *closedBooks) monthOf(b *Books, o Order) string {
	month := ""
	for _, s := range o.Shares {
		month = max(month, c.upTo(c.people, settledAt(b.Payouts[s.Rank].Payout)))
	}
	return month
}

// late is what has become known of a payout in closed months since.
type late struct {
	month string           // the closed month concerned; "": there are no news
	here  bool             // the payout as it is now lies in a closed month
	then  connector.Payout // as a closed month holds it; no revision: none does
}

func (c *closedBooks) late(p connector.Payout) (l late) {
	if c == nil {
		return l
	}
	was, now := "", c.upTo(c.people, settledAt(p))
	if old, known := c.payouts[p.External]; known {
		if was = c.upTo(c.people, settledAt(old)); was != "" {
			l.then = old
		}
	}
	if l.then.Revision != p.Revision {
		l.month, l.here = cmp.Or(now, was), now != ""
	}
	return l
}
