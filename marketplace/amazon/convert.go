package amazon

import (
	"encoding/json"
	"fmt"

	"channelbridge/internal/fault"
	"channelbridge/marketplace"
)

// Kinds of marketplace.Problem raised here.
const (
	problemState      = "unmapped_state"
	problemPart       = "unmapped_part"
	problemDivergence = "divergence"
	problemMissing    = "missing"
)

// convert turns one order as Amazon sent it into ours. The error is a *marketplace.FaultyError.
// dropped names the data sets Amazon refused to include.
func convert(raw json.RawMessage, dropped []string) (marketplace.Order, error) {
	var w wireOrder
	err := json.Unmarshal(raw, &w)
	if err == nil {
		b := &builder{w: &w}
		if err = b.build(dropped); err == nil {
			return b.o, nil
		}
	}
	return marketplace.Order{}, &marketplace.FaultyError{Raw: raw, Err: &fault.Error{Class: fault.Refused, Err: err}}
}

// builder collects one order. The first impossible value stays in err.
type builder struct {
	w    *wireOrder
	o    marketplace.Order
	site site
	err  error
}

func (b *builder) problem(kind, format string, args ...any) {
	b.o.Problems = append(b.o.Problems, marketplace.Problem{Kind: kind, Text: fmt.Sprintf(format, args...)})
}

func (b *builder) fail(format string, args ...any) {
	if b.err == nil {
		b.err = fmt.Errorf(format, args...)
	}
}

func (b *builder) build(dropped []string) error {
	w, o := b.w, &b.o
	if w.OrderID == "" || w.CreatedTime.IsZero() || w.LastUpdatedTime.IsZero() {
		return fmt.Errorf("order %q: order id, creation or update time is missing", w.OrderID)
	}
	o.ID = marketplace.OrderID(w.OrderID)
	o.PlacedAt, o.UpdatedAt = w.CreatedTime.Time, w.LastUpdatedTime.Time
	for _, a := range w.OrderAliases {
		o.Aliases = append(o.Aliases, a.AliasID)
	}
	for _, set := range dropped {
		b.problem(problemMissing, "Amazon refuses to include %s at the moment", set)
	}
	b.place()
	b.state()
	b.people()
	for i := range w.OrderItems {
		b.line(&w.OrderItems[i])
	}
	if len(w.OrderItems) == 0 {
		b.problem(problemMissing, "the order has no items")
	}
	b.totals()
	b.packages()
	return b.err
}

// place says where the order was made and when that place's day ends.
func (b *builder) place() {
	w, o := b.w, &b.o
	o.Site, o.SiteName = w.SalesChannel.MarketplaceID, w.SalesChannel.MarketplaceName
	known := false
	if b.site, known = sites[o.Site]; !known {
		b.site = site{zone: "UTC"}
		b.problem(problemMissing, "no time zone is known for site %q; days are counted in UTC", o.Site)
	}
	o.Zone = b.site.zone
	for _, a := range w.AssociatedOrders {
		switch a.AssociationType {
		case "REPLACEMENT_ORIGINAL_ID", "EXCHANGE_ORIGINAL_ID":
			o.Replaces = marketplace.OrderID(a.OrderID)
		default:
			b.problem(problemState, "order association %q is not known", a.AssociationType)
		}
	}
}

type meaning struct {
	life marketplace.Lifecycle
	hold string
}

// meanings map Amazon's one status. InvoiceUnconfirmed is not in the model but has been seen
// in Brazil.
var meanings = map[string]meaning{
	"PENDING_AVAILABILITY": {marketplace.Pending, "preorder"},
	"PENDING":              {marketplace.Pending, ""},
	"UNSHIPPED":            {marketplace.Open, ""},
	"PARTIALLY_SHIPPED":    {marketplace.Open, ""},
	"SHIPPED":              {marketplace.Closed, ""},
	"CANCELLED":            {marketplace.Cancelled, ""},
	"UNFULFILLABLE":        {marketplace.Open, "service"},
	"INVOICE_UNCONFIRMED":  {marketplace.Open, "invoice"},
	"InvoiceUnconfirmed":   {marketplace.Open, "invoice"},
}

// noShip lists the programmes in which Amazon's own label or counter drives the status.
var noShip = map[string]string{
	"AMAZON_EASY_SHIP":   "Easy Ship: Amazon's own label confirms the shipment",
	"DELIVERY_BY_AMAZON": "Delivery by Amazon: Amazon's own label confirms the shipment",
	"IN_STORE_PICK_UP":   "pick-up in store: the hand-over is reported elsewhere",
}

// state splits Amazon's status into lifecycle, holds and who ships.
func (b *builder) state() {
	w, o := b.w, &b.o
	o.Programs = w.Programs
	for _, p := range w.Programs {
		if reason, ok := noShip[p]; ok {
			o.NoShip = reason
		}
	}
	if w.SalesChannel.ChannelName == "NON_AMAZON" {
		o.Elsewhere = "sold outside Amazon and only shipped from its warehouse: the order exists where it was sold"
	}
	f := w.Fulfillment
	if f == nil {
		o.Lifecycle = marketplace.Unmapped
		b.problem(problemMissing, "the order came without its fulfilment status")
		return
	}
	o.External, o.Service = f.FulfillmentStatus, f.FulfillmentServiceLevel
	o.ShipBy = marketplace.TimeWindow{From: f.ShipByWindow.EarliestDateTime.Time, To: f.ShipByWindow.LatestDateTime.Time}
	o.Deliver = marketplace.TimeWindow{From: f.DeliverByWindow.EarliestDateTime.Time, To: f.DeliverByWindow.LatestDateTime.Time}
	m, ok := meanings[f.FulfillmentStatus]
	if !ok {
		m.life = marketplace.Unmapped
		b.problem(problemState, "fulfilment status %q is not known", f.FulfillmentStatus)
	}
	o.Lifecycle = m.life
	if m.hold != "" {
		o.Holds = append(o.Holds, m.hold)
	}
	b.shipper(f.FulfilledBy)
}

// shipper says who fulfils. An open order nobody is known to ship must not be worked on.
func (b *builder) shipper(by string) {
	o := &b.o
	switch by {
	case "MERCHANT":
		o.FulfilledBy = marketplace.ByMerchant
		return
	case "AMAZON":
		o.FulfilledBy = marketplace.ByChannel
		o.NoShip = or(o.NoShip, "fulfilled by Amazon")
		return
	case "":
		b.problem(problemMissing, "Amazon does not say who fulfils the order")
	default:
		b.problem(problemState, "fulfiller %q is not known", by)
	}
	if o.Lifecycle == marketplace.Open {
		o.Lifecycle = marketplace.Unmapped
	}
}

// people takes over what Amazon chooses to tell of buyer and recipient.
func (b *builder) people() {
	w, o := b.w, &b.o
	o.Buyer = marketplace.Buyer{Name: w.Buyer.BuyerName, Company: w.Buyer.BuyerCompanyName, PONumber: w.Buyer.BuyerPurchaseOrderNumber}
	a := w.Recipient.DeliveryAddress
	if a == nil {
		return
	}
	o.ShipTo = &marketplace.Address{
		Name: a.Name, Company: a.CompanyName, Line1: a.AddressLine1, Line2: a.AddressLine2, Line3: a.AddressLine3,
		City: or(a.City, a.Municipality), District: a.DistrictOrCounty, Region: a.StateOrRegion,
		PostalCode: a.PostalCode, Country: a.CountryCode, Phone: a.Phone,
	}
	if *o.ShipTo == (marketplace.Address{}) {
		o.ShipTo = nil
	}
}
