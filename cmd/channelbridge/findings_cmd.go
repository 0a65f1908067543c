package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"channelbridge/connector"
	"channelbridge/connector/payout"
	"channelbridge/internal/money"
)

func newFindings(a *app) *cobra.Command {
	c := group("findings", "Work on what the payouts of channels have found",
		newFindingsList(a), newFindingsShow(a),
		a.deed(payout.DoReview, "review FINDING", "Say that somebody is looking at it"),
		a.deed(payout.DoAccept, "accept FINDING --note WHY", "Accept the difference"),
		a.deed(payout.DoWriteOff, "write-off FINDING --note WHY", "Write the difference off"),
		a.deed(payout.DoFix, "fix FINDING", "Say that it was put right"),
		a.deed(payout.DoReopen, "reopen FINDING", "Open it again"),
		a.deed(payout.DoNote, "note FINDING --note TEXT", "Write something down about it"),
		newFindingsAssign(a), newFindingsClaim(a))
	return c
}

// findingQuery is what narrows a list of findings on the command line.
type findingQuery struct {
	account, scope, outcome, state, assignee string
	all                                      bool
}

func (q findingQuery) read() (payout.FindingQuery, error) {
	out := payout.FindingQuery{Current: !q.all}
	if q.scope != "" {
		out.Scopes = []payout.Scope{payout.Scope(q.scope)}
	}
	if q.outcome != "" {
		out.Outcomes = []payout.Outcome{payout.Outcome(q.outcome)}
	}
	if q.state != "" {
		out.States = []payout.State{payout.State(q.state)}
	}
	if q.assignee != "" {
		out.Assignees = []string{q.assignee}
	}
	return out, nil
}

func newFindingsList(a *app) *cobra.Command {
	var q findingQuery
	c := &cobra.Command{
		Use:     "list",
		Short:   "List what somebody has to look at, the greatest difference first",
		Example: "  channelbridge findings list --state new\n  channelbridge findings list --outcome fee_variance --account amazon-us",
		Args:    arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			query, err := q.read()
			if err != nil {
				return err
			}
			return a.withBridge(cmd.Context(), func(b *bridge) error {
				accounts, err := b.payoutAccounts(q.account)
				if err != nil {
					return err
				}
				all, err := books{b}.Desk().Findings(cmd.Context(), accounts, query)
				if err != nil {
					return err
				}
				return a.printPayoutFindings(all)
			})
		},
	}
	f := c.Flags()
	f.StringVar(&q.account, "account", "", "only those of this channel")
	f.StringVar(&q.scope, "scope", "", "only those about an order, line, payout, deposit or account")
	f.StringVar(&q.outcome, "outcome", "", "only those with this outcome")
	f.StringVar(&q.state, "state", "", "only those in this state: new, in_review, claimed, accepted, written_off, fixed, reopened")
	f.StringVar(&q.assignee, "assignee", "", "only those of this person")
	f.BoolVar(&q.all, "all", false, "also those that are not there any more")
	return c
}

func (a *app) printPayoutFindings(all []payout.Finding) error {
	if a.asJSON {
		out := []payout.FindingJSON{}
		for _, f := range all {
			out = append(out, f.JSON())
		}
		return a.printJSON(out)
	}
	var rows [][]string
	for _, f := range all {
		rows = append(rows, []string{f.ID, string(f.Account), string(f.Subject.Scope), f.Subject.Ref, orDash(string(f.Outcome)), f.Amount().String(), string(f.State), orDash(f.Progress.Assignee), orDash(string(f.Claim))})
	}
	return table(a.stdout, "FINDING\tACCOUNT\tOF\tREF\tOUTCOME\tDIFFERENCE\tSTATE\tASSIGNEE\tCLAIM", rows)
}

// payoutAccounts are the account named, or all.
func (b *bridge) payoutAccounts(name string) ([]payout.Account, error) {
	all := books{b}.Accounts()
	if name == "" {
		return all, nil
	}
	for _, x := range all {
		if string(x.ID) == name {
			return []payout.Account{x}, nil
		}
	}
	return nil, usage("there is no channel %q", name)
}

// findingOf finds a finding and its account.
func (b *bridge) findingOf(ctx context.Context, id string) (payout.Finding, payout.Account, error) {
	return books{b}.Desk().Finding(ctx, books{b}.Accounts(), id)
}

func newFindingsShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "show FINDING",
		Short:   "Show one finding and all that was done about it",
		Example: "  channelbridge findings show fi_0b62a8a9a7e1c2e46a31700d",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBridge(cmd.Context(), func(b *bridge) error {
				f, _, err := b.findingOf(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return a.printFinding(f)
			})
		},
	}
}

func (a *app) printFinding(f payout.Finding) error {
	if a.asJSON {
		return a.printJSON(f.InFull())
	}
	fmt.Fprintf(a.stdout, "%s: %s %s of %s, %s of %s; %s\n", f.ID, f.Subject.Scope, f.Subject.Ref, f.Account, or(string(f.Outcome), "not there any more"), f.Amount(), f.State)
	for _, c := range f.Causes {
		fmt.Fprintf(a.stdout, "  because of %s: %s\n", c.Code, money.New(c.Amount, f.Subject.Currency))
	}
	if c := f.ClaimJSON(); c != nil {
		fmt.Fprintf(a.stdout, "  claim %s over %s %s: %s, %s received\n", c.ID, c.Amount, f.Subject.Currency, c.State, c.Received)
	}
	for _, s := range f.Progress.Said {
		fmt.Fprintf(a.stdout, "  %s  %s  %s\n", when(s.At), s.By, strings.Join(strings.Fields(fmt.Sprint(s.Do, " ", s.ClaimState, " ", s.Step.State, " ", s.Assignee, " ", s.Note)), " "))
	}
	return nil
}

// deed is the command of one thing that is done about a finding.
func (a *app) deed(do payout.Do, use, short string) *cobra.Command {
	var note, by, seen string
	c := &cobra.Command{
		Use:     use,
		Short:   short,
		Example: "  channelbridge findings " + strings.ReplaceAll(strings.Replace(use, "FINDING", "fi_0b62a8a9a7e1c2e46a31700d", 1), "--note WHY", `--note "agreed with the channel"`),
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.does(cmd.Context(), args[0], by, func(f payout.Finding) (payout.Asked, error) {
				difference, err := differenceOf(f, seen)
				return payout.Asked{Do: do, Note: note, Seen: difference}, err
			})
		},
	}
	c.Flags().StringVar(&note, "note", "", "why, or what was found out")
	differenceFlag(c, &seen)
	byFlag(c, &by)
	return c
}

// differenceFlag lets a person say which difference was decided on.
func differenceFlag(c *cobra.Command, seen *string) {
	c.Flags().StringVar(seen, "difference", "", "the difference it is decided on; refused if it is another one by now")
}

// differenceOf reads it; nil: it was not said.
func differenceOf(f payout.Finding, seen string) (*int64, error) {
	if seen == "" {
		return nil, nil
	}
	m, err := money.Parse(seen, f.Subject.Currency)
	if err != nil {
		return nil, usage("--difference: %v", err)
	}
	return &m.Minor, nil
}

// byFlag lets a person say who is at the keyboard.
func byFlag(c *cobra.Command, by *string) {
	c.Flags().StringVar(by, "by", connector.Operator, "who does it; it stands in the record")
}

// does does something about a finding and shows it.
func (a *app) does(ctx context.Context, id, by string, ask func(payout.Finding) (payout.Asked, error)) error {
	return a.withBridge(ctx, func(b *bridge) error {
		f, account, err := b.findingOf(ctx, id)
		if err != nil {
			return err
		}
		asked, err := ask(f)
		if err != nil {
			return err
		}
		if f, err = (books{b}).Desk().Act(ctx, account, id, asked, payout.By{Name: by}); err != nil {
			return err
		}
		return a.printFinding(f)
	})
}

func newFindingsAssign(a *app) *cobra.Command {
	var by string
	c := &cobra.Command{
		Use:     "assign FINDING [PERSON]",
		Short:   "Give a finding to somebody, or to nobody",
		Example: "  channelbridge findings assign fi_0b62a8a9a7e1c2e46a31700d ben",
		Args:    arguments(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			person := strings.Join(args[1:], "")
			return a.does(cmd.Context(), args[0], by, func(payout.Finding) (payout.Asked, error) {
				return payout.Asked{Do: payout.DoAssign, Assignee: person}, nil
			})
		},
	}
	byFlag(c, &by)
	return c
}

func newFindingsClaim(a *app) *cobra.Command {
	var amount, reason, deadline, by, seen string
	var evidence []string
	c := &cobra.Command{
		Use:     "claim FINDING --amount AMOUNT --reason WHY",
		Short:   "Claim money from the channel",
		Example: `  channelbridge findings claim fi_0b62a8a9a7e1c2e46a31700d --amount 20.00 --reason "commission above the tariff" --deadline 2026-12-31`,
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.does(cmd.Context(), args[0], by, func(f payout.Finding) (payout.Asked, error) {
				sum, err := money.Parse(amount, f.Subject.Currency)
				if err != nil {
					return payout.Asked{}, usage("--amount: %v", err)
				}
				until, err := payout.ReadInstant(deadline, time.UTC)
				if err != nil {
					return payout.Asked{}, usage("--deadline: %v", err)
				}
				difference, err := differenceOf(f, seen)
				return payout.Asked{Do: payout.DoClaim, Seen: difference, Claim: payout.Claim{Amount: sum.Minor, Reason: reason, Evidence: evidence, Deadline: until}}, err
			})
		},
	}
	f := c.Flags()
	f.StringVar(&amount, "amount", "", "what is claimed, in the finding's currency")
	f.StringVar(&reason, "reason", "", "why")
	f.StringVar(&deadline, "deadline", "", "until when the channel takes it: a day or an instant")
	f.StringArrayVar(&evidence, "evidence", nil, "a line, a tracking number or an address; may be given several times")
	differenceFlag(c, &seen)
	byFlag(c, &by)
	return c
}

func newClaims(a *app) *cobra.Command {
	return group("claims", "Follow what is claimed from channels",
		newClaimsList(a),
		a.claimStep(payout.ClaimSent, "send", "Say that a claim was sent"),
		a.claimStep(payout.ClaimAcknowledged, "acknowledge", "Say that the channel has acknowledged a claim"),
		a.claimStep(payout.ClaimWon, "win", "Say that a claim was won, or with --amount a part of it"),
		a.claimStep(payout.ClaimLost, "lose", "Say that a claim was lost"))
}

func newClaimsList(a *app) *cobra.Command {
	return a.accountsList("claims", "List claims, the nearest deadline first", func(ctx context.Context, b *bridge, accounts []payout.Account) error {
		all, err := books{b}.Desk().Findings(ctx, accounts, payout.FindingQuery{})
		if err != nil {
			return err
		}
		return a.printClaims(payout.ByDeadline(all))
	})
}

// accountsList is the command that lists what accounts have: those of all channels, or of one.
func (a *app) accountsList(of, short string, show func(ctx context.Context, b *bridge, accounts []payout.Account) error) *cobra.Command {
	var account string
	c := &cobra.Command{
		Use:     "list",
		Short:   short,
		Example: "  channelbridge " + of + " list --account amazon-us",
		Args:    arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withBridge(cmd.Context(), func(b *bridge) error {
				accounts, err := b.payoutAccounts(account)
				if err != nil {
					return err
				}
				return show(cmd.Context(), b, accounts)
			})
		},
	}
	c.Flags().StringVar(&account, "account", "", "only those of this channel")
	return c
}

func (a *app) printClaims(all []payout.Finding) error {
	claims := []payout.ClaimRowJSON{}
	var rows [][]string
	for _, f := range all {
		c := f.AsClaim(a.clock())
		claims = append(claims, c)
		rows = append(rows, []string{c.ID, string(c.Account), c.Ref, c.Amount + " " + c.Currency, string(c.State), c.Received, when(f.Progress.Claim.Deadline), c.Reason})
	}
	if a.asJSON {
		return a.printJSON(claims)
	}
	return table(a.stdout, "CLAIM\tACCOUNT\tREF\tAMOUNT\tSTATE\tRECEIVED\tDEADLINE\tREASON", rows)
}

// claimStep is the command of one thing that is said of a claim.
func (a *app) claimStep(to payout.ClaimState, verb, short string) *cobra.Command {
	var note, amount, by string
	c := &cobra.Command{
		Use:     verb + " CLAIM",
		Short:   short,
		Example: "  channelbridge claims " + verb + " cl_7e2e6f8b8e2cb4da869ead83",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBridge(cmd.Context(), func(b *bridge) error { return a.saysOfClaim(cmd.Context(), b, args[0], to, amount, note, by) })
		},
	}
	c.Flags().StringVar(&note, "note", "", "such as the channel's case number")
	if to == payout.ClaimWon {
		c.Flags().StringVar(&amount, "amount", "", "what was granted, where it is less than the claim")
	}
	byFlag(c, &by)
	return c
}

func (a *app) saysOfClaim(ctx context.Context, b *bridge, id string, to payout.ClaimState, amount, note, by string) error {
	f, account, err := books{b}.Desk().Claim(ctx, books{b}.Accounts(), id)
	if err != nil {
		return err
	}
	asked := payout.Asked{Do: payout.DoClaimState, State: to, Note: note}
	if amount != "" {
		sum, err := money.Parse(amount, f.Subject.Currency)
		if err != nil {
			return usage("--amount: %v", err)
		}
		asked.State, asked.Granted = payout.ClaimPartlyWon, sum.Minor
	}
	if f, err = (books{b}).Desk().Act(ctx, account, f.ID, asked, payout.By{Name: by}); err != nil {
		return err
	}
	return a.printFinding(f)
}
