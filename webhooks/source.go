package webhooks

import (
	"context"
	"fmt"
	"maps"
	"time"

	"channelbridge/connector"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// Source is one connection whose pushes are taken. A channel sets Channel, a store sets Store.
type Source struct {
	Connection connector.ConnectionID
	Role       connector.Role
	Channel    marketplace.Receiver
	Store      shopadmin.Receiver
	// Lifecycle is told of a store's push about the connection itself, once it is kept and only
	// the first time. It must be quick and call nobody outside. Should the process die between
	// the two, the store's next refusal of our token says the same.
	Lifecycle func(ctx context.Context, h shopadmin.Hint)
}

// Unwrapper is a channel receiver that can read a body whose authenticity is already known:
// it came from the channel's own queue, or was verified when it was kept.
type Unwrapper interface {
	Unwrap(body []byte) ([]marketplace.Hint, error)
}

// QueueReceiver is the same for a channel whose messages are more than a body.
type QueueReceiver interface {
	ReceiveQueued(now time.Time, in marketplace.Inbound) ([]marketplace.Hint, error)
}

// trusting returns the reading of a channel that checks no signature; nil if it has none.
func trusting(r marketplace.Receiver) func(time.Time, marketplace.Inbound) ([]marketplace.Hint, error) {
	switch u := r.(type) {
	case QueueReceiver:
		return u.ReceiveQueued
	case Unwrapper:
		return func(_ time.Time, in marketplace.Inbound) ([]marketplace.Hint, error) { return u.Unwrap(in.Body) }
	}
	return nil
}

// StoreUnwrapper is the same for a store, whose topic stands in a header.
type StoreUnwrapper interface {
	Unwrap(in shopadmin.Inbound) (shopadmin.Hint, error)
}

// Verifier is a receiver that can authenticate a push without reading its body. It lets an
// authentic body that is too deep to be decoded be quarantined instead of rejected.
type Verifier interface {
	Verify(now time.Time, in marketplace.Inbound) error
}

// StoreVerifier is the same for a store.
type StoreVerifier interface {
	Verify(now time.Time, in shopadmin.Inbound) error
}

func (s Source) check() error {
	switch {
	case s.Connection == "":
		return fmt.Errorf("webhook source without a connection")
	case s.Role == connector.RoleChannel && s.Channel == nil,
		s.Role == connector.RoleStore && s.Store == nil:
		return fmt.Errorf("webhook source %s: no receiver for the role %s", s.Connection, s.Role)
	case s.Role != connector.RoleChannel && s.Role != connector.RoleStore:
		return fmt.Errorf("webhook source %s: unknown role %q", s.Connection, s.Role)
	}
	return nil
}

// SetSources replaces all sources at once. Requests under way keep the one they began with.
// Nothing is replaced if one of them is not usable.
func (s *Server) SetSources(all map[connector.ConnectionID]Source) error {
	next := make(map[connector.ConnectionID]Source, len(all))
	for id, src := range all {
		if src.Connection == "" {
			src.Connection = id
		}
		if err := src.check(); err != nil {
			return err
		}
		next[id] = src
	}
	s.changing.Lock()
	defer s.changing.Unlock()
	s.sources.Store(&next)
	return nil
}

// Put adds or replaces one source.
func (s *Server) Put(src Source) error {
	if err := src.check(); err != nil {
		return err
	}
	s.changing.Lock()
	defer s.changing.Unlock()
	next := maps.Clone(*s.sources.Load())
	next[src.Connection] = src
	s.sources.Store(&next)
	return nil
}

// Remove takes a source away; its pushes are then unknown. A connection that is only paused or
// disconnected keeps its source.
func (s *Server) Remove(id connector.ConnectionID) {
	s.changing.Lock()
	defer s.changing.Unlock()
	next := maps.Clone(*s.sources.Load())
	delete(next, id)
	s.sources.Store(&next)
}

func (s *Server) source(id connector.ConnectionID) (Source, bool) {
	src, ok := (*s.sources.Load())[id]
	return src, ok
}
