package memstore

import (
	"context"
	"slices"
	"time"

	"channelbridge/connector"
)

// Step commits a step of a batch together with its entries.
func (s *Store) Step(ctx context.Context, w connector.Work, id int64, st connector.BatchStep) (connector.Batch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ours(w, st.At) {
		return connector.Batch{}, connector.ErrLeaseLost
	}
	if id < 1 || id > int64(len(s.batches)) || lane(s.batches[id-1].Channel, s.batches[id-1].Lane) != w.Subject {
		return connector.Batch{}, connector.ErrNotFound
	}
	b := s.batches[id-1]
	entries := s.entriesOf(id)
	if err := s.allowed(b, entries, st); err != nil {
		return connector.Batch{}, err
	}
	b.Take(st)
	if st.State != connector.BatchDropped {
		move(entries, st)
	}
	for _, e := range entries {
		if o, ok := st.Outcomes[e.ID]; ok {
			s.settle(ctx, e, o)
			s.subjects[e.Subject].due(st.At)
		}
	}
	if st.State == connector.BatchDropped {
		drop(entries)
	}
	s.record(connector.BatchLine(connector.ActorOf(ctx, "system"), *b, len(entries), st.At))
	return s.whole(b), nil
}

// allowed says whether a step may be taken, before anything is changed.
func (s *Store) allowed(b *connector.Batch, entries []*connector.Entry, st connector.BatchStep) error {
	if !b.State.Leads(st.State) {
		return connector.ErrSpent
	}
	if st.State == connector.BatchSending {
		if err := s.writable(b.Channel); err != nil {
			return err
		}
	}
	var all []connector.Entry
	for _, e := range entries {
		all = append(all, *e)
	}
	return st.Fits(all)
}

// move brings the entries along with their batch.
func move(entries []*connector.Entry, st connector.BatchStep) {
	for _, e := range entries {
		switch {
		case st.State == connector.BatchSending && e.State == connector.Queued:
			e.State, e.IntendedAt, e.Deadline = connector.Sent, st.At, st.Deadline
		case st.State == connector.BatchSent && e.State == connector.Sent:
			e.State, e.SettledAt, e.Ref = connector.Taken, st.At, st.Ticket
		}
	}
}

// drop takes the entries out of their batch; those without outcome wait again.
func drop(entries []*connector.Entry) {
	for _, e := range entries {
		e.Batch, e.Message = 0, 0
		if slices.Contains([]connector.EntryState{connector.Queued, connector.Sent, connector.Taken}, e.State) {
			e.State, e.SettledAt, e.Ref = connector.Queued, time.Time{}, ""
		}
	}
}
