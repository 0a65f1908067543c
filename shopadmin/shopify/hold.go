package shopify

import (
	"context"
	"slices"

	"channelbridge/internal/fault"
	"channelbridge/shopadmin"
)

// notesLimit bounds the reason shown at a hold, in characters.
const notesLimit = 250

// Hold stops the shipping of everything in the order that has not left. Doing it twice puts no
// second hold: what we hold already is skipped, and the store refuses our handle twice.
func (a *Admin) Hold(ctx context.Context, _ string, id shopadmin.OrderID, reason string) error {
	all, err := a.fulfillmentOrders(ctx, string(id))
	if err != nil {
		return err
	}
	held := 0
	for _, fo := range all {
		if heldByUs(fo) {
			held++
			continue
		}
		if !holdable(fo) {
			continue
		}
		if err := a.hold(ctx, fo.ID, reason); err != nil {
			return fault.Wrap(err, "holding %s", fo.ID)
		}
		held++
	}
	if held == 0 {
		e := fault.New(fault.Refused, "shopify: order %s has nothing left that could be held", id)
		e.Hint = "Everything in this order has been fulfilled, cancelled or handed to a fulfillment service."
		return e
	}
	return nil
}

func heldByUs(fo fulfillmentOrderNode) bool {
	return slices.ContainsFunc(fo.Holds, func(h holdNode) bool { return h.Ours && h.Handle == handleOfHold })
}

// holdable goes by what the store offers; an order that others hold can be held by us as well.
func holdable(fo fulfillmentOrderNode) bool {
	if fo.Status == "ON_HOLD" {
		return true
	}
	for _, s := range fo.SupportedActions {
		if s.Action == "HOLD" {
			return true
		}
	}
	return false
}

func (a *Admin) hold(ctx context.Context, id, reason string) error {
	var out struct {
		Payload *struct{ UserErrors []userError } `json:"fulfillmentOrderHold"`
	}
	in := holdInput{Handle: handleOfHold, Reason: "OTHER", ReasonNotes: clip(clean(reason), notesLimit)}
	if err := a.client.do(ctx, docHold, map[string]any{"id": id, "hold": in}, &out); err != nil {
		return err
	}
	if out.Payload == nil {
		return empty(docHold)
	}
	return userErrors(docHold.name, without(out.Payload.UserErrors, "DUPLICATE_FULFILLMENT_HOLD_HANDLE", "TAKEN"))
}
