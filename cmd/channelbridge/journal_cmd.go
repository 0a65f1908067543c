package main

import (
	"context"
	"fmt"

	"channelbridge/connector/payout"
)

// printJournal writes the entries of a report's payouts. They are of one channel, since each has
// accounts of its own.
func (a *app) printJournal(ctx context.Context, b *bridge, r *payout.Report, q asked) error {
	accounts := accountsOf(b, q.account)
	if len(accounts) != 1 {
		return usage("--account is missing: a journal is of one channel, whose accounts the configuration names")
	}
	l, _ := b.link(accounts[0])
	entries, err := payout.Journal(ctx, b.store, r, l.cfg.payouts().chart())
	if err != nil {
		return fmt.Errorf("the journal: %w", err)
	}
	switch q.format {
	case "journal-text":
		return payout.WriteLedger(a.stdout, entries)
	case "journal-csv":
		return payout.JournalTable(entries).WriteCSV(a.stdout, payout.CSVOptions{})
	case "journal-json":
		out := []payout.EntryJSON{}
		for _, e := range entries {
			out = append(out, e.JSON())
		}
		return a.printJSON(out)
	}
	return usage("--format %s: it is journal-text, journal-csv or journal-json", q.format)
}
