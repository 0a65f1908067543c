package httpapi

import (
	"fmt"
	"net/http"
	"time"
)

// Names of the two policies: a request counts for its token, or, where it carries none that is
// valid, for its peer.
const (
	policyToken = "token"
	policyPeer  = "peer"
)

// spend counts a request under a policy, says in its answer's header how the policy stands, and
// gives the problem it is answered with when there were too many.
//
// The lines are those of draft-ietf-httpapi-ratelimit-headers: q requests in w seconds; r of them
// are left now, and in t seconds all are there again.
func (s *Server) spend(h http.Header, policy, name string, now time.Time) error {
	b := s.tokens
	if policy == policyPeer {
		b = s.peers
	}
	l := b.take(name, now)
	h.Set("RateLimit-Policy", fmt.Sprintf("%q;q=%d;w=60", policy, b.perMinute))
	h.Set("RateLimit", fmt.Sprintf("%q;r=%d;t=%d", policy, l.left, seconds(l.full)))
	if l.taken {
		return nil
	}
	p := newProblem("too_many_requests", fmt.Sprintf("At most %d requests a minute are answered.", b.perMinute),
		"Wait as long as Retry-After says, and read RateLimit in every answer to stay below.")
	p.retryAfter = max(1, seconds(l.next))
	return p
}

// spendPeer counts a request that has no valid token.
func (s *Server) spendPeer(r *http.Request, h http.Header, now time.Time) error {
	return s.spend(h, policyPeer, peer(r.RemoteAddr), now)
}

// admit finds the token of a request and counts the request for it, or for its peer.
func (s *Server) admit(c *call) (err error) {
	c.token, err = s.authenticate(c)
	if err == nil {
		return s.spend(c.Response().Header(), policyToken, c.token.ID, c.now)
	}
	if over := s.spendPeer(c.Request(), c.Response().Header(), c.now); over != nil {
		return over
	}
	return err
}

// seconds rounds up: who waits so long has not come too early.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
