package httpapi

import (
	"fmt"
	"strconv"

	"channelbridge/connector"
)

func (s *Server) listDeliveries(c *call) (reply, error) {
	q, p, err := c.pages("connection", "verdict")
	if err != nil {
		return reply{}, err
	}
	list, err := s.store.Deliveries(c.ctx, connector.DeliveryFilter{Connection: connector.ConnectionID(q.Get("connection")),
		Verdict: connector.Verdict(q.Get("verdict")), Limit: p.limit, Before: p.number()})
	if err != nil {
		return reply{}, fmt.Errorf("listing deliveries: %w", err)
	}
	last := ""
	if len(list) > 0 {
		last = strconv.FormatInt(list[len(list)-1].Row, 10)
	}
	return p.reply(views(list, deliveryOf), len(list), last)
}

func (s *Server) showDelivery(c *call) (reply, error) {
	if _, err := c.query(); err != nil {
		return reply{}, err
	}
	row, err := c.number("row")
	if err != nil {
		return reply{}, err
	}
	d, err := s.store.Delivery(c.ctx, row)
	if err != nil {
		return reply{}, fmt.Errorf("delivery %d: %w", row, err)
	}
	return shown(deliveryOf(d))
}

// replayRequest asks to read a delivery again; Force also one that was refused.
type replayRequest struct {
	Force bool `json:"force,omitempty"`
}

func (s *Server) replay(c *call, r replayRequest) (reply, error) {
	row, err := c.number("row")
	if err != nil {
		return reply{}, err
	}
	if err := s.cfg.Deliveries.Replay(c.ctx, row, r.Force); err != nil {
		return reply{}, fmt.Errorf("replaying delivery %d: %w", row, err)
	}
	line := connector.AuditEntry{At: c.now, Actor: c.token.Name, Action: "replay", Reason: fmt.Sprintf("delivery %d was read again", row)}
	if err := s.store.Audit(c.ctx, line); err != nil {
		return reply{}, fmt.Errorf("recording the replay of delivery %d: %w", row, err)
	}
	d, err := s.store.Delivery(c.ctx, row)
	if err != nil {
		return reply{}, fmt.Errorf("delivery %d: %w", row, err)
	}
	return shown(deliveryOf(d))
}
