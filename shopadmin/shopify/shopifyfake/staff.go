package shopifyfake

import (
	"errors"
	"fmt"
	"slices"
)

// What people in the store do.

// ErrHeld is why an order cannot be fulfilled now.
var ErrHeld = errors.New("the order is on hold")

// ErrNoSuch is an id the store does not know.
var ErrNoSuch = errors.New("no such thing in the store")

// PlaceOrder is a sale of the store's own, which carries no mark. It returns the order's id.
func (s *Server) PlaceOrder(sku, title string, quantity int, email string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := &Order{Currency: s.cfg.Currency, Email: email, SourceName: "web", SendReceipt: true, Metafields: map[string]string{},
		Lines: []Line{{SKU: sku, Title: title, Quantity: quantity, Current: quantity, Unshipped: quantity}}}
	o.Total.Currency, o.Lines[0].Price.Currency = s.cfg.Currency, s.cfg.Currency
	s.open(o)
	return o.ID
}

// Fulfill ships lines of an order, or everything left when none are named. Staff leave the box
// "notify the customer" ticked. It is refused while a hold is on.
func (s *Server) Fulfill(orderID string, lines []LineQty, tracking ...Tracking) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.order(orderID)
	if o == nil {
		return "", fmt.Errorf("order %s: %w", orderID, ErrNoSuch)
	}
	if !o.CancelledAt.IsZero() {
		return "", fmt.Errorf("order %s is cancelled", o.Name)
	}
	if len(lines) == 0 {
		for _, l := range o.Lines {
			if l.Unshipped > 0 {
				lines = append(lines, LineQty{l.ID, l.Unshipped})
			}
		}
	}
	if err := o.canShip(lines); err != nil {
		return "", err
	}
	f := Fulfillment{ID: s.id("Fulfillment"), Name: fmt.Sprintf("%s.%d", o.Name, len(o.Fulfillments)+1), Status: "SUCCESS", Location: s.place(),
		CreatedAt: s.now(), UpdatedAt: s.now(), Tracking: slices.Clone(tracking), Lines: slices.Clone(lines)}
	o.ship(lines)
	o.Fulfillments = append(o.Fulfillments, f)
	s.touch(o)
	s.tell(o, "shipping confirmation")
	event := s.event()
	s.push(event, "FULFILLMENTS_CREATE", s.restFulfillment(o, f))
	s.push(event, "ORDERS_UPDATED", s.restOrder(o))
	return f.ID, nil
}

func (o *Order) canShip(lines []LineQty) error {
	for _, fo := range o.FulfillmentOrders {
		if fo.Status == "ON_HOLD" {
			return fmt.Errorf("order %s: %w", o.Name, ErrHeld)
		}
	}
	if len(lines) == 0 {
		return fmt.Errorf("order %s has nothing left to ship", o.Name)
	}
	want := map[string]int{}
	for _, l := range lines {
		want[l.Line] += l.Quantity
		line := o.line(l.Line)
		if line == nil {
			return fmt.Errorf("line %s: %w", l.Line, ErrNoSuch)
		}
		if l.Quantity <= 0 || want[l.Line] > line.Unshipped {
			return fmt.Errorf("line %s: %d asked, %d left", l.Line, want[l.Line], line.Unshipped)
		}
	}
	return nil
}

// ship takes quantities out of the lines and the open fulfillment orders.
func (o *Order) ship(lines []LineQty) {
	for _, l := range lines {
		o.line(l.Line).Unshipped -= l.Quantity
		left := l.Quantity
		for i := range o.FulfillmentOrders {
			fo := &o.FulfillmentOrders[i]
			if fo.Status != "OPEN" && fo.Status != "IN_PROGRESS" {
				continue
			}
			for j := range fo.Lines {
				if fo.Lines[j].Line == l.Line {
					n := min(left, fo.Lines[j].Quantity)
					fo.Lines[j].Quantity -= n
					left -= n
				}
			}
		}
	}
	for i := range o.FulfillmentOrders {
		fo := &o.FulfillmentOrders[i]
		if fo.Status == "OPEN" || fo.Status == "IN_PROGRESS" {
			fo.Status = "IN_PROGRESS"
			if !slices.ContainsFunc(fo.Lines, func(l LineQty) bool { return l.Quantity > 0 }) {
				fo.Status = "CLOSED"
			}
		}
	}
}

func (s *Server) fulfillment(id string) (*Order, *Fulfillment, error) {
	for _, o := range s.world.orders {
		for i := range o.Fulfillments {
			if o.Fulfillments[i].ID == id {
				return o, &o.Fulfillments[i], nil
			}
		}
	}
	return nil, nil, fmt.Errorf("fulfillment %s: %w", id, ErrNoSuch)
}

// UpdateTracking replaces the parcel numbers of a shipment.
func (s *Server) UpdateTracking(fulfillmentID string, tracking ...Tracking) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, f, err := s.fulfillment(fulfillmentID)
	if err != nil {
		return err
	}
	f.Tracking, f.UpdatedAt = slices.Clone(tracking), s.now()
	s.changedShipment(o, f)
	s.tell(o, "shipping update")
	return nil
}

// CancelFulfillment takes a shipment back; its units return to a new fulfillment order.
func (s *Server) CancelFulfillment(fulfillmentID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, f, err := s.fulfillment(fulfillmentID)
	if err != nil {
		return err
	}
	if f.Status == "CANCELLED" {
		return fmt.Errorf("fulfillment %s is cancelled already", f.Name)
	}
	f.Status, f.UpdatedAt = "CANCELLED", s.now()
	for _, l := range f.Lines {
		o.line(l.Line).Unshipped += l.Quantity
	}
	o.FulfillmentOrders = append(o.FulfillmentOrders, FulfillmentOrder{ID: s.id("FulfillmentOrder"), Status: "OPEN", Location: s.place(), Lines: slices.Clone(f.Lines)})
	s.changedShipment(o, f)
	return nil
}

func (s *Server) changedShipment(o *Order, f *Fulfillment) {
	s.touch(o)
	event := s.event()
	s.push(event, "FULFILLMENTS_UPDATE", s.restFulfillment(o, *f))
	s.push(event, "ORDERS_UPDATED", s.restOrder(o))
}

// PlaceHold is a hold put on by staff.
func (s *Server) PlaceHold(orderID, reason string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.order(orderID)
	if o == nil {
		return fmt.Errorf("order %s: %w", orderID, ErrNoSuch)
	}
	for i := range o.FulfillmentOrders {
		fo := &o.FulfillmentOrders[i]
		if slices.Contains(fo.actions(), "HOLD") {
			fo.Status = "ON_HOLD"
			fo.Holds = append(fo.Holds, Hold{ID: s.id("FulfillmentHold"), Reason: "OTHER", Notes: reason})
		}
	}
	s.touch(o)
	s.push(s.event(), "ORDERS_UPDATED", s.restOrder(o))
	return nil
}

// ReleaseHold lifts every hold of an order, as a person pressing the button does.
func (s *Server) ReleaseHold(orderID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.order(orderID)
	if o == nil {
		return fmt.Errorf("order %s: %w", orderID, ErrNoSuch)
	}
	for i := range o.FulfillmentOrders {
		if fo := &o.FulfillmentOrders[i]; fo.Status == "ON_HOLD" {
			fo.Holds, fo.Status = nil, "OPEN"
		}
	}
	s.touch(o)
	s.push(s.event(), "ORDERS_UPDATED", s.restOrder(o))
	return nil
}

// Uninstall removes the app: its tokens end at once and its subscriptions go after one last push.
func (s *Server) Uninstall() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.push(s.event(), "APP_UNINSTALLED", map[string]any{"id": 1, "name": s.cfg.Name, "myshopify_domain": s.cfg.Shop})
	s.world.subscriptions = nil
	clear(s.tokens)
}
