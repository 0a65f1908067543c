package sim

import (
	"context"
	"strings"
	"time"

	"channelbridge/connector"
)

// spy puts a place for crashes and pauses around every store call, and wakes the loop when the
// store says that something is due.
type spy struct {
	connector.Store
	w *World
}

func (s *spy) Record(ctx context.Context, d connector.Delivery) (connector.Verdict, error) {
	s.w.point()
	v, err := s.Store.Record(ctx, d)
	s.w.tick(s.w.now)
	s.w.point()
	return v, err
}

func (s *spy) Seen(ctx context.Context, at time.Time, o ...connector.Observation) (int, error) {
	s.w.point()
	n, err := s.Store.Seen(ctx, at, o...)
	if n > 0 {
		s.w.tick(s.w.now)
	}
	s.w.point()
	return n, err
}

func (s *spy) Claim(ctx context.Context, now time.Time, n int, lease time.Duration, channels []connector.ConnectionID) ([]connector.Work, error) {
	if len(channels) == 0 {
		return nil, nil
	}
	work, err := s.Store.Claim(ctx, now, n, lease, channels)
	for _, x := range work {
		s.w.tick(x.LeaseUntil)
	}
	if len(work) > 0 {
		s.w.point()
	}
	return work, err
}

func (s *spy) Release(ctx context.Context, x connector.Work, at time.Time, n connector.Next) error {
	s.w.point()
	err := s.Store.Release(ctx, x, at, n)
	s.w.tick(s.w.now.Add(time.Millisecond))
	if !n.Wake.IsZero() {
		s.w.tick(n.Wake)
	}
	return err
}

func (s *spy) Intend(ctx context.Context, x connector.Work, c connector.Command, at, deadline time.Time, on string) (connector.Entry, error) {
	s.w.point()
	e, err := s.Store.Intend(ctx, x, c, at, deadline, on)
	if err == nil && e.State == connector.Queued {
		s.w.tick(s.w.now)
	}
	s.w.point()
	return e, err
}

func (s *spy) Settle(ctx context.Context, id int64, o connector.Outcome) error {
	s.w.point()
	err := s.Store.Settle(ctx, id, o)
	s.w.point()
	return err
}

func (s *spy) Form(ctx context.Context, x connector.Work, b connector.Batch, entries []int64, at time.Time) (connector.Batch, error) {
	s.w.point()
	b, err := s.Store.Form(ctx, x, b, entries, at)
	s.w.point()
	return b, err
}

func (s *spy) Step(ctx context.Context, x connector.Work, id int64, step connector.BatchStep) (connector.Batch, error) {
	s.w.point()
	b, err := s.Store.Step(ctx, x, id, step)
	s.w.tick(s.w.now)
	s.w.point()
	return b, err
}

func (s *spy) Touch(ctx context.Context, at time.Time, t ...connector.Touch) error {
	s.w.point()
	err := s.Store.Touch(ctx, at, t...)
	s.w.tick(s.w.now)
	return err
}

func (s *spy) KeepCursor(ctx context.Context, c connector.Cursor, at, until time.Time) error {
	s.w.point()
	return s.Store.KeepCursor(ctx, c, at, until)
}

// witness sees every outside write before it takes effect: it must stand in the ledger, and the
// connection must be active.
func (w *World) witness(key, op string) {
	ctx := context.Background()
	for _, p := range w.paused {
		// A pause is seen by the next Intend; a call intended just before may still be under way.
		if w.now.After(p.from.Add(40*time.Second)) && w.now.Before(p.to) {
			w.broken("%s %s sent while the channel was paused", op, key)
		}
	}
	for _, p := range w.removed {
		if w.now.After(p.from.Add(40*time.Second)) && w.now.Before(p.to) {
			w.broken("%s %s sent while the channel was removed", op, key)
		}
	}
	for _, id := range w.Market.All() {
		if !strings.Contains(key, string(id)) {
			continue
		}
		rec, err := w.base.Load(ctx, w.subject(id))
		if err != nil {
			continue
		}
		for _, e := range rec.Entries {
			if e.Key == key && (e.State == connector.Sent || w.nestedAnswer(e)) {
				return
			}
		}
	}
	w.broken("%s %s sent without standing in the ledger as sent", op, key)
}

// nestedAnswer allows for an entry whose holder slept past its lease while another took over.
func (w *World) nestedAnswer(e connector.Entry) bool {
	return e.Attempts > 1 || e.State.Accepted() || e.State == connector.Unknown
}
