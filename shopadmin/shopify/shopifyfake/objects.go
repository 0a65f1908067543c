package shopifyfake

import "channelbridge/internal/money"

// orderObj shows an order; nil for none.
func (s *Server) orderObj(o *Order) obj {
	if o == nil {
		return nil
	}
	var lines, fulfillments, orders, transactions, refunds []obj
	for _, l := range o.Lines {
		lines = append(lines, lineObj(l))
	}
	for _, f := range o.Fulfillments {
		fulfillments = append(fulfillments, s.fulfillmentObj(o, f))
	}
	for _, fo := range o.FulfillmentOrders {
		orders = append(orders, s.fulfillmentOrderObj(o, fo))
	}
	for _, t := range o.Transactions {
		transactions = append(transactions, transactionObj(o, t))
	}
	for _, r := range o.Refunds {
		refunds = append(refunds, refundObj(o, r))
	}
	return obj{
		"__typename": "Order", "id": o.ID, "name": o.Name, "createdAt": stamp(o.CreatedAt), "updatedAt": stamp(o.UpdatedAt),
		"cancelledAt": stamp(o.CancelledAt), "cancelReason": text(o.CancelReason), "note": text(o.Note), "test": o.Test,
		"currencyCode": o.Currency, "presentmentCurrencyCode": o.Currency, "transactionsCount": obj{"count": len(transactions)},
		"transactions": head(transactions), "refunds": head(refunds), "tags": append([]string{}, o.Tags...),
		"sourceIdentifier": text(o.SourceIdentifier), "sourceName": text(o.SourceName),
		"displayFinancialStatus": o.financial(), "displayFulfillmentStatus": o.shipping(),
		"customAttributes": attributeObjs(o.Attributes), "totalPriceSet": bagObj(o.Total),
		"metafield": field(func(_ *run, args map[string]any) any {
			ns, _ := args["namespace"].(string)
			v, ok := o.Metafields[ns+"."+args["key"].(string)]
			if !ok {
				return nil
			}
			return obj{"id": "gid://shopify/Metafield/1", "value": v}
		}),
		"lineItems": paged(lines), "fulfillmentsCount": obj{"count": len(fulfillments)}, "fulfillments": head(fulfillments),
		"fulfillmentOrders": field(func(_ *run, args map[string]any) any {
			if no, ok := s.denied("read_merchant_managed_fulfillment_orders"); ok {
				return no
			}
			return page(orders, args)
		}),
	}
}

func lineObj(l Line) obj {
	return obj{"__typename": "LineItem", "id": l.ID, "sku": text(l.SKU), "title": l.Title, "quantity": l.Quantity,
		"currentQuantity": l.Current, "unfulfilledQuantity": l.Unshipped, "customAttributes": attributeObjs(l.Attributes)}
}

func (s *Server) fulfillmentObj(o *Order, f Fulfillment) obj {
	tracking, lines := []obj{}, []obj{}
	for _, t := range f.Tracking {
		tracking = append(tracking, obj{"company": text(t.Company), "number": text(t.Number), "url": text(t.URL)})
	}
	for _, l := range f.Lines {
		lines = append(lines, obj{"id": l.Line, "quantity": l.Quantity, "lineItem": lineObj(*o.line(l.Line))})
	}
	return obj{"__typename": "Fulfillment", "id": f.ID, "name": f.Name, "status": f.Status, "createdAt": stamp(f.CreatedAt), "location": s.locationField(f.Location),
		"updatedAt": stamp(f.UpdatedAt), "trackingInfo": head(tracking), "fulfillmentLineItems": paged(lines)}
}

// locationField is a place; seeing it needs a permission of its own.
func (s *Server) locationField(id string) field {
	return func(*run, map[string]any) any {
		if no, ok := s.denied("read_locations"); ok {
			return no
		}
		return obj{"__typename": "Location", "id": id}
	}
}

func (s *Server) fulfillmentOrderObj(o *Order, fo FulfillmentOrder) obj {
	actions, holds, lines := []obj{}, []obj{}, []obj{}
	for _, l := range fo.Lines {
		lines = append(lines, obj{"__typename": "FulfillmentOrderLineItem", "id": l.Line, "remainingQuantity": l.Quantity, "lineItem": lineObj(*o.line(l.Line))})
	}
	for _, a := range fo.actions() {
		actions = append(actions, obj{"action": a})
	}
	for _, h := range fo.Holds {
		holds = append(holds, obj{"id": h.ID, "handle": text(h.Handle), "heldByRequestingApp": h.ByApp,
			"reason": h.Reason, "reasonNotes": text(h.Notes)})
	}
	return obj{"__typename": "FulfillmentOrder", "id": fo.ID, "status": fo.Status, "supportedActions": actions, "fulfillmentHolds": holds,
		"assignedLocation": obj{"name": "Main", "location": s.locationField(fo.Location)}, "lineItems": paged(lines)}
}

// actions is what the store offers for a fulfillment order in its state.
func (fo FulfillmentOrder) actions() []string {
	switch fo.Status {
	case "OPEN":
		return []string{"CREATE_FULFILLMENT", "MOVE", "HOLD"}
	case "IN_PROGRESS":
		return []string{"CREATE_FULFILLMENT", "HOLD"}
	case "ON_HOLD":
		return []string{"RELEASE_HOLD", "HOLD"}
	}
	return nil
}

func subscriptionObj(sub Subscription) obj {
	return obj{"__typename": "WebhookSubscription", "id": sub.ID, "topic": sub.Topic, "uri": sub.URI,
		"filter": text(sub.Filter), "includeFields": append([]string{}, sub.Fields...), "format": "JSON"}
}

func attributeObjs(list []Attribute) []obj {
	out := []obj{}
	for _, a := range list {
		out = append(out, obj{"key": a.Key, "value": a.Value})
	}
	return out
}

func bagObj(m money.Money) obj {
	return obj{"shopMoney": obj{"amount": m.Decimal(), "currencyCode": m.Currency}}
}

// text is null for an empty text.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}
