package shopify

import (
	"context"
	"fmt"
	"slices"

	"channelbridge/internal/fault"
	"channelbridge/shopadmin"
)

// orderPlaces is where an order's goods are shipped from: goods put back go there.
type orderPlaces struct {
	FulfillmentOrders connection[placedOrderNode] `json:"fulfillmentOrders"`
	Fulfillments      []placedFulfillmentNode     `json:"fulfillments"`
}

type placedOrderNode struct {
	Assigned struct {
		Location *idNode `json:"location"`
	} `json:"assignedLocation"`
	Lines connection[placedLineNode] `json:"lineItems"`
}

type placedFulfillmentNode struct {
	Status   string                     `json:"status"`
	Location *idNode                    `json:"location"`
	Lines    connection[placedLineNode] `json:"fulfillmentLineItems"`
}

type placedLineNode struct {
	Remaining int    `json:"remainingQuantity"`
	Quantity  int    `json:"quantity"`
	LineItem  idNode `json:"lineItem"`
}

func restocks(l shopadmin.NewRefundLine) bool {
	return l.Restock == shopadmin.RestockCancel || l.Restock == shopadmin.RestockReturn
}

// placesFor reads the order's places when a line is to be put back into stock. Locations need an
// access scope of their own; without it the refund is refused, not the whole connection.
func (a *Admin) placesFor(ctx context.Context, id shopadmin.OrderID, lines []shopadmin.NewRefundLine) (*orderPlaces, error) {
	if !slices.ContainsFunc(lines, restocks) {
		return nil, nil
	}
	var out struct{ Order *orderPlaces }
	err := a.client.do(ctx, docPlaces, map[string]any{"id": string(id)}, &out)
	if e, ok := deniedAccess(err); ok {
		refused := fault.New(fault.Refused, "shopify: the place to put goods back to cannot be read: %w", err)
		refused.Hint = e.Hint
		return nil, refused
	}
	if err != nil {
		return nil, asTemporary(err, "reading the places of the order's goods")
	}
	if out.Order == nil {
		return nil, gone(string(id))
	}
	return out.Order, nil
}

// of chooses the place for a line: for units not shipped the one that was to ship them, for
// shipped ones the one that did. A line beyond what was read goes to the only place there is.
func (p *orderPlaces) of(l shopadmin.NewRefundLine) (string, error) {
	var all []string
	note := func(at *idNode, lines []placedLineNode, holds func(placedLineNode) bool) (string, bool) {
		if at == nil {
			return "", false
		}
		if !slices.Contains(all, at.ID) {
			all = append(all, at.ID)
		}
		return at.ID, slices.ContainsFunc(lines, func(n placedLineNode) bool { return n.LineItem.ID == l.Line && holds(n) })
	}
	found := ""
	for _, fo := range p.FulfillmentOrders.Nodes {
		at, here := note(fo.Assigned.Location, fo.Lines.Nodes, func(n placedLineNode) bool { return n.Remaining > 0 })
		if here && found == "" && l.Restock == shopadmin.RestockCancel {
			found = at
		}
	}
	for _, f := range p.Fulfillments {
		at, here := note(f.Location, f.Lines.Nodes, func(n placedLineNode) bool { return n.Quantity > 0 })
		if here && found == "" && f.Status == "SUCCESS" && l.Restock == shopadmin.RestockReturn {
			found = at
		}
	}
	switch {
	case found != "":
		return found, nil
	case len(all) == 1:
		return all[0], nil
	}
	return "", fmt.Errorf("line %s is to be put back into stock, and the order's %d places do not tell where", l.Line, len(all))
}
