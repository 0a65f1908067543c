package main

import (
	"context"
	"fmt"

	"channelbridge/connector/payout"
)

// printJournal writes the entries of a report's payouts.
func (a *app) printJournal(ctx context.Context, b *bridge, r *payout.Report, q asked) error {
	entries, err := payout.Journal(ctx, b.store, r)
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
