package webhooks

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"

	"channelbridge/connector"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// rejects bounds how many refused pushes of a connection reach the database each second.
// Only connections that exist have an entry.
type rejects struct {
	mu     sync.Mutex
	perSec float64
	by     map[connector.ConnectionID]*rate.Limiter
}

func newRejects(perSec float64) *rejects {
	return &rejects{perSec: perSec, by: map[connector.ConnectionID]*rate.Limiter{}}
}

func (r *rejects) allow(id connector.ConnectionID, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.by[id]
	if l == nil {
		l = rate.NewLimiter(rate.Limit(r.perSec), max(int(r.perSec), 1))
		r.by[id] = l
	}
	return l.AllowN(now, 1)
}

// refuse counts a push that will not be taken, keeps it if there is room and answers. That it
// could not be kept changes nothing for the sender.
func (s *Server) refuse(c echo.Context, p push, r refusal) error {
	id := p.src.Connection
	s.metrics.count(id, string(connector.Rejected))
	if !s.rejects.allow(id, p.at) {
		s.metrics.unstored.WithLabelValues(string(id)).Inc()
		return answer(c, r.status, r.code)
	}
	s.cfg.Log.Info("push refused", "connection", id, "reason", r.code, "peer", peer(c), "size", p.size)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), s.cfg.Limits.RecordTimeout)
	defer cancel()
	if err := s.cfg.Inbox.Reject(ctx, s.rejected(p, r), s.cfg.Limits.RejectKeep); err != nil {
		s.metrics.unstored.WithLabelValues(string(id)).Inc()
		s.cfg.Log.Warn("refused push not kept", "connection", id, "err", err)
	}
	return answer(c, r.status, r.code)
}

// rejected is the row of a refused push. Its id is ours: a forged request must not be able to
// take the delivery id of a real one. The store keeps the beginning of the body only.
func (s *Server) rejected(p push, r refusal) connector.Delivery {
	d := p.delivery("rejected:"+rand.Text(), topicOf(p.header), nil)
	d.Verdict = connector.Rejected
	d.Reason = clean(r.code+": "+r.text, maxReason)
	d.Size = p.size
	return d
}

// peer is the address at the other end of the socket. Forwarded headers are anybody's claim, and
// who mounts the routes may believe them.
func peer(c echo.Context) string {
	host, _, err := net.SplitHostPort(c.Request().RemoteAddr)
	if err != nil {
		return "unknown"
	}
	return host
}

// deep says what becomes of a body that nests too deep to be decoded. Where the receiver can
// authenticate without reading, an authentic one is quarantined; otherwise it is refused.
func (s *Server) deep(p push) error {
	tooDeep := fmt.Errorf("nested deeper than %d", s.cfg.Limits.MaxDepth)
	if p.src.Role == connector.RoleStore {
		v, ok := p.src.Store.(StoreVerifier)
		if !ok {
			return deepError{tooDeep}
		}
		if err := v.Verify(p.at, shopadmin.Inbound{Header: p.header, Body: p.body}); err != nil {
			return err
		}
		return fmt.Errorf("%w: %w", shopadmin.ErrMalformed, tooDeep)
	}
	v, ok := p.src.Channel.(Verifier)
	if !ok {
		return deepError{tooDeep}
	}
	if err := v.Verify(p.at, marketplace.Inbound{Header: p.header, Body: p.body}); err != nil {
		return err
	}
	return fmt.Errorf("%w: %w", marketplace.ErrMalformed, tooDeep)
}

// deepError is a body that nobody could authenticate without decoding it.
type deepError struct{ error }
