package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"channelbridge/connector"
	"channelbridge/internal/fault"
	"channelbridge/internal/vault"
	"channelbridge/migrations"
)

// finding is one thing doctor looked at.
type finding struct {
	What    string `json:"what"`
	Status  string `json:"status"` // ok, warn, fail
	Details string `json:"details,omitempty"`
	Hint    string `json:"hint,omitempty"`
}

const skewWarn = time.Minute // Amazon and Shopify sign and sort by time

func newDoctor(a *app) *cobra.Command {
	quick := false
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check configuration, database, connections and subscriptions",
		Long: `Check everything the bridge depends on: the configuration with all its faults at once, the
database and its schema, the key, and for each connection one cheap real call, the clocks, what
we may do there, secrets that end soon, and whether its pushes come to us. Nothing is changed; in the
folders of payout files one is made and taken away again, to see that files can be moved there.

Exit code 3 when something failed; warnings alone exit 0.`,
		Example: "  channelbridge doctor\n  channelbridge doctor --quick",
		Args:    arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			findings := a.diagnose(cmd.Context(), quick)
			if err := a.printFindings(findings); err != nil {
				return err
			}
			for _, f := range findings {
				if f.Status == "fail" {
					return errUnhealthy
				}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&quick, "quick", false, "leave out calls to marketplaces and stores")
	return c
}

// diagnose looks at everything in order; what cannot be looked at because of an earlier failure
// is left out.
func (a *app) diagnose(ctx context.Context, quick bool) []finding {
	cfg, err := a.config()
	if ce, ok := errors.AsType[*ConfigError](err); ok {
		var out []finding
		for _, f := range ce.Faults {
			out = append(out, finding{"configuration", "fail", words(f.Where+":", f.Path, f.Text), ""})
		}
		return out
	}
	if err != nil {
		return []finding{{"configuration", "fail", err.Error(), ""}}
	}
	out := []finding{{"configuration", "ok", fmt.Sprintf("%d connections", len(cfg.Connections)), ""}}
	if cfg.PublicURL == "" {
		out = append(out, finding{"public_url", "warn", "is not set", "stores cannot push to us; sweeps bring the news within minutes"})
	}
	s, err := a.store(ctx, cfg)
	if err != nil {
		out = append(out, finding{"database", "fail", err.Error(), "check database_url, and that `channelbridge migrate up` or `serve` has run"})
		if quick {
			return out
		}
		return append(out, a.diagnoseUnstored(ctx, cfg)...)
	}
	defer s.Close()
	out = append(out, ping(ctx, cfg, s, a.clock), keyFinding(cfg))
	b, err := a.wire(ctx, cfg, s)
	if err != nil {
		return append(out, finding{"connections", "fail", err.Error(), ""})
	}
	for id, why := range b.unusable() {
		out = append(out, finding{string(id), "fail", why, "give the key it was sealed with, or add it again"})
	}
	out = append(out, payoutFindings(ctx, s)...)
	out = append(out, b.folderFindings()...)
	out = append(out, eventFindings(ctx, b)...)
	if quick {
		return out
	}
	return append(out, b.examine(ctx)...)
}

// diagnoseUnstored examines the connections of the file alone, when the database is not there.
func (a *app) diagnoseUnstored(ctx context.Context, cfg *Config) []finding {
	b, err := newBridge(parts{cfg: cfg, store: nowhere{}, clock: a.clock, log: a.quietLog()})
	if err != nil {
		return []finding{{"connections", "fail", err.Error(), ""}}
	}
	return b.examine(ctx)
}

// nowhere is a store that is never asked for anything.
type nowhere struct{ connector.Store }

func ping(ctx context.Context, cfg *Config, s connector.Store, clock connector.Clock) finding {
	began := clock()
	if err := s.Ping(ctx); err != nil {
		return finding{"database", "fail", err.Error(), "it must be writable"}
	}
	engine := migrations.SQLite
	if cfg.DatabaseURL.postgres() {
		engine = migrations.Postgres
	}
	return finding{"database", "ok", fmt.Sprintf("%s, schema current, writes in %s", engine, clock().Sub(began).Round(time.Millisecond)), ""}
}

func keyFinding(cfg *Config) finding {
	switch _, err := openVault(cfg, false); {
	case err == nil:
		return finding{"key", "ok", "", ""}
	case errors.Is(err, vault.ErrNoKey):
		return finding{"key", "ok", "none; it is needed only for `connections add`", ""}
	default:
		return finding{"key", "fail", err.Error(), ""}
	}
}

// examine asks every connection.
func (b *bridge) examine(ctx context.Context) []finding {
	var out []finding
	for _, l := range b.all() {
		if st, ok := b.states.get(l.id); ok && st.State != connector.Active {
			out = append(out, finding{string(l.id), "warn", "is " + string(st.State) + ": " + st.Reason, "nothing is sent through it"})
		}
		if b.removed(l.id) {
			continue // its credentials are not used any more
		}
		call, cancel := context.WithTimeout(ctx, callBound)
		h, err := l.check(call)
		cancel()
		h.Warnings = b.withEndings(l, h.Warnings)
		out = append(out, healthFindings(string(l.id), h, err)...)
		if err == nil {
			out = append(out, b.pushFindings(ctx, l)...)
		}
	}
	return out
}

func healthFindings(id string, h health, err error) (out []finding) {
	if err != nil {
		out = append(out, finding{id, "fail", err.Error(), fault.Hint(err)})
	} else {
		out = append(out, finding{id, "ok", words(h.Account, h.Details), ""})
	}
	if h.Skew.Abs() > skewWarn {
		out = append(out, finding{id + " clock", "warn", fmt.Sprintf("theirs and ours differ by %s", h.Skew), "set this machine's clock, for instance with NTP"})
	}
	for _, w := range h.Warnings {
		out = append(out, finding{id, "warn", w, ""})
	}
	return out
}

// pushFindings compares wanted pushes with existing ones, changing nothing.
func (b *bridge) pushFindings(ctx context.Context, l *link) []finding {
	what := string(l.id) + " pushes"
	callback := b.cfg.callback(l.id)
	switch {
	case !l.subscribes():
		return []finding{{what, "ok", "none by subscription", ""}}
	case l.needsCallback() && callback == "":
		return []finding{{what, "warn", "none without public_url", "sweeps bring the news"}}
	}
	ctx, cancel := context.WithTimeout(ctx, callBound)
	defer cancel()
	subs, err := l.subscriptions(ctx, callback, false)
	if err != nil {
		return []finding{{what, "fail", err.Error(), fault.Hint(err)}}
	}
	var out []finding
	for _, s := range subs {
		if s.State != "ok" {
			out = append(out, finding{what, "warn", words(s.Topic, "is", s.State, s.Details), "serve repairs it at its start and daily"})
		}
	}
	if len(out) == 0 {
		out = append(out, finding{what, "ok", fmt.Sprintf("%d subscriptions", len(subs)), ""})
	}
	return out
}

func (a *app) printFindings(findings []finding) error {
	if a.asJSON {
		return a.printJSON(findings)
	}
	var rows [][]string
	for _, f := range findings {
		rows = append(rows, []string{f.Status, f.What, orDash(f.Details), orDash(f.Hint)})
	}
	return table(a.stdout, "STATUS\tWHAT\tDETAILS\tHINT", rows)
}
