// Package genericfake is a small channel that speaks the API of package generic: orders,
// lists, shipments with idempotency keys, and signed pushes. It keeps count of what a careless
// client would do twice, and misbehaves on request.
package genericfake

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"channelbridge/internal/secret"
)

// Config is what a channel needs.
type Config struct {
	Secret   secret.Text // whsec_…, for pushes
	Token    secret.Text // bearer token of the API; absent: everybody may
	Clock    func() time.Time
	PageSize int    // 0: 50
	Prefix   string // of order ids; empty: "G-"

	CaptureOnShip bool          // the buyer is charged when units ship, not with the order
	WholeOnly     bool          // refunds of less than all that was paid are refused
	Conflict      bool          // a repeated key is answered 409, with the earlier answer's id
	RefundLag     time.Duration // how long a refund takes to show
}

// Channel is the fake. It is an http.Handler and safe for concurrent use.
type Channel struct {
	cfg Config
	mux *http.ServeMux

	mu       sync.Mutex
	orders   map[string]*record
	sequence []*record // by creation
	byKey    map[string]answered
	next     int
	last     time.Time
	counts   Counts
	lose     int
	fates    []fate
	refunds  int
	throttle int
	denied   bool
}

// Counts is what happened to the writes.
type Counts struct {
	Shipments int // parcels that exist
	Replayed  int // requests answered from an earlier one with the same key
	Keyless   int // requests without a key: each acts
	Doubled   int // parcels whose reference another parcel of the order has already
	Conflicts int // a key that came again with other contents

	Instructed int // instructions that took effect
}

type record struct {
	order Order
	list  []Shipment
	given []Refund         // money given back, oldest first
	back  map[string]int64 // the same by line and kind, in minor units
}

// answered is what was said to a key.
type answered struct {
	order string
	body  string
	id    string
}

// New makes an empty channel.
func New(cfg Config) *Channel {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.PageSize == 0 {
		cfg.PageSize = 50
	}
	if cfg.Prefix == "" {
		cfg.Prefix = "G-"
	}
	c := &Channel{cfg: cfg, mux: http.NewServeMux(), orders: map[string]*record{}, byKey: map[string]answered{}}
	c.mux.HandleFunc("GET /orders", c.list)
	c.mux.HandleFunc("GET /orders/{id}", c.read)
	c.mux.HandleFunc("POST /orders/{id}/shipments", c.ship)
	c.mux.HandleFunc("POST /orders/{id}/instructions", c.instructed)
	c.mux.HandleFunc("GET /orders/{id}/refunds", c.orderRefunds)
	c.mux.HandleFunc("GET /refunds", c.allRefunds)
	return c
}

// Order is an order as the fake keeps and sends it.
type Order struct {
	ID          string            `json:"id"`
	PlacedAt    time.Time         `json:"placed_at"`
	UpdatedAt   time.Time         `json:"updated_at"`
	Status      string            `json:"status"`
	FulfilledBy string            `json:"fulfilled_by,omitempty"`
	Currency    string            `json:"currency"`
	Total       string            `json:"total,omitempty"`
	ShipTo      map[string]string `json:"ship_to,omitempty"`
	ShipBy      time.Time         `json:"ship_by,omitzero"`
	Lines       []Line            `json:"lines"`
	Packages    []Shipment        `json:"packages,omitempty"`
	Refunds     bool              `json:"refunds,omitempty"` // something was given back on it
}

// Line is one line of an order.
type Line struct {
	ID        string `json:"id"`
	SKU       string `json:"sku"`
	Title     string `json:"title"`
	Quantity  int    `json:"quantity"`
	Shipped   int    `json:"shipped"`
	Cancelled int    `json:"cancelled,omitempty"`
	Price     string `json:"price"`
	Tax       string `json:"tax,omitempty"`
	Shipping  string `json:"shipping,omitempty"`
}

// Shipment is a parcel the channel was told of.
type Shipment struct {
	ID        string    `json:"id,omitempty"`
	Key       string    `json:"-"`
	Ref       string    `json:"ref"`
	Carrier   string    `json:"carrier"`
	Tracking  string    `json:"tracking"`
	ShippedAt time.Time `json:"shipped_at"`
	Lines     []Portion `json:"lines"`
}

// Portion is a quantity of one line inside a parcel.
type Portion struct {
	Line     string `json:"line"`
	Quantity int    `json:"quantity"`
}

// Place adds an order. Empty fields are filled in: a paid order of two lines, two pieces of the
// first and one of the second. It returns the id.
func (c *Channel) Place(o Order) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
	if o.ID == "" {
		o.ID = fmt.Sprintf("%s%06d", c.cfg.Prefix, c.next)
	}
	at := c.tick()
	o.UpdatedAt = at
	if o.PlacedAt.IsZero() {
		o.PlacedAt = at
	}
	if o.Status == "" {
		o.Status = "open"
	}
	if o.Currency == "" {
		o.Currency = "USD"
	}
	if o.ShipTo == nil {
		o.ShipTo = map[string]string{"name": "A. Buyer", "line1": "1 Main St", "city": "Austin", "region": "TX", "postal_code": "78701", "country": "US"}
	}
	if len(o.Lines) == 0 {
		o.Lines = []Line{
			{ID: "1", SKU: "TEA", Title: "Tea", Quantity: 2, Price: "20.00", Tax: "1.65", Shipping: "4.00"},
			{ID: "2", SKU: "CUP", Title: "Cup", Quantity: 1, Price: "7.50", Tax: "0.62"},
		}
		o.Total = "33.77"
	}
	r := &record{order: o, back: map[string]int64{}}
	c.orders[o.ID], c.sequence = r, append(c.sequence, r)
	return o.ID
}

// Change edits an order and gives it a new time of change. It reports whether there is one.
func (c *Channel) Change(id string, edit func(*Order)) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.orders[id]
	if r == nil {
		return false
	}
	edit(&r.order)
	r.order.UpdatedAt = c.tick()
	return true
}

// Order returns an order as it is now.
func (c *Channel) Order(id string) (Order, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.orders[id]
	if r == nil {
		return Order{}, false
	}
	return r.view(), true
}

// Shipments returns the parcels of an order, oldest first.
func (c *Channel) Shipments(id string) []Shipment {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.orders[id]; r != nil {
		return append([]Shipment(nil), r.list...)
	}
	return nil
}

// Counts returns what happened so far.
func (c *Channel) Counts() Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts
}

// tick returns the time of a change; no two changes share one.
func (c *Channel) tick() time.Time {
	at := c.cfg.Clock().UTC()
	if !at.After(c.last) {
		at = c.last.Add(time.Microsecond)
	}
	c.last = at
	return at
}

// view is the order with its parcels, sharing nothing that can change.
func (r *record) view() Order {
	o := r.order
	o.Lines = append([]Line(nil), o.Lines...)
	o.Packages = append([]Shipment(nil), r.list...)
	o.Refunds = len(r.given) > 0
	return o
}
