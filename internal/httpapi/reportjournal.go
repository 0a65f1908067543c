package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"channelbridge/connector/payout"
)

// journalFile is what a journal's file is called and of, by its form.
var journalFile = map[string]struct{ kind, ending string }{
	journalJSON: {"application/json", "json"},
	journalCSV:  {"text/csv; charset=utf-8; header=present", "csv"},
	journalText: {"text/plain; charset=utf-8", "ledger"},
}

// reportJournal is the entries of the report's payouts for the books. A category without an
// account stops it, before a byte is sent.
func (s *Server) reportJournal(c *call, ask *reportAsk, r *payout.Report) (reply, error) {
	entries, err := payout.Journal(c.ctx, c.paid.Store(), r)
	if missing, ok := errors.AsType[*payout.UnmappedError](err); ok {
		return reply{}, newProblem("unmapped_category", missing.Error()+".", "Name an account for them in the configuration: payouts.accounts.")
	}
	if err != nil {
		return reply{}, fmt.Errorf("making the journal of payouts: %w", err)
	}
	file := journalFile[ask.format]
	return reply{status: http.StatusOK, kind: file.kind, stream: func(w io.Writer) error { return writeJournal(w, ask.format, r.Snapshot, entries) },
		header: map[string]string{"Content-Disposition": attachment(fmt.Sprintf("journal-%s.%s", r.Snapshot, file.ending))}}, nil
}

func writeJournal(w io.Writer, format, snapshot string, entries []payout.Entry) error {
	switch format {
	case journalCSV:
		return payout.JournalTable(entries).WriteCSV(w, payout.CSVOptions{})
	case journalText:
		return payout.WriteLedger(w, entries)
	}
	return json.NewEncoder(w).Encode(journalView{snapshot, views(entries, payout.Entry.JSON)})
}

// journalView is a journal as programs see it.
type journalView struct {
	Snapshot string             `json:"snapshot_id"` // of the report it was made from
	Entries  []payout.EntryJSON `json:"entries"`
}
