package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"channelbridge/connector"
	"channelbridge/connector/payout"
	"channelbridge/connector/sqlstore"
	"channelbridge/internal/fault"
	"channelbridge/internal/observe"
	"channelbridge/internal/vault"
)

// Exit codes.
const (
	exitOK        = 0
	exitError     = 1 // it did not work
	exitUsage     = 2 // the command or the configuration is wrong
	exitUnhealthy = 3 // doctor or healthcheck found something
	exitNotFound  = 4 // there is no such order, delivery, connection, token or ledger entry
	exitRefused   = 5 // what was asked for is refused; nothing was kept
)

// errUnhealthy ends a command whose findings are printed already.
var errUnhealthy = errors.New("problems were found")

// usageError is a mistake in the command line.
type usageError struct{ error }

// Unwrap gives the cause.
func (e usageError) Unwrap() error { return e.error }

// app is one run of the program.
type app struct {
	env            func(string) (string, bool)
	clock          connector.Clock
	stdin          io.Reader
	stdout, stderr io.Writer

	configFile string
	asJSON     bool
}

// version is set when a release is built: -ldflags "-X main.version=…".
var version = "dev"

// execute runs the command that args name.
func (a *app) execute(ctx context.Context, args []string) int {
	root := newRoot(a)
	root.SetArgs(args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if errors.Is(err, errUnhealthy) {
		return exitUnhealthy
	}
	if errors.Is(err, errRefused) {
		return exitRefused
	}
	fmt.Fprintf(a.stderr, "channelbridge: %s\n", err)
	hint := fault.Hint(err)
	if no, refused := errors.AsType[*payout.RefusedError](err); refused {
		hint = no.Hint
	}
	if hint != "" {
		fmt.Fprintf(a.stderr, "%s\n", hint)
	}
	return exitCode(err)
}

func exitCode(err error) int {
	if _, ok := errors.AsType[*ConfigError](err); ok {
		return exitUsage
	}
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	if _, ok := errors.AsType[*payout.RefusedError](err); ok {
		return exitRefused
	}
	if errors.Is(err, connector.ErrNotFound) {
		return exitNotFound
	}
	return exitError
}

// config reads the configuration the command line, the environment or the default names.
func (a *app) config() (*Config, error) {
	path := a.configFile
	if path == "" {
		path, _ = a.env("CHANNELBRIDGE_CONFIG")
	}
	return loadConfig(path, a.env)
}

// store opens the database as it is: commands beside a running server never change its schema.
func (a *app) store(ctx context.Context, cfg *Config) (*sqlstore.Store, error) {
	if path := cfg.DatabaseURL.file(); path != "" {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no database at %s yet: run `channelbridge serve` or `channelbridge migrate up`", path)
		}
	}
	s, err := openStore(ctx, cfg, false)
	if err != nil {
		return nil, fmt.Errorf("opening the database %s: %w", cfg.DatabaseURL.masked(), err)
	}
	return s, nil
}

// withStore runs f with the configuration and the open database.
func (a *app) withStore(ctx context.Context, f func(*Config, *sqlstore.Store) error) error {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	s, err := a.store(ctx, cfg)
	if err != nil {
		return err
	}
	defer s.Close()
	return f(cfg, s)
}

// withBridge runs f with everything wired as serve would, but nothing running.
func (a *app) withBridge(ctx context.Context, f func(*bridge) error) error {
	return a.withStore(ctx, func(cfg *Config, s *sqlstore.Store) error {
		b, err := a.wire(ctx, cfg, s)
		if err != nil {
			return err
		}
		return f(b)
	})
}

// wire builds a bridge for a command. Its log is only heard when it warns.
func (a *app) wire(ctx context.Context, cfg *Config, s connector.Store) (*bridge, error) {
	keys, err := openVault(cfg, false)
	if err != nil && !errors.Is(err, vault.ErrNoKey) {
		return nil, err
	}
	b, err := newBridge(parts{cfg: cfg, store: s, vault: keys, clock: a.clock, log: a.quietLog()})
	if err != nil {
		return nil, err
	}
	if err := b.states.refresh(ctx); err != nil {
		return nil, fmt.Errorf("reading the state of connections: %w", err)
	}
	b.adopt()
	return b, nil
}

func (a *app) quietLog() *slog.Logger {
	log, err := observe.NewLog(a.stderr, "warn", "text")
	if err != nil {
		return slog.New(slog.DiscardHandler)
	}
	return log
}

// printJSON writes v for programs.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.stdout)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// usage is a mistake in the command line.
func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// arguments turns cobra's complaint into a usage error.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usage("%s\nSee %q.", err, cmd.CommandPath()+" --help")
		}
		return nil
	}
}
