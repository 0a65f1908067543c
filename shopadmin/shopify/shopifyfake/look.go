package shopifyfake

import (
	"slices"
	"strings"
)

// What tests and the demo look at and put there.

// Orders returns all orders, oldest first.
func (s *Server) Orders() []Order {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ripen()
	var out []Order
	for _, o := range s.world.orders {
		out = append(out, o.clone())
	}
	return out
}

// Order returns one order by its global id.
func (s *Server) Order(id string) (Order, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ripen()
	if o := s.order(id); o != nil {
		return o.clone(), true
	}
	return Order{}, false
}

// OrdersByMark returns the orders carrying the mark "channel:order": more than one is a double.
func (s *Server) OrdersByMark(mark string) []Order {
	return slices.DeleteFunc(s.Orders(), func(o Order) bool { return o.Mark() != mark })
}

// AddProduct puts a product into the catalogue and returns its variant's global id. A second
// product may have the same SKU.
func (s *Server) AddProduct(sku, title string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := variant{s.id("ProductVariant"), sku, title}
	s.world.variants = append(s.world.variants, v)
	return v.id
}

// SetStock sets what is there of a variant; Stock tells what is left, which may be negative.
func (s *Server) SetStock(variantID string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.stock[variantID] = n
}

// Stock returns how much is left of a variant.
func (s *Server) Stock(variantID string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.stock[variantID]
}

// Messages returns everything the store would have written to customers.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.world.messages)
}

// MessagesFor returns the messages about one order.
func (s *Server) MessagesFor(orderID string) []Message {
	return slices.DeleteFunc(s.Messages(), func(m Message) bool { return !strings.EqualFold(m.Order, orderID) })
}

// MerchantNotifications returns what the store told the merchant's staff about new orders.
func (s *Server) MerchantNotifications() []Notification {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.world.notices)
}
