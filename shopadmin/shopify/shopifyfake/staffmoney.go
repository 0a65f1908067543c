package shopifyfake

import (
	"fmt"

	"channelbridge/internal/money"
)

// What people in the store do with money.

// Cancellation is how an order is cancelled.
type Cancellation struct {
	Reason   string // CUSTOMER, DECLINED, FRAUD, INVENTORY, OTHER or STAFF; "": OTHER
	Restock  bool   // the goods go back into stock
	Refund   bool   // what was paid is given back
	TakeBack bool   // shipments are cancelled first; without it an order that left is not cancelled
	Note     string
}

// CancelOrder cancels an order of which nothing has been shipped, and gives nothing back.
func (s *Server) CancelOrder(orderID string) error { return s.Cancel(orderID, Cancellation{}) }

// Cancel cancels an order. Staff leave the box "notify the customer" ticked.
func (s *Server) Cancel(orderID string, c Cancellation) error {
	if c.TakeBack {
		o, _ := s.Order(orderID)
		for _, f := range o.Fulfillments {
			if f.Status != "SUCCESS" {
				continue
			}
			if err := s.CancelFulfillment(f.ID); err != nil {
				return err
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.order(orderID)
	if o == nil {
		return fmt.Errorf("order %s: %w", orderID, ErrNoSuch)
	}
	if err := o.cancellable(); err != nil {
		return err
	}
	s.tell(o, "cancellation")
	s.cancel(o, c)
	return nil
}

// StaffRefund is a refund as a person makes it.
type StaffRefund struct {
	Lines    []RefundQty // none: money alone. Without a location goods go back to where they came from
	Shipping money.Money // before tax
	Amount   money.Money // what is given back; without a currency: what lines and shipping come to
	NoMoney  bool        // only the goods
	Pending  bool        // the money is on its way; see SettleRefund
	Note     string
	Reason   string // of a difference between Amount and the parts: CUSTOMER, DAMAGE, RESTOCK, OTHER
}

// Refund refunds a part of an order and returns the refund's id. Staff leave the box "notify the
// customer" ticked.
func (s *Server) Refund(orderID string, r StaffRefund) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.order(orderID)
	if o == nil {
		return "", fmt.Errorf("order %s: %w", orderID, ErrNoSuch)
	}
	g := giving{lines: r.Lines, shipping: sum(o.Currency, r.Shipping), status: "SUCCESS", note: r.Note, reason: r.Reason}
	if r.Pending {
		g.status = "PENDING"
	}
	for i := range g.lines {
		if g.lines[i].Location == "" && g.lines[i].Restock != "" && g.lines[i].Restock != "NO_RESTOCK" {
			g.lines[i].Location = s.place()
		}
	}
	if err := s.check(o, g); err != nil {
		return "", err
	}
	if !r.NoMoney {
		amount := r.Amount
		if amount.Currency == "" {
			amount = o.parts(g)
		}
		var err error
		if g.payments, err = o.pay(amount); err != nil {
			return "", err
		}
	}
	made := s.give(o, g)
	s.tell(o, "refund notification")
	s.touch(o)
	event := s.event()
	s.tellRefund(event, o, made)
	s.push(event, "ORDERS_UPDATED", s.restOrder(o))
	return made.ID, nil
}

// parts is what the lines and the shipping of a refund come to.
func (o *Order) parts(g giving) money.Money {
	total := sum(o.Currency, g.shipping)
	if price, tax := o.shippingLeft(); !g.shipping.IsZero() {
		total = sum(o.Currency, total, share(tax, g.shipping.Minor, price.Minor))
	}
	for _, l := range g.lines {
		net, tax := o.worth(l.Line, l.Quantity)
		total = sum(o.Currency, total, net, tax)
	}
	return total
}

// pay spreads an amount over the order's payments.
func (o *Order) pay(amount money.Money) (list []Transaction, err error) {
	if amount.Currency != o.Currency {
		return nil, fmt.Errorf("%s for an order in %s", amount, o.Currency)
	}
	for _, t := range o.everything() {
		if t.Amount.Cmp(amount) > 0 {
			t.Amount = amount
		}
		if t.Amount.IsZero() {
			break
		}
		list, amount = append(list, t), sum(o.Currency, amount, t.Amount.Neg())
	}
	if !amount.IsZero() {
		return nil, fmt.Errorf("%s more than was paid", amount)
	}
	return list, nil
}

// SettleRefund ends a pending refund: its money has moved, or never will.
func (s *Server) SettleRefund(refundID string, moved bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.world.orders {
		settled := false
		for i := range o.Transactions {
			t := &o.Transactions[i]
			if t.Refund != refundID || t.Status != "PENDING" {
				continue
			}
			settled, t.Status = true, "FAILURE"
			if moved {
				t.Status = "SUCCESS"
			}
		}
		if settled {
			s.touch(o)
			s.push(s.event(), "ORDERS_UPDATED", s.restOrder(o))
			return nil
		}
	}
	return fmt.Errorf("pending refund %s: %w", refundID, ErrNoSuch)
}

// WriteNote replaces the order's note, as a person typing there does.
func (s *Server) WriteNote(orderID, note string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.order(orderID)
	if o == nil {
		return fmt.Errorf("order %s: %w", orderID, ErrNoSuch)
	}
	o.Note = note
	s.touch(o)
	s.push(s.event(), "ORDERS_UPDATED", s.restOrder(o))
	return nil
}
