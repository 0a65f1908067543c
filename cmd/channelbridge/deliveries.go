package main

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"channelbridge/connector"
	"channelbridge/connector/sqlstore"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
	"channelbridge/webhooks"
)

func newDeliveries(a *app) *cobra.Command {
	return group("deliveries", "See the pushes that came and read them again",
		newDeliveriesList(a), newDeliveriesShow(a), newDeliveriesReplay(a))
}

func newDeliveriesList(a *app) *cobra.Command {
	var f connector.DeliveryFilter
	var conn, verdict string
	c := &cobra.Command{
		Use:     "list",
		Short:   "List deliveries, newest first",
		Example: "  channelbridge deliveries list --verdict quarantined",
		Args:    arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.Connection, f.Verdict = connector.ConnectionID(conn), connector.Verdict(verdict)
			return a.withStore(cmd.Context(), func(_ *Config, s *sqlstore.Store) error {
				list, err := s.Deliveries(cmd.Context(), f)
				if err != nil {
					return fmt.Errorf("listing deliveries: %w", err)
				}
				if a.asJSON {
					return a.printJSON(nonNil(list))
				}
				var rows [][]string
				for _, d := range list {
					rows = append(rows, []string{fmt.Sprint(d.Row), when(d.ReceivedAt), string(d.Connection), d.Topic, string(d.Verdict),
						fmt.Sprint(d.Repeats), fmt.Sprint(d.Size), when(d.ReplayedAt), orDash(d.Reason)})
				}
				return table(a.stdout, "ROW\tRECEIVED\tCONNECTION\tTOPIC\tVERDICT\tREPEATS\tBYTES\tREPLAYED\tREASON", rows)
			})
		},
	}
	c.Flags().StringVar(&conn, "connection", "", "only those of this connection")
	c.Flags().StringVar(&verdict, "verdict", "", "only these: accepted, quarantined or rejected")
	c.Flags().IntVar(&f.Limit, "limit", 50, "how many at most")
	c.Flags().Int64Var(&f.Before, "before", 0, "only rows before this one, to page on")
	return c
}

func newDeliveriesShow(a *app) *cobra.Command {
	body := false
	c := &cobra.Command{
		Use:   "show ROW",
		Short: "Show one delivery",
		Long: `Show one delivery. Its body is printed only with --body: it may hold names and addresses of
buyers, which then stand in your terminal's history or in a file.`,
		Example: "  channelbridge deliveries show 42\n  channelbridge deliveries show 42 --body > delivery.json",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			row, err := rowOf(args[0])
			if err != nil {
				return err
			}
			return a.withStore(cmd.Context(), func(_ *Config, s *sqlstore.Store) error {
				d, err := s.Delivery(cmd.Context(), row)
				if err != nil {
					return fmt.Errorf("delivery %d: %w", row, err)
				}
				return a.printDelivery(d, body)
			})
		},
	}
	c.Flags().BoolVar(&body, "body", false, "print the body (personal data)")
	return c
}

func (a *app) printDelivery(d connector.Delivery, body bool) error {
	if body {
		fmt.Fprintln(a.stderr, "The body may hold personal data of a buyer: treat it accordingly.")
	}
	switch {
	case a.asJSON && body && utf8.Valid(d.Body):
		return a.printJSON(struct {
			connector.Delivery
			Text string `json:"body"`
		}{d, string(d.Body)})
	case a.asJSON && body:
		return a.printJSON(struct {
			connector.Delivery
			Raw []byte `json:"body_base64"`
		}{d, d.Body})
	case a.asJSON:
		return a.printJSON(d)
	case body:
		_, err := a.stdout.Write(d.Body)
		return err
	}
	rows := [][]string{{"Row", fmt.Sprint(d.Row)}, {"Connection", string(d.Connection)}, {"Delivery id", d.ID}, {"Event id", orDash(d.EventID)},
		{"Topic", d.Topic}, {"Received", when(d.ReceivedAt)}, {"Verdict", string(d.Verdict)}, {"Reason", orDash(d.Reason)},
		{"Repeats", fmt.Sprint(d.Repeats)}, {"Replayed", when(d.ReplayedAt)}, {"Bytes", fmt.Sprintf("%d (kept %d)", d.Size, len(d.Body))}}
	return table(a.stdout, "", rows)
}

func newDeliveriesReplay(a *app) *cobra.Command {
	force := false
	c := &cobra.Command{
		Use:   "replay ROW...",
		Short: "Read deliveries again and look at their orders",
		Long: `Read deliveries again and look at their orders, usually after an update that understands them.
A replay never sends anything by itself and may be repeated. Refused deliveries are read only
with --force, and never when their signature was wrong.`,
		Example: "  channelbridge deliveries replay 42 43",
		Args:    arguments(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBridge(cmd.Context(), func(b *bridge) error {
				var failed error
				for _, arg := range args {
					row, err := rowOf(arg)
					if err == nil {
						err = a.replay(cmd, b, row, force)
					}
					failed = errors.Join(failed, err)
				}
				return failed
			})
		},
	}
	c.Flags().BoolVar(&force, "force", false, "also read a refused delivery, unless its signature was wrong")
	return c
}

func (a *app) replay(cmd *cobra.Command, b *bridge, row int64, force bool) error {
	read := b.door.Replay
	if force {
		read = b.door.ReplayForced
	}
	err := read(cmd.Context(), b.store, row)
	switch {
	case errors.Is(err, webhooks.ErrNeedsForce):
		return fmt.Errorf("%w: add --force", err)
	case errors.Is(err, marketplace.ErrMalformed), errors.Is(err, shopadmin.ErrMalformed):
		return fmt.Errorf("still not understood, left as it was: %w", err)
	case err != nil:
		return err
	}
	fmt.Fprintf(a.stdout, "delivery %d was read again; its orders are looked at next\n", row)
	return nil
}

func rowOf(arg string) (int64, error) {
	row, err := strconv.ParseInt(arg, 10, 64)
	if err != nil || row < 1 {
		return 0, usage("%q is not the number of a delivery: see `channelbridge deliveries list`", arg)
	}
	return row, nil
}
