package order

import (
	"context"

	"channelbridge/connector"
	"channelbridge/internal/fault"
)

// Refresh reads both sides of an order, and the refunds the channel shows, and keeps what they
// say. It sends nothing and needs no lease. An error says that a side could not be read or
// understood; what was kept of it before still stands.
func (r *Reconciler) Refresh(ctx context.Context, s connector.Subject) error {
	sides, ok := r.Sides(s.Channel)
	if !ok {
		return fault.New(fault.Refused, "order %s: the connection %q is not configured", s, s.Channel)
	}
	t := &turn{Reconciler: r, w: connector.Work{Subject: s}, s: sides}
	if err := t.load(ctx); err != nil {
		return err
	}
	if err := t.lookAfresh(ctx); err != nil {
		return err
	}
	for _, l := range t.looks {
		if l.Trouble != "" {
			return fault.New(fault.Refused, "order %s: %s", s, l.Trouble)
		}
	}
	return nil
}
