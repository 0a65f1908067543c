package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"channelbridge/connector"
	"channelbridge/internal/fault"
	"channelbridge/internal/vault"
)

func newConnections(a *app) *cobra.Command {
	return group("connections", "See, add, test, pause and resume connections",
		newConnectionsList(a), newConnectionsAdd(a), newConnectionsTest(a),
		newConnectionsState(a, "pause", "Stop sending through a connection; what it says is still recorded", connector.Paused),
		newConnectionsState(a, "resume", "Send through a paused or disconnected connection again", connector.Active))
}

// connectionView is one connection for people.
type connectionView struct {
	connector.Connection
	From string `json:"from"` // file, database, nowhere
	Note string `json:"note,omitempty"`
}

func newConnectionsList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List connections and their state",
		Args:  arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withBridge(cmd.Context(), func(b *bridge) error {
				views := b.connectionViews()
				if a.asJSON {
					return a.printJSON(nonNil(views))
				}
				var rows [][]string
				for _, v := range views {
					rows = append(rows, []string{string(v.ID), v.Platform, string(v.Role), orDash(string(v.Store)), orDash(string(v.State)),
						when(v.ChangedAt), v.From, orDash(words(v.Reason, v.Note))})
				}
				return table(a.stdout, "ID\tPLATFORM\tROLE\tSTORE\tSTATE\tSINCE\tFROM\tREASON", rows)
			})
		},
	}
}

func (b *bridge) connectionViews() []connectionView {
	var out []connectionView
	known := map[connector.ConnectionID]bool{}
	failed := b.unusable()
	for _, c := range b.states.all() {
		known[c.ID] = true
		v := connectionView{Connection: c, From: "nowhere", Note: failed[c.ID]}
		if l, ok := b.link(c.ID); ok {
			v.From = l.from()
		} else if v.Note == "" {
			v.Note = "not configured any more"
		} else {
			v.From = "database"
		}
		out = append(out, v)
	}
	for _, l := range b.all() {
		if !known[l.id] {
			out = append(out, connectionView{Connection: connector.Connection{ID: l.id, Platform: l.cfg.Platform, Role: l.role,
				Store: connector.ConnectionID(l.cfg.Store)}, From: l.from(), Note: "not started yet"})
		}
	}
	slices.SortFunc(out, func(x, y connectionView) int { return compare(x.ID, y.ID) })
	return out
}

func (l *link) from() string {
	if l.stored {
		return "database"
	}
	return "file"
}

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
		Store: connector.ConnectionID(cfg.Store), ChangedAt: b.clock(), Settings: sealed})
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

// testView is what asking one connection learned.
type testView struct {
	ID string `json:"id"`
	health
	Error string `json:"error,omitempty"`
	Hint  string `json:"hint,omitempty"`
}

func newConnectionsTest(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "test [ID]...",
		Short: "Make one cheap real call through each connection",
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBridge(cmd.Context(), func(b *bridge) error {
				links, err := b.named(args)
				if err != nil {
					return err
				}
				return a.testConnections(cmd.Context(), links)
			})
		},
	}
}

// named are the connections with these ids; all of them without any.
func (b *bridge) named(ids []string) ([]*link, error) {
	if len(ids) == 0 {
		return b.all(), nil
	}
	var out []*link
	for _, id := range ids {
		l, ok := b.link(connector.ConnectionID(id))
		if !ok {
			return nil, fmt.Errorf("connection %s: %w", id, connector.ErrNotFound)
		}
		out = append(out, l)
	}
	return out, nil
}

func (a *app) testConnections(ctx context.Context, links []*link) error {
	views, failed := []testView{}, false
	for _, l := range links {
		call, cancel := context.WithTimeout(ctx, callBound)
		h, err := l.check(call)
		cancel()
		v := testView{ID: string(l.id), health: h}
		if err != nil {
			v.Error, v.Hint, failed = err.Error(), fault.Hint(err), true
		}
		views = append(views, v)
	}
	if err := a.printTests(views); err != nil {
		return err
	}
	if failed {
		return errUnhealthy
	}
	return nil
}

func (a *app) printTests(views []testView) error {
	if a.asJSON {
		return a.printJSON(views)
	}
	var rows [][]string
	for _, v := range views {
		status := "ok"
		if v.Error != "" {
			status = "fail"
		}
		rows = append(rows, []string{v.ID, status, orDash(v.Account), v.Skew.String(), orDash(words(v.Error, v.Hint, listed("", v.Warnings)))})
	}
	return table(a.stdout, "ID\tSTATUS\tACCOUNT\tCLOCK SKEW\tDETAILS", rows)
}

func newConnectionsState(a *app, use, short string, to connector.State) *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use:   use + " ID",
		Short: short,
		Args:  arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBridge(cmd.Context(), func(b *bridge) error {
				id := connector.ConnectionID(args[0])
				if err := b.states.set(cmd.Context(), id, to, reason); err != nil {
					return fmt.Errorf("connection %s: %w", id, err)
				}
				fmt.Fprintf(a.stdout, "connection %s is %s\n", id, to)
				return nil
			})
		},
	}
	if to == connector.Paused {
		c.Flags().StringVar(&reason, "reason", "paused by a person", "why, for those who see it later")
	}
	return c
}
