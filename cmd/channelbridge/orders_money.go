package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"channelbridge/connector/order"
	"channelbridge/internal/money"
)

func newOrdersMoney(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "money ORDER",
		Short: "Show an order's money: paid, refundable, the refunds of both sides, and where they differ",
		Long: `Show an order's money: what the buyer paid and was charged, what can still be given back, the
refunds of both sides with their states, what the channel gave back by itself, and where the two
sides' figures differ. It is worked out from what is kept; the times say when that was read.`,
		Example: "  channelbridge orders money amazon-us/112-1234567-1234567\n  channelbridge orders money '#1001' --json",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBridge(cmd.Context(), func(b *bridge) error {
				rec, err := findOrder(cmd.Context(), b.store, args[0])
				if err != nil {
					return err
				}
				s, err := moneyDesk{b}.sheet(cmd.Context(), rec.Subject)
				if err != nil {
					return err
				}
				if a.asJSON {
					return a.printJSON(s)
				}
				return a.printSheet(s)
			})
		},
	}
}

func (a *app) printSheet(s order.Sheet) error {
	facts := [][]string{{"Order", s.Order}, {"Paid", shownAmount(s.Paid)}, {"Charged", shownAmount(s.Captured)}, {"Given back or about to be", shownAmount(s.Spent)},
		{"Refundable", shownAmount(s.Refundable)}, {"Channel read", when(s.Read.Market)}, {"Store read", when(s.Read.Shop)}, {"Refunds read", when(s.Read.Refunds)}}
	if s.Problem != "" {
		facts = append(facts, []string{"Problem", s.Problem})
	}
	if err := table(a.stdout, "", facts); err != nil {
		return err
	}
	a.section("Lines")
	if err := table(a.stdout, "LINE\tSKU\tPART\tPAID\tOF IT TAX\tCHARGED\tGIVEN BACK\tREFUNDABLE", sheetLines(s)); err != nil {
		return err
	}
	a.section("Refunds and cancellations")
	if err := table(a.stdout, "WHAT\tFROM\tABOUT\tAT\tAMOUNT\tSTATE\tAT THE CHANNEL\tIN THE STORE\tREASON", sheetRefunds(s)); err != nil {
		return err
	}
	a.section("Given back by the channel itself")
	var seen [][]string
	for _, r := range s.Observed {
		seen = append(seen, []string{r.ID, when(r.PostedAt), r.Amount.String(), orDash(r.Kind), yes(r.Pending)})
	}
	if err := table(a.stdout, "REFUND\tPOSTED\tAMOUNT\tKIND\tPENDING", seen); err != nil {
		return err
	}
	a.section("Differences")
	var differ [][]string
	for _, d := range s.Differences {
		differ = append(differ, []string{d.Kind, d.About, d.Market.String(), d.Shop.String(), d.Difference.String(), d.Text})
	}
	if err := table(a.stdout, "KIND\tABOUT\tCHANNEL\tSTORE\tDIFFERENCE\tTEXT", differ); err != nil {
		return err
	}
	a.section("Holds about money")
	var holds [][]string
	for _, h := range s.Holds {
		holds = append(holds, []string{h.Kind, orDash(h.About), string(h.Level), h.Reason, h.Hint})
	}
	return table(a.stdout, "KIND\tABOUT\tLEVEL\tREASON\tHINT", holds)
}

func sheetLines(s order.Sheet) (rows [][]string) {
	for _, l := range s.Lines {
		for _, p := range l.Parts {
			rows = append(rows, []string{or(l.Line, "order"), orDash(l.SKU), string(p.Kind), p.Paid.String(), p.Tax.String(), p.Captured.String(), p.Spent.String(), p.Refundable.String()})
		}
	}
	return rows
}

func sheetRefunds(s order.Sheet) (rows [][]string) {
	for _, r := range s.Refunds {
		var market []string
		why := r.Reason
		for _, l := range r.Market {
			market, why = append(market, legText(l)), or(l.Reason, why)
		}
		store := "-"
		if r.Store != nil {
			store, why = legText(*r.Store), or(r.Store.Reason, why)
		}
		rows = append(rows, []string{r.Kind, words(r.From, r.Actor), r.About, when(r.At), shownAmount(r.Amount), string(r.State), orDash(strings.Join(market, ", ")), store, orDash(why)})
	}
	return rows
}

// legText is one side's part with its ledger entry.
func legText(l order.Leg) string {
	if l.Entry == 0 {
		return string(l.State)
	}
	return fmt.Sprintf("%s (%s, entry %d)", l.State, l.Verb, l.Entry)
}

func shownAmount(m money.Money) string {
	if m.Currency == "" {
		return "-"
	}
	return m.String()
}
