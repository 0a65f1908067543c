package notify

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"channelbridge/connector"
)

const (
	atOnce = 8           // deliveries to one endpoint under way at the same time
	lease  = time.Minute // longer than an attempt may take
)

// Step sends once what is due now at each endpoint, and returns how many deliveries it tried.
func (s *Sender) Step(ctx context.Context) (tried int, err error) {
	for _, e := range s.cfg.Endpoints {
		n, _, failed := s.step(ctx, e)
		tried, err = tried+n, errors.Join(err, failed)
	}
	return tried, err
}

// step sends a few of the deliveries that are due at one endpoint, side by side, and says when the
// next of the others is.
func (s *Sender) step(ctx context.Context, e Endpoint) (n int, next time.Time, err error) {
	off, why, err := s.off(ctx, e)
	if err != nil {
		return 0, time.Time{}, err
	}
	if off {
		return 0, time.Time{}, s.giveUp(ctx, e, why)
	}
	now := s.cfg.Clock()
	if until := s.heldUntil(e); until.After(now) {
		return 0, until, nil
	}
	work, next, err := s.cfg.Store.ClaimEvents(ctx, now, atOnce, lease, e.ID)
	if err != nil {
		return 0, time.Time{}, err
	}
	// What was begun is finished, even when the process is asked to stop.
	ctx = context.WithoutCancel(ctx)
	var wg sync.WaitGroup
	failures := make([]error, len(work))
	for i, w := range work {
		wg.Go(func() { failures[i] = s.attempt(ctx, e, w) })
	}
	wg.Wait()
	return len(work), next, errors.Join(failures...)
}

// giveUp gives up what waits for an endpoint that is switched off.
func (s *Sender) giveUp(ctx context.Context, e Endpoint, why string) error {
	n, err := s.cfg.Store.GiveUpEvents(ctx, e.ID, s.cfg.Clock(), why)
	if n > 0 {
		s.cfg.Observe(Told{e.ID, string(connector.EventGivenUp), n})
	}
	return err
}

// attempt sends one delivery and notes what became of it. Where the note cannot be made, the event
// is sent again when the lease is over.
func (s *Sender) attempt(ctx context.Context, e Endpoint, w connector.EventWork) error {
	ans, err := s.post(ctx, e, w.Event)
	now := s.cfg.Clock()
	o := judge(now, w.Attempt, ans, err, s.cfg.Jitter)
	if wait := asked(now, ans); wait > 0 {
		s.hold(e, now.Add(wait))
	}
	if ans.Status == http.StatusGone {
		if err := s.turn(ctx, e, true, "the endpoint "+o.Reason); err != nil {
			return err
		}
	}
	if err := s.cfg.Store.SettleEvent(ctx, w, now, o); err != nil {
		if errors.Is(err, connector.ErrLeaseLost) {
			return nil // somebody else sends it again; the receiver knows it by its id
		}
		return err
	}
	s.told(e, w, o)
	return nil
}

func (s *Sender) told(e Endpoint, w connector.EventWork, o connector.EventOutcome) {
	attrs := []any{"endpoint", e.ID, "event", w.Event.ID, "type", w.Event.Type, "attempt", w.Attempt, "status", o.Status, "reason", o.Reason}
	outcome := string(o.State)
	switch o.State {
	case connector.EventWaiting:
		outcome = "retry"
		s.cfg.Log.Info("event not delivered; it is sent again", append(attrs, "again", o.NextAt)...)
	case connector.EventGivenUp:
		s.cfg.Log.Warn("event given up; it can be sent again by hand", attrs...)
	}
	s.cfg.Observe(Told{e.ID, outcome, 1})
}

func (s *Sender) hold(e Endpoint, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if until.After(s.held[e.ID]) {
		s.held[e.ID] = until
	}
}

func (s *Sender) heldUntil(e Endpoint) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[e.ID]
}
