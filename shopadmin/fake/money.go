package fake

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"channelbridge/internal/fault"
	"channelbridge/internal/money"
	"channelbridge/shopadmin"
)

// price is what a line was sold for: of one unit, and the tax of all.
type price struct {
	unit, tax int64
	units     int64
}

func priceOf(l shopadmin.NewLine) price {
	p := price{unit: l.UnitPrice.Minor, units: int64(l.Quantity)}
	for _, t := range l.Taxes {
		p.tax += t.Amount.Minor
	}
	return p
}

// of is what n units cost and the tax on them, given that done units were counted before: the
// parts of a line always add up to the whole.
func (p price) of(done, n int64) (amount, tax int64) {
	upTo := func(k int64) int64 { return p.tax * k / max(p.units, 1) }
	return p.unit * n, upTo(done+n) - upTo(done)
}

// Take is a refund as staff make it: units of lines, and money beyond them.
type Take struct {
	Units   map[string]int // store line → units
	Restock shopadmin.Restock
	Beyond  int64 // minor units; negative: kept back
	Reason  string
	Note    string
	Pending bool // the money moves later, or never
}

// GiveBack records a refund of staff and returns its id.
func (s *Shop) GiveBack(id shopadmin.OrderID, t Take) (string, error) {
	o := s.Get(id)
	r, err := s.refundOf(o, t)
	if err != nil {
		return "", err
	}
	s.Change(id, false, func(o *shopadmin.Order) { s.book(o, r) })
	return r.ID, nil
}

func (s *Shop) refundOf(o shopadmin.Order, t Take) (shopadmin.Refund, error) {
	s.nextRef++
	cur := o.Total.Currency
	r := shopadmin.Refund{ID: fmt.Sprintf("RF%d", s.nextRef), CreatedAt: s.now(), Note: t.Note, Reason: t.Reason}
	sum := t.Beyond
	for _, l := range o.Lines {
		n := t.Units[l.ID]
		if n == 0 {
			continue
		}
		if n > l.Current {
			return r, fmt.Errorf("fake store: only %d of line %s left", l.Current, l.ID)
		}
		amount, tax := s.orders[o.ID].lines[l.ID].of(int64(l.Quantity-l.Current), int64(n))
		how := t.Restock
		if how == shopadmin.RestockCancel && n > l.Unfulfilled || how == "" {
			how = shopadmin.RestockNone
		}
		r.Lines = append(r.Lines, shopadmin.RefundLine{Line: l.ID, Quantity: n, Restock: how, Amount: money.New(amount, cur), Tax: money.New(tax, cur)})
		sum += amount + tax
	}
	if sum < 0 || sum > leftOf(o) {
		return r, errors.New("fake store: more than is left of the payment")
	}
	if t.Pending {
		r.Pending = money.New(sum, cur)
	} else {
		r.Moved = money.New(sum, cur)
	}
	return r, nil
}

// leftOf is what has not been given back of the payment.
func leftOf(o shopadmin.Order) int64 {
	left := o.Captured.Minor
	for _, r := range o.Refunds {
		left -= r.Moved.Minor + r.Pending.Minor
	}
	return left
}

// book takes the units of a refund out of the order.
func (s *Shop) book(o *shopadmin.Order, r shopadmin.Refund) {
	o.Refunds = append(o.Refunds, r)
	for _, rl := range r.Lines {
		for i := range o.Lines {
			if o.Lines[i].ID != rl.Line {
				continue
			}
			o.Lines[i].Current -= rl.Quantity
			if rl.Restock != shopadmin.RestockReturn {
				o.Lines[i].Unfulfilled = max(0, o.Lines[i].Unfulfilled-rl.Quantity)
			}
		}
	}
}

// PendingMoved lets the announced money of a refund move.
func (s *Shop) PendingMoved(id shopadmin.OrderID, refund string) {
	s.Change(id, false, func(o *shopadmin.Order) {
		for i := range o.Refunds {
			if r := &o.Refunds[i]; r.ID == refund && r.Pending.Minor > 0 {
				r.Moved, r.Pending = r.Pending, money.Money{}
			}
		}
	})
}

// CancelByStaff cancels an order as staff do, with what is left of the payment given back or
// with nothing.
func (s *Shop) CancelByStaff(id shopadmin.OrderID, reason string, refund bool) error {
	if !s.Get(id).CancelledAt.IsZero() {
		return errors.New("fake store: cancelled already")
	}
	s.Change(id, false, func(o *shopadmin.Order) { s.cancel(o, shopadmin.Cancel{Reason: reason, Refund: refund, Restock: true}) })
	return nil
}

func (s *Shop) cancel(o *shopadmin.Order, c shopadmin.Cancel) {
	if c.Refund {
		s.nextRef++
		r := shopadmin.Refund{ID: fmt.Sprintf("RF%d", s.nextRef), CreatedAt: s.now()}
		left := leftOf(*o)
		for _, l := range o.Lines {
			if l.Current == 0 {
				continue
			}
			amount, tax := s.orders[o.ID].lines[l.ID].of(int64(l.Quantity-l.Current), int64(l.Current))
			for _, part := range []struct {
				n   int
				how shopadmin.Restock
			}{{min(l.Unfulfilled, l.Current), shopadmin.RestockCancel}, {l.Current - min(l.Unfulfilled, l.Current), shopadmin.RestockReturn}} {
				if part.n == 0 {
					continue
				}
				a, t := amount*int64(part.n)/int64(l.Current), tax*int64(part.n)/int64(l.Current)
				r.Lines = append(r.Lines, shopadmin.RefundLine{Line: l.ID, Quantity: part.n, Restock: part.how,
					Amount: money.New(a, o.Total.Currency), Tax: money.New(t, o.Total.Currency)})
			}
		}
		r.Moved = money.New(left, o.Total.Currency)
		if left > 0 {
			s.book(o, r)
		}
	}
	for i := range o.Lines {
		o.Lines[i].Unfulfilled = 0
	}
	o.CancelledAt, o.CancelReason = s.now(), c.Reason
	if c.Note != "" {
		o.Note += c.Note
	}
}

// Cancel cancels an order; one that is cancelled already stays so.
func (s *Shop) Cancel(_ context.Context, key string, id shopadmin.OrderID, c shopadmin.Cancel) error {
	defer s.Hook("cancel-end")
	if s.orders[id] == nil {
		return fault.New(fault.NotFound, "fake store: no order %s", id)
	}
	return s.write(key, "cancel", func() {
		if s.orders[id].now.CancelledAt.IsZero() {
			s.Change(id, false, func(o *shopadmin.Order) { s.cancel(o, c) })
		}
	})
}

// Refund records a refund. Like a store that remembers its keys, it records each note once.
func (s *Shop) Refund(_ context.Context, key string, id shopadmin.OrderID, n shopadmin.NewRefund) (string, error) {
	defer s.Hook("refund-end")
	e := s.orders[id]
	if e == nil {
		return "", fault.New(fault.NotFound, "fake store: no order %s", id)
	}
	var ref string
	var refused error
	err := s.write(key, "refund", func() {
		if i := slices.IndexFunc(s.orders[id].now.Refunds, func(r shopadmin.Refund) bool { return r.Note == n.Note }); i >= 0 {
			ref = s.orders[id].now.Refunds[i].ID
			return
		}
		t := Take{Units: map[string]int{}, Note: n.Note}
		for _, l := range n.Lines {
			t.Units[l.Line] += l.Quantity
			t.Restock = l.Restock
		}
		o := copied(s.orders[id].now)
		r, err := s.refundOf(o, t)
		if left := leftOf(o); err == nil && n.Amount.Minor > left {
			err = fmt.Errorf("fake store: %d of the payment are left", left)
		}
		if err != nil {
			refused = err
			return
		}
		r.Moved = n.Amount
		ref = r.ID
		s.Change(id, false, func(o *shopadmin.Order) { s.book(o, r) })
	})
	if err == nil && refused != nil {
		err = fault.New(fault.Refused, "%w", refused)
	}
	return ref, err
}
