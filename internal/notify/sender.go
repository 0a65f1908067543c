package notify

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/httpx"
)

const (
	poll = 5 * time.Second // what another process has emitted is found within it
	soon = 50 * time.Millisecond
)

// Store is what a sender needs; connector.Store is one.
type Store interface {
	connector.Events
	connector.Switches
}

// Config is what a sender is made of. Only Store and Clock have no zero value.
type Config struct {
	Store     Store
	Clock     connector.Clock
	Endpoints []Endpoint
	Log       *slog.Logger      // nil: discards
	Transport http.RoundTripper // nil: the usual one
	UserAgent string
	Called    func(httpx.Event)   // told of every exchange; nil: nobody is
	Observe   func(Told)          // told what became of deliveries; nil: nobody is
	Failed    func(error)         // told of the store's failures, which are logged as well; nil: nobody is
	Jitter    func(n int64) int64 // from 0 to below n; nil: a random number
}

// Told is what became of an attempt, or of N deliveries that were given up without one.
type Told struct {
	Endpoint string
	Outcome  string // delivered, retry, given_up
	N        int
}

// Sender posts events that are due.
type Sender struct {
	cfg    Config
	client *httpx.Client
	nudges map[string]chan struct{} // by endpoint

	mu   sync.Mutex
	held map[string]time.Time // endpoints that asked to be left alone, and until when
}

// New makes a sender. It calls nobody and starts nothing.
func New(cfg Config) *Sender {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Observe == nil {
		cfg.Observe = func(Told) {}
	}
	if cfg.Failed == nil {
		cfg.Failed = func(error) {}
	}
	if cfg.Jitter == nil {
		cfg.Jitter = rand.Int64N
	}
	s := &Sender{cfg: cfg, nudges: map[string]chan struct{}{}, held: map[string]time.Time{},
		client: httpx.New(httpx.Config{Service: "events", Transport: cfg.Transport, Clock: cfg.Clock, UserAgent: cfg.UserAgent,
			Timeout: sendWithin, Retries: -1, MaxBody: mostAnswer, Log: cfg.Log, Observe: cfg.Called})}
	for _, e := range cfg.Endpoints {
		s.nudges[e.ID] = make(chan struct{}, 1)
	}
	return s
}

// Nudge asks the sender to look for due deliveries now. It never blocks.
func (s *Sender) Nudge() {
	for _, c := range s.nudges {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// Run sends until ctx ends, then waits for what is under way. What another process has emitted is
// found within seconds. An endpoint that is slow does not hold up the others.
func (s *Sender) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, e := range s.cfg.Endpoints {
		wg.Go(func() { s.tend(ctx, e) })
	}
	wg.Wait()
}

func (s *Sender) tend(ctx context.Context, e Endpoint) {
	for ctx.Err() == nil {
		n, next, err := s.step(ctx, e)
		if err != nil && ctx.Err() == nil {
			s.failed(e, err)
		}
		if n > 0 && err == nil {
			continue // what it left behind is known only now
		}
		select {
		case <-ctx.Done():
		case <-s.nudges[e.ID]:
		case <-time.After(s.wait(next)):
		}
	}
}

func (s *Sender) failed(e Endpoint, err error) {
	s.cfg.Failed(err)
	s.cfg.Log.Error("events not looked after; it is tried again", "endpoint", e.ID, "error", err)
}

// wait is how long nothing is due, as far as is known.
func (s *Sender) wait(next time.Time) time.Duration {
	if next.IsZero() {
		return poll
	}
	return min(max(next.Sub(s.cfg.Clock()), soon), poll)
}
