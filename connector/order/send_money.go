package order

import (
	"context"
	"encoding/json"
	"fmt"

	"channelbridge/connector"
	"channelbridge/internal/fault"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// callInstruct hands one instruction to a channel that answers at once.
func (t *turn) callInstruct(ctx context.Context, c connector.Command) (connector.Outcome, error) {
	a, ok := t.s.Channel.(marketplace.Instructor)
	var body marketplace.Instruction
	if err := json.Unmarshal(c.Body, &body); err != nil || !ok {
		return connector.Outcome{}, fault.New(fault.Refused, "the channel cannot take it (%v)", err)
	}
	r, err := a.Instruct(ctx, c.Key, body)
	if err != nil {
		return connector.Outcome{}, err
	}
	return connector.Outcome{State: connector.Done, At: t.Clock(), Ref: r.Ref,
		Note: fmt.Sprintf("the channel accepted %s over %s", c.Verb, c.Amount)}, nil
}

func (t *turn) callCancel(ctx context.Context, c connector.Command) (connector.Outcome, error) {
	a, ok := t.s.Shop.(shopadmin.Canceller)
	var body shopadmin.Cancel
	if err := json.Unmarshal(c.Body, &body); err != nil || !ok {
		return connector.Outcome{}, fault.New(fault.Refused, "the store cannot cancel orders (%v)", err)
	}
	if err := a.Cancel(ctx, c.Key, shopadmin.OrderID(t.rec.Shop.ID), body); err != nil {
		return connector.Outcome{}, err
	}
	return connector.Outcome{State: connector.Done, At: t.Clock(), Note: "the mirrored order is cancelled in the store"}, nil
}

func (t *turn) callRefund(ctx context.Context, c connector.Command) (connector.Outcome, error) {
	a, ok := t.s.Shop.(shopadmin.Refunder)
	var body shopadmin.NewRefund
	if err := json.Unmarshal(c.Body, &body); err != nil || !ok {
		return connector.Outcome{}, fault.New(fault.Refused, "the store cannot record refunds (%v)", err)
	}
	id, err := a.Refund(ctx, c.Key, shopadmin.OrderID(t.rec.Shop.ID), body)
	if err != nil {
		return connector.Outcome{}, err
	}
	return connector.Outcome{State: connector.Done, At: t.Clock(), Ref: id, Note: fmt.Sprintf("the store recorded the refund of %s", c.Amount)}, nil
}
