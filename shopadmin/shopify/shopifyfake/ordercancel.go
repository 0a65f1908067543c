package shopifyfake

import (
	"fmt"
	"slices"
	"time"

	"channelbridge/internal/money"
)

// cancelJob is a cancellation the app asked for, which the store carries out later.
type cancelJob struct {
	id, order string
	status    string // STARTED, SUCCEEDED, FAILED
	problem   string // why it failed
	due       time.Time
	wish      Cancellation
	notify    bool
	fails     bool // it will
}

func (j *cancelJob) obj() obj {
	errs := []obj{}
	if j.problem != "" {
		errs = append(errs, obj{"code": "INVALID", "field": nil, "message": j.problem})
	}
	return obj{"__typename": "OrderCancelJobResult", "id": j.id, "done": j.status != "STARTED", "status": j.status, "errors": errs}
}

// orderCancel checks what can be checked at once and leaves the rest to a job.
func (s *Server) orderCancel(r *run, args map[string]any) any {
	refuse := func(code, message string, field ...string) obj {
		return obj{"jobResult": nil, "orderCancelUserErrors": []obj{{"code": code, "message": message, "field": field}}}
	}
	o := s.order(args["orderId"].(string))
	if o == nil {
		return refuse("NOT_FOUND", "Order does not exist", "orderId")
	}
	w := Cancellation{Reason: args["reason"].(string), Note: str(args, "staffNote")}
	w.Restock, _ = args["restock"].(bool)
	if len([]rune(w.Note)) > 255 {
		return refuse("INVALID", "Staff note is too long (maximum is 255 characters)", "staffNote")
	}
	if m, ok := args["refundMethod"].(map[string]any); ok {
		w.Refund, _ = m["originalPaymentMethodsRefund"].(bool)
	}
	if err := o.cancellable(); err != nil {
		return refuse("INVALID", err.Error(), "orderId")
	}
	notify, _ := args["notifyCustomer"].(bool)
	j := &cancelJob{id: s.id("OrderCancelJobResult"), order: o.ID, status: "STARTED", due: s.cfg.Clock().Add(s.cfg.CancelDelay), wish: w, notify: notify,
		fails: r.fault == FaultCancelFails}
	s.world.jobs = append(s.world.jobs, j)
	s.stir()
	return obj{"jobResult": j.obj(), "orderCancelUserErrors": []obj{}}
}

// ripen carries out the cancellations that are due. The lock is held.
func (s *Server) ripen() {
	for _, j := range s.world.jobs {
		if j.status != "STARTED" || j.due.After(s.cfg.Clock()) {
			continue
		}
		o := s.order(j.order)
		err := o.cancellable()
		if err == nil && j.fails {
			err = fmt.Errorf("inventory cannot be returned to a deactivated location")
		}
		if err != nil {
			j.status, j.problem = "FAILED", err.Error()
			continue
		}
		s.cancel(o, j.wish)
		if j.notify {
			s.tell(o, "cancellation")
		}
		j.status = "SUCCEEDED"
	}
}

func (o *Order) cancellable() error {
	switch {
	case !o.CancelledAt.IsZero():
		return fmt.Errorf("order %s is cancelled already", o.Name)
	case slices.ContainsFunc(o.Fulfillments, func(f Fulfillment) bool { return f.Status == "SUCCESS" }):
		return fmt.Errorf("order %s has been shipped", o.Name)
	}
	return nil
}

// cancel ends an order. What is given or put back is a refund of its own; everything is heard of
// as one action.
func (s *Server) cancel(o *Order, c Cancellation) {
	event := s.event()
	o.CancelledAt, o.CancelReason, o.CancelNote = s.now(), c.Reason, c.Note
	if o.CancelReason == "" {
		o.CancelReason = "OTHER"
	}
	g := giving{status: "SUCCESS", note: "Order canceled", shipping: money.New(0, o.Currency)}
	for _, l := range o.Lines {
		if q := (RefundQty{Line: l.ID, Quantity: l.Current}); q.Quantity > 0 {
			if c.Restock {
				q.Restock, q.Location = "CANCEL", s.place()
			}
			g.lines = append(g.lines, q)
		}
	}
	if c.Refund {
		g.shipping, _ = o.shippingLeft()
		g.payments = o.everything()
	}
	var made []Refund
	if c.Refund || c.Restock {
		made = append(made, s.give(o, g))
	}
	for i := range o.Lines {
		o.Lines[i].Current, o.Lines[i].Unshipped = 0, 0
	}
	for i := range o.FulfillmentOrders {
		o.FulfillmentOrders[i].Status, o.FulfillmentOrders[i].Holds = "CLOSED", nil
	}
	s.touch(o)
	s.push(event, "ORDERS_CANCELLED", s.restOrder(o))
	for _, r := range made {
		s.tellRefund(event, o, r)
	}
	s.push(event, "ORDERS_UPDATED", s.restOrder(o))
}

// everything is what is left of all payments.
func (o *Order) everything() (list []Transaction) {
	for _, t := range o.Transactions {
		if (t.Kind == "SALE" || t.Kind == "CAPTURE") && t.Status == "SUCCESS" && o.left(t).Minor > 0 {
			list = append(list, Transaction{Parent: t.ID, Gateway: t.Gateway, Amount: o.left(t)})
		}
	}
	return list
}
