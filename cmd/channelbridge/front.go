package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"channelbridge/internal/observe"
)

// front is what listens. It answers from the first moment on: health truthfully, pushes and the
// API with "come again" until the bridge is there to take them.
type front struct {
	log     *slog.Logger
	health  *observe.Health
	pushes  gate
	api     gate
	servers []*http.Server
	Addr    string // where pushes are taken
	Metrics string // where metrics are served
	ended   chan error
}

// gate hands over to the bridge once it is there.
type gate struct{ inside atomic.Pointer[http.Handler] }

func (g *gate) open(h http.Handler) { g.inside.Store(&h) }

// ServeHTTP implements http.Handler.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := g.inside.Load(); h != nil {
		(*h).ServeHTTP(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Retry-After", "5")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write([]byte(`{"type":"about:blank","title":"Service Unavailable","status":503,"code":"starting"}`)) // the sender is gone if this fails
}

// listen opens the listeners and begins to answer.
func listen(c *Config, log *slog.Logger, health *observe.Health, metrics *observe.Metrics) (*front, error) {
	f := &front{log: log, health: health, ended: make(chan error, 2)}
	open := http.NewServeMux()
	pushes := http.Handler(&f.pushes)
	if c.Tracing.Endpoint != "" {
		pushes = observe.Receiving(pushes)
	}
	open.Handle("/webhooks/", pushes)
	open.Handle("/v1/", &f.api)
	inside := open
	if c.MetricsListen != "" {
		inside = http.NewServeMux()
	}
	health.Routes(inside)
	inside.Handle("GET /metrics", metrics.Handler())
	var err error
	if f.Addr, err = f.serve(c.Listen, open); err != nil {
		return nil, err
	}
	f.Metrics = f.Addr
	if c.MetricsListen != "" {
		if f.Metrics, err = f.serve(c.MetricsListen, inside); err != nil {
			return nil, errors.Join(err, f.close())
		}
	}
	return f, nil
}

func (f *front) serve(addr string, h http.Handler) (string, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("listening on %s: %w", addr, err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(f.log.Handler(), slog.LevelDebug)}
	f.servers = append(f.servers, srv)
	go func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			f.ended <- fmt.Errorf("serving on %s: %w", addr, err)
		}
	}()
	return l.Addr().String(), nil
}

// take lets pushes and requests in.
func (f *front) take(pushes, api http.Handler) {
	f.pushes.open(pushes)
	f.api.open(api)
}

// stop takes no new requests and finishes those under way.
func (f *front) stop(ctx context.Context) error {
	var errs []error
	for _, s := range f.servers {
		if err := s.Shutdown(ctx); err != nil {
			errs = append(errs, fmt.Errorf("requests cut off while stopping: %w", err), s.Close())
		}
	}
	return errors.Join(errs...)
}

func (f *front) close() error {
	var errs []error
	for _, s := range f.servers {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
