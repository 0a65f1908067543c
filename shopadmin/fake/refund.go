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

// Take is a refund as staff make it: units of lines, and money beyond them.
type Take struct {
	Units   map[string]int // store line → units
	Restock shopadmin.Restock
	Beyond  int64 // minor units; negative: kept back
	Goods   bool  // the units go back into stock and no money moves
	Reason  string
	Note    string
	Pending bool // the money moves later, or never
}

// GiveBack records a refund of staff and returns its id.
func (s *Shop) GiveBack(id shopadmin.OrderID, t Take) (string, error) {
	o := s.Get(id)
	var lines []shopadmin.NewRefundLine
	for _, l := range o.Lines {
		if n := t.Units[l.ID]; n != 0 {
			lines = append(lines, shopadmin.NewRefundLine{Line: l.ID, Quantity: n, Restock: t.Restock})
		}
	}
	taken, sum, err := s.units(o, lines)
	if sum += t.Beyond; t.Goods {
		sum = 0
	}
	if err == nil && (sum < 0 || sum > leftOf(o)) {
		err = errors.New("fake store: more than is left of the payment")
	}
	if err != nil {
		return "", err
	}
	r := shopadmin.Refund{ID: s.refundID(), CreatedAt: s.now(), Note: t.Note, Reason: t.Reason, Lines: taken, Moved: money.New(sum, o.Total.Currency)}
	if t.Pending {
		r.Moved, r.Pending = money.Money{}, r.Moved
	}
	s.Change(id, false, func(o *shopadmin.Order) { book(o, r) })
	return r.ID, nil
}

func (s *Shop) refundID() string {
	s.nextRef++
	return fmt.Sprintf("RF%d", s.nextRef)
}

// units prices what a refund takes out of an order's lines.
func (s *Shop) units(o shopadmin.Order, lines []shopadmin.NewRefundLine) (out []shopadmin.RefundLine, sum int64, err error) {
	gone := map[string]int{}
	for _, want := range lines {
		i := slices.IndexFunc(o.Lines, func(l shopadmin.Line) bool { return l.ID == want.Line })
		if i < 0 || want.Quantity < 1 {
			return nil, 0, fmt.Errorf("fake store: no %d units of a line %s", want.Quantity, want.Line)
		}
		l := o.Lines[i]
		l.Current, l.Unfulfilled = l.Current-gone[l.ID], l.Unfulfilled-gone[l.ID]
		if want.Quantity > l.Current {
			return nil, 0, fmt.Errorf("fake store: only %d of line %s left", l.Current, l.ID)
		}
		gone[l.ID] += want.Quantity
		if want.Restock == shopadmin.RestockCancel && want.Quantity > l.Unfulfilled || want.Restock == "" {
			want.Restock = shopadmin.RestockNone
		}
		amount, tax := s.orders[o.ID].lines[l.ID].of(int64(l.Quantity-l.Current), int64(want.Quantity))
		out = append(out, shopadmin.RefundLine{Line: l.ID, Quantity: want.Quantity, Restock: want.Restock,
			Amount: money.New(amount, o.Total.Currency), Tax: money.New(tax, o.Total.Currency)})
		sum += amount + tax
	}
	return out, sum, nil
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
func book(o *shopadmin.Order, r shopadmin.Refund) {
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
func (s *Shop) PendingMoved(id shopadmin.OrderID, refund string) { s.pendingEnded(id, refund, true) }

// PendingFailed ends the announced money of a refund without its having moved.
func (s *Shop) PendingFailed(id shopadmin.OrderID, refund string) { s.pendingEnded(id, refund, false) }

func (s *Shop) pendingEnded(id shopadmin.OrderID, refund string, moved bool) {
	s.Change(id, false, func(o *shopadmin.Order) {
		for i := range o.Refunds {
			r := &o.Refunds[i]
			if r.ID != refund || r.Pending.Minor == 0 {
				continue
			}
			if moved {
				r.Moved = r.Pending
			}
			r.Pending = money.Money{}
		}
	})
}

// Refund records a refund. Like a store that remembers its keys, it records each note once.
func (s *Shop) Refund(_ context.Context, key string, id shopadmin.OrderID, n shopadmin.NewRefund) (string, error) {
	defer s.Hook("refund-end")
	if s.orders[id] == nil {
		return "", fault.New(fault.NotFound, "fake store: no order %s", id)
	}
	var ref string
	var refused error
	err := s.write(key, "refund", func() { ref, refused = s.record(id, n) })
	if err == nil && refused != nil {
		err = fault.New(fault.Refused, "%w", refused)
	}
	return ref, err
}

func (s *Shop) record(id shopadmin.OrderID, n shopadmin.NewRefund) (string, error) {
	o := copied(s.orders[id].now)
	if i := slices.IndexFunc(o.Refunds, func(r shopadmin.Refund) bool { return n.Note != "" && r.Note == n.Note }); i >= 0 {
		return o.Refunds[i].ID, nil
	}
	lines, _, err := s.units(o, n.Lines)
	left := leftOf(o)
	switch {
	case err != nil:
		return "", err
	case n.Note == "":
		return "", errors.New("fake store: a refund without a note could not be found again")
	case n.Amount.Minor == 0 && len(lines) == 0:
		return "", errors.New("fake store: a refund of nothing")
	case n.Amount.Minor != 0 && n.Amount.Currency != o.Total.Currency:
		return "", fmt.Errorf("fake store: %s of an order in %s", n.Amount, o.Total.Currency)
	case n.Amount.Minor < 0 || n.Amount.Minor > left:
		return "", fmt.Errorf("fake store: %s, of the payment %d are left", n.Amount, left)
	}
	r := shopadmin.Refund{ID: s.refundID(), CreatedAt: s.now(), Note: n.Note, Lines: lines, Shipping: n.Shipping, Moved: n.Amount}
	s.Change(id, false, func(o *shopadmin.Order) { book(o, r) })
	return r.ID, nil
}
