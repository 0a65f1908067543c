package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"channelbridge/connector"
	"channelbridge/internal/httpapi"
	"channelbridge/internal/money"
)

func newChannels(a *app) *cobra.Command {
	return group("channels", "See, pause, remove and reconnect sales channels",
		newChannelsList(a), newChannelsShow(a),
		newChannelsDo(a, "pause ID", "Stop sending to a channel; what it says is still recorded", channels.Pause),
		newChannelsDo(a, "resume ID", "Send to a paused or disconnected channel again; after its brake, the listing may pass once", channels.Resume),
		newChannelsRemove(a), newChannelsReconnect(a), newChannelsPlan(a),
		newChannelsOrder(a, "approve ID [ORDER]", "Let the plan of a reconnection run, or one order of it", cobra.RangeArgs(1, 2), channels.ApprovePlan),
		newChannelsOrder(a, "hold ID ORDER", "Keep one order out of the plan until it is approved", cobra.ExactArgs(2), channels.HoldInPlan))
}

// withChannels runs f with the life of the channels.
func (a *app) withChannels(ctx context.Context, f func(channels) error) error {
	return a.withBridge(ctx, func(b *bridge) error { return f(channels{b}) })
}

// byHand is what a person wants on the command line.
func byHand(reason string) httpapi.By { return httpapi.By{Actor: connector.Operator, Reason: reason} }

func newChannelsList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List sales channels, how they stand and what will need attention",
		Args:  arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withChannels(cmd.Context(), func(c channels) error {
				list, err := c.List(cmd.Context())
				if err != nil {
					return err
				}
				if a.asJSON {
					return a.printJSON(list)
				}
				var rows [][]string
				for _, ch := range list {
					rows = append(rows, []string{string(ch.ID), ch.Platform, orDash(string(ch.Store)), ch.State, when(ch.ChangedAt), fmt.Sprint(ch.Counts.Orders),
						fmt.Sprint(ch.Counts.Open), fmt.Sprint(ch.Counts.Held), fmt.Sprint(ch.Counts.Doubts), orDash(words(ch.Reason, warningTexts(ch.Warnings)))})
				}
				return table(a.stdout, "ID\tPLATFORM\tSTORE\tSTATE\tSINCE\tORDERS\tOPEN\tHELD\tDOUBTS\tREASON", rows)
			})
		},
	}
}

func warningTexts(all []httpapi.Warning) string {
	var out []string
	for _, w := range all {
		out = append(out, w.Text)
	}
	return strings.Join(out, "; ")
}

func newChannelsShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show a channel with its warnings and what is owed there",
		Args:  arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withChannels(cmd.Context(), func(c channels) error {
				ch, err := c.Show(cmd.Context(), connector.ConnectionID(args[0]))
				if err != nil {
					return err
				}
				if a.asJSON {
					return a.printJSON(ch)
				}
				return a.printChannel(ch)
			})
		},
	}
}

func (a *app) printChannel(ch httpapi.Channel) error {
	if err := table(a.stdout, "", [][]string{{"Channel", string(ch.ID)}, {"Platform", ch.Platform}, {"Store", orDash(string(ch.Store))},
		{"State", words(ch.State, ch.Reason)}, {"Since", when(ch.ChangedAt)}, {"First connected", when(ch.Since)}, {"Removed", when(ch.RemovedAt)},
		{"Connected again", when(ch.RejoinedAt)}, {"Orders", fmt.Sprintf("%d, %d open, %d held, %d in doubt", ch.Counts.Orders, ch.Counts.Open, ch.Counts.Held, ch.Counts.Doubts)}}); err != nil {
		return err
	}
	a.section("Warnings")
	var rows [][]string
	for _, w := range ch.Warnings {
		rows = append(rows, []string{w.Code, w.Text, orDash(w.Hint)})
	}
	if err := table(a.stdout, "CODE\tWHAT\tWHAT TO DO", rows); err != nil {
		return err
	}
	a.section("Owed at the channel")
	return a.printObligations(ch.Obligations)
}

func (a *app) printObligations(list []httpapi.Obligation) error {
	var rows [][]string
	for _, o := range list {
		rows = append(rows, []string{o.Kind, fmt.Sprint(o.Count), orDash(amounts(o.Sums))})
	}
	return table(a.stdout, "KIND\tCOUNT\tSUMS", rows)
}

func amounts(list []money.Money) string {
	var out []string
	for _, m := range list {
		out = append(out, m.String())
	}
	return strings.Join(out, ", ")
}

// newChannelsDo is a command that changes how one channel stands.
func newChannelsDo(a *app, use, short string, do func(channels, context.Context, connector.ConnectionID, httpapi.By) error) *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withChannels(cmd.Context(), func(c channels) error {
				id := connector.ConnectionID(args[0])
				if err := do(c, cmd.Context(), id, byHand(reason)); err != nil {
					return asUsage(err)
				}
				row, err := c.row(cmd.Context(), id)
				if err != nil {
					return err
				}
				fmt.Fprintf(a.stdout, "channel %s is %s\n", id, row.State)
				return nil
			})
		},
	}
	reasonFlag(c, &reason)
	return c
}

// newChannelsOrder is a person's decision about a plan, or one order of it.
func newChannelsOrder(a *app, use, short string, args cobra.PositionalArgs,
	do func(channels, context.Context, connector.ConnectionID, string, httpapi.By) error) *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  arguments(args),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withChannels(cmd.Context(), func(c channels) error {
				number := ""
				if len(args) > 1 {
					number = strings.TrimPrefix(args[1], args[0]+"/")
				}
				if err := do(c, cmd.Context(), connector.ConnectionID(args[0]), number, byHand(reason)); err != nil {
					return asUsage(err)
				}
				fmt.Fprintln(a.stdout, "done; a running server takes it up within seconds")
				return nil
			})
		},
	}
	reasonFlag(c, &reason)
	return c
}
