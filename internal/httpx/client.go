// Package httpx is the one HTTP client of all adapters: pacing per operation, a bounded answer,
// errors with a class, and a trace that never holds secrets or bodies.
//
// Reads and other calls that may repeat are repeated a few times by go-retryablehttp. A write
// is sent once; repeating it is the ledger's decision, never the client's.
package httpx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"

	"channelbridge/internal/fault"
)

// Config is what a client needs. The zero values of optional fields are good.
type Config struct {
	Service   string                                           // short name for logs, metrics and error texts
	Transport http.RoundTripper                                // nil: a tuned http.Transport
	Clock     func() time.Time                                 // nil: time.Now
	Sleep     func(ctx context.Context, d time.Duration) error // nil: a real timer
	UserAgent string
	Limits    map[string]Limit // by operation; an operation without one is not paced
	MaxWait   time.Duration    // longest wait for a turn inside a call; longer is Temporary. 0: 2 s
	Timeout   time.Duration    // of one exchange when the context has no earlier end. 0: 30 s
	Retries   int              // extra tries of calls with Repeat; negative: none. 0: 2
	MaxBody   int64            // largest answer read. 0: 16 MiB
	Log       *slog.Logger
	Observe   func(Event) // told of every exchange
}

// Event is one finished exchange, for metrics.
type Event struct {
	Service string
	Op      string
	Status  int           // 0: no answer
	Outcome string        // ok, throttled, client_error, server_error, lost, unsent
	Wait    time.Duration // spent waiting for a turn
	Took    time.Duration
}

// Call is one request. Body is sent as it is.
type Call struct {
	Op     string // operation name, for pacing, logs and errors
	Method string
	URL    string
	Header http.Header
	Body   []byte
	Repeat bool // a read, or a write that may be repeated without a second effect
}

// Answer is what came back, whatever its status.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Client sends calls for one account at one service.
type Client struct {
	cfg    Config
	once   *http.Client
	repeat *http.Client
	pace   *pacer
}

// New makes a client.
func New(cfg Config) *Client {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Sleep == nil {
		cfg.Sleep = sleep
	}
	if cfg.MaxWait == 0 {
		cfg.MaxWait = 2 * time.Second
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 30 * time.Second
	}
	if cfg.Retries == 0 {
		cfg.Retries = 2
	}
	if cfg.MaxBody == 0 {
		cfg.MaxBody = 16 << 20
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Observe == nil {
		cfg.Observe = func(Event) {}
	}
	if cfg.Transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = 32
		cfg.Transport = t
	}
	c := &Client{cfg: cfg, pace: newPacer(cfg.Limits)}
	c.once = &http.Client{Transport: cfg.Transport, CheckRedirect: stay}
	c.repeat = c.once
	if cfg.Retries > 0 {
		r := retryablehttp.NewClient()
		r.HTTPClient = c.once
		r.RetryMax = cfg.Retries
		r.RetryWaitMin, r.RetryWaitMax = 200*time.Millisecond, 3*time.Second
		r.Logger = nil
		r.ErrorHandler = retryablehttp.PassthroughErrorHandler
		r.CheckRetry = retryRead
		c.repeat = r.StandardClient()
		c.repeat.CheckRedirect = stay
	}
	return c
}

func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// retryRead repeats lost connections and gateway errors. Throttling is the pacer's matter.
func retryRead(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		return true, nil
	}
	switch resp.StatusCode {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true, nil
	}
	return false, nil
}

// Do waits for its turn and sends the call. The error is nil whenever an answer came, whatever
// its status; use Classify on it. Otherwise the error says whether the call may have arrived:
// Temporary when it surely did not (or may repeat), Unknown when nobody knows.
func (c *Client) Do(ctx context.Context, call Call) (Answer, error) {
	ev := Event{Service: c.cfg.Service, Op: call.Op}
	wait, err := c.turn(ctx, call.Op)
	ev.Wait = wait
	if err != nil {
		ev.Outcome = "unsent"
		c.cfg.Observe(ev)
		return Answer{}, err
	}
	ctx, span := otel.Tracer("channelbridge/httpx").Start(ctx, c.cfg.Service+"."+call.Op)
	defer span.End()
	began := c.cfg.Clock()
	ans, err := c.exchange(ctx, call)
	ev.Took, ev.Status, ev.Outcome = c.cfg.Clock().Sub(began), ans.Status, outcome(ans.Status, err)
	span.SetAttributes(attribute.Int("http.response.status_code", ans.Status), attribute.String("outcome", ev.Outcome))
	if err != nil {
		span.SetStatus(codes.Error, fault.Of(err).String())
	}
	c.cfg.Observe(ev)
	c.cfg.Log.Debug("call", "service", c.cfg.Service, "op", call.Op, "status", ans.Status,
		"outcome", ev.Outcome, "took", ev.Took, "wait", ev.Wait)
	return ans, err
}

// turn reserves the operation's next free moment and waits for it.
func (c *Client) turn(ctx context.Context, op string) (time.Duration, error) {
	d := c.pace.reserve(op, c.cfg.Clock(), c.cfg.MaxWait)
	if d > c.cfg.MaxWait {
		return 0, &fault.Error{Class: fault.Temporary, After: d, Code: "paced",
			Err: fmt.Errorf("%s %s: the rate limit leaves no room for %s", c.cfg.Service, op, d.Round(time.Second))}
	}
	if d > 0 {
		if err := c.cfg.Sleep(ctx, d); err != nil {
			return d, &fault.Error{Class: fault.Temporary, Err: fmt.Errorf("%s %s: waiting for a turn: %w", c.cfg.Service, op, err)}
		}
	}
	return d, nil
}

func (c *Client) exchange(ctx context.Context, call Call) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	var out atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { out.Store(true) }})
	req, err := http.NewRequestWithContext(ctx, call.Method, call.URL, bytes.NewReader(call.Body))
	if err != nil {
		return Answer{}, fault.New(fault.Refused, "%s %s: building the request: %w", c.cfg.Service, call.Op, scrub(err))
	}
	for k, v := range call.Header {
		req.Header[k] = v
	}
	if c.cfg.UserAgent != "" {
		req.Header.Set("User-Agent", c.cfg.UserAgent)
	}
	client := c.once
	if call.Repeat {
		client = c.repeat
	}
	resp, err := client.Do(req)
	if err != nil {
		return Answer{}, c.lost(call, err, out.Load())
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, c.cfg.MaxBody+1))
	if err != nil {
		return Answer{Status: resp.StatusCode}, c.lost(call, err, true)
	}
	if int64(len(body)) > c.cfg.MaxBody {
		return Answer{Status: resp.StatusCode}, c.lost(call, errors.New("answer larger than the limit"), true)
	}
	return Answer{resp.StatusCode, resp.Header, body}, nil
}

// lost classifies an exchange without a readable answer.
func (c *Client) lost(call Call, err error, sent bool) error {
	class := fault.Unknown
	if call.Repeat || !sent && !anonymous(c.cfg.Transport) {
		class = fault.Temporary
	}
	return fault.New(class, "%s %s: %w", c.cfg.Service, call.Op, scrub(err))
}

// anonymous reports a transport that does not drive httptrace, so "not sent" cannot be known.
func anonymous(t http.RoundTripper) bool {
	_, ok := t.(*http.Transport)
	return !ok
}

// scrub takes the address out of url.Error: query strings may hold what logs must not.
func scrub(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// Throttled tells the pacer that the service refused op for going too fast: nothing more is
// sent for at least d (0: one refill interval), and twice as long each time in a row.
func (c *Client) Throttled(op string, d time.Duration) time.Duration {
	return c.pace.penalty(op, c.cfg.Clock(), d)
}

// Admitted tells the pacer that the service took op, which ends a series of penalties.
func (c *Client) Admitted(op string) { c.pace.clear(op) }

func outcome(status int, err error) string {
	switch {
	case err != nil:
		return "lost"
	case status == http.StatusTooManyRequests:
		return "throttled"
	case status >= 500:
		return "server_error"
	case status >= 400:
		return "client_error"
	}
	return "ok"
}

// Classify gives the meaning of an HTTP status for a call: repeat says whether the call may be
// repeated (a read). A server error on a write is Unknown: it may have worked.
func Classify(status int, repeat bool) fault.Class {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return fault.Denied
	case status == http.StatusNotFound:
		return fault.NotFound
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout && repeat:
		return fault.Temporary
	case status >= 400 && status < 500 && status != http.StatusRequestTimeout:
		return fault.Refused
	case repeat:
		return fault.Temporary
	}
	return fault.Unknown
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
