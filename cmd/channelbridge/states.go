package main

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"channelbridge/connector"
)

// statesKept is how old the known states may be. The ledger checks again before anything is sent.
const statesKept = time.Second

// states remembers the state of all connections, so that the loop need not ask the database.
type states struct {
	store connector.Connections
	clock connector.Clock
	log   *slog.Logger

	mu   sync.RWMutex
	rows map[connector.ConnectionID]connector.Connection
}

func newStates(store connector.Connections, clock connector.Clock, log *slog.Logger) *states {
	return &states{store: store, clock: clock, log: log, rows: map[connector.ConnectionID]connector.Connection{}}
}

// refresh reads all states.
func (s *states) refresh(ctx context.Context) error {
	list, err := s.store.Connections(ctx)
	if err != nil {
		return err
	}
	rows := make(map[connector.ConnectionID]connector.Connection, len(list))
	for _, c := range list {
		rows[c.ID] = c
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows = rows
	return nil
}

// run refreshes until ctx ends, and calls changed after each time.
func (s *states) run(ctx context.Context, changed func()) {
	failing := false
	for pause(ctx, statesKept) {
		read, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := s.refresh(read)
		cancel()
		switch {
		case err == nil:
			if failing {
				s.log.Info("the database answers again")
			}
			changed()
		case !failing && ctx.Err() == nil:
			s.log.Error("the state of connections cannot be read; the last known one holds", "error", err)
		}
		failing = err != nil
	}
}

// set changes a state here and in the database.
func (s *states) set(ctx context.Context, id connector.ConnectionID, st connector.State, reason string) error {
	at := s.clock()
	if err := s.store.SetState(ctx, id, st, reason, at); err != nil {
		return err
	}
	if s.refresh(ctx) == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.rows[id]
	c.ID, c.State, c.Reason, c.ChangedAt = id, st, reason, at
	s.rows[id] = c
	return nil
}

func (s *states) get(id connector.ConnectionID) (connector.Connection, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, ok := s.rows[id]
	return c, ok
}

func (s *states) active(id connector.ConnectionID) bool {
	c, ok := s.get(id)
	return ok && c.State == connector.Active
}

// all are the rows as last read.
func (s *states) all() []connector.Connection {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]connector.Connection, 0, len(s.rows))
	for _, c := range s.rows {
		out = append(out, c)
	}
	return out
}

// pause waits, and reports false when ctx ended instead.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func compare[T cmp.Ordered](a, b T) int { return cmp.Compare(a, b) }
