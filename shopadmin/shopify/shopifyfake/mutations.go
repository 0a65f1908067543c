package shopifyfake

import (
	"slices"
	"strings"
)

// mutations are the root fields of writes.
func (s *Server) mutations() obj {
	return obj{
		"__typename":                "Mutation",
		"orderCreate":               s.guard("write_orders", s.orderCreate),
		"orderUpdate":               s.guard("write_orders", s.orderUpdate),
		"refundCreate":              s.guard("write_orders", s.refundCreate),
		"orderCancel":               s.guard("write_orders", s.orderCancel),
		"tagsAdd":                   s.guard("write_orders", s.tagsAdd),
		"fulfillmentOrderHold":      s.guard("write_merchant_managed_fulfillment_orders", s.fulfillmentOrderHold),
		"webhookSubscriptionCreate": field(s.webhookSubscriptionCreate),
		"webhookSubscriptionDelete": field(s.webhookSubscriptionDelete),
		"metafieldDefinitionCreate": s.guard("write_orders", s.metafieldDefinitionCreate),
	}
}

// no is a payload with one user error.
func no(result, code, message string, path ...string) obj {
	e := obj{"message": message, "field": nil, "code": text(code)}
	if len(path) > 0 {
		e["field"] = path
	}
	return obj{result: nil, "userErrors": []obj{e}}
}

func yes(result string, v any) obj { return obj{result: v, "userErrors": []obj{}} }

func str(m map[string]any, key string) string {
	s, _ := m[key].(string)
	return s
}

func objects(m map[string]any, key string) []map[string]any {
	list, _ := m[key].([]any)
	var out []map[string]any
	for _, v := range list {
		if o, ok := v.(map[string]any); ok {
			out = append(out, o)
		}
	}
	return out
}

func texts(m map[string]any, key string) []string {
	list, _ := m[key].([]any)
	var out []string
	for _, v := range list {
		if t, ok := v.(string); ok {
			out = append(out, t)
		}
	}
	return out
}

func attributes(m map[string]any, key, name string) []Attribute {
	var out []Attribute
	for _, a := range objects(m, key) {
		out = append(out, Attribute{str(a, name), str(a, "value")})
	}
	return out
}

// orderUpdate overwrites what is given, explicit nulls and whole lists included.
func (s *Server) orderUpdate(_ *run, args map[string]any) any {
	in := args["input"].(map[string]any)
	o := s.order(str(in, "id"))
	if o == nil {
		return no("order", "", "Order does not exist", "id")
	}
	if _, given := in["customAttributes"]; given {
		o.Attributes = attributes(in, "customAttributes", "key")
	}
	if address, given := in["shippingAddress"]; given {
		o.ShipTo, _ = address.(map[string]any)
	}
	if v, given := in["note"]; given {
		o.Note, _ = v.(string)
	}
	if v, given := in["email"]; given {
		o.Email, _ = v.(string)
	}
	if v, given := in["phone"]; given {
		o.Phone, _ = v.(string)
	}
	s.touch(o)
	s.push(s.event(), "ORDERS_UPDATED", s.restOrder(o))
	return yes("order", s.orderObj(o))
}

func (s *Server) tagsAdd(_ *run, args map[string]any) any {
	o := s.order(args["id"].(string))
	if o == nil {
		return no("node", "", "Order does not exist", "id")
	}
	for _, t := range texts(args, "tags") {
		if !slices.Contains(o.Tags, t) {
			o.Tags = append(o.Tags, t)
		}
	}
	slices.Sort(o.Tags)
	s.touch(o)
	s.push(s.event(), "ORDERS_UPDATED", s.restOrder(o))
	return yes("node", s.orderObj(o))
}

// fulfillmentOrderHold puts a hold of the app on a fulfillment order, at most ten, each handle once.
func (s *Server) fulfillmentOrderHold(_ *run, args map[string]any) any {
	in := args["fulfillmentHold"].(map[string]any)
	o, fo := s.fulfillmentOrder(args["id"].(string))
	if fo == nil {
		return no("fulfillmentHold", "FULFILLMENT_ORDER_NOT_FOUND", "Fulfillment order could not be found", "id")
	}
	if !slices.Contains(fo.actions(), "HOLD") {
		return no("fulfillmentHold", "", "Cannot put a closed fulfillment order on hold", "id")
	}
	if len(str(in, "handle")) > 64 {
		return no("fulfillmentHold", "", "Handle is too long (maximum is 64 characters)", "fulfillmentHold", "handle")
	}
	mine := 0
	for _, h := range fo.Holds {
		if h.ByApp && h.Handle == str(in, "handle") {
			return no("fulfillmentHold", "DUPLICATE_FULFILLMENT_HOLD_HANDLE", "The handle provided for the fulfillment hold is already in use", "fulfillmentHold", "handle")
		}
		if h.ByApp {
			mine++
		}
	}
	if mine >= 10 {
		return no("fulfillmentHold", "FULFILLMENT_ORDER_HOLD_LIMIT_REACHED", "The maximum number of fulfillment holds has been reached", "id")
	}
	h := Hold{ID: s.id("FulfillmentHold"), Handle: str(in, "handle"), Reason: str(in, "reason"), Notes: str(in, "reasonNotes"), ByApp: true}
	fo.Holds, fo.Status = append(fo.Holds, h), "ON_HOLD"
	s.touch(o)
	s.push(s.event(), "ORDERS_UPDATED", s.restOrder(o))
	return yes("fulfillmentHold", obj{"id": h.ID, "handle": h.Handle, "heldByRequestingApp": true, "reason": h.Reason, "reasonNotes": text(h.Notes)})
}

func (s *Server) fulfillmentOrder(id string) (*Order, *FulfillmentOrder) {
	for _, o := range s.world.orders {
		for i := range o.FulfillmentOrders {
			if o.FulfillmentOrders[i].ID == id {
				return o, &o.FulfillmentOrders[i]
			}
		}
	}
	return nil, nil
}

func (s *Server) metafieldDefinitionCreate(r *run, args map[string]any) any {
	if r.fault == FaultNoDefinition {
		return no("createdDefinition", "RESOURCE_TYPE_LIMIT_EXCEEDED", "Stores can only have a limited number of definitions.", "definition")
	}
	in := args["definition"].(map[string]any)
	name := str(in, "namespace") + "." + str(in, "key")
	if slices.Contains(s.world.definitions, name) {
		return no("createdDefinition", "TAKEN", "Key is in use for Order metafields on the '"+str(in, "namespace")+"' namespace.", "definition", "key")
	}
	s.world.definitions = append(s.world.definitions, name)
	return yes("createdDefinition", obj{"id": s.id("MetafieldDefinition")})
}

func (s *Server) webhookSubscriptionCreate(_ *run, args map[string]any) any {
	in := args["webhookSubscription"].(map[string]any)
	topic, uri := args["topic"].(string), str(in, "uri")
	if !strings.HasPrefix(uri, "https://") && !strings.HasPrefix(uri, "http://127.0.0.1") && !strings.HasPrefix(uri, "http://localhost") {
		return no("webhookSubscription", "", "Address protocol http:// is not supported", "webhookSubscription", "uri")
	}
	for _, sub := range s.world.subscriptions {
		if sub.Topic == topic && sub.URI == uri {
			return no("webhookSubscription", "", "Address for this topic has already been taken", "webhookSubscription", "uri")
		}
	}
	sub := Subscription{ID: s.id("WebhookSubscription"), Topic: topic, URI: uri, Filter: str(in, "filter"), Fields: texts(in, "includeFields")}
	s.world.subscriptions = append(s.world.subscriptions, sub)
	return yes("webhookSubscription", subscriptionObj(sub))
}

func (s *Server) webhookSubscriptionDelete(_ *run, args map[string]any) any {
	id := args["id"].(string)
	n := len(s.world.subscriptions)
	s.world.subscriptions = slices.DeleteFunc(s.world.subscriptions, func(sub Subscription) bool { return sub.ID == id })
	if len(s.world.subscriptions) == n {
		return no("deletedWebhookSubscriptionId", "", "Webhook subscription does not exist", "id")
	}
	return yes("deletedWebhookSubscriptionId", id)
}
