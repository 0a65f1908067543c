package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"channelbridge/connector"
	"channelbridge/connector/sqlstore"
)

func newLedger(a *app) *cobra.Command {
	return group("ledger", "See every outside write and settle what is in doubt", newLedgerList(a), newLedgerShow(a), newLedgerResolve(a))
}

func newLedgerList(a *app) *cobra.Command {
	var f connector.EntryFilter
	var channel, state string
	c := &cobra.Command{
		Use:   "list",
		Short: "List outside writes, newest first",
		Example: `  channelbridge ledger list --state unknown
  channelbridge ledger list --channel amazon-us --limit 20`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.Channel, f.State = connector.ConnectionID(channel), connector.EntryState(state)
			return a.withStore(cmd.Context(), func(_ *Config, s *sqlstore.Store) error {
				list, err := s.Entries(cmd.Context(), f)
				if err != nil {
					return fmt.Errorf("listing the ledger: %w", err)
				}
				for i := range list {
					list[i] = withoutBuyer(list[i])
				}
				if a.asJSON {
					return a.printJSON(nonNil(list))
				}
				var rows [][]string
				for _, e := range list {
					rows = append(rows, []string{fmt.Sprint(e.ID), e.Subject.String(), string(e.Verb), orDash(e.About), shownAmount(e.Amount), string(e.State),
						yes(e.Doubtful(a.clock())), when(e.IntendedAt), orDash(words(e.Ref, e.Reason))})
				}
				return table(a.stdout, "ENTRY\tORDER\tVERB\tABOUT\tAMOUNT\tSTATE\tDOUBT\tINTENDED\tANSWER", rows)
			})
		},
	}
	c.Flags().StringVar(&channel, "channel", "", "only those of this channel")
	c.Flags().StringVar(&state, "state", "", "only these: queued, sent, unknown, pending, retry, refused, done or proven")
	c.Flags().IntVar(&f.Limit, "limit", 50, "how many at most")
	c.Flags().Int64Var(&f.Before, "before", 0, "only entries before this one, to page on")
	return c
}

// withoutBuyer leaves out what other writes than those about money send: it holds addresses.
func withoutBuyer(e connector.Entry) connector.Entry {
	if !e.Money {
		e.Body = nil
	}
	return e
}

func newLedgerShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "show ENTRY",
		Short:   "Show one outside write; with --json also what one about money sends",
		Example: "  channelbridge ledger show 42",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := entryID(args[0])
			if err != nil {
				return err
			}
			return a.withStore(cmd.Context(), func(_ *Config, s *sqlstore.Store) error { return a.showEntry(cmd.Context(), s, id) })
		},
	}
}

func (a *app) showEntry(ctx context.Context, s connector.Ledger, id int64) error {
	e, err := s.Entry(ctx, id)
	if err != nil {
		return fmt.Errorf("ledger entry %d: %w", id, err)
	}
	if e = withoutBuyer(e); a.asJSON {
		return a.printJSON(e)
	}
	return table(a.stdout, "", [][]string{{"Entry", fmt.Sprint(e.ID)}, {"Order", e.Subject.String()}, {"What", string(e.Verb)}, {"To", string(e.Side)},
		{"Amount", shownAmount(e.Amount)}, {"State", string(e.State)}, {"In doubt", yes(e.Doubtful(a.clock()))}, {"Attempts", fmt.Sprint(e.Attempts)},
		{"Intended", when(e.IntendedAt)}, {"Deadline", when(e.Deadline)}, {"Settled", when(e.SettledAt)}, {"Again at", when(e.RetryAt)},
		{"Reference", orDash(e.Ref)}, {"Answer", orDash(e.Reason)}, {"Why", e.Why}, {"Key", e.Key}})
}

func newLedgerResolve(a *app) *cobra.Command {
	var happened, evidence string
	c := &cobra.Command{
		Use:   "resolve ENTRY --happened yes|no --evidence TEXT",
		Short: "Say whether a write in doubt has happened",
		Long: `Say whether a write in doubt has happened, after a look at the other side. "no" lets its order
decide anew, so it may be sent again; "yes" counts it as done for ever. The answer stands with its
evidence in the timeline and in the audit record. The same answer given twice is one.`,
		Example: "  channelbridge ledger resolve 42 --happened no --evidence 'no refund in the payments report of 12 March'",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := entryID(args[0])
			if err != nil {
				return err
			}
			o := connector.Outcome{State: connector.Refused, Class: "resolved", Reason: evidence}
			switch happened {
			case "yes":
				o.State = connector.Done
			case "no":
			default:
				return usage("say --happened yes or --happened no")
			}
			if strings.TrimSpace(evidence) == "" {
				return usage("--evidence is missing: say what shows it, a report, a case number, what the channel's pages show")
			}
			return a.acting(cmd.Context(), func(ctx context.Context, s *sqlstore.Store) error { return a.resolve(ctx, s, id, o) })
		},
	}
	c.Flags().StringVar(&happened, "happened", "", "yes or no")
	c.Flags().StringVar(&evidence, "evidence", "", "what shows it; no personal data")
	return c
}

func (a *app) resolve(ctx context.Context, s connector.Ledger, id int64, o connector.Outcome) error {
	o.At = a.clock()
	err := s.Resolve(ctx, id, o, operator(), o.Reason)
	if errors.Is(err, connector.ErrSettled) {
		if e, failed := s.Entry(ctx, id); failed == nil && e.State == o.State && e.Reason == o.Reason {
			err = nil // the same answer, given again
		}
	}
	if err != nil {
		return fmt.Errorf("resolving ledger entry %d: %w", id, err)
	}
	return a.showEntry(ctx, s, id)
}

func entryID(arg string) (int64, error) {
	id, err := strconv.ParseInt(arg, 10, 64)
	if err != nil || id < 1 {
		return 0, usage("%q is not the number of a ledger entry: see `channelbridge ledger list`", arg)
	}
	return id, nil
}
