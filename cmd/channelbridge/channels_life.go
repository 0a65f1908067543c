package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"channelbridge/connector"
	"channelbridge/internal/httpapi"
)

// asUsage turns what cannot be done in the channel's state into a mistake in the command line.
func asUsage(err error) error {
	if r, ok := errors.AsType[*httpapi.Refusal](err); ok {
		return usage("%s %s", r.Reason, r.Hint)
	}
	return err
}

func newChannelsRemove(a *app) *cobra.Command {
	var reason string
	var dry, yes bool
	c := &cobra.Command{
		Use:   "remove ID",
		Short: "Take a channel away: its credentials are destroyed, nothing is sent any more",
		Long: `Take a channel away. What is owed there is listed first: it stays undone until the channel is
connected again. Credentials kept in the database are destroyed; those in the configuration file
are not used any more and have to be taken out by hand. What happens in the store goes on being
recorded, so that it can be made up for after a reconnection, however late.`,
		Example: "  channelbridge channels remove amazon-us --dry-run\n  channelbridge channels remove amazon-us --yes --reason 'sold the account'",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withChannels(cmd.Context(), func(c channels) error {
				id := connector.ConnectionID(args[0])
				l, known := c.b.link(id)
				owed, err := c.Remove(cmd.Context(), id, dry || !yes, byHand(reason))
				if err != nil {
					return asUsage(err)
				}
				if a.asJSON {
					if err := a.printJSON(map[string]any{"dry_run": dry || !yes, "obligations": owed}); err != nil {
						return err
					}
				} else if err := a.printObligations(owed); err != nil {
					return err
				}
				if dry {
					return nil
				}
				if !yes {
					return usage("nothing was removed: say --yes to remove channel %s", id)
				}
				fmt.Fprintf(a.stderr, "channel %s is removed\n", id)
				if known && !l.stored {
					fmt.Fprintf(a.stderr, "its credentials stand in the configuration file: they are not used any more, take them out by hand\n")
				}
				return nil
			})
		},
	}
	reasonFlag(c, &reason)
	c.Flags().BoolVar(&dry, "dry-run", false, "only list what would stay undone")
	c.Flags().BoolVar(&yes, "yes", false, "remove it")
	return c
}

func newChannelsReconnect(a *app) *cobra.Command {
	var reason string
	dry := false
	c := &cobra.Command{
		Use:   "reconnect ID",
		Short: "Connect a removed channel again; what happened in the store meanwhile is made up for",
		Long: `Connect a removed channel again. A running server reads both sides from before the removal; then
orders cancelled or refunded in the store meanwhile are refunded at the channel, each once, as
refunds.reconnect of the configuration says: by themselves (run), with single amounts above a
limit held (ask_above), or once the plan is approved (ask). With --dry-run only the plan is
printed, made from what is kept.`,
		Example: "  channelbridge channels reconnect amazon-us --dry-run\n  channelbridge channels reconnect amazon-us",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withChannels(cmd.Context(), func(c channels) error {
				id := connector.ConnectionID(args[0])
				if dry {
					return a.printReconnectPlan(cmd.Context(), c, id)
				}
				if err := c.Reconnect(cmd.Context(), id, byHand(reason)); err != nil {
					return asUsage(err)
				}
				fmt.Fprintf(a.stdout, "channel %s is being connected again; see channelbridge channels plan %s\n", id, id)
				return nil
			})
		},
	}
	reasonFlag(c, &reason)
	c.Flags().BoolVar(&dry, "dry-run", false, "only print the plan")
	return c
}
