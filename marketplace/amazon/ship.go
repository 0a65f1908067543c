package amazon

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"channelbridge/internal/fault"
	"channelbridge/marketplace"
)

// aheadTolerance is how far the store's clock may run before ours; Amazon refuses future dates,
// so such a confirmation waits until its instant has come.
const aheadTolerance = 10 * time.Minute

type confirmation struct {
	MarketplaceID string        `json:"marketplaceId"`
	Package       packageDetail `json:"packageDetail"`
}

type packageDetail struct {
	// Reference is a JSON string holding a positive integer; a JSON number is refused.
	Reference      string          `json:"packageReferenceId"`
	CarrierCode    string          `json:"carrierCode"`
	CarrierName    string          `json:"carrierName,omitempty"`
	ShippingMethod string          `json:"shippingMethod,omitempty"`
	Tracking       string          `json:"trackingNumber"`
	ShipDate       string          `json:"shipDate"`
	Items          []confirmedItem `json:"orderItems"`
}

type confirmedItem struct {
	OrderItemID string `json:"orderItemId"`
	Quantity    int    `json:"quantity"`
}

var packageReference = regexp.MustCompile(`^[1-9][0-9]{0,17}$`)

// ConfirmShipment tells Amazon of one parcel. The reference of the shipment is the idempotency:
// sent again it edits the same package. The call is made once; repeating it is the ledger's.
func (a *Adapter) ConfirmShipment(ctx context.Context, _ string, s marketplace.Shipment) (marketplace.Receipt, error) {
	body, err := confirm(s, a.clock())
	if err != nil {
		return marketplace.Receipt{}, fault.Wrap(err, "confirming package %s of order %s", s.Ref, s.Order)
	}
	_, err = a.api.send(ctx, request{op: opConfirmShipment, method: http.MethodPost, body: body,
		path: "/orders/v0/orders/" + url.PathEscape(string(s.Order)) + "/shipmentConfirmation"})
	if err != nil {
		return marketplace.Receipt{}, fault.Wrap(explain(err), "confirming package %s of order %s", s.Ref, s.Order)
	}
	return marketplace.Receipt{Ref: s.Ref}, nil
}

// confirm refuses what Amazon would refuse, and writes the body.
func confirm(s marketplace.Shipment, now time.Time) (confirmation, error) {
	refuse := func(format string, args ...any) (confirmation, error) {
		return confirmation{}, fault.New(fault.Refused, format, args...)
	}
	switch {
	case s.Order == "":
		return refuse("the order id is missing")
	case s.Site == "":
		return refuse("the site is missing")
	case !packageReference.MatchString(s.Ref):
		return refuse("package reference %q is not a positive integer", s.Ref)
	case s.Tracking == "":
		return refuse("the tracking number is missing")
	case s.ShippedAt.IsZero():
		return refuse("the ship date is missing")
	case len(s.Lines) == 0:
		return refuse("the package has no items")
	}
	if err := checkCarrier(s.Carrier); err != nil {
		return refuse("%w", err)
	}
	if ahead := s.ShippedAt.Sub(now); ahead > 0 { // a clock is wrong, here or in the store; time heals it
		e := fault.New(fault.Temporary, "ship date %s has not come yet", stamp(s.ShippedAt))
		e.After = min(ahead, aheadTolerance)
		e.Hint = "Compare the clocks of this machine and the store."
		return confirmation{}, e
	}
	c := confirmation{s.Site, packageDetail{Reference: s.Ref, CarrierCode: s.Carrier.Code, CarrierName: s.Carrier.Name,
		ShippingMethod: s.Service, Tracking: s.Tracking, ShipDate: stamp(s.ShippedAt)}}
	at := map[string]int{}
	for _, l := range s.Lines {
		if l.Line == "" || l.Quantity <= 0 {
			return refuse("item %q with quantity %d cannot be confirmed", l.Line, l.Quantity)
		}
		if i, ok := at[l.Line]; ok {
			c.Package.Items[i].Quantity += l.Quantity
			continue
		}
		at[l.Line] = len(c.Package.Items)
		c.Package.Items = append(c.Package.Items, confirmedItem{l.Line, l.Quantity})
	}
	return c, nil
}
