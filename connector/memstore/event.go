package memstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"channelbridge/connector"
)

// outbox is what is told to the operator's own systems.
type outbox struct {
	events  []*keptEvent // by row
	lastRow int64
}

type keptEvent struct {
	row int64
	connector.Event
	deliveries []*keptEventDelivery // by endpoint
}

type keptEventDelivery struct {
	connector.EventDelivery
	leaseUntil time.Time
	token      int64
}

func (d *keptEventDelivery) leased(now time.Time) bool { return d.leaseUntil.After(now) }

// dueAt is when it may be claimed.
func (d *keptEventDelivery) dueAt() time.Time {
	if d.leaseUntil.After(d.NextAt) {
		return d.leaseUntil
	}
	return d.NextAt
}

func (o *outbox) event(id string) *keptEvent {
	for _, e := range o.events {
		if e.ID == id {
			return e
		}
	}
	return nil
}

// of are the deliveries to an endpoint in a state, with their events.
func (o *outbox) of(endpoint string, state connector.EventState, do func(*keptEvent, *keptEventDelivery)) {
	for _, e := range o.events {
		for _, d := range e.deliveries {
			if d.Endpoint == endpoint && d.State == state {
				do(e, d)
			}
		}
	}
}

// Emit writes events; see connector.Events.
func (s *Store) Emit(_ context.Context, endpoints []string, events ...connector.Event) (fresh int, err error) {
	if err := connector.CheckEvents(endpoints, events); err != nil {
		return 0, fmt.Errorf("emit events: %w", err)
	}
	endpoints = slices.Compact(slices.Sorted(slices.Values(endpoints)))
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range events {
		if s.outbox.event(e.ID) != nil {
			continue
		}
		e.At, e.Data = e.At.UTC().Truncate(time.Microsecond), slices.Clone(e.Data)
		s.outbox.lastRow++
		kept := &keptEvent{row: s.outbox.lastRow, Event: e}
		for _, name := range endpoints {
			kept.deliveries = append(kept.deliveries, &keptEventDelivery{EventDelivery: connector.EventDelivery{
				Endpoint: name, State: connector.EventWaiting, NextAt: e.At}})
		}
		s.outbox.events = append(s.outbox.events, kept)
		fresh++
	}
	return fresh, nil
}

// ClaimEvents leases deliveries; see connector.Events.
func (s *Store) ClaimEvents(_ context.Context, now time.Time, n int, lease time.Duration, endpoint string) (work []connector.EventWork, next time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	type due struct {
		e *keptEvent
		d *keptEventDelivery
	}
	var all []due
	s.outbox.of(endpoint, connector.EventWaiting, func(e *keptEvent, d *keptEventDelivery) {
		if !d.NextAt.After(now) && !d.leased(now) {
			all = append(all, due{e, d})
		}
	})
	slices.SortFunc(all, func(a, b due) int { return cmp.Or(a.d.NextAt.Compare(b.d.NextAt), cmp.Compare(a.e.row, b.e.row)) })
	for _, x := range all[:min(max(n, 0), len(all))] {
		x.d.leaseUntil = now.Add(lease)
		x.d.token++
		x.d.Attempts++
		work = append(work, connector.EventWork{Event: x.e.clone(), Endpoint: endpoint, Attempt: x.d.Attempts, Token: x.d.token})
	}
	s.outbox.of(endpoint, connector.EventWaiting, func(_ *keptEvent, d *keptEventDelivery) {
		if at := d.dueAt(); next.IsZero() || at.Before(next) {
			next = at
		}
	})
	return work, next, nil
}

func (e *keptEvent) clone() connector.Event {
	out := e.Event
	out.Data = slices.Clone(e.Data)
	return out
}

// SettleEvent ends a claim; see connector.Events.
func (s *Store) SettleEvent(_ context.Context, w connector.EventWork, at time.Time, o connector.EventOutcome) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.outbox.event(w.Event.ID)
	if e == nil {
		return fmt.Errorf("settle event %s: %w", w.Event.ID, connector.ErrLeaseLost)
	}
	for _, d := range e.deliveries {
		if d.Endpoint == w.Endpoint && d.token == w.Token && !d.leaseUntil.IsZero() {
			d.settle(o)
			d.TriedAt = micro(at)
			return nil
		}
	}
	return fmt.Errorf("settle event %s: %w", w.Event.ID, connector.ErrLeaseLost)
}

func (d *keptEventDelivery) settle(o connector.EventOutcome) {
	d.State, d.Status, d.Reason, d.leaseUntil, d.NextAt = o.State, o.Status, o.Reason, time.Time{}, time.Time{}
	if o.State == connector.EventWaiting {
		d.NextAt = micro(o.NextAt)
	}
}

func micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// GiveUpEvents gives up what waits; see connector.Events.
func (s *Store) GiveUpEvents(_ context.Context, endpoint string, at time.Time, reason string) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outbox.of(endpoint, connector.EventWaiting, func(_ *keptEvent, d *keptEventDelivery) {
		if !d.leased(at) {
			d.settle(connector.EventOutcome{State: connector.EventGivenUp, Status: d.Status, Reason: reason})
			n++
		}
	})
	return n, nil
}

// ReplayEvents makes deliveries due again; see connector.Events.
func (s *Store) ReplayEvents(_ context.Context, id, endpoint string, at time.Time) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := false
	for _, e := range s.outbox.events {
		for _, d := range e.deliveries {
			if id != "" && e.ID != id || endpoint != "" && d.Endpoint != endpoint || id == "" && d.State != connector.EventGivenUp {
				continue
			}
			if found = true; d.leased(at) {
				continue
			}
			d.State, d.Attempts, d.NextAt, d.leaseUntil = connector.EventWaiting, 0, micro(at), time.Time{}
			n++
		}
	}
	if id != "" && !found {
		return 0, fmt.Errorf("send event %s again: %w", id, connector.ErrNotFound)
	}
	return n, nil
}

// EventList lists events; see connector.Events.
func (s *Store) EventList(_ context.Context, f connector.EventFilter) ([]connector.EventRecord, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []connector.EventRecord{}
	for _, e := range slices.Backward(s.outbox.events) {
		if len(out) == cmp.Or(max(f.Limit, 0), 50) {
			break
		}
		if e.in(f) {
			r := connector.EventRecord{Row: e.row, Event: e.clone(), Deliveries: []connector.EventDelivery{}}
			for _, d := range e.deliveries {
				r.Deliveries = append(r.Deliveries, d.EventDelivery)
			}
			out = append(out, r)
		}
	}
	return out, nil
}

func (e *keptEvent) in(f connector.EventFilter) bool {
	if f.ID != "" && e.ID != f.ID || f.Type != "" && e.Type != f.Type || f.Before != 0 && e.row >= f.Before ||
		len(f.Accounts) > 0 && !slices.Contains(f.Accounts, e.Account) {
		return false
	}
	return f.Endpoint == "" && f.State == "" || slices.ContainsFunc(e.deliveries, func(d *keptEventDelivery) bool {
		return (f.Endpoint == "" || d.Endpoint == f.Endpoint) && (f.State == "" || d.State == f.State)
	})
}

// PurgeEvents deletes old events; see connector.Events.
func (s *Store) PurgeEvents(_ context.Context, before time.Time, limit int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var old []*keptEvent
	for _, e := range s.outbox.events {
		undelivered := slices.ContainsFunc(e.deliveries, func(d *keptEventDelivery) bool { return d.State != connector.EventDelivered })
		if e.At.Before(before) && !undelivered {
			old = append(old, e)
		}
	}
	slices.SortFunc(old, func(a, b *keptEvent) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.row, b.row)) })
	old = old[:min(len(old), max(limit, 0))]
	s.outbox.events = slices.DeleteFunc(s.outbox.events, func(e *keptEvent) bool { return slices.Contains(old, e) })
	return len(old), nil
}

// counts is how endpoints stand that something has not reached; nil without any.
func (o *outbox) counts(now time.Time) map[string]connector.EventCount {
	var out map[string]connector.EventCount
	for _, e := range o.events {
		for _, d := range e.deliveries {
			if d.State == connector.EventDelivered {
				continue
			}
			if out == nil {
				out = map[string]connector.EventCount{}
			}
			c := out[d.Endpoint]
			if d.State == connector.EventWaiting {
				c.Waiting++
				c.Oldest = max(c.Oldest, now.Sub(e.At))
			} else {
				c.GivenUp++
			}
			out[d.Endpoint] = c
		}
	}
	return out
}
