package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"channelbridge/connector/payout"
	"channelbridge/internal/money"
)

func newMonths(a *app) *cobra.Command {
	return group("months", "Close months of a channel's payouts, and open them again", newMonthsList(a), newMonthsClose(a), newMonthsReopen(a))
}

func newMonthsList(a *app) *cobra.Command {
	return a.accountsList("months", "List the months that are closed", func(ctx context.Context, b *bridge, accounts []payout.Account) error {
		all := []payout.ClosingJSON{}
		var rows [][]string
		for _, x := range accounts {
			closed, err := books{b}.Desk().Closes(ctx, x)
			if err != nil {
				return err
			}
			for _, m := range closed {
				rows = append(rows, []string{string(x.ID), m.Month, when(m.At), m.By, m.Snapshot})
				all = append(all, m.JSON(x.ID))
			}
		}
		if a.asJSON {
			return a.printJSON(all)
		}
		return table(a.stdout, "ACCOUNT\tMONTH\tCLOSED\tBY\tREPORT", rows)
	})
}

func newMonthsClose(a *app) *cobra.Command {
	var account, by string
	c := &cobra.Command{
		Use:   "close MONTH --account CHANNEL",
		Short: "Close a month: its report stays as it is now",
		Long: `Close a month of a channel. What is known of its payouts then counts for ever; what is learned
later stands in the open month, with the month it belongs to. It is refused while the month goes
on, and while one of its payouts is open or unproven or holds a line of no category.`,
		Example: "  channelbridge months close 2026-10 --account amazon-us --by anna",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.inAccount(cmd.Context(), account, func(b *bridge, x payout.Account) error {
				m, err := books{b}.Desk().Close(cmd.Context(), x, args[0], payout.By{Name: by})
				if err != nil {
					return err
				}
				if a.asJSON {
					return a.printJSON(m.JSON(x.ID))
				}
				fmt.Fprintf(a.stdout, "%s of %s is closed on report %s\n", m.Month, x.ID, m.Snapshot)
				for _, t := range m.Totals {
					fmt.Fprintf(a.stdout, "  paid %s %s in %d payouts\n", t.Paid, t.Currency, t.Payouts)
				}
				return nil
			})
		},
	}
	c.Flags().StringVar(&account, "account", "", "the channel")
	byFlag(c, &by)
	return c
}

// inAccount does something in the account that has to be named.
func (a *app) inAccount(ctx context.Context, name string, do func(*bridge, payout.Account) error) error {
	if name == "" {
		return usage("--account is missing: say which channel")
	}
	return a.withBridge(ctx, func(b *bridge) error {
		accounts, err := b.payoutAccounts(name)
		if err != nil {
			return err
		}
		return do(b, accounts[0])
	})
}

func newMonthsReopen(a *app) *cobra.Command {
	var account, reason, by string
	c := &cobra.Command{
		Use:     "reopen MONTH --account CHANNEL --reason WHY --by PERSON",
		Short:   "Open a closed month again; it takes another person than the one who closed it",
		Example: `  channelbridge months reopen 2026-10 --account amazon-us --reason "a payout came late" --by ben`,
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.inAccount(cmd.Context(), account, func(b *bridge, x payout.Account) error {
				if err := (books{b}).Desk().Unclose(cmd.Context(), x, args[0], reason, payout.By{Name: by}); err != nil {
					return err
				}
				fmt.Fprintf(a.stdout, "%s of %s is open again\n", args[0], x.ID)
				return nil
			})
		},
	}
	c.Flags().StringVar(&account, "account", "", "the channel")
	c.Flags().StringVar(&reason, "reason", "", "why")
	byFlag(c, &by)
	return c
}

func newDeposits(a *app) *cobra.Command {
	return group("deposits", "Enter what was seen at the bank, and see what it is held against", newDepositsList(a), newDepositsAdd(a), newDepositsImport(a), newDepositsUndo(a))
}

func newDepositsList(a *app) *cobra.Command {
	return a.accountsList("deposits", "List deposits and the payouts they are held against", func(ctx context.Context, b *bridge, accounts []payout.Account) error {
		out := []payout.DepositJSON{}
		var rows [][]string
		for _, x := range accounts {
			all, err := books{b}.Desk().Deposits(ctx, x)
			if err != nil {
				return err
			}
			for _, d := range all {
				out = append(out, d.JSON(x.ID))
				rows = append(rows, []string{d.ID, string(x.ID), d.Day, d.Amount.String(), d.Origin, orDash(d.BankRef), orDash(d.For()), string(d.Outcome)})
			}
		}
		if a.asJSON {
			return a.printJSON(out)
		}
		return table(a.stdout, "DEPOSIT\tACCOUNT\tDAY\tAMOUNT\tORIGIN\tREFERENCE\tPAYOUT\tOUTCOME", rows)
	})
}

func newDepositsAdd(a *app) *cobra.Command {
	var account, amount, currency, by string
	d := payout.Deposit{Origin: payout.DepositManual}
	c := &cobra.Command{
		Use:     "add --account CHANNEL --amount AMOUNT --currency CODE --day DAY",
		Short:   "Enter money that was seen at the bank",
		Example: "  channelbridge deposits add --account amazon-us --amount 1250.75 --currency USD --day 2026-11-12 --reference 4B03616UONXSAWP",
		Args:    arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.inAccount(cmd.Context(), account, func(b *bridge, x payout.Account) error {
				var err error
				if d.Amount, err = money.Parse(amount, currency); err != nil {
					return usage("--amount: %v", err)
				}
				key := fmt.Sprintf("%s/%s/%s/%s", d.Day, d.Amount, d.BankRef, d.Payout) // typed twice it is one
				kept, err := books{b}.Desk().Deposit(cmd.Context(), x, d, key, payout.By{Name: by})
				if err != nil {
					return err
				}
				fmt.Fprintf(a.stdout, "deposit %s of %s was entered\n", kept.ID, kept.Amount)
				return nil
			})
		},
	}
	f := c.Flags()
	f.StringVar(&account, "account", "", "the channel that has paid")
	f.StringVar(&amount, "amount", "", "what came")
	f.StringVar(&currency, "currency", "", "its currency, such as USD")
	f.StringVar(&d.Day, "day", "", "the day it came, such as 2026-11-12")
	f.StringVar(&d.BankRef, "reference", "", "the bank's reference")
	f.StringVar(&d.Payout, "payout", "", "the channel's number of the payout it is for, where it is known")
	f.StringVar(&d.Note, "note", "", "anything else")
	byFlag(c, &by)
	return c
}

func newDepositsImport(a *app) *cobra.Command {
	var account, by string
	c := &cobra.Command{
		Use:   "import FILE --account CHANNEL",
		Short: "Enter what a bank's file says",
		Long: `Enter what a bank's file says: CSV with the columns value_date, amount and currency, and perhaps
bank_reference, payout and note, in any order and among others. Days are such as 2026-11-12, amounts
such as 1250.75. A file with a row that cannot be understood enters nothing; what an earlier file has
entered is not entered again.`,
		Example: "  channelbridge deposits import november.csv --account amazon-us",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer func() { _ = file.Close() }()
			all, err := payout.ReadDeposits(file)
			if err != nil {
				return fmt.Errorf("nothing was entered: %w", err)
			}
			return a.inAccount(cmd.Context(), account, func(b *bridge, x payout.Account) error {
				for i, key := range payout.KeysOf(all) {
					if _, err := (books{b}).Desk().Deposit(cmd.Context(), x, all[i], key, payout.By{Name: by}); err != nil {
						return fmt.Errorf("%d of %d deposits were entered; enter the file again to go on: %w", i, len(all), err)
					}
				}
				fmt.Fprintf(a.stdout, "%d deposits are entered\n", len(all))
				return nil
			})
		},
	}
	c.Flags().StringVar(&account, "account", "", "the channel that has paid")
	byFlag(c, &by)
	return c
}

func newDepositsUndo(a *app) *cobra.Command {
	var account, reason, by string
	c := &cobra.Command{
		Use:     "undo DEPOSIT --account CHANNEL",
		Short:   "Take back a deposit that was entered by mistake",
		Example: "  channelbridge deposits undo dp_3157d585044960fc24068f64 --account amazon-us --reason typo",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.inAccount(cmd.Context(), account, func(b *bridge, x payout.Account) error {
				return books{b}.Desk().Undeposit(cmd.Context(), x, args[0], reason, payout.By{Name: by})
			})
		},
	}
	c.Flags().StringVar(&account, "account", "", "the channel")
	c.Flags().StringVar(&reason, "reason", "", "why")
	byFlag(c, &by)
	return c
}
