// Package amazonfake is a Selling Partner API in memory, with a token service, an SQS queue and
// faults on request. It keeps Amazon's rules (rate limits, page tokens, the two-minute bound,
// what a shipment confirmation may say) and answers in the shapes of the official models.
//
// It runs behind httptest, as a listener of its own, or in process through Transport. Time and
// chance are injected, so that a run can be repeated.
package amazonfake

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Options set up a Server. The zero value is a calm Amazon with official limits.
type Options struct {
	Clock  func() time.Time                                 // nil: time.Now
	Sleep  func(ctx context.Context, d time.Duration) error // nil: a real timer; used for slow answers
	Rand   *rand.Rand                                       // nil: a fixed seed
	Faults Faults

	SellerID, ClientID, ClientSecret, RefreshToken string // empty: DefaultSeller and so on
	Sites                                          []string
	TokenLife                                      time.Duration // 0: an hour

	Scale float64 // multiplies the official rates and bursts; 0: 1; negative: no limits

	QueueURL, QueueARN string        // empty: DefaultQueueURL, DefaultQueueARN
	Visibility         time.Duration // before a received message shows again; 0: 30 s
	MaxPollWait        time.Duration // cuts the queue's long poll, in real time; 0: 20 s
	Subscribed         bool          // begin with a destination and the subscriptions Subscribe makes
	Push               Push          // where Deliver posts notifications

	FeedDelay       time.Duration // from createFeed to its end; 0: 2 min
	RefundDelay     time.Duration // before listTransactions shows a movement
	TransactionPage int           // movements on a page; 0: 100
	TransferPage    int           // transfers on a page; 0: 10
	EmptyPages      bool          // an empty page comes before each full one, of movements and of transfers
	Deferred        bool          // refunds are deferred for a week and then released
}

// What an Options left empty stands for.
const (
	DefaultSeller   = "A3TH9S8BH6GOGM"
	DefaultClient   = "amzn1.application-oa2-client.fake"
	DefaultSecret   = "amzn1.oa2-cs.v1.fakesecret"
	DefaultRefresh  = "Atzr|fakerefresh"
	DefaultQueueURL = "https://sqs.us-east-1.amazonaws.com/111122223333/bridge"
	DefaultQueueARN = "arn:aws:sqs:us-east-1:111122223333:bridge"
)

// Server is one seller's Amazon. It is safe for concurrent use.
type Server struct {
	opt  Options
	mux  *http.ServeMux
	wake chan struct{} // closed and replaced when a message arrives

	mu      sync.Mutex
	faults  Faults
	refresh string // the valid refresh token; empty: authorisation withdrawn
	secret  string
	tokens  map[string]token
	serial  int
	buckets map[string]*rate.Limiter
	calls   map[string]int
	orders  map[string]*order
	placed  []string // order ids as placed
	pages   map[string]pageState
	dests   []destination
	subs    map[string]*subscription
	queue   []*message

	documents  map[string]*fileDoc
	signed     map[string]signature
	feeds      []*feed
	fates      []Fate
	feedPages  map[string]feedPage
	mishaps    map[string][]Mishap
	entries    []entry
	moneyPages map[string]moneyPage

	reports     []*publication
	reportPages map[string]reportPage
	closed      time.Time // end of the settlement made last
	transfers   []*transfer
}

// New makes a server.
func New(opt Options) *Server {
	defaults(&opt)
	s := &Server{opt: opt, wake: make(chan struct{}), faults: opt.Faults, refresh: opt.RefreshToken, secret: opt.ClientSecret,
		tokens: map[string]token{}, buckets: map[string]*rate.Limiter{}, calls: map[string]int{}, orders: map[string]*order{},
		pages: map[string]pageState{}, subs: map[string]*subscription{},
		documents: map[string]*fileDoc{}, signed: map[string]signature{}, feedPages: map[string]feedPage{},
		mishaps: map[string][]Mishap{}, moneyPages: map[string]moneyPage{}, reportPages: map[string]reportPage{}}
	s.mux = s.routes()
	if opt.Subscribed {
		s.Subscribe()
	}
	return s
}

func defaults(opt *Options) {
	text := func(p *string, v string) {
		if *p == "" {
			*p = v
		}
	}
	text(&opt.SellerID, DefaultSeller)
	text(&opt.ClientID, DefaultClient)
	text(&opt.ClientSecret, DefaultSecret)
	text(&opt.RefreshToken, DefaultRefresh)
	text(&opt.QueueURL, DefaultQueueURL)
	text(&opt.QueueARN, DefaultQueueARN)
	if opt.Clock == nil {
		opt.Clock = time.Now
	}
	if opt.Sleep == nil {
		opt.Sleep = wait
	}
	if opt.Rand == nil {
		opt.Rand = rand.New(rand.NewPCG(1, 2))
	}
	if len(opt.Sites) == 0 {
		opt.Sites = []string{"ATVPDKIKX0DER", "A2EUQ1WTGCTBG2", "A1AM78C64UM0Y8"}
	}
	if opt.TokenLife == 0 {
		opt.TokenLife = time.Hour
	}
	if opt.Scale == 0 {
		opt.Scale = 1
	}
	if opt.Visibility == 0 {
		opt.Visibility = 30 * time.Second
	}
	if opt.MaxPollWait == 0 {
		opt.MaxPollWait = 20 * time.Second
	}
	if opt.FeedDelay == 0 {
		opt.FeedDelay = 2 * time.Minute
	}
	if opt.TransactionPage == 0 {
		opt.TransactionPage = 100
	}
	if opt.TransferPage == 0 {
		opt.TransferPage = 10
	}
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Server) now() time.Time { return s.opt.Clock().UTC() }

// Calls returns how often each operation was asked for, by Amazon's name for it; refused and
// lost calls count too.
func (s *Server) Calls() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string]int, len(s.calls))
	for op, n := range s.calls {
		all[op] = n
	}
	return all
}

// reply is an answer before it is sent. A lost one was worked out and never arrives.
type reply struct {
	status int
	header http.Header
	body   []byte
	lost   bool
}

// Write, Header and WriteHeader make reply an http.ResponseWriter for the routes.
func (r *reply) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	r.body = append(r.body, b...)
	return len(b), nil
}

func (r *reply) Header() http.Header { return r.header }

func (r *reply) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (s *Server) answer(req *http.Request) *reply {
	r := &reply{header: http.Header{"Date": {s.now().Format(http.TimeFormat)}}}
	if d := s.slowness(); d > 0 {
		_ = s.opt.Sleep(req.Context(), d)
	}
	s.mux.ServeHTTP(r, req)
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r
}

// ServeHTTP answers over a real connection; a lost answer closes it.
func (s *Server) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r := s.answer(req)
	if r.lost {
		if h, ok := w.(http.Hijacker); ok {
			if conn, _, err := h.Hijack(); err == nil {
				_ = conn.Close()
				return
			}
		}
		panic(http.ErrAbortHandler)
	}
	for k, v := range r.header {
		w.Header()[k] = v
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body)
}

// ErrLost is what Transport returns for an answer lost after its effect.
var ErrLost = errors.New("amazonfake: connection lost before the answer")

type transport struct{ s *Server }

// Transport serves requests in process, whatever host they name.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	in := req.Clone(req.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	defer in.Body.Close()
	in.RequestURI, in.Host = in.URL.RequestURI(), in.URL.Host
	r := t.s.answer(in)
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	if r.lost {
		return nil, ErrLost
	}
	return &http.Response{StatusCode: r.status, Status: http.StatusText(r.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: r.header, Body: io.NopCloser(bytes.NewReader(r.body)), ContentLength: int64(len(r.body)), Request: req}, nil
}
