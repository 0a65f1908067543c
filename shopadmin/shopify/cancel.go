package shopify

import (
	"context"
	"strings"
	"time"

	"channelbridge/internal/fault"
	"channelbridge/shopadmin"
)

// staffNoteLimit bounds the note of a cancellation, in characters.
const staffNoteLimit = 255

// cancelWaits are the pauses between looks at a cancellation under way. The store cancels in the
// background; what is not decided by then shows in a later read of the order.
var cancelWaits = []time.Duration{300 * time.Millisecond, 700 * time.Millisecond, 1500 * time.Millisecond, 2500 * time.Millisecond}

// Cancel cancels the order without a word to the customer. An order that is cancelled already is
// no error. nil says that the store has cancelled it or is about to. It cannot be taken back.
func (a *Admin) Cancel(ctx context.Context, _ string, id shopadmin.OrderID, c shopadmin.Cancel) error {
	o, err := a.cancelState(ctx, id)
	if err != nil {
		return err
	}
	if o.CancelledAt != "" {
		return nil
	}
	if c.Refund && severalGateways(o.Transactions) {
		e := fault.New(fault.Refused, "shopify: order %s was paid in several ways; giving all of it back could move money outside", id)
		e.Hint = "Cancel it in the store and choose there what is given back."
		return e
	}
	err = a.cancel(ctx, id, c)
	if fault.Is(err, fault.Refused) {
		// Somebody may have been faster: the store refuses a second cancellation.
		if now, look := a.cancelState(ctx, id); look == nil && now.CancelledAt != "" {
			return nil
		}
	}
	return fault.Wrap(err, "cancelling order %s", id)
}

// cancelState reads what is looked at before an order is cancelled. Nothing has been sent when it
// fails.
func (a *Admin) cancelState(ctx context.Context, id shopadmin.OrderID) (orderNode, error) {
	var out struct{ Order *orderNode }
	if err := a.client.do(ctx, docCancelState, map[string]any{"id": string(id)}, &out); err != nil {
		return orderNode{}, asTemporary(err, "reading the order before it is cancelled")
	}
	if out.Order == nil {
		return orderNode{}, gone(string(id))
	}
	if err := a.restOfTransactions(ctx, out.Order); err != nil {
		return orderNode{}, asTemporary(err, "reading the order's payments before it is cancelled")
	}
	return *out.Order, nil
}

// severalGateways reports whether somebody took another payment beside the channel's.
func severalGateways(list []transactionNode) bool {
	first := ""
	for _, t := range list {
		if t.Kind != "SALE" && t.Kind != "CAPTURE" || t.Status != "SUCCESS" {
			continue
		}
		if first != "" && t.Gateway != first {
			return true
		}
		first = t.Gateway
	}
	return false
}

func (a *Admin) cancel(ctx context.Context, id shopadmin.OrderID, c shopadmin.Cancel) error {
	var out struct {
		Payload *struct {
			JobResult  *cancelJobNode `json:"jobResult"`
			UserErrors []userError    `json:"orderCancelUserErrors"`
		} `json:"orderCancel"`
	}
	if err := a.client.do(ctx, docCancel, cancelVars(id, c), &out); err != nil {
		return err
	}
	if out.Payload == nil {
		return empty(docCancel)
	}
	if err := cancelErrors(out.Payload.UserErrors); err != nil {
		return err
	}
	if out.Payload.JobResult == nil {
		return empty(docCancel)
	}
	return a.awaitCancel(ctx, *out.Payload.JobResult)
}

// cancelVars leaves out what is not wanted: to the store an explicit null is a choice.
func cancelVars(id shopadmin.OrderID, c shopadmin.Cancel) map[string]any {
	vars := map[string]any{"id": string(id), "reason": cancelReason(c.Reason), "restock": c.Restock}
	if c.Refund {
		vars["refundMethod"] = refundMethodInput{OriginalPaymentMethodsRefund: true}
	}
	if note := clip(strings.TrimSpace(c.Note), staffNoteLimit-1); note != "" {
		vars["note"] = note
	}
	return vars
}

// cancelReason spells a reason the store's way. One it does not know is OTHER.
func cancelReason(s string) string {
	switch r := strings.ToUpper(strings.TrimSpace(s)); r {
	case "CUSTOMER", "DECLINED", "FRAUD", "INVENTORY", "STAFF":
		return r
	}
	return "OTHER"
}

// awaitCancel looks at the job a few times. It fails only when the store says that it did: a look
// that goes wrong, or an end that does not come, leaves the answer to a read of the order.
func (a *Admin) awaitCancel(ctx context.Context, job cancelJobNode) error {
	for _, wait := range cancelWaits {
		if job.Done || job.Status == "FAILED" || job.Status == "SUCCEEDED" || job.ID == "" {
			break
		}
		if a.client.sleep(ctx, wait) != nil {
			return nil
		}
		var out struct{ Node *cancelJobNode }
		if err := a.client.do(ctx, docCancelResult, map[string]any{"id": job.ID}, &out); err != nil || out.Node == nil {
			a.cfg.Log.Debug("a cancellation cannot be watched", "err", err)
			return nil
		}
		job = *out.Node
	}
	if job.Status == "FAILED" {
		return cancelFailed(job)
	}
	return nil
}

// cancelFailed is what a job that ended in failure means: the order stands as it was.
func cancelFailed(job cancelJobNode) error {
	err := userErrors(docCancel.name, job.Errors)
	if err == nil {
		err = fault.New(fault.Refused, "shopify %s: the store could not cancel the order and does not say why", docCancel.name)
	}
	return hinted(err, cancelHints)
}

// cancelErrors are refusals before the job began. INTERNAL_ERROR does not say whether it did.
func cancelErrors(list []userError) error {
	err := hinted(userErrors(docCancel.name, list), cancelHints)
	if e, ok := asFault(err); ok {
		switch e.Code {
		case "NOT_FOUND":
			e.Class = fault.NotFound
		case "INTERNAL_ERROR":
			e.Class = fault.Unknown
		}
	}
	return err
}

var cancelHints = map[string]string{
	"NO_REFUND_PERMISSION": "The app may not refund orders in this store: check the permissions of the user it was installed by.",
	"INVALID":              "The store does not cancel orders with shipments that cannot be cancelled, open returns, pending payments, or goods to be put back at a closed location.",
}
