package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"channelbridge/connector"
	"channelbridge/connector/order"
	"channelbridge/internal/fault"
)

// planView is what would be done about an order, and why.
type planView struct {
	Subject  connector.Subject   `json:"subject"`
	Runnable bool                `json:"runnable"`
	Commands []connector.Command `json:"commands"`
	Proven   []order.Proof       `json:"proven"`
	Holds    []connector.Hold    `json:"holds"`
	Wake     time.Time           `json:"wake,omitzero"`
	Due      time.Time           `json:"due,omitzero"`
	Final    bool                `json:"final"`
	Summary  connector.Summary   `json:"summary"`
}

func newPlan(a *app) *cobra.Command {
	bodies := false
	c := &cobra.Command{
		Use:   "plan ORDER",
		Short: "Show what would be done about an order and why, sending nothing",
		Long: `Show what would be done about an order and why, sending nothing.

The plan is made from what is stored; the running bridge may look at either side again first.`,
		Example: "  channelbridge plan amazon-us/112-1234567-1234567\n  channelbridge plan '#1001' --json",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBridge(cmd.Context(), func(b *bridge) error {
				v, err := b.plan(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if a.asJSON {
					return a.printJSON(v)
				}
				return a.printPlan(v, bodies)
			})
		},
	}
	c.Flags().BoolVar(&bodies, "body", false, "also print what would be sent (holds the buyer's address)")
	return c
}

// plan decides about a stored order exactly as the loop would.
func (b *bridge) plan(ctx context.Context, name string) (*planView, error) {
	rec, err := findOrder(ctx, b.store, name)
	if err != nil {
		return nil, err
	}
	s, ok := b.sides(rec.Subject.Channel)
	if !ok {
		return nil, fault.New(fault.Refused, "order %s: its connection %q, or the store of it, is not configured", rec.Subject, rec.Subject.Channel)
	}
	market, shop, err := order.Decode(rec)
	if err != nil {
		return nil, fmt.Errorf("order %s: stored snapshot: %w", rec.Subject, err)
	}
	d := order.Plan(order.SnapshotOf(rec, s.Policy, market, shop, b.clock()))
	return &planView{Subject: rec.Subject, Runnable: slices.Contains(b.runnable(), rec.Subject.Channel),
		Commands: nonNil(d.Commands), Proven: nonNil(d.Proven), Holds: nonNil(d.Holds),
		Wake: d.Wake, Due: d.Due, Final: d.Final, Summary: d.Summary}, nil
}

func (a *app) printPlan(v *planView, bodies bool) error {
	if err := table(a.stdout, "", [][]string{{"Order", v.Subject.String()}, {"State", words(v.Summary.Lifecycle, v.Summary.Fulfillment)},
		{"May be sent now", yes(v.Runnable)}, {"Look again", when(v.Wake)}, {"Deadline", when(v.Due)}, {"Final", yes(v.Final)}}); err != nil {
		return err
	}
	a.section("Would be sent")
	if len(v.Commands) == 0 {
		fmt.Fprintln(a.stdout, "nothing: both sides agree as far as is known, or something holds it")
	}
	for _, c := range v.Commands {
		if err := table(a.stdout, "", [][]string{{"what", string(c.Verb)}, {"to", string(c.Side)}, {"key", c.Key}, {"by", when(c.Due)}, {"why", c.Why}}); err != nil {
			return err
		}
		if bodies {
			pretty, err := json.MarshalIndent(c.Body, "", "  ")
			if err != nil {
				return err
			}
			fmt.Fprintf(a.stdout, "%s\n", pretty)
		}
		fmt.Fprintln(a.stdout)
	}
	for _, p := range v.Proven {
		fmt.Fprintf(a.stdout, "proven: entry %d, %s\n", p.Entry, oneLine(p.Text))
	}
	return a.printHolds(v.Holds)
}
