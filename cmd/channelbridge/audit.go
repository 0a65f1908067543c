package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"channelbridge/connector"
	"channelbridge/connector/sqlstore"
)

func newAudit(a *app) *cobra.Command {
	return group("audit", "See the record of what was decided and done, and check that nobody changed it", newAuditList(a), newAuditVerify(a))
}

func newAuditList(a *app) *cobra.Command {
	var after int64
	limit := 50
	c := &cobra.Command{
		Use:     "list",
		Short:   "List lines of the record, oldest first",
		Example: "  channelbridge audit list --limit 20\n  channelbridge audit list --after 1200 --json",
		Args:    arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withStore(cmd.Context(), func(_ *Config, s *sqlstore.Store) error {
				list, err := s.AuditEntries(cmd.Context(), after, limit)
				if err != nil {
					return fmt.Errorf("listing the audit record: %w", err)
				}
				if a.asJSON {
					return a.printJSON(nonNil(list))
				}
				var rows [][]string
				for _, l := range list {
					place := "-" // not in the chain yet
					if l.Place > 0 {
						place = fmt.Sprint(l.Place)
					}
					rows = append(rows, []string{fmt.Sprint(l.ID), place, when(l.At), l.Actor, l.Action, orDash(l.Subject), orDash(l.Reason)})
				}
				return table(a.stdout, "ID\tPLACE\tAT\tWHO\tWHAT\tABOUT\tREASON", rows)
			})
		},
	}
	c.Flags().Int64Var(&after, "after", 0, "only lines after this id, to page on")
	c.Flags().IntVar(&limit, "limit", limit, "how many at most")
	return c
}

// auditVerdict is what a check of the record found.
type auditVerdict struct {
	Checked int64                 `json:"checked"`
	Broken  *connector.AuditFault `json:"broken"` // null: none
}

func newAuditVerify(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Check the whole record; names its first broken line",
		Long: `Check the whole record: every line's hash covers its contents and the hash of the line before it,
so a line that was changed, taken out or put in later breaks the chain there. The first broken line
is named, and the exit code is then 1.`,
		Example: "  channelbridge audit verify",
		Args:    arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withStore(cmd.Context(), func(_ *Config, s *sqlstore.Store) error { return a.verifyAudit(cmd.Context(), s) })
		},
	}
}

func (a *app) verifyAudit(ctx context.Context, s connector.Audits) error {
	n, broken, err := s.VerifyAudit(ctx, a.progress("lines checked"))
	if err != nil {
		return fmt.Errorf("checking the audit record: %w", err)
	}
	if a.asJSON {
		err = a.printJSON(auditVerdict{n, broken})
	} else if broken == nil {
		_, err = fmt.Fprintf(a.stdout, "%d lines are as they were written\n", n)
	}
	if err == nil && broken != nil {
		return fmt.Errorf("the audit record is broken at place %d (line %d): %s", broken.Place, broken.ID, broken.Reason)
	}
	return err
}

// progressEvery is how often a long work is heard of.
const progressEvery = 2 * time.Second

// progress tells of a long work now and then; a short one is not told of.
func (a *app) progress(what string) func(int64) {
	last := a.clock()
	return func(n int64) {
		if now := a.clock(); now.Sub(last) >= progressEvery {
			last = now
			fmt.Fprintf(a.stderr, "%d %s\n", n, what)
		}
	}
}
