package memstore

import (
	"context"
	"time"

	"channelbridge/connector"
)

// Intend commits an attempt, or puts a command with a lane into its queue.
func (s *Store) Intend(ctx context.Context, w connector.Work, c connector.Command, at, deadline time.Time, plannedOn string) (connector.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.subjects[w.Subject]
	if r == nil || r.token != w.Token || !r.leaseUntil.After(at) {
		return connector.Entry{}, connector.ErrLeaseLost
	}
	if err := s.writable(w.Subject.Channel); err != nil {
		return connector.Entry{}, err
	}
	e := s.keys[c.Key]
	if c.Again == 0 && e != nil || c.Again != 0 && (e == nil || e.ID != c.Again || e.Subject != w.Subject || !repeatable(e, c, at)) {
		return connector.Entry{}, connector.ErrSpent
	}
	if s.braked(w.Subject.Channel, c, at) {
		return connector.Entry{}, connector.ErrBraked
	}
	if e == nil {
		e = &connector.Entry{ID: int64(len(s.entries) + 1), Subject: w.Subject, Command: c}
		s.entries = append(s.entries, e)
		s.keys[c.Key] = e
	}
	if e.State == connector.Retry { // surely not sent: what is sent now counts
		e.Body, e.Why, e.Amount, e.Lane, e.Site = c.Body, c.Why, c.Amount, c.Lane, c.Site
		e.Batch, e.Message = 0, 0
	}
	e.Again, e.Budget = 0, nil // of the call, not of the entry
	e.State, e.IntendedAt, e.Deadline, e.PlannedOn = connector.Sent, at, deadline, plannedOn
	e.SettledAt, e.RetryAt = time.Time{}, time.Time{}
	e.Attempts++
	if c.Lane != "" {
		e.State = connector.Queued
		s.row(lane(w.Subject.Channel, c.Lane), at).due(at)
	}
	s.record(connector.EntryLine("intend", connector.ActorOf(ctx, "system"), e.Why, *e, at))
	return *e, nil
}

// repeatable reports whether an entry may be sent once more. What waits in a lane has no deadline
// of its own to run past: it may only when it surely did not happen.
func repeatable(e *connector.Entry, c connector.Command, at time.Time) bool {
	switch {
	case e.State == connector.Retry:
		return true
	case e.Lane != "" || c.Lane != "":
		return false
	case e.State == connector.Sent:
		return e.Deadline.Before(at)
	}
	return e.State == connector.Unknown
}

// writable insists that nobody stopped all writes and that both sides are active.
func (s *Store) writable(channel connector.ConnectionID) error {
	if s.switches[connector.StopWrites].On {
		return connector.ErrStopped
	}
	c, ok := s.connections[channel]
	if !ok || c.State != connector.Active || c.Store != "" && s.connections[c.Store].State != connector.Active {
		return connector.ErrParked
	}
	return nil
}

// braked reports whether a command is more than the channel's budget allows.
func (s *Store) braked(channel connector.ConnectionID, c connector.Command, at time.Time) bool {
	if c.Budget == nil || !c.Counts() {
		return false
	}
	count, sum := 1, int64(0)
	if c.Amount.Currency == c.Budget.Sum.Currency {
		sum = c.Amount.Minor
	}
	for _, e := range s.entries {
		if !e.Counts() || e.Subject.Channel != channel || e.ID == c.Again || e.State == connector.Refused ||
			!e.IntendedAt.After(at.Add(-c.Budget.Per)) {
			continue
		}
		count++
		if e.Amount.Currency == c.Budget.Sum.Currency {
			sum += e.Amount.Minor
		}
	}
	return c.Budget.Exceeded(count, sum)
}

// Entry reads one entry.
func (s *Store) Entry(_ context.Context, id int64) (connector.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entry(id); e != nil {
		return *e, nil
	}
	return connector.Entry{}, connector.ErrNotFound
}

func (s *Store) entry(id int64) *connector.Entry {
	if id < 1 || id > int64(len(s.entries)) {
		return nil
	}
	return s.entries[id-1]
}
