package order

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/fault"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// do settles what is proven and sends what is missing. done is true when nothing was left to do.
func (t *turn) do(ctx context.Context, d Decision) (done bool, err error) {
	for _, pr := range d.Proven {
		o := connector.Outcome{State: connector.Proven, At: t.Clock(), Shop: pr.Shop, Note: pr.Text}
		if err := t.Store.Settle(ctx, pr.Entry, o); err != nil {
			return false, fault.Wrap(err, "order %s: settling entry %d", t.w.Subject, pr.Entry)
		}
	}
	for _, w := range d.Withdrawn {
		o := connector.Outcome{State: connector.Refused, At: t.Clock(), Class: Withdrawn, Unsent: w.Unsent, Reason: w.Text, Note: w.Text}
		if err := t.Store.Settle(ctx, w.Entry, o); err != nil {
			return false, fault.Wrap(err, "order %s: giving up entry %d", t.w.Subject, w.Entry)
		}
	}
	t.stopped = nil
	left := 0 // commands that may not be sent now; the others go on
	for _, c := range d.Commands {
		err := t.send(ctx, c)
		switch {
		case errors.Is(err, connector.ErrParked), errors.Is(err, connector.ErrLeaseLost), errors.Is(err, connector.ErrSpent):
			t.cut = true // parked or overtaken: nobody else may be left to come back for it
			t.Log.Info("not sent", "order", t.w.Subject.String(), "verb", string(c.Verb), "reason", err)
			return true, nil
		case errors.Is(err, connector.ErrBraked), errors.Is(err, connector.ErrStopped):
			t.stopped = append(t.stopped, stopHold(c, err))
			t.Log.Warn("not sent", "order", t.w.Subject.String(), "verb", string(c.Verb), "reason", err)
			left++
		case err != nil:
			return false, err
		}
	}
	return len(d.Commands)+len(d.Proven)+len(d.Withdrawn) == left, nil
}

// stopHold says what keeps a command from being sent.
func stopHold(c connector.Command, err error) connector.Hold {
	h := connector.Hold{Kind: "writes_stopped", About: string(c.Verb), Level: connector.Blocks, Reason: "an operator has stopped all outside writes",
		Hint: "let them go on: channelbridge writes start"}
	if errors.Is(err, connector.ErrBraked) {
		h.Kind, h.Reason = "budget_spent", fmt.Sprintf("the channel's budget for giving money back is spent: %s over %s waits", c.Verb, c.Amount)
		h.Hint = "it goes on by itself as the hour passes; if this much money is meant to go back, raise the connection's budget"
	}
	return h
}

// send writes the intent down, makes the call, and records the outcome.
func (t *turn) send(ctx context.Context, c connector.Command) error {
	limit := t.CallTime
	if limit == 0 {
		limit = 30 * time.Second
	}
	now := t.Clock()
	deadline := now.Add(limit)
	if deadline.After(t.w.LeaseUntil) {
		return fault.New(fault.Temporary, "order %s: the lease is too short for another call", t.w.Subject)
	}
	e, err := t.Store.Intend(ctx, t.w, c, now, deadline, t.hash())
	if err != nil {
		return fault.Wrap(err, "order %s: writing down %s", t.w.Subject, c.Key)
	}
	if e.State == connector.Queued {
		return nil // its lane hands it in, together with others
	}
	if !t.Clock().Before(deadline) { // the process slept: too late to send
		o := connector.Outcome{State: connector.Retry, At: t.Clock(), RetryAt: t.Clock(), Reason: "the deadline passed before the call"}
		return t.settle(ctx, e, t.doubted(c, o))
	}
	cctx, cancel := context.WithTimeout(ctx, deadline.Sub(t.Clock()))
	o, cerr := t.call(cctx, c)
	cancel()
	if cerr != nil {
		o = t.doubted(c, failed(cerr, e, t.Clock()))
	}
	if err := t.settle(ctx, e, o); err != nil {
		return err
	}
	return t.after(ctx, c, cerr)
}

func (t *turn) settle(ctx context.Context, e connector.Entry, o connector.Outcome) error {
	o.Attempt = e.Attempts
	err := t.Store.Settle(context.WithoutCancel(ctx), e.ID, o)
	return fault.Wrap(err, "order %s: recording the outcome of %s", t.w.Subject, e.Key)
}

// doubted keeps the doubt of an earlier attempt: that this one surely did not work says nothing
// about the effect as long as no read since has shown that the earlier one did not work either.
func (t *turn) doubted(c connector.Command, o connector.Outcome) connector.Outcome {
	if (o.State == connector.Retry || o.State == connector.Refused && instructs(c.Verb)) && t.inDoubt(c.Again) {
		o.State = connector.Unknown
	}
	return o
}

// inDoubt reports that the attempts of an entry so far may have worked, or still may.
func (t *turn) inDoubt(id int64) bool {
	p := &planner{Snapshot: t.snapshot()}
	for _, e := range p.Ledger {
		if e.ID != id || e.State != connector.Sent && e.State != connector.Unknown {
			continue
		}
		if instructs(e.Verb) {
			return true // money stays in doubt until the channel shows it, answers, or a person says so
		}
		read := p.MarketAt
		switch {
		case e.Verb == CreateMirror:
			read = p.Searched
		case e.Side == connector.Shop:
			read = p.ShopAt
		}
		return read.Before(p.window(e))
	}
	return false
}

// optional tells the writes a store may deny for want of a permission while all else goes on.
func optional(v connector.Verb) bool { return v == HoldShipping || v == UpdateMirror }

// after says whether the turn may go on after a call failed.
func (t *turn) after(ctx context.Context, c connector.Command, err error) error {
	if err == nil || fault.Is(err, fault.Refused) || fault.Is(err, fault.NotFound) || fault.Is(err, fault.Denied) && optional(c.Verb) {
		return nil
	}
	conn := t.w.Subject.Channel
	if c.Side == connector.Shop {
		conn = t.s.Store
	}
	if fault.Is(err, fault.Denied) && !t.denied(ctx, conn, err) {
		return nil // this order alone; the entry says so
	}
	return fault.Wrap(err, "order %s: %s", t.w.Subject, c.Verb)
}

// failed turns a call's error into what is known of its effect.
func failed(err error, e connector.Entry, now time.Time) connector.Outcome {
	class := fault.Of(err)
	o := connector.Outcome{At: now, Class: class.String(), Reason: err.Error()}
	switch class {
	case fault.Temporary:
		o.State, o.RetryAt = connector.Retry, now.Add(max(fault.After(err), pace(e, now)))
	case fault.Denied:
		o.State, o.RetryAt = connector.Retry, now.Add(within(30*time.Minute, e.Due, now))
	case fault.Refused, fault.NotFound:
		o.State, o.Note = connector.Refused, fmt.Sprintf("%s refused: %v", e.Verb, err)
	default:
		o.State, o.Note = connector.Unknown, fmt.Sprintf("%s: no clear answer (%v); it is looked for before anything is repeated", e.Verb, err)
	}
	return o
}

// call makes the one outside call of a command.
func (t *turn) call(ctx context.Context, c connector.Command) (connector.Outcome, error) {
	switch c.Verb {
	case CreateMirror:
		return t.callCreate(ctx, c)
	case ConfirmShipment:
		return t.callConfirm(ctx, c)
	case UpdateMirror:
		return t.callUpdate(ctx, c)
	case HoldShipping:
		return t.callHold(ctx, c)
	case CancelMarket, CancelUnits, RefundMarket:
		return t.callInstruct(ctx, c)
	case CancelMirror:
		return t.callCancel(ctx, c)
	case RefundShop:
		return t.callRefund(ctx, c)
	}
	return connector.Outcome{}, fault.New(fault.Refused, "nobody knows how to %s", c.Verb)
}

func (t *turn) callCreate(ctx context.Context, c connector.Command) (connector.Outcome, error) {
	var body shopadmin.NewOrder
	if err := json.Unmarshal(c.Body, &body); err != nil {
		return connector.Outcome{}, fault.New(fault.Refused, "reading the command: %w", err)
	}
	o, err := t.s.Shop.Create(ctx, c.Key, body)
	if err != nil {
		return connector.Outcome{}, err
	}
	at := t.Clock()
	obs := ShopObservation(t.s.Store, o, t.w.Subject, at)
	return connector.Outcome{State: connector.Done, At: at, Ref: string(o.ID), Shop: obs.Shop, Observed: &obs,
		Note: fmt.Sprintf("mirrored into the store as %s, tagged %v", o.Name, body.Tags)}, nil
}

func (t *turn) callConfirm(ctx context.Context, c connector.Command) (connector.Outcome, error) {
	var s marketplace.Shipment
	if err := json.Unmarshal(c.Body, &s); err != nil {
		return connector.Outcome{}, fault.New(fault.Refused, "reading the command: %w", err)
	}
	r, err := t.s.Channel.ConfirmShipment(ctx, c.Key, s)
	if err != nil {
		return connector.Outcome{}, err
	}
	o := connector.Outcome{State: connector.Done, At: t.Clock(), Ref: r.Ref,
		Note: fmt.Sprintf("shipment confirmed at the channel: parcel %s, %s %s, shipped %s", s.Ref, s.Carrier.Code, s.Tracking, s.ShippedAt.Format(time.RFC3339))}
	if r.Ticket != "" {
		o.State, o.Ref = connector.Taken, r.Ticket
	}
	return o, nil
}

func (t *turn) callUpdate(ctx context.Context, c connector.Command) (connector.Outcome, error) {
	u, ok := t.s.Shop.(shopadmin.Updater)
	var body shopadmin.Update
	if err := json.Unmarshal(c.Body, &body); err != nil || !ok {
		return connector.Outcome{}, fault.New(fault.Refused, "the store cannot take updates (%v)", err)
	}
	if err := u.Update(ctx, c.Key, shopadmin.OrderID(t.rec.Shop.ID), body); err != nil {
		return connector.Outcome{}, err
	}
	return connector.Outcome{State: connector.Done, At: t.Clock(), Note: "the store order shows what changed at the channel"}, nil
}

func (t *turn) callHold(ctx context.Context, c connector.Command) (connector.Outcome, error) {
	h, ok := t.s.Shop.(shopadmin.Holder)
	var body HoldBody
	if err := json.Unmarshal(c.Body, &body); err != nil || !ok {
		return connector.Outcome{}, fault.New(fault.Refused, "the store cannot hold orders (%v)", err)
	}
	if err := h.Hold(ctx, c.Key, shopadmin.OrderID(t.rec.Shop.ID), body.Reason); err != nil {
		return connector.Outcome{}, err
	}
	return connector.Outcome{State: connector.Done, At: t.Clock(), Note: "the store order is on hold: " + body.Reason}, nil
}
