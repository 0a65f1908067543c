package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
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
	Scratch    string          // folder for exports under way; "": the system's
	Nudge      func()          // called after something became due; must not block. nil: nobody waits
	Limits     Limits
}

// Limits bound what one request may cost. Zero fields take the default.
type Limits struct {
	MaxBody  int64         // bytes of a body; default 64 KiB
	Answer   time.Duration // within which a request is answered or given up; default 20 s
	Failures int           // requests without a valid token, per peer and minute; default 30
	Rate     int           // requests per minute and token, or peer where there is no valid token; default 1200
	Report   time.Duration // within which a report is made and sent, or given up; default 2 minutes
	MaxFile  int64         // bytes of a payout file; default 2 GiB
	JobRows  int           // lines of payouts above which a file is made in the background; default 200,000
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
	failures *buckets                      // requests without a valid token, by peer
	tokens   *buckets                      // requests, by token
	peers    *buckets                      // those without one, by peer
	flights  *flights
	reports  *keptReports
	jobs     *jobs

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
	def(&cfg.Limits.Rate, 1200)
	def(&cfg.Limits.Report, 2*time.Minute)
	def(&cfg.Limits.MaxFile, 2<<30)
	def(&cfg.Limits.File, time.Hour)
	def(&cfg.Limits.JobRows, jobRows)
	doc, err := document()
	if err != nil {
		return nil, fmt.Errorf("httpapi: reading the document: %w", err)
	}
	schemas, err := bodySchemas(doc)
	if err != nil {
		return nil, fmt.Errorf("httpapi: reading the document: %w", err)
	}
	return &Server{cfg: cfg, store: cfg.Store, document: doc, schemas: schemas, failures: newBuckets(cfg.Limits.Failures), tokens: newBuckets(cfg.Limits.Rate), peers: newBuckets(cfg.Limits.Rate),
		flights: newFlights(), reports: newKeptReports(), jobs: newJobs(cfg.Scratch, cfg.Clock, cfg.Log), good: map[[32]byte]bool{}}, nil
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
	g.GET("/openapi.json", s.showDocument)
	below := map[string]map[string]route{} // of one address with an id, what may be done with it
	for _, r := range s.routes() {
		path, verb, has := strings.Cut(r.path, `:id\:`)
		if !has {
			g.Add(r.method, r.path, s.serve(r))
			continue
		}
		if below[path] == nil {
			below[path] = map[string]route{}
			g.Add(r.method, path+":id", s.deeds(below[path]))
		}
		below[path][verb] = r
	}
}

// deeds serves what may be done with one thing: POST …/{id}:{verb}. The router takes the verb for a
// part of the id.
func (s *Server) deeds(by map[string]route) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := c.Param("id")
		r, known := by[id[strings.LastIndex(id, ":")+1:]]
		if !known {
			return echo.ErrNotFound
		}
		return s.serve(r)(c)
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
		_ = s.unasked(c, p)
	}
	s.Routes(e.Group("/v1"))
	return e
}

// showDocument is for everybody: it needs no token.
func (s *Server) showDocument(c echo.Context) error {
	if err := s.spendPeer(c.Request(), c.Response().Header(), s.cfg.Clock().UTC()); err != nil {
		return s.sendProblem(c, problemOf(err))
	}
	return send(c, reply{status: http.StatusOK, raw: s.document})
}

// unasked answers a request that no route takes.
func (s *Server) unasked(c echo.Context, p *Problem) error {
	if err := s.spendPeer(c.Request(), c.Response().Header(), s.cfg.Clock().UTC()); err != nil {
		p = problemOf(err)
	}
	return s.sendProblem(c, p)
}

func (s *Server) sendProblem(c echo.Context, p *Problem) error {
	p.Reference = newReference()
	return send(c, p.reply())
}
