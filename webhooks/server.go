package webhooks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"channelbridge/connector"
)

// Server takes pushes. It is safe for many goroutines.
type Server struct {
	toldAt, untold atomic.Int64 // when a push that was not kept was last told of, and how many since

	cfg     Config
	sources atomic.Pointer[map[connector.ConnectionID]Source]
	// changing orders the writers of sources; readers never wait.
	changing sync.Mutex
	metrics  *metrics
	rejects  *rejects
	busy     chan struct{} // one token per request being verified and kept
	buffered atomic.Int64  // bytes of bodies held now
}

// New makes a server. It panics without an Inbox and ignores a source that is not usable, with
// an error in the log: one wrong connection must not close the door for the others.
func New(cfg Config) *Server {
	if cfg.Inbox == nil {
		panic("webhooks: no inbox")
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Nudge == nil {
		cfg.Nudge = func() {}
	}
	cfg.Limits = cfg.Limits.withDefaults()
	s := &Server{cfg: cfg, metrics: newMetrics(cfg.Metrics), busy: make(chan struct{}, cfg.Limits.MaxInFlight)}
	s.rejects = newRejects(cfg.Limits.RejectPerSec)
	s.sources.Store(&map[connector.ConnectionID]Source{})
	for id, src := range cfg.Sources {
		if src.Connection == "" {
			src.Connection = id
		}
		if err := s.Put(src); err != nil {
			cfg.Log.Error("webhook source left out", "connection", id, "err", err)
		}
	}
	return s
}

// Routes mounts the endpoints. The caller's server must bound headers and reading itself where
// it listens; body, header and time limits of a push are enforced here as well.
func (s *Server) Routes(e *echo.Echo) {
	e.POST("/webhooks/:connection", s.receive, s.recovered)
	e.POST("/webhooks/:connection/*", s.receive, s.recovered)
}

// Handler is a server of its own with nothing but the endpoints.
func (s *Server) Handler() http.Handler {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = echo.ExtractIPDirect() // the peer; forwarded headers are anybody's claim
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		status := http.StatusInternalServerError
		if he, ok := errors.AsType[*echo.HTTPError](err); ok {
			status = he.Code
		}
		if !c.Response().Committed {
			_ = answer(c, status, codeOf(status))
		}
	}
	s.Routes(e)
	return e
}

// Serve answers until ctx ends, then takes no new requests and finishes those under way.
// It returns nil when all of them were finished.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	lim := s.cfg.Limits
	srv := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: lim.ReadHeaderTimeout,
		ReadTimeout:       lim.ReadTimeout,
		WriteTimeout:      lim.ReadTimeout + lim.RecordTimeout + 10*time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    lim.MaxHeader,
		ErrorLog:          slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("webhooks: serving: %w", err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), lim.DrainTimeout)
	defer cancel()
	err := srv.Shutdown(drain)
	if err != nil {
		_ = srv.Close()
		err = fmt.Errorf("webhooks: requests cut off while stopping: %w", err)
	}
	<-ended
	return err
}

// recovered turns a panic below it into a 500 and a line in the log.
func (s *Server) recovered(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler {
				panic(p)
			}
			s.cfg.Log.Error("panic while taking a push", "connection", safeName(c.Param("connection")),
				"panic", clean(fmt.Sprint(p), maxReason), "stack", string(debug.Stack()))
			if src, ok := s.source(connector.ConnectionID(c.Param("connection"))); ok {
				s.metrics.count(src.Connection, verdictFailed)
			}
			err = answer(c, http.StatusInternalServerError, "internal")
		}()
		return next(c)
	}
}
