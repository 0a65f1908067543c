package httpapi

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"channelbridge/connector/payout"
)

// chunk is how many rows of a file are made at a time.
const chunk = 1000

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

// chunks walks over the rows. There is always a first one, which may be empty.
func (s sheet) chunks(each func(from, to int) error) error {
	for from := 0; from == 0 || from < s.length(); from += chunk {
		if err := each(from, min(from+chunk, s.length())); err != nil {
			return err
		}
	}
	return nil
}

func (s sheet) writeCSV(w io.Writer) error {
	return s.chunks(func(from, to int) error {
		options := s.csv
		options.Bare = from > 0
		return s.table(from, to).WriteCSV(w, options)
	})
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
	return s.chunks(func(from, to int) error {
		rows, err := s.rows(from, to)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := out.Encode(row); err != nil {
				return err
			}
		}
		return nil
	})
}
