package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"channelbridge/connector"
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

func newConnectionsState(a *app, use, short string, to connector.State) *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use:   use + " ID",
		Short: short,
		Args:  arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBridge(cmd.Context(), func(b *bridge) error {
				id := connector.ConnectionID(args[0])
				if row, ok := b.states.get(id); ok && away(row) != nil {
					return usage("connection %s is %s: see channelbridge channels --help", id, row.State)
				}
				if to == connector.Active {
					if err := b.release(cmd.Context(), id, connector.Operator); err != nil {
						return err
					}
				}
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
