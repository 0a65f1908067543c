package generic

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"strings"
	"time"

	"channelbridge/internal/fault"
	"channelbridge/internal/httpx"
	"channelbridge/internal/secret"
	"channelbridge/internal/signature"
	"channelbridge/marketplace"
)

// Config is one channel. It needs a secret, a base address or both.
type Config struct {
	Base  string      // address of the API, without a slash at the end; empty: push-only
	Token secret.Text // bearer token of the API

	Secret    secret.Text   // whsec_…; without it every push is refused
	Previous  secret.Text   // still accepted while the secret is being changed
	Tolerance time.Duration // of a push's timestamp, both ways. 0: 5 min

	Site     string // shown as the order's site; empty: "generic"
	SiteName string
	Zone     string // IANA zone in which the channel's day ends; empty: UTC

	Carriers   map[string]marketplace.Carrier // store carrier name → the channel's
	NeedTrack  bool                           // the channel refuses a shipment without tracking number
	SettleIn   time.Duration                  // 0: 1 min
	SweepEvery time.Duration                  // 0: 2 min
	Overlap    time.Duration                  // 0: 10 min

	// Instructions are the money writes the channel takes, and the sign that its refunds can be
	// read. Without any it is neither asked to give money back nor about it.
	Instructions []marketplace.Operation
	Capture      string                                      // CaptureOrder or CaptureShipment; empty: CaptureOrder
	WholeOnly    bool                                        // refunds are taken for whole orders only
	Reasons      map[marketplace.Operation]map[string]string // the store's reason → the channel's; absent: the store's own

	// HTTP passes hooks to the client: Transport, Clock, Sleep, Limits, Log, Observe. Service is
	// filled in when it is empty.
	HTTP httpx.Config
}

// Adapter is one channel. It is safe for concurrent use.
type Adapter struct {
	cfg  Config
	keys []signature.Key
	api  *client
}

var (
	_ marketplace.Adapter  = (*Adapter)(nil)
	_ marketplace.Checker  = (*Adapter)(nil)
	_ marketplace.Receiver = (*Adapter)(nil)
)

// New checks the configuration, naming every problem at once. It does not call out.
func New(cfg Config) (*Adapter, error) {
	var bad []error
	a := &Adapter{}
	for _, s := range []struct {
		name string
		text secret.Text
	}{{"secret", cfg.Secret}, {"previous secret", cfg.Previous}} {
		if !s.text.Set() {
			continue
		}
		key, err := signature.ParseKey(s.text)
		if err != nil {
			bad = append(bad, fmt.Errorf("generic: %s: %w", s.name, err))
		}
		a.keys = append(a.keys, key)
	}
	if cfg.Base == "" && !cfg.Secret.Set() {
		bad = append(bad, errors.New("generic: neither a secret for pushes nor a base address"))
	}
	if err := checkBase(cfg.Base); err != nil {
		bad = append(bad, err)
	}
	cfg.Zone = cmp.Or(cfg.Zone, "UTC")
	if _, err := time.LoadLocation(cfg.Zone); err != nil {
		bad = append(bad, fmt.Errorf("generic: zone: %w", err))
	}
	if bad = append(bad, cfg.checkMoney()...); len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	a.cfg = cfg.complete()
	a.api = &client{http: httpx.New(a.cfg.HTTP), base: a.cfg.Base, token: a.cfg.Token, now: a.cfg.HTTP.Clock}
	return a, nil
}

func checkBase(base string) error {
	if base == "" {
		return nil
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.User != nil {
		return fmt.Errorf("generic: base address: not a plain http(s) address")
	}
	return nil
}

func (cfg Config) complete() Config {
	cfg.Base = strings.TrimRight(cfg.Base, "/")
	cfg.Tolerance = cmp.Or(cfg.Tolerance, 5*time.Minute)
	cfg.Site = cmp.Or(cfg.Site, "generic")
	cfg.SettleIn = cmp.Or(cfg.SettleIn, time.Minute)
	cfg.SweepEvery = cmp.Or(cfg.SweepEvery, 2*time.Minute)
	cfg.Overlap = cmp.Or(cfg.Overlap, 10*time.Minute)
	cfg.HTTP.Service = cmp.Or(cfg.HTTP.Service, "generic")
	if cfg.HTTP.Clock == nil {
		cfg.HTTP.Clock = time.Now
	}
	if cfg.HTTP.Log == nil {
		cfg.HTTP.Log = slog.New(slog.DiscardHandler)
	}
	table := map[string]marketplace.Carrier{}
	for name, c := range cfg.Carriers {
		table[strings.ToLower(strings.TrimSpace(name))] = c
	}
	cfg.Carriers = table
	return cfg
}

// Traits of the channel. The required Idempotency-Key makes repetition native.
func (a *Adapter) Traits() marketplace.Traits {
	t := marketplace.Traits{
		SettleIn:   a.cfg.SettleIn,
		Repeat:     map[marketplace.Operation]marketplace.RepeatClass{marketplace.OpConfirmShipment: marketplace.RepeatNative},
		Carriers:   maps.Clone(a.cfg.Carriers),
		NeedTrack:  a.cfg.NeedTrack,
		SweepEvery: a.cfg.SweepEvery,
		Overlap:    a.cfg.Overlap,
	}
	a.cfg.moneyTraits(&t)
	return t
}

// Check lists orders from this moment on, which proves address and token. A push-only channel
// has nothing to ask.
func (a *Adapter) Check(ctx context.Context) (marketplace.Health, error) {
	h := marketplace.Health{Account: a.cfg.SiteName, Sites: []string{a.cfg.Site}}
	if a.cfg.Base == "" {
		h.Warnings = append(h.Warnings, "push-only: orders cannot be read again and shipments not confirmed")
		return h, nil
	}
	u, err := url.Parse(a.cfg.Base)
	if err == nil {
		h.Account = cmp.Or(h.Account, u.Host)
	}
	now := a.cfg.HTTP.Clock()
	_, date, err := a.api.list(ctx, marketplace.Cursor{Since: now})
	if err != nil {
		return marketplace.Health{}, fault.Wrap(err, "checking the channel")
	}
	if !date.IsZero() {
		h.ClockSkew = date.Sub(now).Round(time.Second)
	}
	if len(a.keys) == 0 {
		h.Warnings = append(h.Warnings, "no secret: pushes are refused, changes are found by listing only")
	}
	return h, nil
}
