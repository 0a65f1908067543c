package amazonfake

import "slices"

// change runs f on an order and reports whether there is one.
func (s *Server) change(id string, f func(*order) bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	o := s.orders[id]
	return o != nil && f(o)
}

func (o *order) pending() bool { return o.status == "PENDING" || o.status == "PENDING_AVAILABILITY" }

// Release lets a pending order go: the payment has cleared.
func (s *Server) Release(id string) bool {
	return s.change(id, func(o *order) bool {
		if !o.pending() {
			return false
		}
		o.status = "UNSHIPPED"
		s.touch(o)
		s.emit(o, changeStatus, "Order Released", nil)
		return true
	})
}

// RequestCancel is the buyer asking for cancellation of the items named, or of all. Nothing
// is cancelled by it.
func (s *Server) RequestCancel(id, reason string, items ...string) bool {
	return s.change(id, func(o *order) bool {
		if o.status != "UNSHIPPED" && o.status != "PARTIALLY_SHIPPED" {
			return false
		}
		var asked []string
		for _, it := range o.items {
			if len(items) == 0 || slices.Contains(items, it.spec.ID) {
				it.requested, it.reason = true, reason
				asked = append(asked, it.spec.ID)
			}
		}
		s.touch(o)
		s.emit(o, changeBuyer, "Buyer Requested Cancel", asked)
		return true
	})
}

// CancelByBuyer cancels a whole order nothing of which has left.
func (s *Server) CancelByBuyer(id string) bool { return s.cancel(id, "BUYER", "BUYER_CANCELLED") }

// CancelByMerchant is a cancellation made in Seller Central.
func (s *Server) CancelByMerchant(id, reason string) bool { return s.cancel(id, "MERCHANT", reason) }

func (s *Server) cancel(id, by, reason string) bool {
	return s.change(id, func(o *order) bool {
		if !o.pending() && o.status != "UNSHIPPED" {
			return false
		}
		o.status, o.reason = "CANCELLED", reason
		for _, it := range o.items {
			it.cancelled, it.by, it.reason = it.spec.Quantity, by, reason
		}
		s.touch(o)
		s.emit(o, changeStatus, "Order Canceled", nil)
		return true
	})
}

// ChangeAddress moves the order's destination; Amazon sends no notification for it.
func (s *Server) ChangeAddress(id string, a Address) bool {
	return s.change(id, func(o *order) bool {
		if o.status == "SHIPPED" || o.status == "CANCELLED" {
			return false
		}
		o.spec.Address = &a
		s.touch(o)
		return true
	})
}

// ShipByAmazon sends an order out of Amazon's own warehouse.
func (s *Server) ShipByAmazon(id string) bool {
	return s.change(id, func(o *order) bool {
		if !o.spec.Amazon || o.status != "UNSHIPPED" {
			return false
		}
		units := map[string]int{}
		for _, it := range o.items {
			units[it.spec.ID] = it.spec.Quantity - it.fulfilled
			it.fulfilled = it.spec.Quantity
		}
		s.book(o, o.shipmentEntry(units))
		o.status = "SHIPPED"
		s.touch(o)
		s.emit(o, changeStatus, "Order Shipped", nil)
		return true
	})
}

// Order returns an order as it stands now.
func (s *Server) Order(id string) (OrderState, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	o := s.orders[id]
	if o == nil {
		return OrderState{}, false
	}
	return o.state(), true
}

// Orders returns all orders in the order they were placed.
func (s *Server) Orders() []OrderState {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	all := make([]OrderState, 0, len(s.placed))
	for _, id := range s.placed {
		all = append(all, s.orders[id].state())
	}
	return all
}

// Shipments returns every confirmation accepted for an order, edits included, oldest first.
func (s *Server) Shipments(id string) []Confirmation {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.orders[id]; o != nil {
		return slices.Clone(o.history)
	}
	return nil
}
