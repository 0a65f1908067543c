package memstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"channelbridge/connector"
)

func lane(channel connector.ConnectionID, name string) connector.Subject {
	return connector.Subject{Kind: connector.KindLane, Channel: channel, ID: name}
}

// Waiting lists queued entries of a lane.
func (s *Store) Waiting(_ context.Context, channel connector.ConnectionID, lane string, limit int) ([]connector.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []connector.Entry
	for _, e := range s.entries {
		if e.State == connector.Queued && e.Batch == 0 && e.Lane == lane && e.Subject.Channel == channel {
			out = append(out, *e)
		}
	}
	return page(out, 0, limit), nil
}

// Under returns the batch of a lane that is not over.
func (s *Store) Under(_ context.Context, channel connector.ConnectionID, lane string) (connector.Batch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.under(channel, lane); b != nil {
		return s.whole(b), nil
	}
	return connector.Batch{}, connector.ErrNotFound
}

func (s *Store) under(channel connector.ConnectionID, lane string) *connector.Batch {
	for _, b := range s.batches {
		if b.Channel == channel && b.Lane == lane && !b.State.Over() {
			return b
		}
	}
	return nil
}

// whole is a batch with its entries.
func (s *Store) whole(b *connector.Batch) connector.Batch {
	out := *b
	for _, e := range s.entriesOf(b.ID) {
		out.Entries = append(out.Entries, *e)
	}
	return out
}

func (s *Store) entriesOf(batch int64) []*connector.Entry {
	var out []*connector.Entry
	for _, e := range s.entries {
		if e.Batch == batch {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b *connector.Entry) int { return cmp.Compare(a.Message, b.Message) })
	return out
}

// Batches lists a channel's batches, newest first.
func (s *Store) Batches(_ context.Context, channel connector.ConnectionID, limit int) ([]connector.Batch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []connector.Batch
	for _, b := range slices.Backward(s.batches) {
		if b.Channel == channel {
			out = append(out, s.whole(b))
		}
	}
	return page(out, 0, limit), nil
}

// Form makes a batch of queued entries.
func (s *Store) Form(ctx context.Context, w connector.Work, b connector.Batch, entries []int64, at time.Time) (connector.Batch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ours(w, at) {
		return connector.Batch{}, connector.ErrLeaseLost
	}
	seen := map[int64]bool{}
	for _, id := range entries {
		e := s.entry(id)
		if e == nil || seen[id] || e.State != connector.Queued || e.Batch != 0 ||
			lane(e.Subject.Channel, e.Lane) != w.Subject || e.Site != b.Site {
			return connector.Batch{}, connector.ErrSpent
		}
		seen[id] = true
	}
	if len(entries) == 0 || s.under(w.Subject.Channel, w.Subject.ID) != nil {
		return connector.Batch{}, connector.ErrSpent
	}
	made := &connector.Batch{ID: int64(len(s.batches) + 1), Channel: w.Subject.Channel, Lane: w.Subject.ID, Site: b.Site,
		State: connector.BatchFormed, FormedAt: at, ChangedAt: at}
	s.batches = append(s.batches, made)
	for i, id := range entries {
		e := s.entry(id)
		e.Batch, e.Message = made.ID, i+1
	}
	s.record(connector.BatchLine(connector.ActorOf(ctx, "system"), *made, len(entries), at))
	return s.whole(made), nil
}

// ours reports whether the claim of a lane is the newest and not over.
func (s *Store) ours(w connector.Work, at time.Time) bool {
	r := s.subjects[w.Subject]
	return w.Subject.Kind == connector.KindLane && r != nil && r.token == w.Token && r.leaseUntil.After(at)
}
