package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"channelbridge/connector"
	"channelbridge/internal/httpapi"
)

func newChannelsPlan(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "plan ID",
		Short: "Show the plan of a channel's reconnection and how far it is",
		Args:  arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withChannels(cmd.Context(), func(c channels) error {
				return a.printReconnectPlan(cmd.Context(), c, connector.ConnectionID(args[0]))
			})
		},
	}
}

// everyRow is more orders than a plan has.
const everyRow = 1 << 30

func (a *app) printReconnectPlan(ctx context.Context, c channels, id connector.ConnectionID) error {
	p, err := c.ReconnectPlan(ctx, id, "", everyRow)
	if err != nil {
		return asUsage(err)
	}
	p.Orders, p.Totals.Sums = nonNil(p.Orders), nonNil(p.Totals.Sums)
	if a.asJSON {
		return a.printJSON(p)
	}
	policy := p.Policy
	if p.AskAbove.Currency != "" {
		policy += " " + p.AskAbove.String()
	}
	if err := table(a.stdout, "", [][]string{{"Channel", string(id)}, {"Plan", p.State}, {"Policy", policy}, {"Removed", when(p.RemovedAt)}, {"Connected again", when(p.RejoinedAt)},
		{"Orders", fmt.Sprintf("%d, %d of them fulfilled", p.Totals.Orders, p.Totals.Fulfilled)}, {"In all", orDash(amounts(p.Totals.Sums))}, {"Progress", progress(p.Progress)}}); err != nil {
		return err
	}
	a.section("Orders")
	var rows [][]string
	for _, o := range p.Orders {
		rows = append(rows, []string{o.Order, orDash(o.Number), o.Amount.String(), when(o.CancelledAt), yes(o.Fulfilled), o.State, orDash(o.Reason)})
	}
	return table(a.stdout, "ORDER\tIN STORE\tAMOUNT\tCANCELLED\tFULFILLED\tSTATE\tREASON", rows)
}

func progress(n httpapi.PlanProgress) string {
	return fmt.Sprintf("%d waiting, %d held, %d sent, %d done, %d refused, %d in doubt", n.Waiting, n.Held, n.Sent, n.Done, n.Refused, n.Doubts)
}
