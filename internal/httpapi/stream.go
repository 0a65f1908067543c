package httpapi

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// within is how long a request of a route may take in all.
func (s *Server) within(r route) time.Duration {
	switch r.path {
	case reportPath, simulatePath:
		return max(s.cfg.Limits.Report, s.cfg.Limits.Answer)
	case importPath, sourcePath, jobFilePath:
		return max(s.cfg.Limits.File, s.cfg.Limits.Answer)
	}
	if opensBooks(r.path) {
		return max(min(s.cfg.Limits.Report, writeLongest), s.cfg.Limits.Answer)
	}
	return s.cfg.Limits.Answer
}

// writeLongest is below takeOver: a write that was given up is over when it is begun again.
const writeLongest = takeOver - 10*time.Second

// opensBooks reports a route that reads all of an account's payouts.
func opensBooks(path string) bool {
	for _, of := range []string{"/findings", "/claims", "/matches", "/closes"} {
		if strings.HasPrefix(path, of) {
			return true
		}
	}
	return false
}

// unhurry lifts the connection's own time limits, which suit small bodies; the request's limit
// ends the connection instead.
func (c *call) unhurry() {
	conn := http.NewResponseController(c.Response())
	_, _ = conn.SetReadDeadline(time.Time{}), conn.SetWriteDeadline(time.Time{}) // not every writer has them
	c.stop = context.AfterFunc(c.ctx, func() {
		past := time.Unix(1, 0)
		_, _ = conn.SetReadDeadline(past), conn.SetWriteDeadline(past)
	})
}

// hurry ends what unhurry began.
func (c *call) hurry() {
	if c.stop != nil {
		c.stop()
	}
}

// pour sends a body as it is made. One that breaks off ends the connection, so that it cannot be
// taken for whole.
func (s *Server) pour(c *call, out reply) error {
	w := c.Response()
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Type", out.kind)
	for name, v := range out.header {
		h.Set(name, v)
	}
	w.WriteHeader(out.status)
	if err := out.stream(w); err != nil {
		s.cfg.Log.Error("answer broken off", "route", c.route.path, "reference", c.ref, "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}
