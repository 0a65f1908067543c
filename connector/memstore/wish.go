package memstore

import (
	"context"

	"channelbridge/connector"
)

// Wish keeps what a person asked for.
func (s *Store) Wish(_ context.Context, w connector.Wish) (connector.Wish, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.subjects[w.Subject]
	if r == nil {
		return connector.Wish{}, false, connector.ErrNotFound
	}
	for _, old := range s.wishes {
		if old.Key != w.Key {
			continue
		}
		if !old.Same(w) {
			return connector.Wish{}, false, connector.ErrKeyReused
		}
		return old, false, nil
	}
	w.ID = int64(len(s.wishes) + 1)
	s.wishes = append(s.wishes, w)
	r.due(w.At)
	s.note(w.Subject, w.At, w.Actor, "wish", w.Line())
	s.record(connector.WishLine(w))
	return w, true, nil
}

// Switch reads a switch; one that was never set is off.
func (s *Store) Switch(_ context.Context, name string) (connector.Switch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, ok := s.switches[name]
	if !ok {
		w.Name = name
	}
	return w, nil
}

// SetSwitch turns a switch.
func (s *Store) SetSwitch(_ context.Context, w connector.Switch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.switches[w.Name] = w
	s.record(connector.SwitchLine(w))
	return nil
}
