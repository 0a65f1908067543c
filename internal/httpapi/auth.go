package httpapi

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"channelbridge/connector"
)

// authenticate finds the token a request carries. A token that is missing, malformed, unknown,
// wrong, expired or revoked gets one and the same answer.
func (s *Server) authenticate(c *call) (connector.Token, error) {
	text := bearer(c.Request().Header.Values("Authorization"))
	hash, from := sha256.Sum256([]byte(text)), peer(c.Request().RemoteAddr)
	if !s.failures.room(from, c.now) && !s.accepted(hash) {
		p := newProblem("too_many_failures", "Until some time has passed only tokens that were accepted before are looked at.",
			"Wait, and check the token this client sends.")
		p.retryAfter = 60
		return connector.Token{}, p
	}
	t, err := s.tokenOf(c.ctx, text, hash[:], c.now)
	if p, refused := errors.AsType[*Problem](err); refused {
		s.failures.take(from, c.now)
		s.accept(hash, false)
		s.cfg.Log.Info("request without a valid token", "peer", from, "reference", c.ref)
		return t, p
	}
	if err != nil {
		return t, err
	}
	s.accept(hash, true)
	s.used(c.ctx, t, c.now)
	return t, nil
}

func (s *Server) tokenOf(ctx context.Context, text string, hash []byte, now time.Time) (connector.Token, error) {
	var t connector.Token
	id, known := tokenID(text)
	if known {
		var err error
		t, err = s.store.Token(ctx, id)
		if err != nil && !errors.Is(err, connector.ErrNotFound) {
			return t, fmt.Errorf("reading a token: %w", err)
		}
	}
	// An unknown token has no hash to compare with; the comparison is made all the same.
	kept := t.Hash
	if len(kept) != sha256.Size {
		kept = make([]byte, sha256.Size)
	}
	same := subtle.ConstantTimeCompare(kept, hash) == 1 && len(t.Hash) == sha256.Size
	if !same || !t.RevokedAt.IsZero() || !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt) {
		return connector.Token{}, newProblem("unauthorized", "The token is missing, not known, expired or revoked.",
			"Send a valid token: Authorization: Bearer cb_…; make one with `channelbridge tokens create`.")
	}
	return t, nil
}

// allowed checks a scope. A token that is bound to accounts has none over what is not divided by
// account, whatever is kept of it.
func allowed(t connector.Token, scope string) error {
	if slices.Contains(t.Scopes, scope) && (len(t.Accounts) == 0 || byAccount(scope)) {
		return nil
	}
	p := newProblem("scope_missing", "The token lacks the scope "+scope+".", "Use a token that has it; scopes are chosen when a token is made.")
	p.Scope = scope
	return p
}

// bearer is the text after "Bearer"; "" for anything else, and for more than one such line.
func bearer(lines []string) string {
	if len(lines) != 1 {
		return ""
	}
	scheme, text, _ := strings.Cut(lines[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimLeft(text, " ")
}

// used remembers once an hour that a token is in use. That it could not be kept harms nobody.
func (s *Server) used(ctx context.Context, t connector.Token, now time.Time) {
	if !now.Truncate(time.Hour).After(t.UsedAt) {
		return
	}
	if err := s.store.TokenUsed(ctx, t.ID, now.Truncate(time.Hour)); err != nil {
		s.cfg.Log.Warn("use of a token not kept", "token", t.ID, "error", err)
	}
}

func (s *Server) accepted(hash [32]byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.good[hash]
}

func (s *Server) accept(hash [32]byte, good bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if good {
		s.good[hash] = true
	} else {
		delete(s.good, hash)
	}
}

// peer is who is at the other end of the socket; forwarded headers are anybody's claim. An IPv6
// peer is its network: a single machine has many addresses of one.
func peer(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return "unknown"
	}
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.Unmap().Is4() {
		return host
	}
	network, err := addr.WithZone("").Prefix(64)
	if err != nil {
		return host
	}
	return network.String()
}
