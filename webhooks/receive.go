package webhooks

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"
	"golang.org/x/sync/errgroup"

	"channelbridge/connector"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// receive takes one push: read, authenticate, keep, answer. It calls nobody outside.
func (s *Server) receive(c echo.Context) error {
	began := s.cfg.Clock()
	s.metrics.inFlight.Inc()
	defer func() {
		s.metrics.inFlight.Dec()
		s.metrics.seconds.Observe(s.cfg.Clock().Sub(began).Seconds())
	}()
	src, ok := s.source(connector.ConnectionID(c.Param("connection")))
	if !ok {
		s.metrics.count("", verdictUnknown)
		s.cfg.Log.Debug("push for an unknown connection", "connection", safeName(c.Param("connection")))
		return answer(c, http.StatusNotFound, "unknown_connection")
	}
	p := newPush(src, began)
	p.header = c.Request().Header
	if headerSize(p.header) > s.cfg.Limits.MaxHeader {
		p.header = nil // too much to keep
		return s.refuse(c, p, refusal{http.StatusRequestHeaderFieldsTooLarge, codeHeaders, "headers larger than the limit"})
	}
	body, release, err := s.readBody(c.Response(), c.Request())
	defer release()
	p.size = len(body)
	if err != nil {
		if r, ok := bodyRefusal(err); ok {
			c.Response().Header().Set("Connection", "close")
			return s.refuse(c, p, r)
		}
		s.metrics.count(src.Connection, verdictFailed)
		return busyAnswer(c, "busy")
	}
	select {
	case s.busy <- struct{}{}:
		defer func() { <-s.busy }()
	default:
		s.metrics.count(src.Connection, verdictFailed)
		return busyAnswer(c, "busy")
	}
	p.body = body
	return s.take(c, p)
}

// take authenticates and keeps a push whose body is in.
func (s *Server) take(c echo.Context, p push) error {
	ds, err := s.read(p)
	if err != nil {
		r, malformed := refusalOf(err)
		if !malformed {
			return s.refuse(c, p, r)
		}
		ds = []kept{p.quarantined(r.code + ": " + r.text)}
	}
	if err := s.keep(c.Request().Context(), p.src, ds); err != nil {
		s.notKept(p, err)
		return busyAnswer(c, "not_kept")
	}
	return answer(c, http.StatusOK, "")
}

// notKept tells of pushes that could not be kept, at most one in a second: while the database is
// away there are many, and they are all told to come again.
func (s *Server) notKept(p push, err error) {
	now := p.at.Unix()
	if last := s.toldAt.Swap(now); last == now {
		s.untold.Add(1)
		return
	}
	s.cfg.Log.Error("push not kept; the sender is asked to come again", "connection", p.src.Connection, "err", err, "further", s.untold.Swap(0))
}

// read runs the receiver. A body that is too deep is never handed to it.
func (s *Server) read(p push) ([]kept, error) {
	if tooDeep(p.body, s.cfg.Limits.MaxDepth) {
		return nil, s.deep(p)
	}
	if p.src.Role == connector.RoleStore {
		h, err := p.src.Store.Receive(p.at, shopadmin.Inbound{Header: p.header, Body: p.body})
		if err != nil {
			return nil, err
		}
		return p.ofStore(h), nil
	}
	hints, err := p.src.Channel.Receive(p.at, marketplace.Inbound{Header: p.header, Body: p.body})
	if err != nil {
		return nil, err
	}
	return p.ofChannel(hints), nil
}

// keep records every delivery of a push and acts on what was new. An error means that at least
// one is not durable and the push must not be acknowledged; the sender's repetition finds the
// others as duplicates. A sender that hangs up does not stop it.
func (s *Server) keep(ctx context.Context, src Source, ds []kept) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Limits.RecordTimeout)
	defer cancel()
	verdicts := make([]connector.Verdict, len(ds))
	record := func(i int) (err error) {
		verdicts[i], err = s.cfg.Inbox.Record(ctx, ds[i].Delivery)
		if err != nil {
			s.metrics.count(src.Connection, verdictFailed)
			return err
		}
		s.metrics.count(src.Connection, string(verdicts[i]))
		return nil
	}
	err := each(len(ds), record)
	fresh := false
	for i, v := range verdicts {
		if v != connector.Accepted {
			continue
		}
		fresh = true
		s.lifecycle(ctx, src, ds[i].life)
	}
	if fresh {
		s.cfg.Nudge()
	}
	return err
}

// each runs f for 0..n-1, several at once where there are several: the inbox shares commits.
func each(n int, f func(int) error) error {
	if n == 1 {
		return f(0)
	}
	var g errgroup.Group
	g.SetLimit(64)
	for i := range n {
		g.Go(func() error { return f(i) })
	}
	return g.Wait()
}

// lifecycle tells the source's owner; its failure cannot undo a kept delivery.
func (s *Server) lifecycle(ctx context.Context, src Source, h *shopadmin.Hint) {
	if h == nil || src.Lifecycle == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			s.cfg.Log.Error("panic in a lifecycle handler", "connection", src.Connection, "panic", p)
		}
	}()
	src.Lifecycle(ctx, *h)
}
