package amazonfake

import (
	"fmt"
	"maps"
	"slices"

	"channelbridge/internal/money"
)

// giveBack books a refund whose items were checked.
func (s *Server) giveBack(o *order, r Refund) (Refund, error) {
	r.Amount, r.Untaxed = money.New(0, o.spec.Currency), money.New(0, o.spec.Currency)
	for _, it := range r.Items {
		for name, m := range it.Parts {
			r.Amount = must(r.Amount.Add(m))
			if !isTax(name) {
				r.Untaxed = must(r.Untaxed.Add(m))
			}
		}
	}
	if r.Amount.Minor <= 0 {
		return r, fmt.Errorf("the refund does not come to more than zero")
	}
	s.serial++
	r.ID, r.Order, r.At = fmt.Sprintf("refund-%06d", s.serial), o.spec.ID, s.now()
	o.refunds = append(o.refunds, r)
	s.book(o, refundEntry(o, r))
	s.announce(topicTransaction, s.transactionUpdate(o, "Refund", r.Amount.Neg()))
	return r, nil
}

// everything is what is left of an order, for a refund of the whole.
func (o *order) everything() (all []RefundedItem) {
	for _, it := range o.items {
		parts := map[string]money.Money{}
		for name, m := range o.left(it) {
			if m.Minor > 0 {
				parts[name] = m
			}
		}
		if len(parts) > 0 {
			all = append(all, RefundedItem{it.spec.ID, parts})
		}
	}
	return all
}

// RefundByHand is a refund made in Seller Central: of what is named, with the tax Amazon adds, or
// of everything that is left. Amounts are decimal text by item id and component.
func (s *Server) RefundByHand(id string, items ...map[string]map[string]string) (Refund, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	o := s.orders[id]
	if o == nil {
		return Refund{}, fmt.Errorf("amazonfake: there is no order %s", id)
	}
	r := Refund{By: "seller_central"}
	for _, byItem := range items {
		for _, itemID := range slices.Sorted(maps.Keys(byItem)) {
			it := o.item(itemID)
			if it == nil {
				return Refund{}, fmt.Errorf("amazonfake: order %s has no item %s", id, itemID)
			}
			want := map[string]money.Money{}
			for name, text := range byItem[itemID] {
				want[name] = o.amount(text)
			}
			parts, err := o.fill(it, want)
			if err != nil {
				return Refund{}, fmt.Errorf("amazonfake: %w", err)
			}
			r.Items = append(r.Items, RefundedItem{itemID, parts})
		}
	}
	if len(items) == 0 {
		r.Items = o.everything()
	}
	return s.giveBack(o, r)
}

// Refunds lists what was given back of an order, oldest first, without any delay.
func (s *Server) Refunds(id string) []Refund {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	if o := s.orders[id]; o != nil {
		return slices.Clone(o.refunds)
	}
	return nil
}
