package httpapi

import (
	"cmp"
	"fmt"

	"channelbridge/connector"
)

// reasonRequest is the body of a hold, release or retry.
type reasonRequest struct {
	Reason string `json:"reason,omitempty"`
}

// approveRequest names what may go on.
type approveRequest struct {
	About  string `json:"about"`
	Reason string `json:"reason,omitempty"`
}

func (s *Server) hold(c *call, r reasonRequest) (reply, error) {
	return s.wishFor(c, connector.Wish{Kind: connector.WishHold, Reason: r.Reason})
}

func (s *Server) release(c *call, r reasonRequest) (reply, error) {
	return s.wishFor(c, connector.Wish{Kind: connector.WishRelease, Reason: r.Reason})
}

func (s *Server) approve(c *call, r approveRequest) (reply, error) {
	return s.wishFor(c, connector.Wish{Kind: connector.WishApprove, About: r.About, Reason: r.Reason})
}

func (s *Server) wishFor(c *call, w connector.Wish) (reply, error) {
	sub, err := c.subject()
	if err != nil {
		return reply{}, err
	}
	return s.wish(c, sub, w, nil)
}

// wish keeps what a person asked for. The key makes a second keeping harmless.
func (s *Server) wish(c *call, sub connector.Subject, w connector.Wish, p *Preview) (reply, error) {
	w.Subject, w.Actor, w.At, w.Key = sub, c.token.Name, c.now, c.key
	kept, fresh, err := s.store.Wish(c.ctx, w)
	if err != nil {
		return reply{}, fmt.Errorf("keeping the wish to %s order %s: %w", w.Kind, sub, err)
	}
	if fresh {
		s.cfg.Nudge()
	}
	return taken(moneyTaken{Wish: wishOf(kept), Preview: p})
}

// reopened says how many refused commands may be sent again.
type reopened struct {
	Reopened int `json:"reopened"`
}

// retry is a person's decision that what was refused may be sent once more.
func (s *Server) retry(c *call, r reasonRequest) (reply, error) {
	rec, err := s.load(c)
	if err != nil {
		return reply{}, err
	}
	n, err := s.store.Reopen(c.ctx, rec.Subject, c.now, cmp.Or(r.Reason, "asked to try again what was refused"))
	if err != nil {
		return reply{}, fmt.Errorf("reopening order %s: %w", rec.Subject, err)
	}
	s.cfg.Nudge()
	return shown(reopened{n})
}
