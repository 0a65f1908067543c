package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"channelbridge/connector"
)

func newEvents(a *app) *cobra.Command {
	return group("events", "See what was told to your own systems, and tell it again",
		newEventsList(a), newEventsReplay(a), newEventsTest(a))
}

func newEventsList(a *app) *cobra.Command {
	var f connector.EventFilter
	var account string
	var failed bool
	c := &cobra.Command{
		Use:     "list",
		Short:   "List events and their deliveries, the newest first",
		Example: "  channelbridge events list --failed\n  channelbridge events list --type payout.not_proven --json",
		Args:    arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if account != "" {
				f.Accounts = []connector.ConnectionID{connector.ConnectionID(account)}
			}
			if failed {
				f.State = connector.EventGivenUp
			}
			return a.withBridge(cmd.Context(), func(b *bridge) error {
				list, err := b.store.EventList(cmd.Context(), f)
				if err != nil {
					return err
				}
				if a.asJSON {
					return a.printJSON(nonNil(list))
				}
				return table(a.stdout, "ROW\tEVENT\tTYPE\tHAPPENED\tACCOUNT\tABOUT\tENDPOINT\tSTATE\tATTEMPTS\tTRIED\tAGAIN\tREASON", eventRows(list))
			})
		},
	}
	c.Flags().BoolVar(&failed, "failed", false, "only those that an endpoint was not told of")
	c.Flags().StringVar(&f.Type, "type", "", "only those of this type")
	c.Flags().StringVar(&f.Endpoint, "endpoint", "", "only those for this endpoint")
	c.Flags().StringVar(&account, "account", "", "only those of this channel")
	c.Flags().IntVar(&f.Limit, "limit", 50, "how many at most")
	c.Flags().Int64Var(&f.Before, "before", 0, "only rows before this one, to page on")
	return c
}

// eventRows has a row for each delivery.
func eventRows(list []connector.EventRecord) (rows [][]string) {
	for _, e := range list {
		head := []string{fmt.Sprint(e.Row), e.ID, e.Type, when(e.At), orDash(string(e.Account)), orDash(e.Subject)}
		if len(e.Deliveries) == 0 {
			rows = append(rows, append(head, "-", "-", "-", "-", "-", "-"))
		}
		for _, d := range e.Deliveries {
			rows = append(rows, append(head[:len(head):len(head)], d.Endpoint, string(d.State), fmt.Sprint(d.Attempts), when(d.TriedAt), when(d.NextAt), orDash(d.Reason)))
		}
	}
	return rows
}

func newEventsReplay(a *app) *cobra.Command {
	var endpoint string
	c := &cobra.Command{
		Use:   "replay [EVENT] [--endpoint ENDPOINT]",
		Short: "Send an event again, or everything that was given up for an endpoint",
		Long: `Send an event again, whatever became of it, to all endpoints it was told to or to one of them.
Without an event everything that was given up for the endpoint is sent again. It keeps its id, so
a receiver that has it already will notice. An endpoint that was switched off because it answered
410 is switched on. The sending is done by the running server.`,
		Example: "  channelbridge events replay evt_0123456789abcdef0123456789abcdef\n  channelbridge events replay --endpoint erp",
		Args:    arguments(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			id := strings.Join(args, "")
			if id == "" && endpoint == "" {
				return usage("say which event, or with --endpoint whose")
			}
			return a.withBridge(cmd.Context(), func(b *bridge) error {
				n, err := b.sender.Replay(connector.As(cmd.Context(), operator()), id, endpoint)
				if err != nil {
					return err
				}
				if a.asJSON {
					return a.printJSON(map[string]int{"deliveries": n})
				}
				fmt.Fprintf(a.stdout, "%d deliveries are sent again by the running server\n", n)
				return nil
			})
		},
	}
	c.Flags().StringVar(&endpoint, "endpoint", "", "only to this endpoint")
	return c
}

// eventAnswer is what an endpoint said to a test.
type eventAnswer struct {
	Endpoint string `json:"endpoint"`
	Status   int    `json:"status"`
	Answer   string `json:"answer,omitempty"`
}

// shownAnswer is how much of an answer is printed, in bytes.
const shownAnswer = 2000

func newEventsTest(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "test ENDPOINT",
		Short: "Send an endpoint an event that says nothing, and print what it answers",
		Long: `Send an endpoint an event of the type "test", signed like any other, and print what it answers.
Nothing is kept, and it is not sent again. Exit code 1 when the answer is not 2xx.`,
		Example: "  channelbridge events test erp",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBridge(cmd.Context(), func(b *bridge) error { return a.testEndpoint(cmd.Context(), b, args[0]) })
		},
	}
}

func (a *app) testEndpoint(ctx context.Context, b *bridge, endpoint string) error {
	ans, err := b.sender.Test(ctx, endpoint)
	if err != nil && ans.Status == 0 {
		return fmt.Errorf("the test event did not arrive: %w", err)
	}
	out := eventAnswer{endpoint, ans.Status, strings.ToValidUTF8(string(ans.Body[:min(len(ans.Body), shownAnswer)]), "")}
	if a.asJSON {
		err = a.printJSON(out)
	} else {
		_, err = fmt.Fprintln(a.stdout, strings.TrimSpace(fmt.Sprintf("%s answered %d %s", endpoint, out.Status, oneLine(out.Answer))))
	}
	if err != nil {
		return err
	}
	if out.Status < 200 || out.Status > 299 {
		return fmt.Errorf("the endpoint %s does not take events: it has to answer 2xx", endpoint)
	}
	return nil
}
