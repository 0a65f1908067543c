package sim

import (
	"context"
	"fmt"
	"slices"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/payout"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// payOut lets the channel pay for everything that has shipped, in two payouts: what it sold in the
// one its number falls into, what it gave back in the second.
func (w *World) payOut() {
	lines := [2][]connector.PayoutLine{}
	for i, id := range w.Market.All() {
		n := i % 2
		lines[n] = append(lines[n], w.sales(w.Market.Get(id))...)
		ours, theirs := w.Market.Given(id)
		for _, r := range append(ours, theirs...) {
			lines[1] = append(lines[1], connector.PayoutLine{Order: string(id), Refund: r.ID, Category: string(marketplace.RefundPrincipal), Amount: r.Amount.Neg(), PostedAt: r.PostedAt})
		}
	}
	for n, ls := range lines {
		ls = append(ls, connector.PayoutLine{Category: string(marketplace.Advertising), Amount: money.New(-700, "USD")})
		sum := money.New(0, "USD")
		for _, l := range ls {
			var err error
			sum, err = sum.Add(l.Amount)
			must(err)
		}
		_, _, err := w.base.ImportPayout(context.Background(), func() time.Time { return w.now }, func(head func(connector.Payout) error, line func(connector.PayoutLine) error) error {
			must(head(connector.Payout{Account: Channel, External: fmt.Sprintf("ST-%d", n), Currency: "USD", State: connector.PayoutPaid, PaidAt: w.now.Add(time.Duration(n) * time.Hour),
				Opening: money.New(0, "USD"), Closing: money.New(0, "USD"), Paid: sum}))
			for i, l := range ls {
				l.Key = fmt.Sprint(i)
				must(line(l))
			}
			return nil
		})
		must(err)
	}
}

// sales are the lines of what has shipped of an order.
func (w *World) sales(o marketplace.Order) (out []connector.PayoutLine) {
	any := false
	add := func(l marketplace.Line, c marketplace.Component, n, of int) {
		for _, p := range payout.PartsOf(c, int64(n), int64(of)) {
			out = append(out, connector.PayoutLine{Order: string(o.ID), Item: l.ID, SKU: l.SKU, Quantity: n, Category: string(p.Category), Amount: money.New(p.Amount, o.Currency)})
		}
	}
	if o.Lifecycle == marketplace.Cancelled {
		return nil
	}
	for _, l := range o.Lines {
		for _, c := range l.Parts {
			if l.Shipped > 0 {
				any = true
				add(l, c, l.Shipped, l.Ordered)
			}
		}
	}
	for _, c := range o.Charges {
		if any {
			add(marketplace.Line{}, c, 1, 1)
		}
	}
	return out
}

// judgePayouts holds the payouts against what the bridge has kept of the orders: each payout is
// proven, and every order is matched or explained. What was given back on one side only stands
// there as just that.
func (w *World) judgePayouts() {
	terms := payout.Terms{Wait: 365 * 24 * time.Hour}
	r, err := payout.Make(context.Background(), payout.Keep{Payouts: w.base}, []payout.Account{{ID: Channel, Zone: Zone, Terms: terms}}, payout.Query{}, w.now)
	if err != nil {
		w.broken("the payouts cannot be held against the orders: %v", err)
		return
	}
	for _, p := range r.Payouts {
		if !p.Proven() {
			w.broken("payout %s is not proven", p.External)
		}
	}
	rows := map[string]payout.OrderRow{}
	for o, err := range r.Orders.All() {
		if err != nil {
			w.broken("the payouts' report cannot be read: %v", err)
			return
		}
		rows[o.Ref] = o
	}
	known, err := w.knownRefunds()
	if err != nil {
		w.broken("what is known of orders for their payouts cannot be read: %v", err)
		return
	}
	for _, id := range w.Market.All() {
		w.judgePayout(id, rows, known[string(id)])
	}
}

// knownRefunds is what the bridge has kept as given back, by order.
func (w *World) knownRefunds() (map[string]int64, error) {
	out := map[string]int64{}
	err := w.base.Facts(context.Background(), Channel, connector.OrderFacts, time.Time{}, func(k connector.PayoutFacts) error {
		f, err := payout.DecodeFacts(k.Body)
		for _, r := range f.Refunds {
			out[k.Order] += r.Amount
		}
		return err
	})
	return out, err
}

func (w *World) judgePayout(id marketplace.OrderID, rows map[string]payout.OrderRow, known int64) {
	m, mirror := w.Market.Get(id), w.mirror(id)
	o, there := rows[string(id)]
	ours, theirs := w.Market.Given(id)
	var back int64
	for _, r := range append(slices.Clone(ours), theirs...) {
		back += r.Amount.Minor
	}
	sold := w.sales(m)
	switch {
	case !there && len(sold) == 0 && back == 0:
		return // it brings nothing
	case !there:
		w.broken("order %s brought money and stands nowhere in the report", id)
		return
	case mirror == nil:
		if o.Outcome != payout.MissingInStore {
			w.broken("order %s is not in the store, the report says %s", id, o.Outcome)
		}
		return
	}
	alone := len(mirror.Refunds) == 0 && len(theirs) > 0
	_, refund := o.Sum(payout.Refunds)
	if refund != -back {
		w.broken("order %s: the channel gave %d back, the report shows %d", id, back, refund)
	}
	switch {
	case alone && o.Outcome != payout.RefundMismatch:
		w.broken("order %s was refunded at the channel alone, the report says %s", id, o.Outcome)
	case known != back && within(known-back, 1) && o.Outcome == payout.WithinTolerance: // a share was rounded on both sides
	case known != back && len(sold) > 0 && o.Outcome != payout.RefundMismatch && o.Outcome != payout.PartiallySettled: // what never shipped is not refunded there yet
		w.broken("order %s: %d known as given back, %d came, the report says %s", id, known, back, o.Outcome)
	case known == back && !slices.Contains([]payout.Outcome{payout.Matched, payout.WithinTolerance, payout.PartiallySettled, payout.AwaitingRelease}, o.Outcome):
		w.broken("order %s: the report says %s: %+v", id, o.Outcome, o.Causes)
	}
}
