package memstore

import (
	"context"
	"slices"
	"time"

	"channelbridge/connector"
)

// record adds a line of the record.
func (s *Store) record(a connector.AuditEntry) {
	a.ID, a.Place, a.Hash = int64(len(s.audit)+1), 0, ""
	a.At = a.At.UTC().Truncate(time.Microsecond)
	s.audit = append(s.audit, a)
}

// Audit adds a line about something that has no transaction of its own.
func (s *Store) Audit(_ context.Context, a connector.AuditEntry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.record(a)
	return nil
}

// AuditEntries lists lines, oldest first.
func (s *Store) AuditEntries(_ context.Context, after int64, limit int) ([]connector.AuditEntry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := min(max(after, 0), int64(len(s.audit)))
	return slices.Clone(page(s.audit[from:], 0, limit)), nil
}

// SealAudit puts lines into the chain.
func (s *Store) SealAudit(_ context.Context, limit int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for ; n < limit && s.sealed < len(s.audit); n++ {
		prev := ""
		if s.sealed > 0 {
			prev = s.audit[s.sealed-1].Hash
		}
		a := &s.audit[s.sealed]
		s.sealed++
		a.Place = int64(s.sealed)
		a.Hash = a.Seal(prev)
	}
	return n, nil
}

// VerifyAudit reads the whole chain.
func (s *Store) VerifyAudit(_ context.Context, progress func(int64)) (int64, *connector.AuditFault, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var c connector.Chain
	for _, a := range s.audit[:s.sealed] {
		if broken := c.Next(a); broken != nil {
			return c.Length, broken, nil
		}
	}
	if progress != nil {
		progress(c.Length)
	}
	return c.Length, nil, nil
}
