package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"channelbridge/connector"
	"channelbridge/internal/vault"
)

func newConnectionsAdd(a *app) *cobra.Command {
	var file string
	noCheck := false
	c := &cobra.Command{
		Use:   "add --file FILE",
		Short: "Add a connection to the database, its credentials sealed",
		Long: `Add a connection to the database, or replace one that was added before. FILE holds one item of
the list "connections" of the configuration, as YAML; - reads standard input. References to the
environment are filled in now. The credentials are sealed with the key (CHANNELBRIDGE_KEY or the
key file). A running server takes the connection in within seconds; a replaced one is used from
its next start on.`,
		Example: "  channelbridge connections add --file amazon-de.yaml\n  pass show bridge/amazon-de | channelbridge connections add --file -",
		Args:    arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return usage("name the file with --file, or - for standard input")
			}
			return a.withBridge(cmd.Context(), func(b *bridge) error {
				return a.addConnection(cmd.Context(), b, file, !noCheck)
			})
		},
	}
	c.Flags().StringVarP(&file, "file", "f", "", "file with one connection, - for standard input")
	c.Flags().BoolVar(&noCheck, "no-check", false, "add it without asking the other side")
	return c
}

func (a *app) addConnection(ctx context.Context, b *bridge, file string, check bool) error {
	if b.vault == nil {
		// Beside the embedded database a key may be made now.
		v, err := openVault(b.cfg, true)
		if errors.Is(err, vault.ErrNoKey) {
			return usage("credentials cannot be sealed without a key: %s", keyHint)
		}
		if err != nil {
			return err
		}
		b.vault = v
	}
	raw, err := a.readInput(file)
	if err != nil {
		return err
	}
	cfg, err := parseConnection(file, raw, a.env)
	if err != nil {
		return err
	}
	if l, ok := b.link(connector.ConnectionID(cfg.ID)); ok && !l.stored {
		return usage("connection %s stands in the configuration file: change it there", cfg.ID)
	}
	if cfg.Store != "" {
		if l, ok := b.link(connector.ConnectionID(cfg.Store)); !ok || l.role != connector.RoleStore {
			return usage("connection %s: there is no store connection %q; add the store first", cfg.ID, cfg.Store)
		}
	}
	l, err := platforms[cfg.Platform].build(cfg, b.hooks)
	if err != nil {
		return err
	}
	if check {
		h, err := l.check(ctx)
		if err != nil {
			return fmt.Errorf("connection %s does not work (--no-check adds it all the same): %w", cfg.ID, err)
		}
		fmt.Fprintf(a.stdout, "%s answers as %s\n", cfg.ID, words(h.Account, h.Details))
	}
	plain, err := cfg.revealed()
	if err != nil {
		return err
	}
	sealed, err := b.vault.Seal(cfg.ID, plain)
	if err != nil {
		return err
	}
	err = b.store.PutConnection(ctx, connector.Connection{ID: l.id, Platform: cfg.Platform, Role: l.role,
		Store: connector.ConnectionID(cfg.Store), ChangedAt: b.clock(), Since: b.clock(), Settings: sealed})
	if err != nil {
		return fmt.Errorf("keeping connection %s: %w", cfg.ID, err)
	}
	fmt.Fprintf(a.stdout, "connection %s was added\n", cfg.ID)
	return nil
}

func (a *app) readInput(file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(io.LimitReader(a.stdin, 1<<20))
	}
	return os.ReadFile(file)
}
