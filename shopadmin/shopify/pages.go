package shopify

import (
	"context"
	"fmt"

	"channelbridge/internal/fault"
	"channelbridge/shopadmin"
)

// pagesLimit ends a listing that would never end.
const pagesLimit = 500

// complete reads the parts of an order that did not fit into its first answer.
func (a *Admin) complete(ctx context.Context, n *orderNode) error {
	if err := a.restOfLines(ctx, n); err != nil {
		return err
	}
	if err := a.restOfFulfillments(ctx, n); err != nil {
		return err
	}
	for i := range n.Fulfillments {
		if err := a.restOfFulfillment(ctx, &n.Fulfillments[i]); err != nil {
			return err
		}
	}
	if err := a.restOfTransactions(ctx, n); err != nil {
		return err
	}
	if err := a.restOfRefunds(ctx, n); err != nil {
		return err
	}
	if n.FulfillmentOrders.PageInfo.HasNextPage {
		all, err := a.fulfillmentOrders(ctx, n.ID)
		if err != nil {
			return err
		}
		n.FulfillmentOrders.Nodes = all
	}
	return nil
}

// walk follows one connection to its end. next returns the following page.
func walk[T any](first connection[T], next func(after string) (connection[T], error)) ([]T, error) {
	all, page := first.Nodes, first.PageInfo
	for n := 0; page.HasNextPage; n++ {
		if n == pagesLimit || page.EndCursor == "" {
			return nil, fault.New(fault.Refused, "shopify: a list of more than %d entries does not end", len(all))
		}
		more, err := next(page.EndCursor)
		if err != nil {
			return nil, err
		}
		all, page = append(all, more.Nodes...), more.PageInfo
	}
	return all, nil
}

func (a *Admin) restOfLines(ctx context.Context, n *orderNode) error {
	all, err := walk(n.LineItems, func(after string) (connection[lineNode], error) {
		var out struct{ Order *orderNode }
		err := a.client.do(ctx, docOrderLines, map[string]any{"id": n.ID, "after": after}, &out)
		if err == nil && out.Order == nil {
			err = gone(n.ID)
		}
		if err != nil {
			return connection[lineNode]{}, err
		}
		return out.Order.LineItems, nil
	})
	n.LineItems.Nodes = all
	return err
}

// restOfFulfillments fetches the fulfillments beyond the first few. Their list has no cursor,
// so it is read as ids first; Shopify gives 250 of them at most.
func (a *Admin) restOfFulfillments(ctx context.Context, n *orderNode) error {
	if n.FulfillmentsCount == nil || n.FulfillmentsCount.Count <= len(n.Fulfillments) {
		return nil
	}
	var out struct{ Order *orderNode }
	if err := a.client.do(ctx, docFulfillmentIDs, map[string]any{"id": n.ID}, &out); err != nil {
		return err
	}
	if out.Order == nil {
		return gone(n.ID)
	}
	if len(out.Order.Fulfillments) < n.FulfillmentsCount.Count {
		return fault.New(fault.Refused, "shopify: order %s has %d fulfillments, %d can be read", n.ID,
			n.FulfillmentsCount.Count, len(out.Order.Fulfillments))
	}
	rest := out.Order.Fulfillments[len(n.Fulfillments):]
	for len(rest) > 0 {
		ids := []string{}
		for len(ids) < 5 && len(rest) > 0 {
			ids, rest = append(ids, rest[0].ID), rest[1:]
		}
		var page struct{ Nodes []*fulfillmentNode }
		if err := a.client.do(ctx, docFulfillments, map[string]any{"ids": ids}, &page); err != nil {
			return err
		}
		for _, f := range page.Nodes {
			if f == nil {
				return gone(n.ID)
			}
			n.Fulfillments = append(n.Fulfillments, *f)
		}
	}
	return nil
}

func (a *Admin) restOfFulfillment(ctx context.Context, f *fulfillmentNode) error {
	fetch := func(after string) (*fulfillmentNode, error) {
		vars := map[string]any{"id": f.ID}
		if after != "" {
			vars["after"] = after
		}
		var out struct{ Fulfillment *fulfillmentNode }
		err := a.client.do(ctx, docFulfillmentLines, vars, &out)
		if err == nil && out.Fulfillment == nil {
			err = gone(f.ID)
		}
		return out.Fulfillment, err
	}
	if len(f.TrackingInfo) >= trackingLimit {
		whole, err := fetch("")
		if err != nil {
			return err
		}
		f.TrackingInfo, f.LineItems = whole.TrackingInfo, whole.LineItems
	}
	all, err := walk(f.LineItems, func(after string) (connection[fulfillmentLineNode], error) {
		more, err := fetch(after)
		if err != nil {
			return connection[fulfillmentLineNode]{}, err
		}
		return more.LineItems, nil
	})
	f.LineItems.Nodes = all
	return err
}

// fulfillmentOrders reads all fulfillment orders of an order with their holds.
func (a *Admin) fulfillmentOrders(ctx context.Context, id string) ([]fulfillmentOrderNode, error) {
	fetch := func(after string) (connection[fulfillmentOrderNode], error) {
		vars := map[string]any{"id": id}
		if after != "" {
			vars["after"] = after
		}
		var out struct{ Order *orderNode }
		err := a.client.do(ctx, docOrderHolds, vars, &out)
		if err == nil && out.Order == nil {
			err = gone(id)
		}
		if err != nil {
			return connection[fulfillmentOrderNode]{}, err
		}
		return out.Order.FulfillmentOrders, nil
	}
	first, err := fetch("")
	if err != nil {
		return nil, err
	}
	return walk(first, fetch)
}

func gone(id string) error {
	e := fault.New(fault.NotFound, "shopify: %s is not there", id)
	e.Hint = "Orders older than 60 days can only be read with the access scope read_all_orders."
	return e
}

// whole completes a node and translates it. An order that cannot be understood is Refused.
func (a *Admin) whole(ctx context.Context, n *orderNode) (shopadmin.Order, error) {
	if err := a.complete(ctx, n); err != nil {
		return shopadmin.Order{}, fault.Wrap(err, "reading order %s to its end", n.ID)
	}
	o, err := toOrder(*n)
	if err != nil {
		return o, &fault.Error{Class: fault.Refused, Err: fmt.Errorf("shopify: order %s cannot be understood: %w", n.ID, err)}
	}
	return o, nil
}
