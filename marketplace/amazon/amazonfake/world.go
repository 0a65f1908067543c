package amazonfake

import (
	"fmt"
	"slices"
	"time"
)

// OrderSpec describes an order to be placed. Empty fields get plausible values.
type OrderSpec struct {
	ID       string // 3-7-7 digits
	Site     string // marketplace id; empty: US
	Status   string // PENDING_AVAILABILITY, PENDING or UNSHIPPED; empty: UNSHIPPED
	Amazon   bool   // fulfilled by Amazon
	Currency string // empty: the site's
	Programs []string
	Alias    string // the seller's own order number
	Replaces string // the order this one replaces
	Items    []ItemSpec

	Buyer, Company, PO string
	Address            *Address
	ShipWithin         time.Duration // 0: two days
	Service            string        // empty: STANDARD
	TaxByAmazon        bool          // Amazon collects and remits the tax
	TaxIncluded        bool          // prices contain the tax
	Tip                string        // decimal text
	Deferred           string        // why the money of its sales is held for a week, such as DD7; empty: it is not
}

// ItemSpec is one item. Amounts are decimal text for the whole quantity, except UnitPrice.
type ItemSpec struct {
	ID, SKU, ASIN, Title              string
	Quantity                          int // 0: 1
	UnitPrice                         string
	Shipping, GiftWrap, CODFee        string
	Tax, ShippingTax, GiftTax         string
	Discount, ShippingDiscount, Promo string
}

// Confirmation is one shipment confirmation the fake accepted.
type Confirmation struct {
	At       time.Time
	Ref      string
	Carrier  string // code
	Name     string // carrier name
	Method   string
	Tracking string
	Shipped  time.Time
	Items    map[string]int // order item id → quantity
	Edit     bool           // the reference was known already
}

// ItemState is one item of an order as it stands.
type ItemState struct {
	ID, SKU                       string
	Ordered, Fulfilled, Cancelled int
	CancelRequested               bool
}

// OrderState is an order as it stands, without any lag.
type OrderState struct {
	ID, Site, Status string
	Amazon           bool
	Created, Updated time.Time
	Items            []ItemState
	Packages         []Confirmation // by reference, as edited last
	CancelReason     string
}

type order struct {
	spec             OrderSpec
	status           string
	created, updated time.Time
	items            []*item
	packages         []Confirmation
	history          []Confirmation
	reason           string
	versions         []version
	refunds          []Refund
	paidOut          int // refunds that stand in a settlement
}

type item struct {
	spec                 ItemSpec
	fulfilled, cancelled int
	paidOut              int // units that stand in a settlement
	requested            bool
	reason, by           string
}

// version is what reads may show from an instant on.
type version struct {
	at  time.Time
	doc wireOrder
}

const versionsKept = 32

// Place takes an order and returns its id. It panics when the spec cannot be an order.
func (s *Server) Place(spec OrderSpec) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.complete(&spec)
	o := &order{spec: spec, status: spec.Status, created: s.now().Truncate(time.Millisecond)}
	for i := range spec.Items {
		o.items = append(o.items, &item{spec: spec.Items[i]})
	}
	s.orders[spec.ID] = o
	s.placed = append(s.placed, spec.ID)
	s.touch(o)
	s.emit(o, changeStatus, "Order Placed", nil)
	return spec.ID
}

func (s *Server) complete(spec *OrderSpec) {
	text := func(p *string, v string) {
		if *p == "" {
			*p = v
		}
	}
	s.serial++
	text(&spec.ID, fmt.Sprintf("%03d-%07d-%07d", 100+s.opt.Rand.IntN(800), s.opt.Rand.IntN(1e7), s.serial))
	if s.orders[spec.ID] != nil {
		panic("amazonfake: order " + spec.ID + " was placed already")
	}
	text(&spec.Site, "ATVPDKIKX0DER")
	text(&spec.Status, "UNSHIPPED")
	text(&spec.Service, "STANDARD")
	text(&spec.Currency, siteFacts[spec.Site].currency)
	text(&spec.Currency, "USD")
	text(&spec.Buyer, "Pat Example")
	if spec.Address == nil {
		spec.Address = &Address{Name: spec.Buyer, Line1: "1 Sample Street", City: "Seattle", Region: "WA",
			PostalCode: "98101", Country: "US", Phone: "+1 206 555 0100", Type: "RESIDENTIAL"}
	}
	if spec.ShipWithin == 0 {
		spec.ShipWithin = 48 * time.Hour
	}
	if len(spec.Items) == 0 {
		spec.Items = []ItemSpec{{SKU: "SKU-1", UnitPrice: "10"}}
	}
	spec.Items = slices.Clone(spec.Items)
	for i := range spec.Items {
		it := &spec.Items[i]
		text(&it.ID, fmt.Sprintf("%06d%06d%02d", s.opt.Rand.IntN(1e6), s.serial, i))
		text(&it.SKU, fmt.Sprintf("SKU-%d", i+1))
		text(&it.ASIN, fmt.Sprintf("B0FAKE%04d", i))
		text(&it.Title, "Sample product "+it.SKU)
		text(&it.UnitPrice, "10")
		it.Quantity = max(it.Quantity, 1)
	}
}

// touch moves the update time and keeps what reads may show from now on.
func (s *Server) touch(o *order) {
	now := s.now().Truncate(time.Millisecond)
	if !now.After(o.updated) {
		now = o.updated.Add(time.Millisecond)
	}
	o.updated = now
	o.versions = append(o.versions, version{s.now(), o.render()})
	if n := len(o.versions); n > versionsKept {
		o.versions = slices.Delete(o.versions, 0, n-versionsKept)
	}
}

func (o *order) state() OrderState {
	st := OrderState{ID: o.spec.ID, Site: o.spec.Site, Status: o.status, Amazon: o.spec.Amazon, Created: o.created,
		Updated: o.updated, Packages: slices.Clone(o.packages), CancelReason: o.reason}
	for _, it := range o.items {
		st.Items = append(st.Items, ItemState{it.spec.ID, it.spec.SKU, it.spec.Quantity, it.fulfilled, it.cancelled, it.requested})
	}
	return st
}
