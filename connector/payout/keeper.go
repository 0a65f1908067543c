package payout

import (
	"context"
	"fmt"

	"channelbridge/connector"
	"channelbridge/connector/order"
)

// Keeper writes down what is known of an order at the end of each look at it, when that has
// changed. A look that is missed is made up for by the next.
type Keeper struct {
	Store connector.Payouts
}

// Known keeps the facts of an order as a snapshot shows them.
func (k Keeper) Known(ctx context.Context, s order.Snapshot) error {
	if s.Market == nil {
		return nil
	}
	f, ok := FactsOf(*s.Market, s.Shop, s.ShopRef, order.SheetOf(s))
	if !ok {
		return nil
	}
	_, err := k.Store.KeepFacts(ctx, []connector.PayoutFacts{{Account: s.Subject.Channel, Order: f.Order, Store: f.Store, KnownAt: s.Now, Body: f.Encode()}})
	if err != nil {
		return fmt.Errorf("keeping what is known of order %s for its payout: %w", s.Subject, err)
	}
	return nil
}
