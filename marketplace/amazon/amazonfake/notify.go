package amazonfake

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

const (
	topicOrderChange = "ORDER_CHANGE"
	changeStatus     = "OrderStatusChange"
	changeBuyer      = "BuyerRequestedChange"
)

type destination struct{ id, name, arn string }

type subscription struct {
	ID          string         `json:"subscriptionId"`
	Version     string         `json:"payloadVersion"`
	Destination string         `json:"destinationId"`
	Directive   *wireDirective `json:"processingDirective,omitempty"`
}

type wireDirective struct {
	Filter     *wireFilter `json:"eventFilter,omitempty"`
	Expression string      `json:"filterExpression,omitempty"`
}

type wireFilter struct {
	Type    string   `json:"eventFilterType"`
	Changes []string `json:"orderChangeTypes,omitempty"`
}

// Subscription is one subscription as it stands.
type Subscription struct {
	ID, Topic, ARN, Version string
	Changes                 []string // empty: all
}

// Subscribe makes a destination for the queue and a subscription for ORDER_CHANGE, as an
// operator might have done by hand. SubscribeTo adds other topics.
func (s *Server) Subscribe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.addDestination("fake", s.opt.QueueARN)
	s.serial++
	s.subs[topicOrderChange] = &subscription{ID: fmt.Sprintf("sub-%04d", s.serial), Version: "1.0", Destination: d.id,
		Directive: &wireDirective{Filter: &wireFilter{topicOrderChange, []string{changeStatus, changeBuyer}}}}
}

// SubscribeTo subscribes the queue to a topic without a filter.
func (s *Server) SubscribeTo(topic, version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.addDestination("fake", s.opt.QueueARN)
	s.serial++
	s.subs[topic] = &subscription{ID: fmt.Sprintf("sub-%04d", s.serial), Version: version, Destination: d.id}
}

// Unsubscribe drops a topic's subscription, as an operator might do by mistake.
func (s *Server) Unsubscribe(topic string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.subs, topic)
}

// Subscriptions lists what is subscribed.
func (s *Server) Subscriptions() []Subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Subscription
	for _, topic := range slices.Sorted(maps.Keys(s.subs)) {
		sub := s.subs[topic]
		x := Subscription{ID: sub.ID, Topic: topic, ARN: s.arn(sub.Destination), Version: sub.Version}
		if sub.Directive != nil && sub.Directive.Filter != nil {
			x.Changes = slices.Clone(sub.Directive.Filter.Changes)
		}
		all = append(all, x)
	}
	return all
}

func (s *Server) arn(dest string) string {
	for _, d := range s.dests {
		if d.id == dest {
			return d.arn
		}
	}
	return ""
}

func (s *Server) addDestination(name, arn string) destination {
	for _, d := range s.dests {
		if d.arn == arn {
			return d
		}
	}
	s.serial++
	d := destination{fmt.Sprintf("dest-%04d", s.serial), name, arn}
	s.dests = append(s.dests, d)
	return d
}

func (d destination) wire() map[string]any {
	return map[string]any{"destinationId": d.id, "name": d.name, "resource": map[string]any{"sqs": map[string]string{"arn": d.arn}}}
}

func (s *Server) getDestinations(*call) result {
	all := []any{}
	for _, d := range s.dests {
		all = append(all, d.wire())
	}
	return ok(map[string]any{"payload": all})
}

func (s *Server) createDestination(c *call) result {
	var b struct {
		Name     string
		Resource struct{ SQS struct{ ARN string } } `json:"resourceSpecification"`
	}
	arn := ""
	if json.Unmarshal(c.body, &b) == nil {
		arn = b.Resource.SQS.ARN
	}
	if b.Name == "" || !strings.HasPrefix(arn, "arn:aws:sqs:") {
		return badInput("name and the ARN of a queue are required")
	}
	if slices.ContainsFunc(s.dests, func(d destination) bool { return d.arn == arn || d.name == b.Name }) {
		return refuse(http.StatusConflict, "Conflict", "A destination with this name or resource exists already.")
	}
	return ok(map[string]any{"payload": s.addDestination(b.Name, arn).wire()})
}

func (s *Server) getSubscription(c *call) result {
	sub := s.subs[c.PathValue("type")]
	if v := c.URL.Query().Get("payloadVersion"); sub == nil || v != "" && v != sub.Version {
		return refuse(http.StatusNotFound, "NotFound", "There is no subscription of this type.")
	}
	return ok(map[string]any{"payload": sub})
}

func (s *Server) createSubscription(c *call) result {
	var b subscription
	if err := json.Unmarshal(c.body, &b); err != nil || b.Version == "" || s.arn(b.Destination) == "" {
		return badInput("payloadVersion and an existing destinationId are required")
	}
	if d := b.Directive; d != nil && d.Filter != nil && d.Expression != "" {
		return badInput("eventFilter and filterExpression exclude each other")
	}
	topic := c.PathValue("type")
	if slices.Contains(s.faults.RefuseTopics, topic) {
		return refuse(http.StatusForbidden, "Unauthorized", "The application does not have the role for this notification type.")
	}
	if s.subs[topic] != nil {
		return refuse(http.StatusConflict, "Conflict", "A subscription of this type exists already.")
	}
	s.serial++
	b.ID = fmt.Sprintf("sub-%04d", s.serial)
	s.subs[topic] = &b
	return ok(map[string]any{"payload": b})
}

func (s *Server) deleteSubscription(c *call) result {
	sub := s.subs[c.PathValue("type")]
	if sub == nil || sub.ID != c.PathValue("id") {
		return refuse(http.StatusNotFound, "NotFound", "There is no such subscription.")
	}
	delete(s.subs, c.PathValue("type"))
	return ok(map[string]any{})
}

// oldStatus is the spelling notifications still use.
var oldStatus = map[string]string{"PENDING_AVAILABILITY": "PendingAvailability", "PENDING": "Pending", "UNSHIPPED": "Unshipped",
	"PARTIALLY_SHIPPED": "PartiallyShipped", "SHIPPED": "Shipped", "CANCELLED": "Canceled"}

// emit sends an ORDER_CHANGE notification to the subscribed queue, with the faults of the day.
func (s *Server) emit(o *order, change, reason string, items []string) {
	sub := s.subs[topicOrderChange]
	if sub == nil || s.arn(sub.Destination) != s.opt.QueueARN {
		return
	}
	if d := sub.Directive; d != nil && d.Filter != nil && len(d.Filter.Changes) > 0 && !slices.Contains(d.Filter.Changes, change) {
		return
	}
	s.serial++
	body := s.orderChange(o, sub, change, reason, items)
	s.send(body)
}

func (s *Server) orderChange(o *order, sub *subscription, change, reason string, items []string) []byte {
	level, kind := "OrderLevel", "MFN"
	if len(items) > 0 && len(items) < len(o.items) {
		level = "OrderItemLevel"
	}
	if o.spec.Amazon {
		kind = "AFN"
	}
	shipped, left, lines := 0, 0, []any{}
	for _, it := range o.items {
		shipped += it.fulfilled
		left += it.spec.Quantity - it.fulfilled - it.cancelled
		itemStatus := "Unshipped"
		if it.fulfilled >= it.spec.Quantity {
			itemStatus = "Shipped"
		}
		lines = append(lines, map[string]any{"OrderItemId": it.spec.ID, "SellerSKU": it.spec.SKU, "OrderItemStatus": itemStatus,
			"SupplySourceId": "", "Quantity": it.spec.Quantity, "QuantityShipped": it.fulfilled, "IsBuyerRequestedCancel": it.requested})
	}
	now, due := stamp(s.now()), stamp(o.created.Add(o.spec.ShipWithin))
	body, err := json.Marshal(map[string]any{
		"NotificationVersion": "1.0", "NotificationType": topicOrderChange, "PayloadVersion": sub.Version, "EventTime": now,
		"Payload": map[string]any{"OrderChangeNotification": map[string]any{
			"NotificationLevel": level, "SellerId": s.opt.SellerID, "AmazonOrderId": o.spec.ID, "OrderChangeType": change,
			"OrderChangeTrigger": map[string]any{"TimeOfOrderChange": stamp(o.updated), "ChangeReason": reason},
			"Summary": map[string]any{"MarketplaceId": o.spec.Site, "OrderStatus": oldStatus[o.status], "PurchaseDate": stamp(o.created),
				"DestinationPostalCode": o.spec.Address.PostalCode, "FulfillmentType": kind, "OrderType": "StandardOrder",
				"NumberOfItemsShipped": shipped, "NumberOfItemsUnshipped": left, "EarliestShipDate": stamp(o.created), "LatestShipDate": due,
				"OrderItems": lines}}},
		"NotificationMetadata": map[string]any{"ApplicationId": s.opt.ClientID, "SubscriptionId": sub.ID, "PublishTime": now,
			"NotificationId": fmt.Sprintf("ntf-%06d", s.serial)},
	})
	if err != nil {
		panic("amazonfake: " + err.Error())
	}
	return body
}
