package fake

import (
	"context"
	"errors"
	"slices"
	"strings"

	"channelbridge/internal/fault"
	"channelbridge/internal/money"
	"channelbridge/shopadmin"
)

// reasons are the words the store has for a cancellation; every other becomes the last.
var reasons = []string{"customer", "inventory", "fraud", "declined", "staff", "other"}

// CancelByStaff cancels an order as staff do, shipped or not, with what is left of the payment
// given back or with nothing.
func (s *Shop) CancelByStaff(id shopadmin.OrderID, reason string, refund bool) error {
	if !s.Get(id).CancelledAt.IsZero() {
		return errors.New("fake store: cancelled already")
	}
	s.Change(id, false, func(o *shopadmin.Order) { s.cancel(o, shopadmin.Cancel{Reason: reason, Refund: refund, Restock: true}) })
	return nil
}

// Cancel cancels an order; one that is cancelled already stays so, and one of which a parcel has
// left is not cancelled.
func (s *Shop) Cancel(_ context.Context, key string, id shopadmin.OrderID, c shopadmin.Cancel) error {
	defer s.Hook("cancel-end")
	if s.orders[id] == nil {
		return fault.New(fault.NotFound, "fake store: no order %s", id)
	}
	var refused error
	err := s.write(key, "cancel", func() {
		o := s.orders[id].now
		switch {
		case !o.CancelledAt.IsZero():
		case slices.ContainsFunc(o.Fulfillments, func(f shopadmin.Fulfillment) bool { return f.Status == shopadmin.FulfillmentSuccess }):
			refused = fault.New(fault.Refused, "fake store: a parcel of order %s has left", id)
		default:
			s.Change(id, false, func(o *shopadmin.Order) { s.cancel(o, c) })
		}
	})
	if err == nil {
		err = refused
	}
	return err
}

func (s *Shop) cancel(o *shopadmin.Order, c shopadmin.Cancel) {
	if left := leftOf(*o); c.Refund && left > 0 {
		lines, _, err := s.units(*o, remaining(*o))
		if err != nil { // it takes what the order itself says is there
			panic(err)
		}
		book(o, shopadmin.Refund{ID: s.refundID(), CreatedAt: s.now(), Lines: lines, Moved: money.New(left, o.Total.Currency)})
	}
	for i := range o.Lines {
		o.Lines[i].Unfulfilled = 0
	}
	o.CancelledAt, o.CancelReason = s.now(), reasons[len(reasons)-1]
	if slices.Contains(reasons, c.Reason) {
		o.CancelReason = c.Reason
	}
	o.Note = noted(o.Note, c.Note)
}

// remaining is every unit an order still has: those that have not shipped and those that have.
func remaining(o shopadmin.Order) (out []shopadmin.NewRefundLine) {
	for _, l := range o.Lines {
		unshipped := min(l.Unfulfilled, l.Current)
		for _, part := range []shopadmin.NewRefundLine{{Line: l.ID, Quantity: unshipped, Restock: shopadmin.RestockCancel},
			{Line: l.ID, Quantity: l.Current - unshipped, Restock: shopadmin.RestockReturn}} {
			if part.Quantity > 0 {
				out = append(out, part)
			}
		}
	}
	return out
}

// noted adds a line to an order's note unless it stands there.
func noted(note, line string) string {
	if line == "" || slices.Contains(strings.Split(note, "\n"), line) {
		return note
	}
	return strings.TrimSpace(note + "\n" + line)
}
