package shopifyfake

import (
	"slices"
	"strings"
	"time"

	"channelbridge/internal/money"
)

// world is everything the store keeps. The server's lock guards it.
type world struct {
	orders        []*Order
	index         []indexed           // what searches will see, by time
	shown         map[string]indexed  // what they see of an order
	sources       map[string][]string // the orders shown of a source identifier, which never changes
	variants      []variant
	stock         map[string]int // by variant id
	definitions   []string       // metafield definitions, "namespace.key"
	subscriptions []Subscription
	deliveries    []*delivery
	messages      []Message
	notices       []Notification
	lastName      int
	jobs          []*cancelJob
	remembered    map[string]remembered // by idempotency key
}

// Order is a store order.
type Order struct {
	ID, Name                               string
	CreatedAt, UpdatedAt, CancelledAt      time.Time // whole seconds, UTC
	ProcessedAt                            string
	CancelReason, CancelNote               string // the note is staff's
	Tags                                   []string
	SourceName, SourceIdentifier           string
	SourceURL, Note, PONumber              string
	Email, Phone                           string // contact data somebody gave; must stay empty
	Attributes                             []Attribute
	Metafields                             map[string]string // "namespace.key" → value
	ShipTo                                 map[string]any    // the address as it was given
	Currency                               string
	Total, Discount, Paid                  money.Money
	Gateway                                string
	Shipping                               []Charge
	Test, SendReceipt, SendShippingReceipt bool
	Stock                                  string // the inventory behaviour asked for

	Lines             []Line
	Fulfillments      []Fulfillment
	FulfillmentOrders []FulfillmentOrder
	Transactions      []Transaction // payments and what was given back of them, oldest first
	Refunds           []Refund      // oldest first
}

// Attribute is one key and value of an order or line.
type Attribute struct{ Key, Value string }

// Charge is a shipping line.
type Charge struct {
	Title, Code string
	Price       money.Money
	Taxes       []Tax
}

// Tax is one tax line.
type Tax struct {
	Title, Rate   string
	Amount        money.Money
	ChannelLiable bool
}

// Line is a line of an order.
type Line struct {
	ID, SKU, Title, VariantID    string
	Quantity, Current, Unshipped int
	Price                        money.Money
	Taxes                        []Tax
	Attributes                   []Attribute
	RequiresShipping             bool
}

// Fulfillment is a shipment.
type Fulfillment struct {
	ID, Name, Status     string
	Location             string
	CreatedAt, UpdatedAt time.Time
	Tracking             []Tracking
	Lines                []LineQty
}

// Tracking is one parcel number.
type Tracking struct{ Company, Number, URL string }

// LineQty is a quantity of one order line.
type LineQty struct {
	Line     string // the line's global id
	Quantity int
}

// FulfillmentOrder is what is still to be shipped from one place.
type FulfillmentOrder struct {
	ID, Status string
	Location   string    // the global id of the place that ships
	Lines      []LineQty // remaining
	Holds      []Hold
}

// Hold is a stop on a fulfillment order.
type Hold struct {
	ID, Handle, Reason, Notes string
	ByApp                     bool // put by the app, not by staff
}

type variant struct{ id, sku, title string }

// indexed is what the search index will say about an order from an instant on.
type indexed struct {
	from    time.Time
	order   string
	updated time.Time
	tags    []string
	source  string
	name    string
}

// Message is something the store would have written to a customer.
type Message struct {
	Order, Kind, To string
}

// Notification is something the store wrote to the merchant's staff.
type Notification struct {
	Order, Name, Text string
	At                time.Time
}

// touch marks an order as changed and lets the search index learn of it in time.
func (s *Server) touch(o *Order) {
	o.UpdatedAt = s.now()
	s.world.index = append(s.world.index, indexed{from: s.cfg.Clock().Add(s.cfg.SearchLag), order: o.ID,
		updated: o.UpdatedAt, tags: slices.Clone(o.Tags), source: o.SourceIdentifier, name: o.Name})
}

func (s *Server) order(id string) *Order {
	for _, o := range s.world.orders {
		if o.ID == id {
			return o
		}
	}
	return nil
}

// contact is where the store could write to, if anywhere.
func (o *Order) contact() string {
	if o.Email != "" {
		return o.Email
	}
	if o.Phone != "" {
		return o.Phone
	}
	phone, _ := o.ShipTo["phone"].(string)
	return phone
}

// tell writes to the customer when there is somebody to write to. The lock is held.
func (s *Server) tell(o *Order, kind string) {
	if to := o.contact(); to != "" {
		s.world.messages = append(s.world.messages, Message{o.ID, kind, to})
	}
}

func (o *Order) line(id string) *Line {
	for i := range o.Lines {
		if o.Lines[i].ID == id {
			return &o.Lines[i]
		}
	}
	return nil
}

// financial derives the payment state as the store shows it.
func (o *Order) financial() string {
	switch {
	case o.Paid.IsZero() && !o.Total.IsZero():
		return "PENDING"
	case o.Paid.Cmp(o.Total) < 0:
		return "PARTIALLY_PAID"
	case !o.Refunded().IsZero() && o.Refunded().Cmp(o.Paid) >= 0:
		return "REFUNDED"
	case !o.Refunded().IsZero():
		return "PARTIALLY_REFUNDED"
	}
	return "PAID"
}

// shipping derives the fulfillment state as the store shows it.
func (o *Order) shipping() string {
	for _, fo := range o.FulfillmentOrders {
		if fo.Status == "ON_HOLD" {
			return "ON_HOLD"
		}
	}
	left, shipped := 0, false
	for _, l := range o.Lines {
		left += l.Unshipped
	}
	for _, f := range o.Fulfillments {
		shipped = shipped || f.Status == "SUCCESS"
	}
	switch {
	case left == 0 && shipped:
		return "FULFILLED"
	case shipped:
		return "PARTIALLY_FULFILLED"
	}
	return "UNFULFILLED"
}

// clone is a copy for callers outside the lock.
func (o *Order) clone() Order {
	c := *o
	c.Tags, c.Attributes = slices.Clone(o.Tags), slices.Clone(o.Attributes)
	c.Lines, c.Shipping = slices.Clone(o.Lines), slices.Clone(o.Shipping)
	c.Fulfillments = slices.Clone(o.Fulfillments)
	for i := range c.Fulfillments {
		c.Fulfillments[i].Tracking = slices.Clone(c.Fulfillments[i].Tracking)
	}
	c.FulfillmentOrders = slices.Clone(o.FulfillmentOrders)
	for i := range c.FulfillmentOrders {
		c.FulfillmentOrders[i].Lines = slices.Clone(c.FulfillmentOrders[i].Lines)
		c.FulfillmentOrders[i].Holds = slices.Clone(c.FulfillmentOrders[i].Holds)
	}
	c.Transactions, c.Refunds = slices.Clone(o.Transactions), slices.Clone(o.Refunds)
	for i := range c.Refunds {
		c.Refunds[i].Lines = slices.Clone(c.Refunds[i].Lines)
		c.Refunds[i].Adjustments = slices.Clone(c.Refunds[i].Adjustments)
	}
	return c
}

// Mark is the order's mark as one text, "channel:order": from its metafield, or else from the
// attribute "channel" and the source identifier. "" when it carries none.
func (o Order) Mark() string {
	for k, v := range o.Metafields {
		if strings.HasSuffix(k, ".external_id") {
			return v
		}
	}
	for _, a := range o.Attributes {
		if a.Key == "channel" && o.SourceIdentifier != "" {
			return a.Value + ":" + o.SourceIdentifier
		}
	}
	return ""
}
