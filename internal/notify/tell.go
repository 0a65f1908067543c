package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"channelbridge/connector"
)

// Tell emits events to the endpoints that want them, each type in a transaction of its own, and has
// them sent. What nobody wants is not kept. Telling the same again changes nothing.
func (s *Sender) Tell(ctx context.Context, events ...connector.Event) error {
	var types []string
	byType := map[string][]connector.Event{}
	for _, e := range events {
		if byType[e.Type] == nil {
			types = append(types, e.Type)
		}
		byType[e.Type] = append(byType[e.Type], e)
	}
	for _, t := range types {
		var names []string
		for _, e := range s.cfg.Endpoints {
			if e.Wants(t) {
				names = append(names, e.ID)
			}
		}
		if len(names) == 0 {
			continue
		}
		if _, err := s.cfg.Store.Emit(ctx, names, byType[t]...); err != nil {
			return fmt.Errorf("telling of %s: %w", t, err)
		}
	}
	s.Nudge()
	return nil
}

// Replay sends again: with an id that event, whatever became of it, else all that was given up; to
// one endpoint, or to all that are configured when endpoint is "". An endpoint that was switched off
// is switched on by it. It returns how many deliveries; connector.ErrNotFound when there is no such
// endpoint, or no such event for it.
func (s *Sender) Replay(ctx context.Context, id, endpoint string) (total int, err error) {
	if endpoint != "" && !slices.ContainsFunc(s.cfg.Endpoints, func(e Endpoint) bool { return e.ID == endpoint }) {
		return 0, unknown(endpoint)
	}
	found := false
	for _, e := range s.cfg.Endpoints {
		if endpoint != "" && e.ID != endpoint {
			continue
		}
		n, err := s.replay(ctx, e, id)
		if errors.Is(err, connector.ErrNotFound) {
			continue
		}
		if err != nil {
			return total, err
		}
		total, found = total+n, true
	}
	if !found {
		return 0, fmt.Errorf("no endpoint was told of the event %q: %w", id, connector.ErrNotFound)
	}
	s.Nudge()
	return total, nil
}

func (s *Sender) replay(ctx context.Context, e Endpoint, id string) (int, error) {
	n, err := s.cfg.Store.ReplayEvents(ctx, id, e.ID, s.cfg.Clock())
	if err != nil {
		return 0, err
	}
	off, _, err := s.off(ctx, e)
	if err != nil || !off {
		return n, err
	}
	if err := s.turn(ctx, e, false, "events are sent again"); err != nil {
		return n, err
	}
	// What was given up again before the switch was turned.
	again, err := s.cfg.Store.ReplayEvents(ctx, id, e.ID, s.cfg.Clock())
	return max(n, again), err
}
