package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"channelbridge/connector"
	"channelbridge/connector/sqlstore"
)

func newWrites(a *app) *cobra.Command {
	return group("writes", "Stop all outside writes, and let them go on", newWritesShow(a),
		newWritesTurn(a, "stop", "Stop all outside writes at once: nothing is sent to any channel or store", true),
		newWritesTurn(a, "start", "Let outside writes go on; what waited is sent", false))
}

func newWritesShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show",
		Short: "Say whether outside writes are stopped, and by whom",
		Args:  arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withStore(cmd.Context(), func(_ *Config, s *sqlstore.Store) error {
				sw, err := s.Switch(cmd.Context(), connector.StopWrites)
				if err != nil {
					return fmt.Errorf("reading the switch %s: %w", connector.StopWrites, err)
				}
				return a.printWrites(sw)
			})
		},
	}
}

func newWritesTurn(a *app, use, short string, stop bool) *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use:   use + " --reason TEXT",
		Short: short,
		Long: short + `.

Orders are still read and pushes still taken. It counts for every server on this database from the
moment the command ends; what was handed over before that cannot be called back.`,
		Example: "  channelbridge writes " + use + " --reason 'a price list went wrong'",
		Args:    arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if reason == "" {
				return usage("--reason is missing: say why, for those who see it later")
			}
			return a.acting(cmd.Context(), func(ctx context.Context, s *sqlstore.Store) error {
				sw := connector.Switch{Name: connector.StopWrites, On: stop, Reason: reason, Actor: operator(), At: a.clock()}
				if err := s.SetSwitch(ctx, sw); err != nil {
					return fmt.Errorf("setting the switch %s: %w", connector.StopWrites, err)
				}
				return a.printWrites(sw)
			})
		},
	}
	reasonFlag(c, &reason)
	return c
}

func (a *app) printWrites(s connector.Switch) error {
	if a.asJSON {
		return a.printJSON(map[string]any{"stopped": s.On, "reason": s.Reason, "actor": s.Actor, "at": s.At})
	}
	state := "not stopped"
	if s.On {
		state = "stopped"
	}
	return table(a.stdout, "", [][]string{{"Outside writes", state}, {"Reason", orDash(s.Reason)}, {"By", orDash(s.Actor)}, {"Since", when(s.At)}})
}
