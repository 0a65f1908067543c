package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"channelbridge/connector/sqlstore"
	"channelbridge/internal/observe"
	"channelbridge/internal/vault"
	"channelbridge/migrations"
)

const (
	databaseWait  = time.Minute // at the start; later the bridge waits for ever
	databaseRetry = 2 * time.Second
)

func newServe(a *app) *cobra.Command {
	var addrFile string
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the bridge",
		Long: `Run the bridge until it is told to stop (SIGINT or SIGTERM).

The database is brought up to date first. Then pushes are taken, orders are kept in agreement,
and what pushes have lost is found by sweeps. When told to stop, no more pushes are taken, what
is under way is finished, and the exit code is 0. A second signal stops at once; nothing is lost
by that either, it only takes longer to find out what became of the last calls.`,
		Example: "  channelbridge serve\n  channelbridge serve --config /etc/channelbridge.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.config()
			if err != nil {
				return err
			}
			return a.serve(cmd.Context(), cfg, func(f *front) error {
				if addrFile == "" {
					return nil
				}
				return os.WriteFile(addrFile, []byte(f.Addr+"\n"), 0o600)
			})
		},
	}
	c.Flags().StringVar(&addrFile, "addr-file", "", "write the address listened on to this file, for programs that start the bridge on port 0")
	return c
}

// serve runs the bridge until ctx ends. listening is called once the door is open.
func (a *app) serve(ctx context.Context, cfg *Config, listening func(*front) error) error {
	log, err := observe.NewLog(a.stderr, cfg.Log.Level, cfg.Log.Format)
	if err != nil {
		return err
	}
	stopTracing, err := observe.StartTracing(ctx, cfg.Tracing.Endpoint, version, cfg.Tracing.Share)
	if err != nil {
		return err
	}
	defer a.flush(log, stopTracing)
	a.tuneMemory()
	metrics, health := observe.NewMetrics(version), observe.NewHealth(a.clock)
	f, err := listen(cfg, log, health, metrics)
	if err != nil {
		return err
	}
	defer f.close()
	log.Info("listening", "addr", f.Addr, "metrics_addr", f.Metrics)
	if err := listening(f); err != nil {
		return err
	}
	store, err := waitForStore(ctx, cfg, log, health)
	if err != nil || store == nil {
		return err
	}
	defer store.Close()
	keys, err := serveVault(cfg, log)
	if err != nil {
		return err
	}
	b, err := newBridge(parts{cfg: cfg, store: store, vault: keys, clock: a.clock, log: log, metrics: metrics})
	if err != nil {
		return err
	}
	if err := b.register(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // told to stop while starting
		}
		return err
	}
	zone, err := time.LoadLocation(cfg.TimeZone)
	if err != nil {
		return err
	}
	metrics.Gauges(store, a.clock, zone, log)
	b.summary()
	return b.open(ctx, f)
}

// open lets pushes in and works until ctx ends, then stops in order: door, looks, database.
func (b *bridge) open(ctx context.Context, f *front) error {
	api, err := b.api()
	if err != nil {
		return err
	}
	f.take(b.door.Handler(), api)
	f.health.Ready(b.store.Ping)
	debug.FreeOSMemory() // what starting took: a bridge with little to do would keep it for long
	b.log.Info("ready")
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	done := make(chan struct{})
	go func() { defer close(done); b.run(work) }()
	var failed error
	select {
	case <-ctx.Done():
	case failed = <-f.ended:
	}
	b.log.Info("stopping: finishing what is under way")
	f.health.Close("stopping")
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Duration(b.cfg.Limits.Shutdown))
	defer cancel()
	if err := f.stop(drain); err != nil {
		b.log.Warn("stopping", "error", err)
	}
	stop()
	select {
	case <-done:
		b.log.Info("stopped")
	case <-drain.Done():
		b.log.Warn("stopped with looks under way; what became of their calls is found out after the next start")
	}
	return failed
}

// waitForStore opens the database and brings it up to date. One that does not answer yet is
// waited for; one that this program must not touch is an error at once. nil, nil: told to stop.
func waitForStore(ctx context.Context, cfg *Config, log *slog.Logger, health *observe.Health) (*sqlstore.Store, error) {
	health.Close("waiting for the database")
	until := time.NewTimer(databaseWait)
	defer until.Stop()
	for {
		store, err := openStore(ctx, cfg, true)
		if err == nil {
			return store, nil
		}
		if ctx.Err() != nil {
			return nil, nil
		}
		if errors.Is(err, migrations.ErrNewer) || !cfg.DatabaseURL.postgres() {
			return nil, fmt.Errorf("opening the database %s: %w", cfg.DatabaseURL.masked(), err)
		}
		select {
		case <-until.C:
			return nil, fmt.Errorf("the database %s did not answer within %s: %w", cfg.DatabaseURL.masked(), databaseWait, err)
		default:
		}
		log.Warn("waiting for the database", "database", cfg.DatabaseURL.masked(), "error", err)
		if !pause(ctx, databaseRetry) {
			return nil, nil
		}
	}
}

// serveVault finds the key. Without one the bridge runs; only connections added at run time
// cannot be read then.
func serveVault(cfg *Config, log *slog.Logger) (*vault.Vault, error) {
	v, err := openVault(cfg, true)
	if errors.Is(err, vault.ErrNoKey) {
		log.Info("no key is given: connections added at run time cannot be used", "hint", keyHint)
		return nil, nil
	}
	return v, err
}

// flush sends the last spans.
func (a *app) flush(log *slog.Logger, stop func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := stop(ctx); err != nil && !errors.Is(err, http.ErrServerClosed) {
		log.Warn("last traces not sent", "error", err)
	}
}

const keyHint = "make a key with `openssl rand -base64 32` and give it to every process as CHANNELBRIDGE_KEY"
