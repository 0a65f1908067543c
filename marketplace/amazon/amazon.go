// Package amazon connects the bridge to Amazon's Selling Partner API.
//
// It reads orders with Orders v2026-01-01, where one call brings everything, and confirms
// shipments with the v0 call that stays beside it. Order changes are heard from ORDER_CHANGE
// notifications, which Amazon delivers to an SQS queue only: either Poll fetches them, or an
// AWS pipe posts them and Receive checks its authorization header. Refunds and cancellations go
// out as XML feeds, which answer later and know no idempotency key; refunds made by anybody are
// read from Finances v2024-06-19, and so is the money Amazon holds back. Payouts are read from
// settlement reports, which Amazon makes by itself and which are only collected; their way to the
// bank is read from Transfers v2024-06-01, of which nothing but the list is asked for.
//
// Limits to know: a listing of changed orders may be asked for once in three minutes per
// seller, so pushes bring the speed and the listing the completeness; personal data comes only
// with the right roles and is optional everywhere; orders fulfilled by Amazon are read-only.
package amazon

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"time"

	"channelbridge/internal/httpx"
	"channelbridge/internal/secret"
	"channelbridge/marketplace"
)

// Config is one seller account in one region.
type Config struct {
	SellerID string   // the merchant token, "A…"; notifications of other sellers are ignored
	Region   string   // na, eu or fe
	Sites    []string // marketplace ids to work on; empty: all the seller takes part in

	ClientID     string
	ClientSecret secret.Text
	RefreshToken secret.Text
	Endpoint     string // API base address; empty: the region's
	TokenURL     string // empty: Amazon's

	QueueURL           string // for Poll
	QueueEndpoint      string // other address of the SQS service; empty: AWS
	QueueARN           string // where notifications are to be sent, for Subscriptions
	AWSRegion          string // of the queue; empty: taken from QueueURL, else the region's
	AWSAccessKeyID     secret.Text
	AWSSecretAccessKey secret.Text // without a pair of keys the default AWS chain is asked

	PipeAuthHeader        string      // header in which an AWS pipe proves itself; empty: Authorization
	PipeAuthToken         secret.Text // whole value of that header; absent: pushes are refused
	PipeAuthTokenPrevious secret.Text // still accepted while the pipe is being changed over

	Carriers map[string]marketplace.Carrier // store carrier name → Amazon's, over the built-in table

	// Reasons translate a store's reason into Amazon's, by operation, over the built-in table.
	Reasons map[marketplace.Operation]map[string]string
	// Taxes say by marketplace id how refunds write the tax, over the built-in table.
	Taxes map[string]TaxStrategy

	SecretExpires        time.Time // of ClientSecret (180 days after issue); zero: unknown
	AuthorizationExpires time.Time // of RefreshToken (365 days after consent); zero: unknown

	// HTTP passes hooks to the client: Transport, Clock, Sleep, Retries, Timeout, MaxWait, Log,
	// Observe. Service, UserAgent and Limits are filled in when they are empty.
	HTTP httpx.Config
}

type place struct{ host, aws string }

var regions = map[string]place{
	"na": {"https://sellingpartnerapi-na.amazon.com", "us-east-1"},
	"eu": {"https://sellingpartnerapi-eu.amazon.com", "eu-west-1"},
	"fe": {"https://sellingpartnerapi-fe.amazon.com", "us-west-2"},
}

const tokenURL = "https://api.amazon.com/auth/o2/token"

// Adapter is one seller account. It is safe for concurrent use.
type Adapter struct {
	cfg      Config
	clock    func() time.Time
	log      *slog.Logger
	api      *client
	carriers map[string]marketplace.Carrier
	reasons  map[marketplace.Operation]map[string]string

	mu      sync.Mutex
	reduced map[string]reduction // by operation: data sets Amazon refuses at the moment
}

var (
	_ marketplace.Adapter         = (*Adapter)(nil)
	_ marketplace.Checker         = (*Adapter)(nil)
	_ marketplace.Receiver        = (*Adapter)(nil)
	_ marketplace.Poller          = (*Adapter)(nil)
	_ marketplace.Subscriber      = (*Adapter)(nil)
	_ marketplace.Submitter       = (*Adapter)(nil)
	_ marketplace.RefundReader    = (*Adapter)(nil)
	_ marketplace.StatementSource = (*Adapter)(nil)
	_ marketplace.TransferSource  = (*Adapter)(nil)
	_ marketplace.DeferralSource  = (*Adapter)(nil)
)

// New checks the configuration, naming every problem at once, and makes the adapter.
// It does not call out.
func New(cfg Config) (*Adapter, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	http := httpx.New(cfg.HTTP)
	a := &Adapter{cfg: cfg, clock: cfg.HTTP.Clock, log: cfg.HTTP.Log, api: newClient(cfg, http),
		carriers: maps.Clone(defaultCarriers), reasons: translations(cfg.Reasons), reduced: map[string]reduction{}}
	for name, c := range cfg.Carriers {
		a.carriers[strings.ToLower(strings.TrimSpace(name))] = c
	}
	return a, nil
}

// complete fills in defaults and reports everything that is wrong.
func (cfg Config) complete() (Config, error) {
	var bad []error
	wrong := func(format string, args ...any) { bad = append(bad, fmt.Errorf("amazon: "+format, args...)) }
	need := func(name, value string) {
		if value == "" {
			wrong("%s is missing", name)
		}
	}
	need("seller id", cfg.SellerID)
	need("client id", cfg.ClientID)
	need("client secret", cfg.ClientSecret.Reveal())
	need("refresh token", cfg.RefreshToken.Reveal())
	region, known := regions[strings.ToLower(cfg.Region)]
	if !known {
		wrong("region %q is not one of na, eu, fe", cfg.Region)
	}
	cfg.Endpoint = or(cfg.Endpoint, region.host)
	cfg.TokenURL = or(cfg.TokenURL, tokenURL)
	cfg.AWSRegion = or(cfg.AWSRegion, queueRegion(cfg.QueueURL), region.aws)
	cfg.PipeAuthHeader = or(cfg.PipeAuthHeader, "Authorization")
	for name, address := range map[string]string{"endpoint": cfg.Endpoint, "token address": cfg.TokenURL,
		"queue address": cfg.QueueURL, "queue endpoint": cfg.QueueEndpoint} {
		if u, err := url.Parse(address); address != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			wrong("%s is not an http address", name)
		}
	}
	cfg.Endpoint = strings.TrimSuffix(cfg.Endpoint, "/")
	if cfg.QueueARN != "" && !strings.HasPrefix(cfg.QueueARN, "arn:aws:sqs:") {
		wrong("queue ARN %q does not begin with arn:aws:sqs:", cfg.QueueARN)
	}
	if cfg.AWSAccessKeyID.Set() != cfg.AWSSecretAccessKey.Set() {
		wrong("AWS access key id and secret access key belong together")
	}
	if len(cfg.Sites) > maxSites {
		wrong("%d sites, Amazon takes %d in one listing", len(cfg.Sites), maxSites)
	}
	for name, c := range cfg.Carriers {
		if err := checkCarrier(c); err != nil {
			wrong("carrier %q: %w", name, err)
		}
	}
	for _, err := range append(checkReasons(cfg.Reasons), checkTaxes(cfg.Taxes)...) {
		wrong("%w", err)
	}
	cfg.HTTP = httpDefaults(cfg.HTTP)
	return cfg, errors.Join(bad...)
}

func httpDefaults(h httpx.Config) httpx.Config {
	h.Service = or(h.Service, "amazon")
	h.UserAgent = or(h.UserAgent, fmt.Sprintf("ChannelBridge/1.0 (Language=Go/%s; Platform=%s)",
		strings.TrimPrefix(runtime.Version(), "go"), runtime.GOOS))
	if h.Clock == nil {
		h.Clock = time.Now
	}
	if h.Log == nil {
		h.Log = slog.New(slog.DiscardHandler)
	}
	if h.Limits == nil {
		h.Limits = maps.Clone(limits)
	}
	return h
}

// Traits says what reading Amazon's methods cannot tell.
func (a *Adapter) Traits() marketplace.Traits {
	return marketplace.Traits{
		// Amazon promises no delay; confirmed parcels usually show within minutes.
		SettleIn: 15 * time.Minute,
		Repeat: map[marketplace.Operation]marketplace.RepeatClass{
			// The same packageReferenceId again edits that package.
			marketplace.OpConfirmShipment: marketplace.RepeatNatural,
			// Amazon's help warns of it: a line handed in again is paid again.
			marketplace.OpCancel: marketplace.RepeatNone, marketplace.OpCancelUnits: marketplace.RepeatNone, marketplace.OpRefund: marketplace.RepeatNone,
		},
		Carriers:      maps.Clone(a.carriers),
		NeedTrack:     true,
		Instructions:  []marketplace.Operation{marketplace.OpCancel, marketplace.OpCancelUnits, marketplace.OpRefund},
		CaptureOnShip: true,
		Reasons:       translations(a.reasons),
		// Amazon's documentation of listTransactions: up to 48 hours.
		RefundsIn: shownLate,
		// 484 listings a day are allowed; this leaves room for further pages.
		SweepEvery: 5 * time.Minute,
		Overlap:    15 * time.Minute,
	}
}

// or returns the first text that is not empty.
func or(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}
