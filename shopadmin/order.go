package shopadmin

import (
	"encoding/json"
	"time"

	"channelbridge/internal/money"
)

// OrderID is the store's own order id, as text (for Shopify the global id).
type OrderID string

// Mark is what a mirrored order carries so that it can be found again: which channel
// connection it belongs to and the order's number there.
type Mark struct {
	Channel string `json:"channel"`
	Order   string `json:"order"`
}

// Set reports whether the order carries a mark at all.
func (m Mark) Set() bool { return m.Channel != "" && m.Order != "" }

// String is the mark as one unique text, "channel:order".
func (m Mark) String() string { return m.Channel + ":" + m.Order }

// Order is what the store says about one order now.
type Order struct {
	ID          OrderID           `json:"id"`
	Name        string            `json:"name"` // "#1001", for people
	Mark        Mark              `json:"mark"`
	Tags        []string          `json:"tags,omitempty"`
	Attributes  map[string]string `json:"attributes,omitempty"`
	CreatedAt   time.Time         `json:"created_at"`
	UpdatedAt   time.Time         `json:"updated_at"` // the version: newer wins
	CancelledAt time.Time         `json:"cancelled_at,omitzero"`
	Total       money.Money       `json:"total"`
	Financial   string            `json:"financial,omitempty"`   // verbatim
	Fulfillment string            `json:"fulfillment,omitempty"` // verbatim
	Test        bool              `json:"test,omitempty"`

	CancelReason string      `json:"cancel_reason,omitempty"` // lower case: customer, inventory, fraud, declined, staff, other
	Captured     money.Money `json:"captured,omitzero"`       // payments taken, before refunds
	Note         string      `json:"note,omitempty"`          // staff's and ours

	Lines        []Line        `json:"lines"`
	Fulfillments []Fulfillment `json:"fulfillments,omitempty"`
	Refunds      []Refund      `json:"refunds,omitempty"` // oldest first
	Held         []Hold        `json:"held,omitempty"`    // holds on its fulfillment orders
}

// Line is a line of a store order.
type Line struct {
	ID          string `json:"id"`
	ChannelLine string `json:"channel_line,omitempty"` // the channel's order item id we left on creation
	SKU         string `json:"sku,omitempty"`
	Title       string `json:"title,omitempty"`
	Quantity    int    `json:"quantity"`
	Current     int    `json:"current"`     // ordered less removed and refunded
	Unfulfilled int    `json:"unfulfilled"` // still to ship
}

// FulfillmentStatus is the state of one shipment made in the store.
type FulfillmentStatus string

const (
	FulfillmentPending   FulfillmentStatus = "pending"
	FulfillmentSuccess   FulfillmentStatus = "success" // the only one that is a shipment
	FulfillmentCancelled FulfillmentStatus = "cancelled"
	FulfillmentFailed    FulfillmentStatus = "failure"
	FulfillmentUnmapped  FulfillmentStatus = "unmapped"
)

// Fulfillment is what was shipped at one time from one place.
type Fulfillment struct {
	ID        string            `json:"id"`
	Name      string            `json:"name,omitempty"`
	Status    FulfillmentStatus `json:"status"`
	External  string            `json:"external,omitempty"` // the store's own status text
	CreatedAt time.Time         `json:"created_at"`         // the ship date
	UpdatedAt time.Time         `json:"updated_at"`
	Tracking  []Tracking        `json:"tracking,omitempty"`
	Lines     []FulfilledLine   `json:"lines"`
}

// Tracking is one parcel number of a fulfillment.
type Tracking struct {
	Company string `json:"company,omitempty"` // free text of the store
	Number  string `json:"number,omitempty"`
	URL     string `json:"url,omitempty"`
}

// FulfilledLine is a quantity of one order line inside a fulfillment.
type FulfilledLine struct {
	Line     string `json:"line"` // the store's line id
	Quantity int    `json:"quantity"`
}

// Hold is a stop put on the shipping of an order in the store.
type Hold struct {
	ID     string `json:"id"`
	Handle string `json:"handle,omitempty"`
	Ours   bool   `json:"ours,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// NewOrder is an order to be created. It holds no contact data of the buyer: a store must have
// nothing it could write to.
type NewOrder struct {
	Mark       Mark              `json:"mark"`
	Name       string            `json:"name,omitempty"`
	Currency   string            `json:"currency"`
	PlacedAt   time.Time         `json:"placed_at"`
	Tags       []string          `json:"tags"`
	SourceName string            `json:"source_name,omitempty"`
	SourceURL  string            `json:"source_url,omitempty"`
	Note       string            `json:"note,omitempty"`
	PONumber   string            `json:"po_number,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
	ShipTo     *Address          `json:"ship_to,omitempty"`
	Lines      []NewLine         `json:"lines"`
	Shipping   []NewShipping     `json:"shipping,omitempty"`
	Discount   money.Money       `json:"discount,omitzero"` // of the whole order, positive
	Gateway    string            `json:"gateway"`           // name of the payment, e.g. amazon
	Paid       money.Money       `json:"paid"`              // one synthetic sale of this amount
	Stock      StockBehaviour    `json:"stock,omitempty"`
	Test       bool              `json:"test,omitempty"`
}

// StockBehaviour says what creating the order does to the store's stock.
type StockBehaviour string

const (
	StockDecrement StockBehaviour = "decrement" // take from stock whatever its level: the sale is made
	StockLeave     StockBehaviour = "leave"
)

// NewLine is a line to be created. Without a catalogue match it becomes a custom line.
type NewLine struct {
	ChannelLine string      `json:"channel_line"`
	SKU         string      `json:"sku,omitempty"`
	Title       string      `json:"title"`
	Quantity    int         `json:"quantity"`
	UnitPrice   money.Money `json:"unit_price"`
	Ships       bool        `json:"ships"` // requires shipping by the merchant
	Taxes       []NewTax    `json:"taxes,omitempty"`
}

// NewTax is a tax of a line for its whole quantity.
type NewTax struct {
	Title         string      `json:"title"`
	Amount        money.Money `json:"amount"`
	Rate          string      `json:"rate"`           // decimal text, e.g. "0.0825"
	ChannelLiable bool        `json:"channel_liable"` // the channel remits it
}

// NewShipping is a shipping or other order-level charge.
type NewShipping struct {
	Title string      `json:"title"`
	Code  string      `json:"code,omitempty"`
	Price money.Money `json:"price"`
	Taxes []NewTax    `json:"taxes,omitempty"`
}

// Address is a ship-to address as a store knows it.
type Address struct {
	FirstName  string `json:"first_name,omitempty"`
	LastName   string `json:"last_name,omitempty"`
	Company    string `json:"company,omitempty"`
	Address1   string `json:"address1,omitempty"`
	Address2   string `json:"address2,omitempty"`
	City       string `json:"city,omitempty"`
	Region     string `json:"region,omitempty"`
	PostalCode string `json:"postal_code,omitempty"`
	Country    string `json:"country,omitempty"`
	Phone      string `json:"phone,omitempty"`
}

// Update is what the channel changed and the store has to show. Nil or empty fields
// are left alone; attributes and tags are merged into what the order has.
type Update struct {
	ShipTo     *Address          `json:"ship_to,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
	AddTags    []string          `json:"add_tags,omitempty"`
	Note       string            `json:"note,omitempty"` // added to the order's note unless it stands there
}

// Faulty is an order that was received but could not be understood.
type Faulty struct {
	ID        OrderID
	Mark      Mark
	UpdatedAt time.Time
	Raw       json.RawMessage
	Err       error
}
