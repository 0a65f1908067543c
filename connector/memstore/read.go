package memstore

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"channelbridge/connector"
)

// TakeCursor leases a sweep's position.
func (s *Store) TakeCursor(_ context.Context, conn connector.ConnectionID, name string, now time.Time, lease time.Duration) (connector.Cursor, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.cursors[cursorKey{conn, name}]
	if c == nil {
		c = &cursor{Cursor: connector.Cursor{Connection: conn, Name: name}}
		s.cursors[cursorKey{conn, name}] = c
	}
	if c.until.After(now) {
		return connector.Cursor{}, false, nil
	}
	c.Token++
	c.until = now.Add(lease)
	return c.Cursor, true, nil
}

// KeepCursor stores a sweep's position.
func (s *Store) KeepCursor(_ context.Context, c connector.Cursor, at, until time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.cursors[cursorKey{c.Connection, c.Name}]
	if old == nil || old.Token != c.Token {
		return connector.ErrLeaseLost
	}
	c.RanAt = at
	old.Cursor, old.until = c, until
	return nil
}

// Cursors lists all positions.
func (s *Store) Cursors(context.Context) ([]connector.Cursor, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []connector.Cursor
	for _, c := range s.cursors {
		out = append(out, c.Cursor)
	}
	slices.SortFunc(out, func(a, b connector.Cursor) int {
		return cmp.Or(cmp.Compare(a.Connection, b.Connection), cmp.Compare(a.Name, b.Name))
	})
	return out, nil
}

// Connections lists all connections.
func (s *Store) Connections(context.Context) ([]connector.Connection, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.Collect(maps.Values(s.connections))
	slices.SortFunc(out, func(a, b connector.Connection) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}

// PutConnection adds or replaces a connection.
func (s *Store) PutConnection(_ context.Context, c connector.Connection) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.connections[c.ID]; ok {
		c.RemovedAt, c.RejoinedAt = old.RemovedAt, old.RejoinedAt
		if !old.Since.IsZero() {
			c.Since = old.Since
		}
		if c.State == "" {
			c.State, c.Reason, c.ChangedAt = old.State, old.Reason, old.ChangedAt
		}
	}
	if c.State == "" {
		c.State = connector.Active
	}
	s.connections[c.ID] = c
	return nil
}

// SetState changes a connection's state; one that is removed loses settings and secrets.
func (s *Store) SetState(ctx context.Context, id connector.ConnectionID, st connector.State, reason string, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.connections[id]
	if !ok {
		return connector.ErrNotFound
	}
	if st == connector.Removed {
		if c.State != connector.Removed {
			c.RemovedAt, c.RejoinedAt = at, time.Time{}
		}
		c.Settings = nil
		maps.DeleteFunc(s.secrets, func(name string, _ []byte) bool {
			return name == string(id) || strings.HasPrefix(name, string(id)+"/")
		})
	}
	if st == connector.Reconnecting && c.State != connector.Reconnecting {
		c.RejoinedAt = at
	}
	c.State, c.Reason, c.ChangedAt = st, reason, at
	s.connections[id] = c
	s.record(connector.StateLine(connector.ActorOf(ctx, "system"), id, st, reason, at))
	return nil
}

// Orders lists orders, newest first.
func (s *Store) Orders(_ context.Context, f connector.OrderFilter) ([]connector.OrderRow, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []connector.OrderRow
	for _, r := range s.subjects {
		if r.rec.Subject.Kind != connector.KindOrder {
			continue
		}
		row := connector.OrderRow{Subject: r.rec.Subject, Shop: r.rec.Shop, Summary: r.rec.Summary,
			NextAt: r.rec.NextAt, DueAt: r.rec.DueAt, Holds: slices.Clone(r.rec.Holds), Final: r.rec.Final}
		if matches(row, f) {
			out = append(out, row)
		}
	}
	slices.SortFunc(out, newestFirst)
	if f.After != "" {
		last := s.subjects[named(f.After)]
		if last == nil {
			return nil, connector.ErrNotFound
		}
		out = slices.DeleteFunc(out, func(r connector.OrderRow) bool {
			return newestFirst(r, connector.OrderRow{Subject: last.rec.Subject, Summary: last.rec.Summary}) <= 0
		})
	}
	return page(out, f.Offset, f.Limit), nil
}

func newestFirst(a, b connector.OrderRow) int {
	return cmp.Or(b.Summary.PlacedAt.Compare(a.Summary.PlacedAt), cmp.Compare(a.Subject.Channel, b.Subject.Channel),
		strings.Compare(a.Subject.ID, b.Subject.ID))
}

// named reads what Subject.String wrote of an order.
func named(text string) connector.Subject {
	channel, id, _ := strings.Cut(text, "/")
	return connector.Subject{Kind: connector.KindOrder, Channel: connector.ConnectionID(channel), ID: id}
}

func matches(r connector.OrderRow, f connector.OrderFilter) bool {
	text := strings.ToLower(f.Text)
	return (f.Channel == "" || r.Subject.Channel == f.Channel) && (!f.Held || len(r.Holds) > 0) && (!f.Open || !r.Final) &&
		(text == "" || strings.Contains(strings.ToLower(r.Subject.ID), text) || strings.Contains(strings.ToLower(r.Summary.Number), text))
}

func page[T any](all []T, offset, limit int) []T {
	if limit == 0 {
		limit = 50
	}
	offset = min(offset, len(all))
	return all[offset:min(offset+limit, len(all))]
}

// Timeline lists an order's notes.
func (s *Store) Timeline(_ context.Context, sub connector.Subject) ([]connector.Note, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.notes[sub]), nil
}

// Deliveries lists deliveries, newest first.
func (s *Store) Deliveries(_ context.Context, f connector.DeliveryFilter) ([]connector.Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []connector.Delivery
	for _, d := range slices.Backward(s.deliveries) {
		if (f.Connection == "" || d.Connection == f.Connection) && (f.Verdict == "" || d.Verdict == f.Verdict) && (f.Before == 0 || d.Row < f.Before) &&
			(len(f.Topics) == 0 || slices.Contains(f.Topics, d.Topic)) {
			c := *d
			c.Body = nil
			out = append(out, c)
		}
	}
	return page(out, 0, f.Limit), nil
}

// Delivery reads one delivery.
func (s *Store) Delivery(_ context.Context, id int64) (connector.Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.deliveries {
		if d.Row == id {
			return *d, nil
		}
	}
	return connector.Delivery{}, connector.ErrNotFound
}

// Stats counts.
func (s *Store) Stats(_ context.Context, now time.Time) (connector.Stats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := connector.Stats{Entries: map[connector.EntryState]int{}, Holds: map[string]int{}, Deliveries: map[connector.Verdict]int{},
		Batches: map[connector.BatchState]int{}, Unsealed: len(s.audit) - s.sealed, Events: s.outbox.counts(now)}
	for _, r := range s.subjects {
		for _, h := range r.rec.Holds {
			st.Holds[h.Kind]++
		}
		if r.rec.Subject.Kind != connector.KindOrder {
			continue
		}
		st.Subjects++
		if r.claimable(now) {
			st.Due++
			st.OldestDue = max(st.OldestDue, now.Sub(r.rec.NextAt))
		}
		if !r.rec.DueAt.IsZero() && r.rec.DueAt.Before(now) {
			st.Deadlines++
		}
	}
	for _, b := range s.batches {
		if !b.State.Over() {
			st.Batches[b.State]++
		}
	}
	for _, e := range s.entries {
		st.Entries[e.State]++
		if e.State == connector.Queued {
			st.OldestQueued = max(st.OldestQueued, now.Sub(e.IntendedAt))
		}
		done := e.State.Accepted()
		if e.Due.IsZero() || e.Due.Before(now.AddDate(0, 0, -7)) {
			continue
		}
		switch {
		case done && !e.SettledAt.After(e.Due):
			st.SameDay++
		case done || e.Due.Before(now):
			st.Late++
		}
	}
	for _, d := range s.deliveries {
		st.Deliveries[connector.Duplicate] += d.Repeats
		if d.Verdict != connector.Rejected {
			st.Deliveries[d.Verdict]++
		}
	}
	st.Deliveries[connector.Rejected] = s.refused
	return st, nil
}

// Completeness counts orders by the day they were placed.
func (s *Store) Completeness(_ context.Context, channel connector.ConnectionID, from time.Time, zone *time.Location) ([]connector.DayCount, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	days := map[string]*connector.DayCount{}
	y, m, d := from.In(zone).Date()
	from = time.Date(y, m, d, 0, 0, 0, 0, zone)
	for _, r := range s.subjects {
		placed := r.rec.Summary.PlacedAt
		if r.rec.Subject.Kind != connector.KindOrder || r.rec.Subject.Channel != channel || placed.IsZero() || placed.Before(from) {
			continue
		}
		day := placed.In(zone).Format(time.DateOnly)
		d := days[day]
		if d == nil {
			d = &connector.DayCount{Day: day}
			days[day] = d
		}
		d.Seen++
		if r.rec.Summary.Expected {
			d.Expected++
			if r.rec.Summary.Mirrored {
				d.Mirrored++
			}
		}
	}
	var out []connector.DayCount
	for _, day := range slices.Sorted(maps.Keys(days)) {
		out = append(out, *days[day])
	}
	return out, nil
}

// Purge deletes old deliveries.
func (s *Store) Purge(_ context.Context, before time.Time, limit int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	s.deliveries = slices.DeleteFunc(s.deliveries, func(d *connector.Delivery) bool {
		if n >= limit || !d.ReceivedAt.Before(before) {
			return false
		}
		n++
		if k := (deliveryKey{d.Connection, d.ID}); s.known[k] == d {
			delete(s.known, k)
		}
		return true
	})
	return n, nil
}

// PutSecret keeps a sealed secret.
func (s *Store) PutSecret(_ context.Context, name string, sealed []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(sealed) == 0 {
		delete(s.secrets, name)
		return nil
	}
	s.secrets[name] = slices.Clone(sealed)
	return nil
}

// Secret reads a sealed secret.
func (s *Store) Secret(_ context.Context, name string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.secrets[name]
	if !ok {
		return nil, connector.ErrNotFound
	}
	return v, nil
}

// Ping always answers.
func (s *Store) Ping(context.Context) error { return nil }
