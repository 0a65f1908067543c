package memstore

import (
	"context"
	"time"

	"channelbridge/connector"
)

// Intend commits an attempt.
func (s *Store) Intend(_ context.Context, w connector.Work, c connector.Command, at, deadline time.Time, plannedOn string) (connector.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.subjects[w.Subject]
	if r == nil || r.token != w.Token || !r.leaseUntil.After(at) {
		return connector.Entry{}, connector.ErrLeaseLost
	}
	if !s.active(w.Subject.Channel) {
		return connector.Entry{}, connector.ErrParked
	}
	e := s.keys[c.Key]
	if c.Again == 0 {
		if e != nil {
			return connector.Entry{}, connector.ErrSpent
		}
		e = &connector.Entry{ID: int64(len(s.entries) + 1), Subject: w.Subject, Command: c}
		s.entries = append(s.entries, e)
		s.keys[c.Key] = e
	} else if e == nil || e.ID != c.Again || e.Subject != w.Subject || !repeatable(e, at) {
		return connector.Entry{}, connector.ErrSpent
	}
	if e.State == connector.Retry { // surely not sent: what is sent now counts
		e.Body, e.Why = c.Body, c.Why
	}
	e.State, e.IntendedAt, e.Deadline, e.PlannedOn = connector.Sent, at, deadline, plannedOn
	e.SettledAt, e.RetryAt = time.Time{}, time.Time{}
	e.Attempts++
	return *e, nil
}

func repeatable(e *connector.Entry, at time.Time) bool {
	switch e.State {
	case connector.Retry, connector.Unknown:
		return true
	case connector.Sent:
		return e.Deadline.Before(at)
	}
	return false
}

func (s *Store) active(channel connector.ConnectionID) bool {
	c, ok := s.connections[channel]
	if !ok || c.State != connector.Active {
		return false
	}
	if c.Store == "" {
		return true
	}
	return s.connections[c.Store].State == connector.Active
}

// Reopen lets refused entries be sent again.
func (s *Store) Reopen(_ context.Context, sub connector.Subject, at time.Time, note string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.subjects[sub]
	if r == nil {
		return 0, connector.ErrNotFound
	}
	n := 0
	for _, e := range s.entries {
		if e.Subject == sub && e.State == connector.Refused {
			e.State, e.RetryAt = connector.Retry, at
			n++
		}
	}
	r.due(at)
	s.note(sub, at, "operator", "reopen", note)
	return n, nil
}

// Settle records an outcome.
func (s *Store) Settle(_ context.Context, id int64, o connector.Outcome) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id < 1 || id > int64(len(s.entries)) {
		return connector.ErrNotFound
	}
	e := s.entries[id-1]
	final := e.State == connector.Proven || e.State == connector.Done && o.State != connector.Proven || o.Stale(e.Attempts)
	if !final {
		if e.State != connector.Done || e.SettledAt.IsZero() { // when it was confirmed, not when it was seen
			e.SettledAt = o.At
		}
		e.State, e.RetryAt, e.Class, e.Reason = o.State, o.RetryAt, o.Class, o.Reason
		if o.Ref != "" {
			e.Ref = o.Ref
		}
	}
	r := s.subjects[e.Subject]
	s.attach(r, o.Shop)
	if o.Observed != nil {
		s.seen(o.At, []connector.Observation{*o.Observed})
	}
	if !final {
		s.note(e.Subject, o.At, "system", string(e.Verb), o.Note)
	}
	return nil
}
