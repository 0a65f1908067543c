package generic

import (
	"context"
	"encoding/json"

	"channelbridge/internal/fault"
	"channelbridge/marketplace"
)

// ConfirmShipment tells the channel that a parcel has left. The ledger's key goes along as
// Idempotency-Key, so that a repetition acts once.
func (a *Adapter) ConfirmShipment(ctx context.Context, key string, s marketplace.Shipment) (marketplace.Receipt, error) {
	body, err := a.shipment(key, s)
	if err != nil {
		return marketplace.Receipt{}, fault.Wrap(err, "confirming parcel %s of order %s", clean(s.Ref), clean(string(s.Order)))
	}
	ans, err := a.api.ship(ctx, s.Order, key, body)
	if err != nil {
		return marketplace.Receipt{}, fault.Wrap(err, "confirming parcel %s of order %s", clean(s.Ref), clean(string(s.Order)))
	}
	var r wireReceipt
	if json.Unmarshal(ans.Body, &r) != nil {
		return marketplace.Receipt{}, nil // taken; only its own reference is unreadable
	}
	return marketplace.Receipt{Ref: clean(string(r.ID))}, nil
}

// shipment writes the request and finds what the channel cannot take before anything is sent.
func (a *Adapter) shipment(key string, s marketplace.Shipment) ([]byte, error) {
	refuse := func(text, hint string) ([]byte, error) {
		e := fault.New(fault.Refused, "%s", text)
		e.Hint = hint
		return nil, e
	}
	switch {
	case a.cfg.Base == "":
		return refuse("this channel is push-only", "Enter the channel's base address so that shipments can be confirmed.")
	case !sendable(key):
		return refuse("the key cannot be sent", "")
	case !addressable(s.Order):
		return refuse("the order has no usable id", "")
	case len(s.Lines) == 0:
		return refuse("the parcel holds no lines", "")
	case s.ShippedAt.IsZero():
		return refuse("the parcel has no ship date", "")
	case a.cfg.NeedTrack && s.Tracking == "":
		return refuse("the parcel has no tracking number", "This channel takes shipments with tracking numbers only: add one in the store.")
	}
	w := wireShipment{Ref: s.Ref, Carrier: s.Carrier.Code, CarrierName: s.Carrier.Name, Service: s.Service,
		Tracking: s.Tracking, ShippedAt: s.ShippedAt.UTC()}
	for _, l := range s.Lines {
		w.Lines = append(w.Lines, wirePortion{ident(l.Line), l.Quantity})
	}
	return json.Marshal(w)
}
