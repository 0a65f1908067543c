package shopifyfake

import (
	"slices"
	"strings"
)

// guard gives a root field its access scope.
func (s *Server) guard(scope string, f field) field {
	return func(r *run, args map[string]any) any {
		if no, ok := s.denied(scope); ok {
			return no
		}
		return f(r, args)
	}
}

func (s *Server) denied(scope string) (refused, bool) {
	write := strings.Replace(scope, "read_", "write_", 1)
	if slices.Contains(s.cfg.Scopes, scope) || slices.Contains(s.cfg.Scopes, write) {
		return refused{}, false
	}
	return refused{"Access denied for this field.", "ACCESS_DENIED",
		map[string]any{"requiredAccess": "`" + scope + "` access scope."}}, true
}

// queries are the root fields of reads.
func (s *Server) queries() obj {
	return obj{
		"__typename": "QueryRoot",
		"order": s.guard("read_orders", func(_ *run, args map[string]any) any {
			return s.orderObj(s.order(args["id"].(string)))
		}),
		"node": s.guard("read_orders", func(_ *run, args map[string]any) any {
			return s.node(args["id"].(string))
		}),
		"refund": s.guard("read_orders", func(_ *run, args map[string]any) any {
			return s.node(args["id"].(string))
		}),
		"nodes": s.guard("read_orders", func(_ *run, args map[string]any) any {
			list := []obj{}
			for _, id := range args["ids"].([]any) {
				list = append(list, s.node(id.(string)))
			}
			return list
		}),
		"fulfillment": s.guard("read_orders", func(_ *run, args map[string]any) any {
			return s.node(args["id"].(string))
		}),
		"orderByIdentifier": s.guard("read_orders", s.byIdentifier),
		"orders":            s.guard("read_orders", s.searchOrders),
		"productVariants":   s.guard("read_products", s.searchVariants),
		"webhookSubscriptions": field(func(_ *run, args map[string]any) any {
			list := []obj{}
			for _, sub := range s.world.subscriptions {
				list = append(list, subscriptionObj(sub))
			}
			return page(list, args)
		}),
		"currentAppInstallation": field(func(*run, map[string]any) any {
			list := []obj{}
			for _, scope := range s.cfg.Scopes {
				list = append(list, obj{"handle": scope})
			}
			return obj{"id": "gid://shopify/AppInstallation/1", "accessScopes": list}
		}),
		"shop": obj{"id": "gid://shopify/Shop/1", "name": s.cfg.Name, "myshopifyDomain": s.cfg.Shop,
			"currencyCode": s.cfg.Currency, "ianaTimezone": s.cfg.Zone},
	}
}

// node finds an order, fulfillment, refund or job by its global id.
func (s *Server) node(id string) obj {
	if o := s.order(id); o != nil {
		return s.orderObj(o)
	}
	for _, o := range s.world.orders {
		for i := range o.Fulfillments {
			if o.Fulfillments[i].ID == id {
				return s.fulfillmentObj(o, o.Fulfillments[i])
			}
		}
		for i := range o.Refunds {
			if o.Refunds[i].ID == id {
				return refundObj(o, o.Refunds[i])
			}
		}
	}
	for _, j := range s.world.jobs {
		if j.id == id {
			return j.obj()
		}
	}
	return nil
}

// byIdentifier finds an order by a metafield of type id. Without a definition the question makes
// no sense to the store.
func (s *Server) byIdentifier(_ *run, args map[string]any) any {
	in := args["identifier"].(map[string]any)
	if id, ok := in["id"].(string); ok {
		return s.orderObj(s.order(id))
	}
	custom := in["customId"].(map[string]any)
	ns, _ := custom["namespace"].(string)
	name := ns + "." + custom["key"].(string)
	if !slices.Contains(s.world.definitions, name) {
		return refused{"Metafield definition of type 'id' is required when using custom ids.", "NOT_FOUND", nil}
	}
	for _, o := range s.world.orders {
		if o.Metafields[name] == custom["value"] && !s.cfg.Clock().Before(o.CreatedAt.Add(s.cfg.IdentifierLag)) {
			return s.orderObj(o)
		}
	}
	return nil
}

func (s *Server) searchVariants(_ *run, args map[string]any) any {
	q, _ := args["query"].(string)
	terms, err := parseSearch(q)
	if err != nil {
		return refused{err.Error(), "BAD_REQUEST", nil}
	}
	list := []obj{}
	for _, v := range s.world.variants {
		if terms.match(func(t term) (bool, error) {
			if t.field != "sku" {
				return false, unknownTerm(t)
			}
			return strings.Contains(strings.ToLower(v.sku), strings.ToLower(t.value)), nil
		}, &err) {
			list = append(list, obj{"__typename": "ProductVariant", "id": v.id, "sku": v.sku})
		}
	}
	if err != nil {
		return refused{err.Error(), "BAD_REQUEST", nil}
	}
	return page(list, args)
}
