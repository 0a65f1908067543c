package rig

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"channelbridge/internal/money"
	"channelbridge/shopadmin/shopify/shopifyfake"
)

// Money finds store refunds and cancellations that are not at Amazon exactly once, unless they
// are held because nobody can know, and everything Amazon was told or has done twice.
func (w *World) Money(ctx context.Context) (Findings, error) {
	var f Findings
	for mark, orders := range w.mirrors() {
		id, ok := strings.CutPrefix(mark, AmazonID+":")
		if !ok {
			continue
		}
		doubt, err := w.inDoubt(ctx, id)
		if err != nil {
			return nil, err
		}
		if len(orders) != 1 {
			f.add("order %s is %d times in the store", id, len(orders))
			continue
		}
		w.judge(&f, id, orders[0], doubt)
	}
	return f, nil
}

// GivenBack finds store refunds and cancellations that the first channel, which knows each request
// by its key, has not carried out exactly once, and what it gave back beyond them.
func (w *World) GivenBack() (f Findings) {
	for mark, orders := range w.mirrors() {
		id, ok := strings.CutPrefix(mark, MarketID+":")
		if !ok {
			continue
		}
		var want, have []string
		for _, o := range orders {
			for _, r := range o.Refunds {
				want = append(want, o.Given(r.ID).Decimal())
			}
			there, _ := w.Market.Order(id)
			if !o.CancelledAt.IsZero() && there.Status != "cancelled" {
				f.add("order %s is cancelled in the store and %s at the channel", id, there.Status)
			}
		}
		for _, r := range w.Market.Given(id) {
			have = append(have, r.Amount)
		}
		slices.Sort(want)
		slices.Sort(have)
		if !slices.Equal(want, have) {
			f.add("order %s: the store gave back %v, the channel %v", id, want, have)
		}
	}
	return f
}

// till is what is wrong with the money of Amazon's orders, where there are any.
func (w *World) till(ctx context.Context) (f Findings) {
	if w.Amazon == nil {
		return nil
	}
	if n := w.Till.Open(); n > 0 {
		f.add("staff has %d things left to do", n)
	}
	wrong, err := w.Money(ctx)
	if err != nil {
		f.add("asking the database: %v", err)
	}
	return append(f, wrong...)
}

// judge compares one order. What is in doubt may be missing at Amazon, never more than that.
func (w *World) judge(f *Findings, id string, o shopifyfake.Order, doubt int) {
	told, there := w.told(id), w.Amazon.Refunds(id)
	if !o.CancelledAt.IsZero() {
		state, _ := w.Amazon.Order(id)
		if state.Status != "CANCELLED" && doubt == 0 || told > 1 || len(there) > 0 {
			f.add("order %s is cancelled in the store: %s at Amazon, %d times told, %d in doubt, refunds %v", id, state.Status, told, doubt, there)
		}
		return
	}
	var want []money.Money
	for _, r := range o.Refunds {
		want = append(want, o.Given(r.ID))
	}
	missing := slices.Clone(want)
	for _, r := range there {
		i := slices.Index(missing, r.Amount)
		if i < 0 {
			f.add("Amazon gave %s back of order %s, the store %v in all", r.Amount, id, want)
			continue
		}
		missing = slices.Delete(missing, i, i+1)
	}
	if len(missing) > doubt {
		f.add("order %s: refunds %v of the store are not at Amazon, %d in doubt", id, missing, doubt)
	}
	if told > len(want) {
		f.add("order %s: Amazon was told %d times of %d refunds", id, told, len(want))
	}
}

// told counts the messages about an order in all feeds Amazon was handed.
func (w *World) told(id string) (n int) {
	for _, x := range w.Amazon.Feeds() {
		n += strings.Count(string(x.Document), "<AmazonOrderID>"+id+"</AmazonOrderID>")
	}
	return n
}

// inDoubt counts the money commands of an order that a person is asked to settle.
func (w *World) inDoubt(ctx context.Context, id string) (n int, err error) {
	err = w.DB.QueryRowContext(ctx, `select count(*) from effects e join subjects s on s.id = e.subject
		where s.channel = $1 and s.ref = $2 and e.state = 'unknown'
		and exists (select from holds h where h.subject = s.id and h.kind = 'money_unknown' and h.about = e.about and h.cleared_at is null)`, AmazonID, id).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("asking for doubts about order %s: %w", id, err)
	}
	return n, nil
}
