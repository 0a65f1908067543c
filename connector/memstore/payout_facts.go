package memstore

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"channelbridge/connector"
)

// factsKey names an order of an account.
type factsKey struct {
	account connector.ConnectionID
	kind    connector.FactsKind
	order   string
}

// KeepFacts adds facts of orders; see connector.Payouts.
func (s *Store) KeepFacts(_ context.Context, facts []connector.PayoutFacts) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.books.facts == nil {
		s.books.facts = map[factsKey][]connector.PayoutFacts{}
	}
	added := 0
	for _, f := range facts {
		if f.Kind == "" {
			f.Kind = connector.OrderFacts
		}
		key := factsKey{f.Account, f.Kind, f.Order}
		old, kept := newest(s.books.facts[key], time.Time{}, factsKnown)
		if kept && old.Store == f.Store && bytes.Equal(old.Body, f.Body) {
			continue
		}
		f.KnownAt, f.Body = f.KnownAt.UTC().Truncate(time.Microsecond), slices.Clone(f.Body)
		s.books.facts[key] = append(s.books.facts[key], f)
		added++
	}
	return added, nil
}

func factsKnown(f connector.PayoutFacts) time.Time { return f.KnownAt }

// newest is the last of those known by an instant (zero: now); of equally old ones the one that
// came later.
func newest[T any](all []T, asOf time.Time, known func(T) time.Time) (best T, found bool) {
	for _, x := range all {
		at := known(x)
		if !asOf.IsZero() && at.After(asOf) || found && at.Before(known(best)) {
			continue
		}
		best, found = x, true
	}
	return best, found
}

// Facts hands over what was known of each order; see connector.Payouts.
func (s *Store) Facts(_ context.Context, account connector.ConnectionID, kind connector.FactsKind, asOf time.Time, yield func(connector.PayoutFacts) error) error {
	for _, f := range s.knownFacts(account, kind, asOf) {
		if err := yield(f); err != nil {
			return fmt.Errorf("facts of %s: %w", account, err)
		}
	}
	return nil
}

func (s *Store) knownFacts(account connector.ConnectionID, kind connector.FactsKind, asOf time.Time) (out []connector.PayoutFacts) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, all := range s.books.facts {
		if key.account != account || key.kind != kind {
			continue
		}
		if f, found := newest(all, asOf, factsKnown); found {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b connector.PayoutFacts) int { return strings.Compare(a.Order, b.Order) })
	return out
}

// KeepTariff adds a tariff; see connector.Payouts.
func (s *Store) KeepTariff(_ context.Context, t connector.Tariff) (connector.Tariff, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.ID, t.KnownAt, t.Body = int64(len(s.books.tariffs)+1), t.KnownAt.UTC().Truncate(time.Microsecond), slices.Clone(t.Body)
	s.books.tariffs = append(s.books.tariffs, t)
	return t, nil
}

// Tariffs lists tariffs; see connector.Payouts.
func (s *Store) Tariffs(_ context.Context, account connector.ConnectionID, asOf time.Time) ([]connector.Tariff, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	byKey := map[string][]connector.Tariff{}
	for _, t := range s.books.tariffs {
		if t.Account == account {
			byKey[t.Key] = append(byKey[t.Key], t)
		}
	}
	out := []connector.Tariff{}
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		if t, found := newest(byKey[key], asOf, func(t connector.Tariff) time.Time { return t.KnownAt }); found {
			out = append(out, t)
		}
	}
	return out, nil
}
