package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"channelbridge/connector"
)

// takeOver is how long a request without an answer is taken to be under way still. It is longer
// than any request may take, so after it the process that had it is gone.
const takeOver = time.Minute

const maxKey = 200

// write makes the handler of a write out of what it does with its body. The same key is answered
// the same for ever, and what it asked for is done once: a request is reserved before it is acted
// on, and where the answer was lost, what is done is done under the same key again.
func write[In any](s *Server, schema string, do func(*call, In) (reply, error)) func(*call) (reply, error) {
	return func(c *call) (reply, error) {
		var in In
		if _, err := c.query(); err != nil {
			return reply{}, err
		}
		if err := s.decode(c, schema, &in); err != nil {
			return reply{}, err
		}
		if d, is := any(in).(interface{ dry() bool }); is && d.dry() {
			return do(c, in)
		}
		key, err := keyOf(c.Request().Header)
		if err != nil {
			return reply{}, err
		}
		asked, err := json.Marshal(in)
		if err != nil {
			return reply{}, err
		}
		return s.once(c, key, asked, func() (reply, error) { return do(c, in) })
	}
}

func keyOf(h http.Header) (string, error) {
	values := h.Values("Idempotency-Key")
	if len(values) == 1 && len(values[0]) >= 1 && len(values[0]) <= maxKey && visible(values[0]) {
		return values[0], nil
	}
	return "", newProblem("key_missing", "Every write has one Idempotency-Key of 1 to 200 visible characters.",
		"Make a new random key for everything that is new, and send it again with every repetition of the same.")
}

func visible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// once acts unless the key was answered before.
func (s *Server) once(c *call, key string, asked []byte, do func() (reply, error)) (reply, error) {
	c.key = c.token.ID + "/" + key
	begun, failed := s.flights.begin(c.key, c.now)
	if !begun {
		return reply{}, inProgress(time.Second)
	}
	answered := true
	defer func() { s.flights.end(c.key, answered, c.now) }()
	// What was begun is finished even if the client hangs up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), s.within(c.route))
	defer cancel()
	c.ctx = ctx
	h := sha256.Sum256(fmt.Appendf(nil, "%s %s\n%s", c.Request().Method, c.Request().URL.EscapedPath(), asked))
	r := connector.Reply{Token: c.token.ID, Key: key, Hash: h[:], At: c.now}
	kept, fresh, err := s.store.Reserve(ctx, r)
	switch {
	case err != nil:
		return reply{}, fmt.Errorf("reserving the answer: %w", err)
	case fresh:
	case !bytes.Equal(kept.Hash, r.Hash):
		return reply{}, keyReused()
	case kept.Status != 0:
		return reply{status: kept.Status, raw: kept.Body, replayed: true}, nil
	case !failed && c.now.Sub(kept.At) < takeOver:
		return reply{}, inProgress(takeOver - c.now.Sub(kept.At))
	}
	answered = false
	out, err := s.finished(c, do)
	if err != nil {
		return out, err
	}
	answered = true
	r.Status, r.Body = out.status, out.raw
	if err := s.store.Answer(ctx, r); err != nil { // a repetition finds what was done by its own key
		s.cfg.Log.Error("answer not kept", "route", c.route.path, "reference", c.ref, "error", err)
	}
	s.cfg.Log.Info("write answered", "method", c.route.method, "route", c.route.path, "actor", c.token.Name, "status", out.status, "reference", c.ref)
	return out, nil
}

// finished acts and renders the answer. Refusals are answers too; only what may still succeed when
// it is sent again comes back as an error.
func (s *Server) finished(c *call, do func() (reply, error)) (reply, error) {
	out, err := do()
	if err != nil {
		if problemOf(err).Status >= http.StatusInternalServerError {
			return reply{}, err
		}
		return s.failed(c, err), nil
	}
	out.raw, err = json.Marshal(out.body)
	return out, err
}

func inProgress(wait time.Duration) *Problem {
	p := newProblem("in_progress", "A request with this key is under way, or its process died.", "Wait, and send the same request again with the same key.")
	p.retryAfter = max(1, int((wait+time.Second-1)/time.Second))
	return p
}

// flights are the keys being answered by this process, and those it gave up.
type flights struct {
	mu     sync.Mutex
	now    map[string]bool
	failed map[string]time.Time
}

func newFlights() *flights { return &flights{now: map[string]bool{}, failed: map[string]time.Time{}} }

// begin is false while the key is being answered. failed reports that the last attempt gave up
// here, so nobody is at it any more.
func (f *flights) begin(name string, at time.Time) (begun, failed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for n, since := range f.failed {
		if at.Sub(since) > takeOver {
			delete(f.failed, n)
		}
	}
	if f.now[name] {
		return false, false
	}
	f.now[name] = true
	_, failed = f.failed[name]
	return true, failed
}

func (f *flights) end(name string, answered bool, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.now, name)
	if answered {
		delete(f.failed, name)
	} else {
		f.failed[name] = at
	}
}
