package memstore

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"

	"channelbridge/connector"
)

type keptSource struct {
	connector.PayoutSource
	body []byte
}

// KeepSource keeps a file; see connector.Payouts.
func (s *Store) KeepSource(ctx context.Context, p connector.PayoutSource, body io.Reader) (connector.PayoutSource, bool, error) {
	all, err := io.ReadAll(body)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return connector.PayoutSource{}, false, fmt.Errorf("keep payout file %s of %s: %w", p.Name, p.Account, err)
	}
	sum := sha256.Sum256(all)
	p.Hash, p.Size, p.State, p.Reason = hex.EncodeToString(sum[:]), int64(len(all)), connector.SourceKept, ""
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.source(p.Account, p.Hash); old != nil {
		return old.PayoutSource, false, nil
	}
	s.books.sources = append(s.books.sources, &keptSource{p, all})
	return p, true, nil
}

func (s *Store) source(account connector.ConnectionID, hash string) *keptSource {
	for _, k := range s.books.sources {
		if k.Account == account && k.Hash == hash {
			return k
		}
	}
	return nil
}

// Source is a file as it stands; see connector.Payouts.
func (s *Store) Source(_ context.Context, account connector.ConnectionID, hash string) (connector.PayoutSource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.source(account, hash); k != nil {
		return k.PayoutSource, nil
	}
	return connector.PayoutSource{}, fmt.Errorf("payout file %s of %s: %w", hash, account, connector.ErrSourceMissing)
}

// OpenSource reads a file; see connector.Payouts.
func (s *Store) OpenSource(_ context.Context, account connector.ConnectionID, hash string) (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.source(account, hash)
	if k == nil {
		return nil, fmt.Errorf("open payout file %s of %s: %w", hash, account, connector.ErrSourceMissing)
	}
	return io.NopCloser(bytes.NewReader(k.body)), nil
}

// SettleSource says what became of a file; see connector.Payouts.
func (s *Store) SettleSource(_ context.Context, account connector.ConnectionID, hash string, state connector.SourceState, format, reason string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.source(account, hash)
	if k == nil {
		return fmt.Errorf("settle payout file %s of %s: %w", hash, account, connector.ErrSourceMissing)
	}
	k.State, k.Format, k.Reason = state, format, reason
	return nil
}

// PayoutSources lists files; see connector.Payouts.
func (s *Store) PayoutSources(_ context.Context, account connector.ConnectionID, limit int) ([]connector.PayoutSource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []connector.PayoutSource{}
	for _, k := range slices.Backward(s.books.sources) {
		if account == "" || k.Account == account {
			out = append(out, k.PayoutSource)
		}
	}
	slices.SortStableFunc(out, func(a, b connector.PayoutSource) int { return b.KeptAt.Compare(a.KeptAt) })
	return out[:min(len(out), cmp.Or(max(limit, 0), 50))], nil
}
