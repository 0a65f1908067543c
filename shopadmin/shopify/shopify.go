package shopify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"sync"
	"time"

	"channelbridge/internal/httpx"
	"channelbridge/internal/secret"
	"channelbridge/shopadmin"
)

// DefaultVersion is the quarterly API version the documents were written for.
const DefaultVersion = "2026-10"

// Config is what an Admin needs. Shop and one way to authenticate are obligatory.
type Config struct {
	Shop       string // the store's permanent domain, acme.myshopify.com
	BaseURL    string // "": https://{Shop}
	APIVersion string // "": DefaultVersion

	ClientID       string      // the app's client id, for the client credentials grant
	ClientSecret   secret.Text // signs webhooks; also the grant's password
	PreviousSecret secret.Text // still accepted for webhooks while a rotation is under way
	SecretExpires  time.Time   // when PreviousSecret stops being accepted; zero: while it is set
	Token          secret.Text // a fixed access token; absent: the grant is used

	SourceName      string        // the order source shown by the store; "": what the order says
	MarkNamespace   string        // "": $app:bridge
	MarkKey         string        // "": external_id
	SearchTag       string        // set: put on every created order, and sweeps ask only for orders with it
	OrdersPerMinute int           // trial and development stores allow 5; 0: not paced
	SettleIn        time.Duration // until the store's search shows every earlier write. 0: 2 min

	Transport http.RoundTripper
	Clock     func() time.Time
	Sleep     func(ctx context.Context, d time.Duration) error
	Retries   int           // see httpx.Config
	Timeout   time.Duration // of one exchange. 0: 30 s
	MaxWait   time.Duration // longest wait inside a call for query cost to refill. 0: 5 s
	Log       *slog.Logger
	Observe   func(httpx.Event)
}

// Admin is one store. It is safe for concurrent use.
type Admin struct {
	cfg    Config
	client *client

	defining sync.Mutex
	defined  bool // the mark's metafield definition is known to exist

	variants variantCache
}

var (
	_ shopadmin.Admin      = (*Admin)(nil)
	_ shopadmin.Updater    = (*Admin)(nil)
	_ shopadmin.Holder     = (*Admin)(nil)
	_ shopadmin.Refunder   = (*Admin)(nil)
	_ shopadmin.Canceller  = (*Admin)(nil)
	_ shopadmin.Checker    = (*Admin)(nil)
	_ shopadmin.Receiver   = (*Admin)(nil)
	_ shopadmin.Subscriber = (*Admin)(nil)
)

var (
	shopPattern    = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9-]*\.myshopify\.com$`)
	versionPattern = regexp.MustCompile(`^(20\d\d-(01|04|07|10)|unstable)$`)
)

// New checks the whole configuration and makes an Admin; it sends nothing.
func New(cfg Config) (*Admin, error) {
	cfg = withDefaults(cfg)
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("shopify: %w", err)
	}
	return &Admin{cfg: cfg, client: newClient(cfg), variants: variantCache{known: map[string]variantEntry{}}}, nil
}

func withDefaults(cfg Config) Config {
	set := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	set(&cfg.BaseURL, "https://"+cfg.Shop)
	set(&cfg.APIVersion, DefaultVersion)
	set(&cfg.MarkNamespace, "$app:bridge")
	set(&cfg.MarkKey, "external_id")
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.MaxWait == 0 {
		cfg.MaxWait = 5 * time.Second
	}
	return cfg
}

func (c Config) check() error {
	var errs []error
	if !shopPattern.MatchString(c.Shop) {
		errs = append(errs, fmt.Errorf("shop %q is not of the form name.myshopify.com", c.Shop))
	}
	if u, err := url.Parse(c.BaseURL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		errs = append(errs, errors.New("the base URL is not an http or https address"))
	}
	if !versionPattern.MatchString(c.APIVersion) {
		errs = append(errs, fmt.Errorf("API version %q is not a quarterly version such as %s", c.APIVersion, DefaultVersion))
	}
	if !c.ClientSecret.Set() {
		errs = append(errs, errors.New("the client secret is missing: webhooks cannot be verified without it"))
	}
	if !c.Token.Set() && c.ClientID == "" {
		errs = append(errs, errors.New("neither an access token nor a client id is given"))
	}
	if c.OrdersPerMinute < 0 {
		errs = append(errs, errors.New("orders per minute must not be negative"))
	}
	return errors.Join(errs...)
}

// Traits says how long the store's order index may lag and how often to sweep.
func (a *Admin) Traits() shopadmin.Traits {
	return shopadmin.Traits{SettleIn: cmp.Or(a.cfg.SettleIn, 2*time.Minute), SweepEvery: 2 * time.Minute, Overlap: 5 * time.Minute}
}
