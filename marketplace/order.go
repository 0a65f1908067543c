package marketplace

import (
	"encoding/json"
	"time"

	"channelbridge/internal/money"
)

// OrderID is the channel's own order number, as text.
type OrderID string

// Lifecycle is the one axis of an order that says whether it may be worked on.
// The adapter splits the channel's mixed status into this, FulfilledBy and quantities.
type Lifecycle string

const (
	Pending   Lifecycle = "pending"   // seen, not releasable yet (unpaid, review, pre-order)
	Open      Lifecycle = "open"      // paid or released; may be shipped
	Closed    Lifecycle = "closed"    // everything shipped
	Cancelled Lifecycle = "cancelled" // every line cancelled; final
	Unmapped  Lifecycle = "unmapped"  // the channel used a status value nobody has mapped yet
)

// FulfilledBy says who ships.
type FulfilledBy string

const (
	ByMerchant FulfilledBy = "merchant"
	ByChannel  FulfilledBy = "channel" // the channel's own warehouse: read-only for us
)

// Order is what a channel says about one order now. It is a statement of one side and
// never doubles as a store order.
type Order struct {
	ID        OrderID   `json:"id"`
	Aliases   []string  `json:"aliases,omitempty"` // other numbers the buyer or seller may know it by
	Site      string    `json:"site"`              // the channel's marketplace id, verbatim
	SiteName  string    `json:"site_name,omitempty"`
	Zone      string    `json:"zone"` // IANA zone in which the site's day ends
	PlacedAt  time.Time `json:"placed_at"`
	UpdatedAt time.Time `json:"updated_at"` // the version: newer wins

	Lifecycle   Lifecycle   `json:"lifecycle"`
	Holds       []string    `json:"holds,omitempty"` // payment_review, invoice, service, ...
	FulfilledBy FulfilledBy `json:"fulfilled_by"`
	External    string      `json:"external"` // the channel's own status text, verbatim

	// CancelRequest is set while the buyer asks for cancellation and nobody has decided.
	CancelRequest *CancelRequest `json:"cancel_request,omitempty"`

	Currency  string      `json:"currency"`
	Total     money.Money `json:"total"` // the channel's grand total; zero value when it gave none
	Lines     []Line      `json:"lines"`
	Charges   []Component `json:"charges,omitempty"` // order-level parts that belong to no line
	ShipTo    *Address    `json:"ship_to,omitempty"` // nil: not given (role missing, pending, purged)
	Buyer     Buyer       `json:"buyer"`
	Packages  []Package   `json:"packages,omitempty"` // shipments the channel knows of
	ShipBy    TimeWindow  `json:"ship_by"`
	Deliver   TimeWindow  `json:"deliver_by"`
	Service   string      `json:"service,omitempty"`   // shipping service level, verbatim
	Programs  []string    `json:"programs,omitempty"`  // PRIME, BUSINESS, ... verbatim
	Replaces  OrderID     `json:"replaces,omitempty"`  // this order replaces or exchanges that one
	Elsewhere string      `json:"elsewhere,omitempty"` // set: sold elsewhere, only shipped by the channel; not mirrored, with the reason
	NoShip    string      `json:"no_ship,omitempty"`   // set: confirmations are made elsewhere, with the reason
	Problems  []Problem   `json:"problems,omitempty"`  // what the adapter could not map or add up
}

// Line is one product and quantity of an order.
type Line struct {
	ID        string      `json:"id"` // the channel's order item id, as text
	SKU       string      `json:"sku,omitempty"`
	CatalogID string      `json:"catalog_id,omitempty"` // ASIN or the like
	Title     string      `json:"title,omitempty"`
	Ordered   int         `json:"ordered"`
	Shipped   int         `json:"shipped"`             // units the channel counts as shipped
	Cancelled int         `json:"cancelled,omitempty"` // units the channel counts as cancelled
	Parts     []Component `json:"parts"`
}

// Kind names what a component pays for.
type Kind string

const (
	Item       Kind = "item"
	Shipping   Kind = "shipping"
	GiftWrap   Kind = "gift_wrap"
	Handling   Kind = "handling"
	Fee        Kind = "fee" // cash on delivery fee and the like
	Tip        Kind = "tip"
	Adjustment Kind = "adjustment"
)

// Component is one priced part: an amount before discount and tax, the discount on it and the
// tax on it, all for the whole quantity of the line. Discount is a positive magnitude.
type Component struct {
	Kind     Kind        `json:"kind"`
	Amount   money.Money `json:"amount"`
	Discount money.Money `json:"discount,omitzero"`
	Tax      money.Money `json:"tax,omitzero"`
	// TaxByChannel: the channel collects and remits this tax itself.
	TaxByChannel bool `json:"tax_by_channel,omitempty"`
	// TaxIncluded: Amount already contains Tax.
	TaxIncluded bool `json:"tax_included,omitempty"`
}

// Address is where to ship. Every field is optional on some channel.
type Address struct {
	Name       string `json:"name,omitempty"`
	Company    string `json:"company,omitempty"`
	Line1      string `json:"line1,omitempty"`
	Line2      string `json:"line2,omitempty"`
	Line3      string `json:"line3,omitempty"`
	City       string `json:"city,omitempty"`
	District   string `json:"district,omitempty"`
	Region     string `json:"region,omitempty"`
	PostalCode string `json:"postal_code,omitempty"`
	Country    string `json:"country,omitempty"` // ISO 3166 alpha-2
	Phone      string `json:"phone,omitempty"`
}

// Buyer is the little we keep of a buyer. Neither field is ever sent to a store in a place
// that could trigger a message.
type Buyer struct {
	Name     string `json:"name,omitempty"`
	Company  string `json:"company,omitempty"`
	PONumber string `json:"po_number,omitempty"`
}

// CancelRequest is a buyer's wish to cancel that the seller has not answered.
type CancelRequest struct {
	Lines  []string `json:"lines"` // line ids; empty means the whole order
	Reason string   `json:"reason,omitempty"`
}

// Package is one parcel the channel knows of.
type Package struct {
	Ref       string         `json:"ref"` // the reference given on confirmation; any text when read
	Carrier   string         `json:"carrier,omitempty"`
	Tracking  string         `json:"tracking,omitempty"`
	ShippedAt time.Time      `json:"shipped_at,omitzero"`
	Status    string         `json:"status,omitempty"` // verbatim
	Lines     map[string]int `json:"lines,omitempty"`  // line id → quantity
}

// TimeWindow is a pair of instants; a zero instant means open.
type TimeWindow struct {
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
}

// Problem is something in an order that could not be mapped or does not add up. The order is
// still usable; the problem is shown to the operator.
type Problem struct {
	Kind string `json:"kind"` // unmapped_state, divergence, missing
	Text string `json:"text"`
}

// Shipment asks the channel to count one parcel as shipped.
type Shipment struct {
	Order     OrderID        `json:"order"`
	Site      string         `json:"site"`
	Ref       string         `json:"ref"` // positive integer as text, unique per order; the same ref again edits
	Carrier   Carrier        `json:"carrier"`
	Service   string         `json:"service,omitempty"`
	Tracking  string         `json:"tracking"`
	ShippedAt time.Time      `json:"shipped_at"` // the store's own instant
	Lines     []ShipmentLine `json:"lines"`
}

// ShipmentLine is a quantity of one order line inside a parcel.
type ShipmentLine struct {
	Line     string `json:"line"`
	Quantity int    `json:"quantity"`
}

// Carrier is a carrier in the channel's own words.
type Carrier struct {
	Code string `json:"code" yaml:"code"`
	Name string `json:"name,omitempty" yaml:"name,omitempty"` // needed where Code means "other"
}

// Faulty is an order that was received but could not be understood. Nothing of it is lost:
// Raw is what the channel sent.
type Faulty struct {
	ID        OrderID
	UpdatedAt time.Time
	Raw       json.RawMessage
	Err       error
}
