package shopifyfake

import (
	"context"
	_ "embed"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

//go:embed schema.graphql
var ownSDL string

// Config describes the store. The zero value is a calm store acme.myshopify.com in New York.
type Config struct {
	Shop       string // "": acme.myshopify.com
	Name       string // "": Acme
	Currency   string // "": USD
	Zone       string // "": America/New_York
	APIVersion string // the version it serves whatever is asked. "": 2026-10

	ClientID     string        // "": client-id
	ClientSecret string        // signs webhooks. "": client-secret
	Token        string        // a fixed token that never ends; "": only granted ones are taken
	TokenLife    time.Duration // of granted tokens. 0: 24 h
	Scopes       []string      // nil: all the bridge asks for

	Clock func() time.Time                                 // nil: time.Now
	Sleep func(ctx context.Context, d time.Duration) error // nil: a real timer
	Rand  *rand.Rand                                       // nil: a fixed seed

	Bucket        float64       // cost points at most. 0: 2000
	Restore       float64       // points per second. 0: 100
	Latency       time.Duration // of every answer
	SearchLag     time.Duration // until a change shows in searches
	IdentifierLag time.Duration // until a new order is found by its metafield
	DevStore      bool          // takes five new orders a minute
	CancelDelay   time.Duration // until a cancellation asked for by the app is carried out; 0: with the next look
	Forgetful     bool          // idempotency keys are taken and forgotten at once
	Faults        Faults
	HookClient    *http.Client // delivers webhooks. nil: one with the store's limit of 5 s
	SDL           string       // another schema to validate against; "": the embedded one
}

// Server is the store. It is an http.Handler and safe for concurrent use.
type Server struct {
	cfg    Config
	schema *ast.Schema
	docs   sync.Map // document text → *parsed
	wake   chan struct{}

	mu      sync.Mutex
	world   world
	bucket  bucket
	tokens  map[string]time.Time
	forced  map[string][]Fault
	calls   map[string]int
	seq     int64
	status  int // set: every call is answered with it
	created []time.Time
}

// DefaultScopes are what the bridge asks for.
var DefaultScopes = []string{"read_orders", "write_orders", "read_products", "read_locations",
	"read_merchant_managed_fulfillment_orders", "write_merchant_managed_fulfillment_orders"}

// firstID lies above what a float64 can hold exactly, as Shopify's ids in webhooks do.
const firstID = 820982911946154508

// New opens the store.
func New(cfg Config) (*Server, error) {
	cfg = withDefaults(cfg)
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphql", Input: cfg.SDL})
	if err != nil {
		return nil, fmt.Errorf("shopifyfake: loading the schema: %w", err)
	}
	return &Server{cfg: cfg, schema: schema, wake: make(chan struct{}, 1), tokens: map[string]time.Time{},
		forced: map[string][]Fault{}, calls: map[string]int{}, seq: firstID, world: world{stock: map[string]int{}, shown: map[string]indexed{}, sources: map[string][]string{}, remembered: map[string]remembered{}},
		bucket: bucket{max: cfg.Bucket, level: cfg.Bucket, rate: cfg.Restore, at: cfg.Clock()}}, nil
}

func withDefaults(cfg Config) Config {
	set := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	set(&cfg.Shop, "acme.myshopify.com")
	set(&cfg.Name, "Acme")
	set(&cfg.Currency, "USD")
	set(&cfg.Zone, "America/New_York")
	set(&cfg.APIVersion, "2026-10")
	set(&cfg.ClientID, "client-id")
	set(&cfg.ClientSecret, "client-secret")
	set(&cfg.SDL, ownSDL)
	if cfg.TokenLife == 0 {
		cfg.TokenLife = 24 * time.Hour
	}
	if cfg.Scopes == nil {
		cfg.Scopes = DefaultScopes
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Sleep == nil {
		cfg.Sleep = sleep
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.New(rand.NewPCG(1, 2))
	}
	if cfg.Bucket == 0 {
		cfg.Bucket = 2000
	}
	if cfg.Restore == 0 {
		cfg.Restore = 100
	}
	if cfg.HookClient == nil {
		cfg.HookClient = &http.Client{Timeout: hookTimeout}
	}
	return cfg
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

// ServeHTTP answers the token endpoint and the GraphQL endpoint of any API version.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.cfg.Latency > 0 {
		if err := s.cfg.Sleep(r.Context(), s.cfg.Latency); err != nil {
			panic(http.ErrAbortHandler)
		}
	}
	w.Header().Set("Date", s.cfg.Clock().UTC().Format(http.TimeFormat))
	w.Header().Set("X-Request-Id", "req-"+strconv.FormatInt(s.nextID(), 10))
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/admin/oauth/access_token":
		s.serveToken(w, r)
	case r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/admin/api/") && strings.HasSuffix(r.URL.Path, "/graphql.json"):
		w.Header().Set("X-Shopify-API-Version", s.cfg.APIVersion)
		s.serveGraphQL(w, r)
	default:
		writeJSON(w, http.StatusNotFound, map[string]any{"errors": "Not Found"})
	}
}

func (s *Server) nextID() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	return s.seq
}

// id makes a new global id. The lock is held.
func (s *Server) id(kind string) string {
	s.seq++
	return "gid://shopify/" + kind + "/" + strconv.FormatInt(s.seq, 10)
}

// number is the numeric id inside a global one.
func number(gid string) int64 {
	n, err := strconv.ParseInt(gid[strings.LastIndexByte(gid, '/')+1:], 10, 64)
	if err != nil {
		panic("shopifyfake: not an id: " + gid)
	}
	return n
}

// now is the store's time; Shopify shows whole seconds.
func (s *Server) now() time.Time { return s.cfg.Clock().UTC().Truncate(time.Second) }
