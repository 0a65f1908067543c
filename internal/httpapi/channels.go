package httpapi

import (
	"fmt"
	"net/http"

	"channelbridge/connector"
)

// removeRequest asks to remove a channel, or only to say what that would leave undone.
type removeRequest struct {
	DryRun bool   `json:"dry_run,omitempty"`
	Reason string `json:"reason,omitempty"`
}

func (r removeRequest) dry() bool { return r.DryRun }

// planOrder names an order of a plan.
type planOrder struct {
	Order  string `json:"order,omitempty"`
	Reason string `json:"reason,omitempty"`
}

func (s *Server) listChannels(c *call) (reply, error) {
	if _, err := c.query(); err != nil {
		return reply{}, err
	}
	all, err := s.cfg.Channels.List(c.ctx)
	if err != nil {
		return reply{}, fmt.Errorf("listing channels: %w", err)
	}
	return shown(paged{Data: views(all, channelView)})
}

func (s *Server) showChannel(c *call) (reply, error) {
	if _, err := c.query(); err != nil {
		return reply{}, err
	}
	return s.channel(c, nil)
}

// channel does something with the channel the path names and shows how it stands then.
func (s *Server) channel(c *call, do func(connector.ConnectionID) error) (reply, error) {
	id, err := c.connection()
	if err != nil {
		return reply{}, err
	}
	if do != nil {
		if err := do(id); err != nil {
			return reply{}, fmt.Errorf("channel %s: %w", id, err)
		}
		s.cfg.Nudge()
	}
	ch, err := s.cfg.Channels.Show(c.ctx, id)
	if err != nil {
		return reply{}, fmt.Errorf("channel %s: %w", id, err)
	}
	return shown(channelView(ch))
}

func (s *Server) pause(c *call, r reasonRequest) (reply, error) {
	return s.channel(c, func(id connector.ConnectionID) error { return s.cfg.Channels.Pause(c.ctx, id, c.by(r.Reason)) })
}

func (s *Server) resume(c *call, r reasonRequest) (reply, error) {
	return s.channel(c, func(id connector.ConnectionID) error { return s.cfg.Channels.Resume(c.ctx, id, c.by(r.Reason)) })
}

func (s *Server) reconnect(c *call, r reasonRequest) (reply, error) {
	out, err := s.channel(c, func(id connector.ConnectionID) error { return s.cfg.Channels.Reconnect(c.ctx, id, c.by(r.Reason)) })
	return on202(out), err
}

// removal is what removing a channel leaves, or would leave, undone.
type removal struct {
	DryRun      bool         `json:"dry_run"`
	Obligations []Obligation `json:"obligations"`
}

func (s *Server) remove(c *call, r removeRequest) (reply, error) {
	id, err := c.connection()
	if err != nil {
		return reply{}, err
	}
	owed, err := s.cfg.Channels.Remove(c.ctx, id, r.DryRun, c.by(r.Reason))
	if err != nil {
		return reply{}, fmt.Errorf("removing channel %s: %w", id, err)
	}
	return shown(removal{r.DryRun, views(owed, obligationView)})
}

func (s *Server) reconnectPlan(c *call) (reply, error) {
	_, p, err := c.pages()
	if err != nil {
		return reply{}, err
	}
	id, err := c.connection()
	if err != nil {
		return reply{}, err
	}
	plan, err := s.cfg.Channels.ReconnectPlan(c.ctx, id, p.after, p.limit)
	if err != nil {
		return reply{}, fmt.Errorf("plan of channel %s: %w", id, err)
	}
	last := ""
	if n := len(plan.Orders); n > 0 {
		last = plan.Orders[n-1].Order
	}
	plan = planView(plan)
	plan.NextCursor = p.next(len(plan.Orders), last)
	return shown(plan)
}

func (s *Server) approvePlan(c *call, r planOrder) (reply, error) {
	out, err := s.channel(c, func(id connector.ConnectionID) error {
		return s.cfg.Channels.ApprovePlan(c.ctx, id, r.Order, c.by(r.Reason))
	})
	return on202(out), err
}

func (s *Server) holdInPlan(c *call, r planOrder) (reply, error) {
	out, err := s.channel(c, func(id connector.ConnectionID) error {
		return s.cfg.Channels.HoldInPlan(c.ctx, id, r.Order, c.by(r.Reason))
	})
	return on202(out), err
}

// on202 says that something goes on by itself.
func on202(out reply) reply {
	out.status = http.StatusAccepted
	return out
}

func (c *call) by(reason string) By { return By{Actor: c.token.Name, Reason: reason} }

func channelView(ch Channel) Channel {
	ch.ChangedAt, ch.Since, ch.RemovedAt, ch.RejoinedAt = ch.ChangedAt.UTC(), ch.Since.UTC(), ch.RemovedAt.UTC(), ch.RejoinedAt.UTC()
	ch.Warnings = views(ch.Warnings, func(w Warning) Warning { w.At = w.At.UTC(); return w })
	if ch.Obligations != nil {
		ch.Obligations = views(ch.Obligations, obligationView)
	}
	return ch
}

func obligationView(o Obligation) Obligation {
	o.Sums = views(o.Sums, same)
	return o
}

func planView(p ReconnectPlan) ReconnectPlan {
	p.RemovedAt, p.RejoinedAt = p.RemovedAt.UTC(), p.RejoinedAt.UTC()
	p.Totals.Sums = views(p.Totals.Sums, same)
	p.Orders = views(p.Orders, func(o PlanOrder) PlanOrder { o.CancelledAt = o.CancelledAt.UTC(); return o })
	return p
}

func same[T any](v T) T { return v }
