package memstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"channelbridge/connector"
)

// Redactable lists orders whose personal data is still kept.
func (s *Store) Redactable(_ context.Context, placedBefore time.Time, after string, limit int) ([]connector.Subject, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.subjects[named(after)]
	if after != "" && last == nil {
		return nil, connector.ErrNotFound
	}
	var rows []*row
	for _, r := range s.subjects {
		if r.rec.Subject.Kind == connector.KindOrder && r.keptAt.After(r.rec.RedactedAt) &&
			(r.placed().Before(placedBefore) || !r.rec.RedactedAt.IsZero()) &&
			(last == nil || oldestFirst(r, last) > 0) {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, oldestFirst)
	var out []connector.Subject
	for _, r := range page(rows, 0, limit) {
		out = append(out, r.rec.Subject)
	}
	return out, nil
}

// placed is when an order was placed, or first seen.
func (r *row) placed() time.Time {
	if at := r.rec.Summary.PlacedAt; !at.IsZero() {
		return at
	}
	return r.rec.FirstSeen
}

func oldestFirst(a, b *row) int {
	x, y := a.rec.Subject, b.rec.Subject
	return cmp.Or(a.placed().Compare(b.placed()), cmp.Compare(x.Channel, y.Channel), cmp.Compare(x.ID, y.ID))
}

// Redact replaces bodies by those without personal data.
func (s *Store) Redact(_ context.Context, d connector.Redaction) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.subjects[d.Subject]
	if r == nil {
		return connector.ErrNotFound
	}
	changed := r.keptAt.After(d.At) || d.Revision != 0 && d.Revision != r.rec.Revision
	for _, e := range s.entries {
		changed = changed || e.Subject == d.Subject && e.IntendedAt.After(d.At)
	}
	if changed {
		return connector.ErrChanged
	}
	for side, body := range d.Bodies {
		if slot := r.slot(side); *slot != nil {
			snap := **slot
			snap.Body = body
			*slot = &snap
		}
	}
	for id, body := range d.Entries {
		if e := s.entry(id); e != nil && e.Subject == d.Subject {
			e.Body = body
		}
	}
	r.rec.RedactedAt = d.At
	s.note(d.Subject, d.At, d.Actor, "redact", "personal data was taken out")
	s.record(connector.RedactLine(d))
	return nil
}

// ForgetBodies empties kept bodies of deliveries.
func (s *Store) ForgetBodies(ctx context.Context, conn connector.ConnectionID, orders []string, at time.Time) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, d := range s.deliveries {
		about := func(order string) bool { return connector.Mentions(d.Body, order) }
		if d.Connection == conn && len(d.Body) > 0 && (len(orders) == 0 || slices.ContainsFunc(orders, about)) {
			d.Body = nil
			n++
		}
	}
	s.record(connector.ForgetLine(connector.ActorOf(ctx, "system"), conn, len(orders), n, at))
	return n, nil
}

// MirrorOf finds the order whose mirror a store order is.
func (s *Store) MirrorOf(_ context.Context, ref connector.ShopRef) (connector.Subject, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub, ok := s.byShop[ref]
	if !ok {
		return connector.Subject{}, connector.ErrNotFound
	}
	return sub, nil
}
