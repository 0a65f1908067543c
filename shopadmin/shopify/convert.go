package shopify

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"channelbridge/internal/money"
	"channelbridge/shopadmin"
)

// lineKey is the line property that carries the channel's order item id. The store hides
// properties that begin with an underscore from customers.
const lineKey = "_channel_line"

// channelKey is the order attribute that names the channel connection.
const channelKey = "channel"

// toOrder translates a complete order node.
func toOrder(n orderNode) (shopadmin.Order, error) {
	o := shopadmin.Order{ID: shopadmin.OrderID(n.ID), Name: n.Name, Mark: markOf(n.orderHead), Tags: n.Tags,
		Attributes: toMap(n.CustomAttributes), Financial: n.FinancialStatus, Fulfillment: n.FulfillmentStatus, Test: n.Test,
		CancelReason: strings.ToLower(n.CancelReason), Note: n.Note}
	if n.ID == "" {
		return o, fmt.Errorf("an order without an id")
	}
	var err error
	if o.CreatedAt, err = instant("createdAt", n.CreatedAt); err != nil {
		return o, err
	}
	if o.UpdatedAt, err = instant("updatedAt", n.UpdatedAt); err != nil {
		return o, err
	}
	if n.CancelledAt != "" {
		if o.CancelledAt, err = instant("cancelledAt", n.CancelledAt); err != nil {
			return o, err
		}
	}
	total := n.TotalPriceSet.ShopMoney
	if o.Total, err = money.Parse(total.Amount, total.CurrencyCode); err != nil {
		return o, fmt.Errorf("the order's total: %w", err)
	}
	for _, l := range n.LineItems.Nodes {
		o.Lines = append(o.Lines, toLine(l))
	}
	for _, f := range n.Fulfillments {
		v, err := toFulfillment(f)
		if err != nil {
			return o, err
		}
		o.Fulfillments = append(o.Fulfillments, v)
	}
	for _, fo := range n.FulfillmentOrders.Nodes {
		o.Held = append(o.Held, toHolds(fo)...)
	}
	if o.Captured, err = captured(n.Transactions); err != nil {
		return o, err
	}
	o.Refunds, err = toRefunds(n.Refunds)
	return o, err
}

func toLine(l lineNode) shopadmin.Line {
	return shopadmin.Line{ID: l.ID, ChannelLine: toMap(l.CustomAttributes)[lineKey], SKU: l.SKU, Title: l.Title,
		Quantity: l.Quantity, Current: l.CurrentQuantity, Unfulfilled: l.UnfulfilledQuantity}
}

func toFulfillment(n fulfillmentNode) (shopadmin.Fulfillment, error) {
	f := shopadmin.Fulfillment{ID: n.ID, Name: n.Name, External: n.Status, Status: toStatus(n.Status)}
	var err error
	if f.CreatedAt, err = instant("a fulfillment's createdAt", n.CreatedAt); err != nil {
		return f, err
	}
	if f.UpdatedAt, err = instant("a fulfillment's updatedAt", n.UpdatedAt); err != nil {
		return f, err
	}
	for _, t := range n.TrackingInfo {
		v := shopadmin.Tracking{Company: clean(t.Company), Number: clean(t.Number), URL: clean(t.URL)}
		if v != (shopadmin.Tracking{}) {
			f.Tracking = append(f.Tracking, v)
		}
	}
	for _, l := range n.LineItems.Nodes {
		if l.Quantity == nil {
			return f, fmt.Errorf("fulfillment %s: a line without a quantity", n.ID)
		}
		f.Lines = append(f.Lines, shopadmin.FulfilledLine{Line: l.LineItem.ID, Quantity: *l.Quantity})
	}
	return f, nil
}

// toStatus maps the store's states of a fulfillment; PENDING and OPEN are from before 2022.
func toStatus(s string) shopadmin.FulfillmentStatus {
	switch s {
	case "SUCCESS":
		return shopadmin.FulfillmentSuccess
	case "CANCELLED":
		return shopadmin.FulfillmentCancelled
	case "ERROR", "FAILURE":
		return shopadmin.FulfillmentFailed
	case "PENDING", "OPEN":
		return shopadmin.FulfillmentPending
	}
	return shopadmin.FulfillmentUnmapped
}

func toHolds(fo fulfillmentOrderNode) []shopadmin.Hold {
	var holds []shopadmin.Hold
	for _, h := range fo.Holds {
		reason := h.ReasonNotes
		if reason == "" {
			reason = h.Reason
		}
		holds = append(holds, shopadmin.Hold{ID: h.ID, Handle: h.Handle, Ours: h.Ours, Reason: reason})
	}
	return holds
}

// markOf reads the mark: the metafield only this app writes, or else the source identifier
// together with the channel attribute.
func markOf(n orderHead) shopadmin.Mark {
	if n.Mark != nil {
		if m := parseMark(n.Mark.Value, n.SourceIdentifier); m.Set() {
			return m
		}
	}
	m := shopadmin.Mark{Channel: toMap(n.CustomAttributes)[channelKey], Order: n.SourceIdentifier}
	if !m.Set() {
		return shopadmin.Mark{}
	}
	return m
}

// parseMark undoes Mark.String. The order's source identifier tells where to cut when either
// part holds a colon.
func parseMark(value, source string) shopadmin.Mark {
	if channel, ok := strings.CutSuffix(value, ":"+source); ok && source != "" && channel != "" {
		return shopadmin.Mark{Channel: channel, Order: source}
	}
	channel, order, ok := strings.Cut(value, ":")
	if m := (shopadmin.Mark{Channel: channel, Order: order}); ok && m.Set() {
		return m
	}
	return shopadmin.Mark{}
}

func toMap(list []attribute) map[string]string {
	if len(list) == 0 {
		return nil
	}
	m := make(map[string]string, len(list))
	for _, a := range list {
		m[a.Key] = a.Value
	}
	return m
}

// toAttributes is the inverse of toMap, in a fixed order.
func toAttributes(m map[string]string) []attribute {
	list := make([]attribute, 0, len(m))
	for k, v := range m {
		list = append(list, attribute{k, v})
	}
	slices.SortFunc(list, func(a, b attribute) int { return strings.Compare(a.Key, b.Key) })
	return list
}

func instant(what, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s %q is not an instant", what, clip(text, 40))
	}
	return t.UTC(), nil
}

// clean takes out of free text what no carrier number or name can hold: control characters,
// line breaks, invisible characters and pictures. Runs of spaces become one.
func clean(s string) string {
	kept := strings.Map(func(r rune) rune {
		switch {
		case r == '\u200d', r == '\ufeff', r == unicode.ReplacementChar, unicode.Is(unicode.Variation_Selector, r):
			return -1
		case unicode.IsSpace(r), unicode.IsControl(r):
			return ' '
		case unicode.In(r, unicode.So, unicode.Sk, unicode.Cf, unicode.Co, unicode.Cs) && r > unicode.MaxLatin1:
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(kept), " ")
}
