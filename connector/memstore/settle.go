package memstore

import (
	"context"
	"fmt"
	"time"

	"channelbridge/connector"
)

// Settle records an outcome.
func (s *Store) Settle(ctx context.Context, id int64, o connector.Outcome) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entry(id)
	if e == nil {
		return connector.ErrNotFound
	}
	s.settle(ctx, e, o)
	return nil
}

// settle writes the outcome unless that would take something back, and what it tells of the
// store's order in any case.
func (s *Store) settle(ctx context.Context, e *connector.Entry, o connector.Outcome) {
	final := !o.Changes(e.State, e.Attempts)
	if !final {
		if o.Revives(e.State) {
			s.subjects[e.Subject].due(o.At)
		}
		if e.State != connector.Done || e.SettledAt.IsZero() { // when it was confirmed, not when it was seen
			e.SettledAt = o.At
		}
		e.State, e.RetryAt, e.Class, e.Reason = o.State, o.RetryAt, o.Class, o.Reason
		if o.Ref != "" {
			e.Ref = o.Ref
		}
	}
	s.attach(s.subjects[e.Subject], o.Shop)
	if o.Observed != nil {
		s.seen(o.At, []connector.Observation{*o.Observed})
	}
	if !final {
		s.note(e.Subject, o.At, "system", string(e.Verb), o.Note)
		s.record(connector.EntryLine("settle", connector.ActorOf(ctx, "system"), "", *e, o.At))
	}
}

// Reopen lets refused entries be sent again.
func (s *Store) Reopen(ctx context.Context, sub connector.Subject, at time.Time, note string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.subjects[sub]
	if r == nil {
		return 0, connector.ErrNotFound
	}
	actor := connector.ActorOf(ctx, connector.Operator)
	n := 0
	for _, e := range s.entries {
		if e.Subject == sub && e.State == connector.Refused {
			e.State, e.RetryAt = connector.Retry, at
			s.record(connector.EntryLine("reopen", actor, note, *e, at))
			n++
		}
	}
	r.due(at)
	s.note(sub, at, actor, "reopen", note)
	return n, nil
}

// Resolve is a person's answer about an entry in doubt.
func (s *Store) Resolve(_ context.Context, id int64, o connector.Outcome, actor, evidence string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entry(id)
	switch {
	case o.State != connector.Done && o.State != connector.Refused:
		return fmt.Errorf("a person's answer is done or refused, not %q", o.State)
	case e == nil:
		return connector.ErrNotFound
	case !e.Doubtful(o.At):
		return connector.ErrSettled
	}
	e.State, e.SettledAt, e.RetryAt, e.Class, e.Reason = o.State, o.At, time.Time{}, o.Class, evidence
	if o.Ref != "" {
		e.Ref = o.Ref
	}
	s.subjects[e.Subject].due(o.At)
	s.note(e.Subject, o.At, actor, "resolve", o.Answer(evidence))
	s.record(connector.EntryLine("resolve", actor, evidence, *e, o.At))
	return nil
}
