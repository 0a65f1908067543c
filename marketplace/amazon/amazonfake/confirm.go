package amazonfake

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

type confirmBody struct {
	Site    string `json:"marketplaceId"`
	Package *struct {
		Ref      json.RawMessage `json:"packageReferenceId"`
		Carrier  string          `json:"carrierCode"`
		Name     string          `json:"carrierName"`
		Method   string          `json:"shippingMethod"`
		Tracking string          `json:"trackingNumber"`
		Date     string          `json:"shipDate"`
		Items    []struct {
			ID       string `json:"orderItemId"`
			Quantity int    `json:"quantity"`
		} `json:"orderItems"`
	} `json:"packageDetail"`
}

// reference is the JSON text of a string that holds a positive integer.
var reference = regexp.MustCompile(`^"[1-9][0-9]*"$`)

// labelled are programmes in which Amazon's own label confirms the shipment.
var labelled = []string{"AMAZON_EASY_SHIP", "DELIVERY_BY_AMAZON", "IN_STORE_PICK_UP"}

func (s *Server) confirmShipment(c *call) result {
	o := s.orders[c.PathValue("id")]
	if o == nil {
		return refuse(http.StatusNotFound, "NotFound", "The order %s was not found.", c.PathValue("id"))
	}
	conf, refused := s.readConfirmation(c.body, o)
	if refused != nil {
		return *refused
	}
	if refused := o.admits(conf); refused != nil {
		return *refused
	}
	s.apply(o, conf)
	return result{status: http.StatusNoContent}
}

// readConfirmation checks the body by itself.
func (s *Server) readConfirmation(raw []byte, o *order) (Confirmation, *result) {
	bad := func(format string, args ...any) (Confirmation, *result) {
		r := badInput(format, args...)
		return Confirmation{}, &r
	}
	var b confirmBody
	if err := json.Unmarshal(raw, &b); err != nil || b.Package == nil {
		return bad("the body cannot be read")
	}
	p := b.Package
	switch {
	case b.Site != o.spec.Site:
		return bad("marketplaceId is not the order's")
	case !reference.Match(p.Ref):
		return bad("packageReferenceId must be a string with a positive integer")
	case p.Carrier == "":
		return bad("carrierCode is required")
	case strings.EqualFold(p.Carrier, "Other") && p.Name == "":
		return bad("carrierName is required when carrierCode is Other")
	case p.Tracking == "":
		return bad("trackingNumber is required")
	case len(p.Items) == 0:
		return bad("orderItems is required")
	}
	shipped, err := time.Parse(time.RFC3339, p.Date)
	switch {
	case err != nil:
		return bad("shipDate is not a date-time")
	case shipped.After(s.now()):
		return bad("shipDate lies in the future")
	case shipped.Before(o.created.Truncate(time.Second)):
		return bad("shipDate lies before the order")
	}
	conf := Confirmation{At: s.now(), Ref: strings.Trim(string(p.Ref), `"`), Carrier: p.Carrier, Name: p.Name, Method: p.Method,
		Tracking: p.Tracking, Shipped: shipped, Items: map[string]int{}}
	for _, it := range p.Items {
		if it.Quantity < 1 || o.item(it.ID) == nil {
			return bad("item %q with quantity %d is not part of the order", it.ID, it.Quantity)
		}
		conf.Items[it.ID] += it.Quantity
	}
	return conf, nil
}

func (o *order) item(id string) *item {
	for _, it := range o.items {
		if it.spec.ID == id {
			return it
		}
	}
	return nil
}

func (o *order) packageIndex(ref string) int {
	return slices.IndexFunc(o.packages, func(p Confirmation) bool { return p.Ref == ref })
}

// admits checks a confirmation against the order.
func (o *order) admits(conf Confirmation) *result {
	bad := func(format string, args ...any) *result {
		r := badInput(format, args...)
		return &r
	}
	known := o.packageIndex(conf.Ref)
	switch {
	case o.spec.Amazon:
		return bad("the order is fulfilled by Amazon")
	case o.pending():
		return bad("the order is pending")
	case o.status == "CANCELLED":
		return bad("the order is cancelled")
	case slices.ContainsFunc(o.spec.Programs, func(p string) bool { return slices.Contains(labelled, p) }):
		return bad("the order is confirmed by its programme")
	case o.status == "SHIPPED" && known < 0:
		return bad("PackageToUpdateNotFound: package %s was not found, order already fulfilled", conf.Ref)
	}
	for id, n := range conf.Items {
		it := o.item(id)
		others := it.fulfilled
		if known >= 0 {
			others -= o.packages[known].Items[id]
		}
		if others+n > it.spec.Quantity-it.cancelled {
			return bad("item %s: %d units are more than are left", id, n)
		}
	}
	return nil
}

// apply counts the parcel. A reference that is known edits its package.
func (s *Server) apply(o *order, conf Confirmation) {
	if i := o.packageIndex(conf.Ref); i >= 0 {
		for id, n := range o.packages[i].Items {
			o.item(id).fulfilled -= n
		}
		conf.Edit = true
		o.packages[i] = conf
	} else {
		o.packages = append(o.packages, conf)
	}
	o.history = append(o.history, conf)
	for id, n := range conf.Items {
		o.item(id).fulfilled += n
	}
	if !conf.Edit {
		s.book(o, o.shipmentEntry(conf.Items))
	}
	was := o.status
	o.status = "SHIPPED"
	for _, it := range o.items {
		if it.fulfilled+it.cancelled < it.spec.Quantity {
			o.status = "PARTIALLY_SHIPPED"
		}
	}
	s.touch(o)
	if o.status != was {
		s.emit(o, changeStatus, "Shipment Confirmed", nil)
	}
}
