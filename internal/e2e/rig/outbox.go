package rig

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Message is one push, sent again until somebody acknowledges it.
type Message struct {
	Connection, ID string
	Body           []byte
	// Header signs the body for the moment it is sent.
	Header func(now time.Time) http.Header
}

type name struct{ connection, id string }

// Outbox sends messages from many senders at once and remembers what was acknowledged.
type Outbox struct {
	// Target says where pushes of a connection go. It may differ from attempt to attempt.
	Target func(connection string) string
	Repeat float64 // share of messages that are sent twice
	Rand   *rand.Rand

	http    *http.Client
	waiting chan Message
	group   sync.WaitGroup
	open    atomic.Int64 // messages not acknowledged yet
	mu      sync.Mutex
	acked   map[name]bool
	Count   Tally
}

// Tally is what senders saw.
type Tally struct {
	Attempts, Acknowledged, Repeated atomic.Int64
	Unavailable                      atomic.Int64 // answered 503
	Strange                          atomic.Int64 // answered with anything but 200 and 503
	Broken                           atomic.Int64 // no answer
}

// Start begins to send from n senders until ctx ends.
func (o *Outbox) Start(ctx context.Context, n int) {
	o.http = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: n, MaxConnsPerHost: n}}
	o.waiting, o.acked = make(chan Message, 1<<17), map[name]bool{}
	for range n {
		o.group.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case m := <-o.waiting:
					o.insist(ctx, m)
				}
			}
		})
	}
}

// Wait waits for the senders after the context of Start has ended.
func (o *Outbox) Wait() { o.group.Wait() }

// Put hands a message over; some are handed over twice.
func (o *Outbox) Put(m Message) {
	o.open.Add(1)
	o.waiting <- m
	o.mu.Lock()
	again := o.Rand.Float64() < o.Repeat
	o.mu.Unlock()
	if again {
		o.open.Add(1)
		o.Count.Repeated.Add(1)
		o.waiting <- m
	}
}

// Open is how many messages nobody has acknowledged yet.
func (o *Outbox) Open() int { return int(o.open.Load()) }

// Acknowledged lists the ids that were acknowledged for a connection.
func (o *Outbox) Acknowledged(connection string) map[string]bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := map[string]bool{}
	for n := range o.acked {
		if n.connection == connection {
			out[n.id] = true
		}
	}
	return out
}

// insist sends one message until it is acknowledged, a little slower every time.
func (o *Outbox) insist(ctx context.Context, m Message) {
	wait := 20 * time.Millisecond
	for ctx.Err() == nil {
		o.Count.Attempts.Add(1)
		switch status := o.send(ctx, m); status {
		case http.StatusOK:
			o.mu.Lock()
			o.acked[name{m.Connection, m.ID}] = true
			o.mu.Unlock()
			o.Count.Acknowledged.Add(1)
			o.open.Add(-1)
			return
		case 0:
			o.Count.Broken.Add(1)
		case http.StatusServiceUnavailable:
			o.Count.Unavailable.Add(1)
		default:
			o.Count.Strange.Add(1)
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, 500*time.Millisecond)
	}
}

// send returns the status of the answer, 0 when there was none.
func (o *Outbox) send(ctx context.Context, m Message) int {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, o.Target(m.Connection), bytes.NewReader(m.Body))
	if err != nil {
		return 0
	}
	r.Header = m.Header(time.Now())
	resp, err := o.http.Do(r)
	if err != nil {
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body) // only the status counts
	return resp.StatusCode
}
