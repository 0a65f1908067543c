package httpapi

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"channelbridge/connector"
)

func (s *Server) listLedger(c *call) (reply, error) {
	q, p, err := c.pages("channel", "state")
	if err != nil {
		return reply{}, err
	}
	list, err := s.store.Entries(c.ctx, connector.EntryFilter{Channel: connector.ConnectionID(q.Get("channel")),
		State: connector.EntryState(q.Get("state")), Limit: p.limit, Before: p.number()})
	if err != nil {
		return reply{}, fmt.Errorf("listing the ledger: %w", err)
	}
	last := ""
	if len(list) > 0 {
		last = strconv.FormatInt(list[len(list)-1].ID, 10)
	}
	return p.reply(views(list, func(e connector.Entry) entryView { return entryOf(e, c.now) }), len(list), last)
}

func (s *Server) showEntry(c *call) (reply, error) {
	if _, err := c.query(); err != nil {
		return reply{}, err
	}
	id, err := c.number("entry")
	if err != nil {
		return reply{}, err
	}
	return s.entry(c, id)
}

func (s *Server) entry(c *call, id int64) (reply, error) {
	e, err := s.store.Entry(c.ctx, id)
	if err != nil {
		return reply{}, fmt.Errorf("ledger entry %d: %w", id, err)
	}
	v := entryOf(e, c.now)
	if e.Money {
		v.Body = e.Body
	}
	return shown(v)
}

// resolveRequest is a person's answer about an entry in doubt.
type resolveRequest struct {
	Happened bool   `json:"happened"`
	Evidence string `json:"evidence"`
}

// resolve settles an entry by what a person found out. The same answer given twice is one.
func (s *Server) resolve(c *call, r resolveRequest) (reply, error) {
	id, err := c.number("entry")
	if err != nil {
		return reply{}, err
	}
	if strings.TrimSpace(r.Evidence) == "" {
		return reply{}, member("invalid_member", "evidence", "It is empty.", "Say what shows that it happened, or did not: a report, a case number, what the channel's pages show.")
	}
	o := connector.Outcome{State: connector.Refused, At: c.now, Class: "resolved", Reason: r.Evidence}
	if r.Happened {
		o.State = connector.Done
	}
	err = s.store.Resolve(c.ctx, id, o, c.token.Name, r.Evidence)
	if errors.Is(err, connector.ErrSettled) && s.resolvedSo(c, id, o) {
		return s.entry(c, id)
	}
	if err != nil {
		return reply{}, fmt.Errorf("resolving ledger entry %d: %w", id, err)
	}
	s.cfg.Nudge()
	return s.entry(c, id)
}

func (s *Server) resolvedSo(c *call, id int64, o connector.Outcome) bool {
	e, err := s.store.Entry(c.ctx, id)
	return err == nil && e.State == o.State && e.Reason == o.Reason
}
