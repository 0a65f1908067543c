package memstore

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"channelbridge/connector"
)

// PutToken adds or replaces a token.
func (s *Store) PutToken(ctx context.Context, t connector.Token) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[t.ID] = t
	s.record(connector.TokenLine(connector.ActorOf(ctx, connector.Operator), "put", t, t.CreatedAt))
	return nil
}

// Token reads a token.
func (s *Store) Token(_ context.Context, id string) (connector.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tokens[id]
	if !ok {
		return connector.Token{}, connector.ErrNotFound
	}
	return t, nil
}

// Tokens lists all tokens by name.
func (s *Store) Tokens(context.Context) ([]connector.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.tokens), func(a, b connector.Token) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	}), nil
}

// RevokeToken ends a token; the first time counts.
func (s *Store) RevokeToken(_ context.Context, id string, at time.Time, actor string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tokens[id]
	if !ok {
		return connector.ErrNotFound
	}
	if !t.RevokedAt.IsZero() {
		return nil
	}
	t.RevokedAt = at
	s.tokens[id] = t
	s.record(connector.TokenLine(actor, "revoke", t, at))
	return nil
}

// TokenUsed remembers the hour of use.
func (s *Store) TokenUsed(_ context.Context, id string, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.tokens[id]; ok && at.Truncate(time.Hour).After(t.UsedAt) {
		t.UsedAt = at.Truncate(time.Hour)
		s.tokens[id] = t
	}
	return nil
}

type replyKey struct{ token, key string }

// Reserve keeps a reply without status.
func (s *Store) Reserve(_ context.Context, r connector.Reply) (connector.Reply, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := replyKey{r.Token, r.Key}
	if old, ok := s.replies[k]; ok {
		return old, false, nil
	}
	r.Status, r.Body = 0, nil
	s.replies[k] = r
	return r, true, nil
}

// Answer completes a reserved reply.
func (s *Store) Answer(_ context.Context, r connector.Reply) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := replyKey{r.Token, r.Key}
	old, ok := s.replies[k]
	if !ok {
		return connector.ErrNotFound
	}
	old.Status, old.Body = r.Status, slices.Clone(r.Body)
	s.replies[k] = old
	return nil
}

// ForgetReplies deletes old replies.
func (s *Store) ForgetReplies(_ context.Context, before time.Time) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.replies)
	maps.DeleteFunc(s.replies, func(_ replyKey, r connector.Reply) bool { return r.At.Before(before) })
	return n - len(s.replies), nil
}
