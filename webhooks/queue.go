package webhooks

import (
	"context"
	"fmt"
	"time"

	"channelbridge/connector"
	"channelbridge/marketplace"
)

// Store keeps a message that a channel's queue poller fetched. Its authenticity comes from the
// queue, so nothing is verified. nil means that it is durable, understood or not, and may be
// deleted at the queue.
func (s *Server) Store(ctx context.Context, conn connector.ConnectionID, in marketplace.Inbound) error {
	src, ok := s.source(conn)
	if !ok {
		return fmt.Errorf("message for %s: %w", conn, errUnknown)
	}
	read := trusting(src.Channel)
	if read == nil {
		return fmt.Errorf("message for %s: its receiver cannot read unsigned messages", conn)
	}
	p := newPush(src, s.cfg.Clock())
	p.header, p.body, p.size = in.Header, in.Body, len(in.Body)
	ds, err := s.unwrap(read, p)
	if err != nil {
		ds = []kept{p.quarantined(codeMalformed + ": " + err.Error())}
	}
	if err := s.keep(ctx, src, ds); err != nil {
		return fmt.Errorf("message for %s not kept: %w", conn, err)
	}
	return nil
}

// Poll returns Store for one connection, in the shape marketplace.Poller asks for.
func (s *Server) Poll(conn connector.ConnectionID) func(context.Context, marketplace.Inbound) error {
	return func(ctx context.Context, in marketplace.Inbound) error { return s.Store(ctx, conn, in) }
}

// Enqueue keeps hints that were read elsewhere, each with its own body.
func (s *Server) Enqueue(ctx context.Context, conn connector.ConnectionID, hints ...marketplace.Hint) error {
	src, ok := s.source(conn)
	if !ok {
		return fmt.Errorf("hints for %s: %w", conn, errUnknown)
	}
	if len(hints) == 0 {
		return nil
	}
	if err := s.keep(ctx, src, newPush(src, s.cfg.Clock()).ofChannel(hints)); err != nil {
		return fmt.Errorf("hints for %s not kept: %w", conn, err)
	}
	return nil
}

// unwrap reads a message. A receiver that panics has not understood it: kept in quarantine, it
// does not come back from the queue for ever.
func (s *Server) unwrap(read func(time.Time, marketplace.Inbound) ([]marketplace.Hint, error), p push) (ds []kept, err error) {
	defer func() {
		if r := recover(); r != nil {
			s.cfg.Log.Error("panic while reading a message", "connection", p.src.Connection, "panic", clean(fmt.Sprint(r), maxReason))
			ds, err = nil, fmt.Errorf("the receiver panicked")
		}
	}()
	if tooDeep(p.body, s.cfg.Limits.MaxDepth) {
		return nil, fmt.Errorf("nested deeper than %d", s.cfg.Limits.MaxDepth)
	}
	hints, err := read(p.at, marketplace.Inbound{Header: p.header, Body: p.body})
	if err != nil {
		return nil, err
	}
	return p.ofChannel(hints), nil
}
