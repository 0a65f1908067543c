package memstore

import (
	"context"
	"slices"

	"channelbridge/connector"
)

// Entries lists ledger entries, newest first.
func (s *Store) Entries(_ context.Context, f connector.EntryFilter) ([]connector.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []connector.Entry
	for _, e := range slices.Backward(s.entries) {
		if (f.Channel == "" || e.Subject.Channel == f.Channel) && (f.State == "" || e.State == f.State) && (f.Before == 0 || e.ID < f.Before) {
			out = append(out, *e)
		}
	}
	return page(out, 0, f.Limit), nil
}
