package httpapi

import (
	"fmt"
	"strconv"
	"time"

	"channelbridge/connector"
)

// listAudit lists the record of what was decided and done, oldest first.
func (s *Server) listAudit(c *call) (reply, error) {
	_, p, err := c.pages()
	if err != nil {
		return reply{}, err
	}
	list, err := s.store.AuditEntries(c.ctx, p.number(), p.limit)
	if err != nil {
		return reply{}, fmt.Errorf("listing the audit record: %w", err)
	}
	last := ""
	if len(list) > 0 {
		last = strconv.FormatInt(list[len(list)-1].ID, 10)
	}
	return p.reply(views(list, func(a connector.AuditEntry) connector.AuditEntry { a.At = a.At.UTC(); return a }), len(list), last)
}

// writesView says whether outside writes are stopped.
type writesView struct {
	Stopped bool      `json:"stopped"`
	Reason  string    `json:"reason,omitempty"`
	Actor   string    `json:"actor,omitempty"`
	At      time.Time `json:"at,omitzero"`
}

// writesRequest turns the switch that stops all outside writes.
type writesRequest struct {
	Stopped bool   `json:"stopped"`
	Reason  string `json:"reason,omitempty"`
}

func (s *Server) showWrites(c *call) (reply, error) {
	if _, err := c.query(); err != nil {
		return reply{}, err
	}
	sw, err := s.store.Switch(c.ctx, connector.StopWrites)
	if err != nil {
		return reply{}, fmt.Errorf("reading the switch %s: %w", connector.StopWrites, err)
	}
	return shown(writesView{sw.On, sw.Reason, sw.Actor, sw.At.UTC()})
}

func (s *Server) setWrites(c *call, r writesRequest) (reply, error) {
	sw := connector.Switch{Name: connector.StopWrites, On: r.Stopped, Reason: r.Reason, Actor: c.token.Name, At: c.now}
	if err := s.store.SetSwitch(c.ctx, sw); err != nil {
		return reply{}, fmt.Errorf("setting the switch %s: %w", connector.StopWrites, err)
	}
	s.cfg.Nudge()
	return shown(writesView{sw.On, sw.Reason, sw.Actor, sw.At})
}
