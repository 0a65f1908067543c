package httpapi

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"channelbridge/connector/payout"
)

// reportFile is the whole selection as a file, written as it is made.
func reportFile(ask *reportAsk, r *payout.Report) reply {
	s := sheetOf(ask, r)
	out := reply{status: http.StatusOK, kind: "text/csv; charset=utf-8; header=present", stream: s.writeCSV, header: map[string]string{
		"Content-Disposition": attachment(fmt.Sprintf("payout-reconciliation-%s-%s.%s", ask.level, r.Snapshot, ask.format))}}
	if ask.format == formatNDJSON {
		out.kind, out.stream = "application/x-ndjson", s.writeNDJSON
	}
	return out
}

// chunk is how many rows of a file are made at a time.
const chunk = 500

func (s sheet) writeCSV(w io.Writer) error {
	options := s.csv
	for t, err := range s.pieces() {
		if err != nil {
			return fmt.Errorf("reading the rows of a report: %w", err)
		}
		if err := t.WriteCSV(w, options); err != nil {
			return err
		}
		options.Bare = true
	}
	return nil
}

// writeNDJSON writes one row a line; of a summary one currency a line.
func (s sheet) writeNDJSON(w io.Writer) error {
	out := json.NewEncoder(w)
	if s.level == "summary" && len(s.columns) == 0 {
		for _, sum := range s.report.Summary {
			if err := out.Encode(sum.JSON()); err != nil {
				return err
			}
		}
		return nil
	}
	n := s.report.Len(s.level)
	for from := 0; from < n; from += chunk {
		rows, err := s.rows(from, min(from+chunk, n))
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := out.Encode(row); err != nil {
				return err
			}
		}
	}
	return nil
}
