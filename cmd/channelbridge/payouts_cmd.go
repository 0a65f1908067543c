package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"channelbridge/connector"
	"channelbridge/connector/payout"
	"channelbridge/internal/label"
	"channelbridge/internal/money"
)

func newPayouts(a *app) *cobra.Command {
	return group("payouts", "See what channels have paid, and bring in their payout files",
		newPayoutsList(a), newPayoutsShow(a), newPayoutsImport(a), newPayoutsFiles(a), newPayoutsSource(a))
}

func newPayoutsList(a *app) *cobra.Command {
	var account string
	var all bool
	c := &cobra.Command{
		Use:     "list",
		Short:   "List payouts, the oldest import first",
		Example: "  channelbridge payouts list --account amazon-us",
		Args:    arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			f := connector.PayoutFilter{All: all}
			if account != "" {
				f.Accounts = []connector.ConnectionID{connector.ConnectionID(account)}
			}
			return a.withBridge(cmd.Context(), func(b *bridge) error {
				list, err := b.store.PayoutList(cmd.Context(), f)
				if err != nil {
					return fmt.Errorf("listing payouts: %w", err)
				}
				if a.asJSON {
					return a.printJSON(nonNil(list))
				}
				var rows [][]string
				for _, p := range list {
					rows = append(rows, []string{p.External, fmt.Sprint(p.Revision), string(p.Account), string(p.State), when(p.PaidAt), shownAmount(p.Paid), fmt.Sprint(p.Lines), proof(p), when(p.SupersededAt)})
				}
				return table(a.stdout, "PAYOUT\tREVISION\tACCOUNT\tSTATE\tPAID AT\tPAID\tLINES\tPROOF\tSUPERSEDED", rows)
			})
		},
	}
	c.Flags().StringVar(&account, "account", "", "only those of this channel")
	c.Flags().BoolVar(&all, "all", false, "also those that a later revision has superseded")
	return c
}

// proof says whether a payout's lines come to what was paid.
func proof(p connector.Payout) string {
	gap, err := p.Gap()
	switch {
	case err != nil:
		return "not proven: " + err.Error()
	case gap.Minor != 0:
		return "not proven: the lines differ by " + gap.String()
	case !p.Complete():
		return fmt.Sprintf("not proven: %d lines declared", p.Declared)
	}
	return "proven"
}

func newPayoutsShow(a *app) *cobra.Command {
	var account string
	c := &cobra.Command{
		Use:     "show PAYOUT",
		Short:   "Show one payout and how it is made up",
		Example: "  channelbridge payouts show 11888387941",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBridge(cmd.Context(), func(b *bridge) error {
				r, err := books{b}.Report(cmd.Context(), accountsOf(b, account), payout.Query{Payouts: args})
				if err != nil {
					return fmt.Errorf("payout %s: %w", args[0], err)
				}
				if len(r.Payouts) == 0 {
					return fmt.Errorf("payout %s: %w", args[0], connector.ErrNotFound)
				}
				if a.asJSON {
					return a.printView(r, "payout")
				}
				return a.printBridge(r, "")
			})
		},
	}
	c.Flags().StringVar(&account, "account", "", "the channel, where several have a payout of that number")
	return c
}

// accountsOf is the account named, or all.
func accountsOf(b *bridge, name string) []connector.ConnectionID {
	if name != "" {
		return []connector.ConnectionID{connector.ConnectionID(name)}
	}
	var out []connector.ConnectionID
	for _, x := range (books{b}).Accounts() {
		out = append(out, x.ID)
	}
	return out
}

func newPayoutsImport(a *app) *cobra.Command {
	var f payout.File
	var account string
	c := &cobra.Command{
		Use:   "import FILE --account CHANNEL",
		Short: "Bring a payout file into the books",
		Long: `Bring a payout file of a channel into the books, plain or compressed with gzip. Its bytes are kept
first, whatever becomes of it. A file comes in whole or not at all; the same file again changes
nothing, and a payout that the channel has issued anew becomes a further revision. FILE may be -
for standard input.`,
		Example: "  channelbridge payouts import settlement.txt --account amazon-us\n  channelbridge payouts import statement.csv --account lazada --format lazada-statement",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if account == "" {
				return usage("--account is missing: say which channel has paid")
			}
			f.Account, f.Name, f.Origin, f.By = connector.ConnectionID(account), filepath.Base(args[0]), "command", "operator"
			return a.withBridge(cmd.Context(), func(b *bridge) error {
				if l, ok := b.link(f.Account); !ok || l.role != connector.RoleChannel {
					return usage("there is no channel %q", account)
				}
				return a.importFile(cmd.Context(), b, args[0], f)
			})
		},
	}
	c.Flags().StringVar(&account, "account", "", "the channel that has paid")
	c.Flags().StringVar(&f.Format, "format", "", "the file's form; default: recognised by its contents")
	return c
}

func (a *app) importFile(ctx context.Context, b *bridge, path string, f payout.File) error {
	f.Body = io.Reader(os.Stdin)
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		f.Body = file
	}
	im := books{b}.importer()
	im.Log = nil // what became of it is told here
	told := a.progress("lines read")
	im.Progress = func(n int) { told(int64(n)) }
	out, err := im.Import(ctx, f)
	if err != nil {
		return err
	}
	if out.Fresh {
		b.tellImported(ctx, out.Payout, out.Unclassified)
	}
	if a.asJSON {
		return a.printJSON(out)
	}
	state := "imported"
	if !out.Fresh {
		state = "known already, nothing has changed"
	}
	p := out.Payout
	fmt.Fprintf(a.stdout, "payout %s of %s, revision %d: %s; %d lines, paid %s, %s\n", p.External, p.Account, p.Revision, state, p.Lines, p.Paid, proof(p))
	if d := out.Against; d != nil {
		fmt.Fprintf(a.stdout, "against revision %d: %d lines more, %d gone, %d changed; together %s %s\n", d.Revision, d.Added, d.Gone, d.Changed, d.Sum, p.Currency)
	}
	if out.Unclassified > 0 {
		fmt.Fprintf(a.stdout, "%d lines say something nobody has classified; they stand in the report as unclassified\n", out.Unclassified)
	}
	return nil
}

func newPayoutsFiles(a *app) *cobra.Command {
	var account string
	var limit int
	c := &cobra.Command{
		Use:     "files",
		Short:   "List the payout files that are kept, the newest first",
		Example: "  channelbridge payouts files --account amazon-us",
		Args:    arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withBridge(cmd.Context(), func(b *bridge) error {
				list, err := b.store.PayoutSources(cmd.Context(), connector.ConnectionID(account), limit)
				if err != nil {
					return fmt.Errorf("listing payout files: %w", err)
				}
				if a.asJSON {
					return a.printJSON(nonNil(list))
				}
				var rows [][]string
				for _, s := range list {
					rows = append(rows, []string{s.Hash[:12], string(s.Account), orDash(s.Name), s.Origin, fmt.Sprint(s.Size), string(s.State), orDash(s.Format), when(s.KeptAt), orDash(s.Reason)})
				}
				return table(a.stdout, "SHA-256\tACCOUNT\tNAME\tCAME BY\tBYTES\tSTATE\tFORM\tKEPT\tREASON", rows)
			})
		},
	}
	c.Flags().StringVar(&account, "account", "", "only those of this channel")
	c.Flags().IntVar(&limit, "limit", 50, "how many at most")
	return c
}

func newPayoutsSource(a *app) *cobra.Command {
	var account string
	c := &cobra.Command{
		Use:     "source SHA-256 --account CHANNEL",
		Short:   "Write a kept payout file to standard output, byte for byte",
		Example: "  channelbridge payouts source 5c1f… --account amazon-us > settlement.txt",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBridge(cmd.Context(), func(b *bridge) error {
				body, err := b.store.OpenSource(cmd.Context(), connector.ConnectionID(account), args[0])
				if errors.Is(err, connector.ErrSourceMissing) {
					return fmt.Errorf("no file %s of %q is kept: %w", args[0], account, connector.ErrNotFound)
				}
				if err != nil {
					return err
				}
				defer func() { _ = body.Close() }()
				_, err = io.Copy(a.stdout, body)
				return err
			})
		},
	}
	c.Flags().StringVar(&account, "account", "", "the channel it is of")
	return c
}

// printBridge shows how what was paid is made up, one currency after the other. Without a language its
// codes are left as they are.
func (a *app) printBridge(r *payout.Report, l label.Language) error {
	for _, p := range r.PayoutRows() {
		news := ""
		if p.Prior != "" {
			news = ", known since " + p.Prior + " was closed"
		}
		fmt.Fprintf(a.stdout, "Payout %s of %s, revision %d: %s, %s%s\n", p.External, p.Account.ID, p.Revision, shownAmount(p.Payout.Paid), proof(p.Payout), news)
	}
	bridge, err := r.Table("summary", 0, r.Len("summary"), "")
	if err != nil {
		return err
	}
	for _, s := range r.Summary {
		amount := func(minor int64) string { return money.New(minor, s.Currency).String() }
		var rows [][]string
		for _, row := range bridge.Rows {
			if row[2].Text == s.Currency {
				rows = append(rows, []string{partName(l, row[3].Text, row[4].Text), row[5].Text + " " + s.Currency})
			}
		}
		heading := "How " + amount(s.Paid) + " is made up"
		if !s.Whole {
			heading = "Not about whole payouts"
		}
		fmt.Fprintf(a.stdout, "\n%s: %d orders, %d lines\n", heading, s.Orders, s.Lines)
		if err := table(a.stdout, "", rows); err != nil {
			return err
		}
	}
	return nil
}

// partName is a bridge's part for people.
func partName(l label.Language, part, code string) string {
	name := or(label.Of(l, label.Parts, part), part)
	if l != "" && code != "" {
		kind := label.Categories
		if part == "variance" {
			kind = label.Causes
		}
		code = or(label.Of(l, kind, code), code)
	}
	if code != "" && part != "expected" {
		name += ": " + code
	}
	return name
}
