package shopifyfake

import (
	"fmt"
	"slices"

	"channelbridge/internal/money"
)

// RefundQty is units of a line to be refunded.
type RefundQty struct {
	Line     string
	Quantity int
	Restock  string // NO_RESTOCK, CANCEL or RETURN; "": NO_RESTOCK
	Location string // where they are put back to
}

// giving is a refund to be made, by whomever.
type giving struct {
	lines     []RefundQty
	shipping  money.Money
	payments  []Transaction // Parent, Gateway, Amount
	status    string        // of its transactions
	note      string
	reason    string // of a difference
	unlimited bool   // more than was paid
}

// check finds why the store would not make the refund.
func (s *Server) check(o *Order, g giving) error {
	want := map[string]int{}
	for i, l := range g.lines {
		line := o.line(l.Line)
		if line == nil {
			return fmt.Errorf("line item %s does not belong to the order", l.Line)
		}
		want[l.Line] += l.Quantity
		if l.Quantity <= 0 || want[l.Line]+o.refunded(l.Line) > line.Quantity {
			return fmt.Errorf("quantity cannot refund more items than were purchased (line %d)", i)
		}
		if err := s.checkRestock(o, *line, l); err != nil {
			return err
		}
	}
	if price, _ := o.shippingLeft(); g.shipping.Cmp(price) > 0 || g.shipping.Minor < 0 {
		return fmt.Errorf("shipping amount cannot be more than %s", price)
	}
	return o.checkPayments(g)
}

func (o *Order) checkPayments(g giving) error {
	given := map[string]money.Money{}
	for _, t := range g.payments {
		i := slices.IndexFunc(o.Transactions, func(p Transaction) bool { return p.ID == t.Parent })
		if i < 0 || o.Transactions[i].Kind != "SALE" && o.Transactions[i].Kind != "CAPTURE" || o.Transactions[i].Status != "SUCCESS" {
			return fmt.Errorf("transactions parent is not a successful payment of the order")
		}
		parent := o.Transactions[i]
		if t.Gateway != parent.Gateway {
			return fmt.Errorf("transactions gateway %q is not the payment's", t.Gateway)
		}
		if t.Amount.Minor <= 0 {
			return fmt.Errorf("transactions amount must be greater than 0")
		}
		given[parent.ID] = sum(o.Currency, given[parent.ID], t.Amount)
		if left := o.left(parent); !g.unlimited && given[parent.ID].Cmp(left) > 0 {
			return fmt.Errorf("refund amount cannot be more than the %s left of the payment", left)
		}
	}
	return nil
}

func (s *Server) checkRestock(o *Order, line Line, l RefundQty) error {
	shipped := 0
	for _, f := range o.Fulfillments {
		for _, q := range f.Lines {
			if f.Status == "SUCCESS" && q.Line == l.Line {
				shipped += q.Quantity
			}
		}
	}
	switch {
	case l.Restock == "" || l.Restock == "NO_RESTOCK":
		return nil
	case l.Location != s.place():
		return fmt.Errorf("refund line items location is not one of the store's")
	case l.Restock == "CANCEL" && l.Quantity > line.Unshipped:
		return fmt.Errorf("cannot cancel more items than are unfulfilled")
	case l.Restock == "RETURN" && l.Quantity > shipped:
		return fmt.Errorf("cannot return more items than were fulfilled")
	case l.Restock == "CANCEL" || l.Restock == "RETURN":
		return nil
	}
	return fmt.Errorf("restock type %s is not accepted", l.Restock)
}

// give makes a checked refund: lines, shipping, payments, and the difference as an adjustment.
// Who hears of it is the caller's part.
func (s *Server) give(o *Order, g giving) Refund {
	r := Refund{ID: s.id("Refund"), Note: g.note, CreatedAt: s.now(), Shipping: sum(o.Currency, g.shipping), ShippingTax: money.New(0, o.Currency)}
	parts := r.Shipping
	for _, l := range g.lines {
		line := RefundLine{Line: l.Line, Restock: l.Restock, Location: l.Location, Quantity: l.Quantity}
		if line.Restock == "" {
			line.Restock = "NO_RESTOCK"
		}
		line.Subtotal, line.Tax = o.worth(l.Line, l.Quantity)
		parts = sum(o.Currency, parts, line.Subtotal, line.Tax)
		r.Lines = append(r.Lines, line)
		s.takeBack(o, line)
	}
	if price, tax := o.shippingLeft(); !r.Shipping.IsZero() {
		r.ShippingTax = share(tax, r.Shipping.Minor, price.Minor)
		parts = sum(o.Currency, parts, r.ShippingTax)
	}
	o.Refunds = append(o.Refunds, r)
	for _, t := range g.payments {
		t.ID, t.Kind, t.Status, t.Refund, t.At = s.id("OrderTransaction"), "REFUND", g.status, r.ID, r.CreatedAt
		o.Transactions = append(o.Transactions, t)
	}
	made := &o.Refunds[len(o.Refunds)-1]
	if difference := sum(o.Currency, parts, o.Given(r.ID).Neg()); len(g.payments) > 0 && !difference.IsZero() {
		reason := g.reason
		if reason == "" || reason == "OTHER" {
			reason = "REFUND_DISCREPANCY"
		}
		made.Adjustments = []Adjustment{{s.id("OrderAdjustment"), reason, difference}}
	}
	return *made
}

// takeBack removes refunded units from what is ordered and, unless they come back from the buyer,
// from what is still to be shipped.
func (s *Server) takeBack(o *Order, l RefundLine) {
	line := o.line(l.Line)
	line.Current -= l.Quantity
	if l.Restock != "RETURN" {
		n := min(l.Quantity, line.Unshipped)
		line.Unshipped -= n
		o.drop(l.Line, n)
	}
	if l.Restock != "NO_RESTOCK" && line.VariantID != "" {
		s.world.stock[line.VariantID] += l.Quantity
	}
}

// drop takes units out of the fulfillment orders and closes those with nothing left.
func (o *Order) drop(line string, n int) {
	for i := range o.FulfillmentOrders {
		fo := &o.FulfillmentOrders[i]
		left := 0
		for j := range fo.Lines {
			if fo.Lines[j].Line == line {
				k := min(n, fo.Lines[j].Quantity)
				fo.Lines[j].Quantity -= k
				n -= k
			}
			left += fo.Lines[j].Quantity
		}
		if left == 0 {
			fo.Status, fo.Holds = "CLOSED", nil
		}
	}
}

// tellRefund lets everybody hear of a refund, as part of one action.
func (s *Server) tellRefund(event string, o *Order, r Refund) {
	s.push(event, "REFUNDS_CREATE", restRefund(o, r))
	for _, t := range o.Transactions {
		if t.Refund == r.ID {
			s.push(event, "ORDER_TRANSACTIONS_CREATE", restTransaction(o, t))
		}
	}
}
