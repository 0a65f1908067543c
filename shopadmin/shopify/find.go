package shopify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"channelbridge/internal/fault"
	"channelbridge/shopadmin"
)

// markVars adds what every order selection needs to find the mark.
func (a *Admin) markVars(vars map[string]any) map[string]any {
	vars["ns"], vars["key"] = a.cfg.MarkNamespace, a.cfg.MarkKey
	return vars
}

// Order reads one order with all its lines, fulfillments and holds.
func (a *Admin) Order(ctx context.Context, id shopadmin.OrderID) (shopadmin.Order, error) {
	var out struct{ Order *orderNode }
	if err := a.client.do(ctx, docOrder, a.markVars(map[string]any{"id": string(id)}), &out); err != nil {
		return shopadmin.Order{}, err
	}
	if out.Order == nil {
		return shopadmin.Order{}, gone(string(id))
	}
	return a.whole(ctx, out.Order)
}

// FindByMark asks twice: by the unique metafield, and in the search index, which also knows
// orders whose metafield is missing and would show a double. Each result is checked.
func (a *Admin) FindByMark(ctx context.Context, m shopadmin.Mark) ([]shopadmin.Order, error) {
	if !m.Set() {
		return nil, fault.New(fault.Refused, "shopify: looking for an order without a mark")
	}
	var found []shopadmin.Order
	first, err := a.byIdentifier(ctx, m)
	if err != nil {
		return nil, err
	}
	if first != nil {
		o, err := a.whole(ctx, first)
		if err != nil {
			return nil, err
		}
		if o.Mark == m {
			found = append(found, o)
		}
	}
	heads, err := a.bySource(ctx, m)
	if err != nil {
		return nil, err
	}
	for _, h := range heads {
		if markOf(h) != m || len(found) > 0 && string(found[0].ID) == h.ID {
			continue
		}
		o, err := a.Order(ctx, shopadmin.OrderID(h.ID))
		if fault.Is(err, fault.NotFound) {
			continue // deleted since it was indexed
		}
		if err != nil {
			return nil, err
		}
		found = append(found, o)
	}
	return found, nil
}

// costCodes are refusals for the price of a question.
var costCodes = []string{"MAX_COST_EXCEEDED", "RESOURCE_LIMITS_EXCEEDED"}

// byIdentifier looks the metafield up. A store where nothing was marked yet does not know the
// metafield's definition and refuses the question: then there is no such order.
func (a *Admin) byIdentifier(ctx context.Context, m shopadmin.Mark) (*orderNode, error) {
	var out struct{ OrderByIdentifier *orderNode }
	err := a.client.do(ctx, docOrderByMark, a.markVars(map[string]any{"value": m.String()}), &out)
	if e, ok := errors.AsType[*fault.Error](err); ok && slices.Contains(costCodes, e.Code) {
		return nil, err // the question was too dear: that says nothing about the order
	}
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Refused) {
		a.cfg.Log.Debug("the mark's metafield cannot be asked for", "err", err)
		return nil, nil
	}
	return out.OrderByIdentifier, err
}

func (a *Admin) bySource(ctx context.Context, m shopadmin.Mark) ([]orderHead, error) {
	fetch := func(after string) (connection[orderHead], error) {
		vars := a.markVars(map[string]any{"query": "source_identifier:" + quote(m.Order), "first": 50})
		if after != "" {
			vars["after"] = after
		}
		var out struct{ Orders connection[orderHead] }
		err := a.client.do(ctx, docSearchOrders, vars, &out)
		return out.Orders, err
	}
	first, err := fetch("")
	if err != nil {
		return nil, err
	}
	return walk(first, fetch)
}

// quote makes a search term of a value, in Shopify's search syntax.
func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// ordersByID reads several orders, in the order asked for; those deleted meanwhile are left out.
// What cannot be understood comes back as faulty.
func (a *Admin) ordersByID(ctx context.Context, heads []orderHead) (orders []shopadmin.Order, faulty []shopadmin.Faulty, err error) {
	for n := detailsAtOnce; len(heads) > 0; {
		part := heads[:min(n, len(heads))]
		nodes, err := a.nodes(ctx, part)
		if e, ok := errors.AsType[*fault.Error](err); ok && e.Code == "MAX_COST_EXCEEDED" && n > 1 {
			n = 1 // the store prices orders higher than we think
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		heads = heads[len(part):]
		for i, raw := range nodes {
			o, bad, err := a.one(ctx, part[i], raw)
			switch {
			case err != nil:
				return nil, nil, err
			case bad != nil:
				faulty = append(faulty, *bad)
			case o.ID != "":
				orders = append(orders, o)
			}
		}
	}
	return orders, faulty, nil
}

func (a *Admin) nodes(ctx context.Context, heads []orderHead) ([]rawNode, error) {
	ids := make([]string, len(heads))
	for i, h := range heads {
		ids[i] = h.ID
	}
	var out struct{ Nodes []rawNode }
	if err := a.client.do(ctx, docOrders, a.markVars(map[string]any{"ids": ids}), &out); err != nil {
		return nil, err
	}
	if len(out.Nodes) != len(ids) {
		return nil, fault.New(fault.Temporary, "shopify: asked for %d orders, got %d", len(ids), len(out.Nodes))
	}
	return out.Nodes, nil
}

// one completes and translates one listed order.
func (a *Admin) one(ctx context.Context, head orderHead, raw rawNode) (shopadmin.Order, *shopadmin.Faulty, error) {
	if raw.absent() {
		return shopadmin.Order{}, nil, nil
	}
	n, err := raw.order()
	var o shopadmin.Order
	if err == nil {
		o, err = a.whole(ctx, n)
	}
	if err == nil {
		return o, nil, nil
	}
	if fault.Is(err, fault.NotFound) {
		return shopadmin.Order{}, nil, nil
	}
	if !fault.Is(err, fault.Refused) {
		return o, nil, err
	}
	at, _ := instant("updatedAt", head.UpdatedAt) // a zero instant is no worse than no record at all
	return o, &shopadmin.Faulty{ID: shopadmin.OrderID(head.ID), Mark: markOf(head), UpdatedAt: at,
		Raw: raw.json, Err: fmt.Errorf("order %s: %w", head.ID, err)}, nil
}
