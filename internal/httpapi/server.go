package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"channelbridge/connector"
)

// Store is what the API needs of what the bridge keeps; connector.Store is one.
type Store interface {
	connector.Reader
	connector.Wishes
	connector.Switches
	connector.Audits
	connector.Tokens
	connector.Replies
	Load(ctx context.Context, s connector.Subject) (connector.Record, error)
	Entry(ctx context.Context, id int64) (connector.Entry, error)
	Reopen(ctx context.Context, s connector.Subject, at time.Time, note string) (int, error)
	Resolve(ctx context.Context, id int64, o connector.Outcome, actor, evidence string) error
}

// Replayer reads a kept delivery again. It gives connector.ErrNotFound, or a *Refusal for a
// delivery that cannot be replayed.
type Replayer interface {
	Replay(ctx context.Context, row int64, force bool) error
}

// Config is what a server needs: Store, Money, Channels and Deliveries have no zero value.
type Config struct {
	Store      Store
	Money      Money
	Channels   Channels
	Deliveries Replayer
	Payouts    Payouts         // nil: nothing about payouts is offered
	Events     Events          // nil: nobody is told of events
	Clock      connector.Clock // nil: time.Now
	Log        *slog.Logger    // nil: discards
	Nudge      func()          // called after something became due; must not block. nil: nobody waits
	Limits     Limits
}

// Limits bound what one request may cost. Zero fields take the default.
type Limits struct {
	MaxBody  int64         // bytes of a body; default 64 KiB
	Answer   time.Duration // within which a request is answered or given up; default 20 s
	Failures int           // requests without a valid token, per peer and minute; default 30
	Report   time.Duration // within which a report is made and sent, or given up; default 2 minutes
	MaxFile  int64         // bytes of a payout file; default 2 GiB
	File     time.Duration // within which a payout file arrives and is read, or is sent; default 1 hour
}

const (
	defaultPage = 50
	maxPage     = 200
)

// Server answers /v1. It is safe for many goroutines.
type Server struct {
	cfg      Config
	store    Store
	document []byte
	schemas  map[string]*jsonschema.Schema // of bodies, by their names in the document
	failures *failures
	flights  *flights
	reports  *keptReports

	mu   sync.Mutex
	good map[[32]byte]bool // hashes of tokens that were accepted before
}

// New makes a server.
func New(cfg Config) (*Server, error) {
	if cfg.Store == nil || cfg.Money == nil || cfg.Channels == nil || cfg.Deliveries == nil {
		return nil, errors.New("httpapi: a part is missing")
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
	def(&cfg.Limits.MaxBody, 64<<10)
	def(&cfg.Limits.Answer, 20*time.Second)
	def(&cfg.Limits.Failures, 30)
	def(&cfg.Limits.Report, 2*time.Minute)
	def(&cfg.Limits.MaxFile, 2<<30)
	def(&cfg.Limits.File, time.Hour)
	doc, err := document()
	if err != nil {
		return nil, fmt.Errorf("httpapi: reading the document: %w", err)
	}
	schemas, err := bodySchemas(doc)
	if err != nil {
		return nil, fmt.Errorf("httpapi: reading the document: %w", err)
	}
	return &Server{cfg: cfg, store: cfg.Store, document: doc, schemas: schemas, failures: newFailures(cfg.Limits.Failures),
		flights: newFlights(), reports: &keptReports{most: mostReportRows}, good: map[[32]byte]bool{}}, nil
}

func def[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// Routes mounts everything on a group, usually "/v1". What the group does not know is answered as
// the group's own echo answers it; Handler has problem documents for that as well.
func (s *Server) Routes(g *echo.Group) {
	g.GET("/openapi.json", func(c echo.Context) error { return send(c, reply{status: http.StatusOK, raw: s.document}) })
	for _, r := range s.routes() {
		g.Add(r.method, r.path, s.serve(r))
	}
}

// Handler is a server of its own with nothing but /v1.
func (s *Server) Handler() http.Handler {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		if c.Response().Committed {
			return
		}
		p := newProblem("not_found", "No such address is offered.", "See /v1/openapi.json for what there is.")
		if he, ok := errors.AsType[*echo.HTTPError](err); ok && he.Code == http.StatusMethodNotAllowed {
			p = newProblem("method_not_allowed", "The address is offered with another method.", "See /v1/openapi.json for what there is.")
		} else if !ok {
			p = problemOf(err)
		}
		p.Reference = newReference()
		_ = send(c, p.reply())
	}
	s.Routes(e.Group("/v1"))
	return e
}
