package shopifyfake

import (
	"strings"

	"channelbridge/internal/money"
)

// Webhook bodies have the shape of the old REST resources: numeric ids, money as texts, tags in
// one text, and lines that stay listed after they were removed.

// restOrder is the body of orders/*.
func (s *Server) restOrder(o *Order) map[string]any {
	lines, fulfillments, attrs, refunds := []any{}, []any{}, []any{}, []any{}
	for _, r := range o.Refunds {
		refunds = append(refunds, restRefund(o, r))
	}
	for _, l := range o.Lines {
		lines = append(lines, restLine(l, l.Quantity))
	}
	for _, f := range o.Fulfillments {
		fulfillments = append(fulfillments, s.restFulfillment(o, f))
	}
	for _, a := range o.Attributes {
		attrs = append(attrs, map[string]any{"name": a.Key, "value": a.Value})
	}
	return map[string]any{
		"id": number(o.ID), "admin_graphql_api_id": o.ID, "name": o.Name, "email": text(o.Email), "phone": text(o.Phone),
		"created_at": stamp(o.CreatedAt), "updated_at": stamp(o.UpdatedAt), "cancelled_at": stamp(o.CancelledAt),
		"cancel_reason": text(strings.ToLower(o.CancelReason)), "note": text(o.Note),
		"currency": o.Currency, "total_price": o.Total.Decimal(), "total_price_set": restBag(o.Total),
		"financial_status": strings.ToLower(o.financial()), "fulfillment_status": restShipping(o.shipping()),
		"source_name": text(o.SourceName), "source_identifier": text(o.SourceIdentifier), "note_attributes": attrs,
		"tags": strings.Join(o.Tags, ", "), "test": o.Test, "line_items": lines, "fulfillments": fulfillments, "refunds": refunds,
	}
}

// restShipping knows fewer states than GraphQL; unfulfilled is null.
func restShipping(s string) any {
	switch s {
	case "FULFILLED":
		return "fulfilled"
	case "PARTIALLY_FULFILLED":
		return "partial"
	}
	return nil
}

func restLine(l Line, quantity int) map[string]any {
	properties := []any{}
	for _, a := range l.Attributes {
		properties = append(properties, map[string]any{"name": a.Key, "value": a.Value})
	}
	out := map[string]any{"id": number(l.ID), "admin_graphql_api_id": l.ID, "sku": text(l.SKU), "title": l.Title, "quantity": quantity,
		"current_quantity": l.Current, "fulfillable_quantity": l.Unshipped, "price": l.Price.Decimal(), "price_set": restBag(l.Price),
		"requires_shipping": l.RequiresShipping, "properties": properties, "variant_id": nil}
	if l.VariantID != "" {
		out["variant_id"] = number(l.VariantID)
	}
	return out
}

// restFulfillment is the body of fulfillments/*.
func (s *Server) restFulfillment(o *Order, f Fulfillment) map[string]any {
	lines, numbers, urls := []any{}, []any{}, []any{}
	for _, l := range f.Lines {
		lines = append(lines, restLine(*o.line(l.Line), l.Quantity))
	}
	var company, first any
	for i, t := range f.Tracking {
		if i == 0 {
			company, first = text(t.Company), text(t.Number)
		}
		numbers, urls = append(numbers, t.Number), append(urls, t.URL)
	}
	return map[string]any{"id": number(f.ID), "admin_graphql_api_id": f.ID, "order_id": number(o.ID), "name": f.Name,
		"status": strings.ToLower(f.Status), "created_at": stamp(f.CreatedAt), "updated_at": stamp(f.UpdatedAt), "line_items": lines,
		"tracking_company": company, "tracking_number": first, "tracking_numbers": numbers, "tracking_urls": urls, "shipment_status": nil}
}

func restBag(m money.Money) map[string]any {
	one := map[string]any{"amount": m.Decimal(), "currency_code": m.Currency}
	return map[string]any{"shop_money": one, "presentment_money": one}
}
