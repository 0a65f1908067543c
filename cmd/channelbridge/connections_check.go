package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"channelbridge/connector"
	"channelbridge/internal/fault"
)

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
				for _, l := range links {
					if b.removed(l.id) && len(args) > 0 {
						return usage("connection %s was removed: its credentials are not used any more", l.id)
					}
				}
				links = slices.DeleteFunc(links, func(l *link) bool { return b.removed(l.id) })
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
