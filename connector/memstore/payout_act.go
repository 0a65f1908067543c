package memstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"channelbridge/connector"
)

// KeepAct adds an act; see connector.Payouts.
func (s *Store) KeepAct(_ context.Context, a connector.PayoutAct, after int64, line connector.AuditEntry) (connector.PayoutAct, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := int64(0)
	for _, old := range s.books.acts {
		if a.Key != "" && old.Key == a.Key {
			if !old.Same(a) {
				return connector.PayoutAct{}, false, connector.ErrKeyReused
			}
			return old, false, nil
		}
		if old.Account == a.Account && old.Kind == a.Kind && old.About == a.About {
			last = old.ID
		}
	}
	if after >= 0 && last != after {
		return connector.PayoutAct{}, false, fmt.Errorf("%s %s of %s: %w", a.Kind, a.About, a.Account, connector.ErrOvertaken)
	}
	a.ID, a.At, a.Body = int64(len(s.books.acts)+1), a.At.UTC().Truncate(time.Microsecond), slices.Clone(a.Body)
	s.books.acts = append(s.books.acts, a)
	s.record(line)
	return a, true, nil
}

// PayoutMark tells whether anything was added; see connector.Payouts.
func (s *Store) PayoutMark(context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	facts := 0
	for _, f := range s.books.facts {
		facts += len(f)
	}
	return fmt.Sprint(len(s.books.payouts), facts, len(s.books.tariffs), len(s.books.acts)), nil
}

// Acts lists acts; see connector.Payouts.
func (s *Store) Acts(_ context.Context, account connector.ConnectionID, asOf time.Time) ([]connector.PayoutAct, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []connector.PayoutAct{}
	for _, a := range s.books.acts {
		if a.Account == account && (asOf.IsZero() || !a.At.After(asOf)) {
			out = append(out, a)
		}
	}
	return out, nil
}
