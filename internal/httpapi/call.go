package httpapi

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"channelbridge/connector"
	"channelbridge/internal/label"
)

// call is one request on its way.
type call struct {
	echo.Context
	ctx      context.Context // the request's, with the time limit of answers
	route    route
	token    connector.Token
	language label.Language // of labels, where the route speaks
	paid     sight          // of the payouts, what the token may see
	now      time.Time
	ref      string // stands in the answer and in the log
	key      string // of a write: unique over all tokens

	stop func() bool // of what ends a connection whose request takes too long; nil: nothing does
}

// reply is an answer: a body to encode, one that is encoded already, or one that is written as it
// is made. An answer that nothing has changed has none of them.
type reply struct {
	status   int
	body     any
	raw      []byte
	stream   func(io.Writer) error
	kind     string            // of a stream
	replayed bool              // it is the answer of an earlier request
	header   map[string]string // more header lines
}

func shown(body any) (reply, error) { return reply{status: http.StatusOK, body: body}, nil }
func taken(body any) (reply, error) { return reply{status: http.StatusAccepted, body: body}, nil }

func newReference() string { return strings.ToLower(rand.Text()[:16]) }

// serve is the frame around every handler.
func (s *Server) serve(r route) echo.HandlerFunc {
	return func(ec echo.Context) error {
		ctx, cancel := context.WithTimeout(ec.Request().Context(), s.within(r))
		defer cancel()
		c := &call{Context: ec, ctx: ctx, route: r, now: s.cfg.Clock().UTC(), ref: newReference()}
		defer c.hurry()
		if r.speaks() {
			c.speak()
		}
		out, err := s.guarded(c)
		if err != nil {
			out = s.failed(c, err)
		}
		if out.status == http.StatusAccepted && r.location != nil && out.header["Location"] == "" {
			ec.Response().Header().Set("Location", r.location(c))
		}
		ec.Response().Header().Set("Request-Id", c.ref)
		if out.stream != nil {
			return s.pour(c, out)
		}
		return send(ec, out)
	}
}

// guarded authenticates and answers; a panic below it becomes an error.
func (s *Server) guarded(c *call) (out reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.cfg.Log.Error("panic while answering", "route", c.route.path, "reference", c.ref, "stack", string(debug.Stack()))
			err = errors.New("panic")
		}
	}()
	if err := s.admit(c); err != nil {
		return reply{}, err
	}
	if err := allowed(c.token, c.route.scope); err != nil {
		return reply{}, err
	}
	if s.within(c.route) > s.cfg.Limits.Answer {
		c.unhurry()
	}
	c.ctx = connector.As(c.ctx, c.token.Name)
	out, err = c.route.handle(c)
	if err == nil && out.raw == nil && out.stream == nil && out.status != http.StatusNotModified {
		out.raw, err = json.Marshal(out.body)
	}
	return out, err
}

// failed turns an error into an answer, and into a line of the log where it stops here.
func (s *Server) failed(c *call, err error) reply {
	p := problemOf(err)
	p.Reference = c.ref
	if c.route.speaks() {
		p.in(c.language)
	}
	if p.Status >= http.StatusInternalServerError && p.Code != "too_many_failures" {
		s.cfg.Log.Error("request not answered", "method", c.route.method, "route", c.route.path, "reference", c.ref, "error", err)
	}
	return p.reply()
}

func (p *Problem) reply() reply {
	out := reply{status: p.Status, raw: p.bytes(), header: map[string]string{}}
	if p.retryAfter > 0 {
		out.header["Retry-After"] = strconv.Itoa(p.retryAfter)
	}
	switch p.Code {
	case "unauthorized":
		out.header["WWW-Authenticate"] = `Bearer realm="channelbridge"`
	case "scope_missing":
		out.header["WWW-Authenticate"] = fmt.Sprintf(`Bearer realm="channelbridge", error="insufficient_scope", scope=%q`, p.Scope)
	}
	return out
}

func send(c echo.Context, out reply) error {
	h := c.Response().Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	for name, v := range out.header {
		h.Set(name, v)
	}
	if out.replayed {
		h.Set("Idempotent-Replayed", "true")
	}
	if out.status == http.StatusNotModified {
		return c.NoContent(out.status)
	}
	kind := "application/json"
	if out.status >= http.StatusBadRequest {
		kind = "application/problem+json"
	}
	return c.Blob(out.status, kind, out.raw)
}

// name reads a part of the path. What cannot be a name is not found.
func (c *call) name(param string) (string, error) {
	v := c.Param(param)
	if _, verb, has := strings.Cut(c.route.path, `:`+param+`\:`); has {
		v = strings.TrimSuffix(v, ":"+verb)
	}
	var err error
	if c.Request().URL.RawPath != "" {
		v, err = url.PathUnescape(v)
	}
	if err != nil || v == "" || len(v) > 200 || !clean(v) {
		return "", connector.ErrNotFound
	}
	return v, nil
}

// clean reports text that holds no control character and is UTF-8.
func clean(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// number reads a part of the path that is a row's number.
func (c *call) number(param string) (int64, error) {
	n, err := strconv.ParseInt(c.Param(param), 10, 64)
	if err != nil || n < 1 {
		return 0, connector.ErrNotFound
	}
	return n, nil
}

// subject reads which order the path names.
func (c *call) subject() (connector.Subject, error) {
	channel, err := c.name("channel")
	if err != nil {
		return connector.Subject{}, err
	}
	id, err := c.name("id")
	return connector.Subject{Kind: connector.KindOrder, Channel: connector.ConnectionID(channel), ID: id}, err
}

func (c *call) connection() (connector.ConnectionID, error) {
	id, err := c.name("id")
	return connector.ConnectionID(id), err
}
