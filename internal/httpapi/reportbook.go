package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"slices"
	"time"

	"channelbridge/connector/payout"
	"channelbridge/internal/xlsx"
)

// reportBook is the whole selection as a workbook: every level on a sheet of its own, and what the
// report rests on.
func (s *Server) reportBook(c *call, ask *reportAsk, r *payout.Report) (reply, error) {
	about, err := s.about(c, ask, r)
	if err != nil {
		return reply{}, err
	}
	zone := sheetOf(ask, r).shown()
	name := func(english string) string { return sheetName(c.language, english) }
	level := func(english, level string) xlsx.Sheet {
		return xlsx.Sheet{Name: name(english), Columns: payout.Columns(level), Rows: rowsOf(r.Pieces(level, zone))}
	}
	sheets := []xlsx.Sheet{level("Summary", "summary"), level("Payouts", "payout"), level("Orders", levelOfOrders),
		{Name: name("Exceptions"), Columns: payout.Columns(levelOfOrders), Rows: exceptions(r, zone)}, level("Lines", "line"), xlsx.Of(name("About"), about)}
	journal, err := s.journalSheet(c, r)
	if err != nil {
		return reply{}, err
	}
	sheets = slices.Insert(sheets, len(sheets)-1, xlsx.Of(name("Journal"), journal))
	return reply{status: http.StatusOK, kind: workbook, stream: func(w io.Writer) error { return xlsx.Write(w, sheets) }, header: map[string]string{
		"Content-Disposition": attachment("payout-reconciliation-" + r.Snapshot + ".xlsx")}}, nil
}

// rowsOf are the rows of pieces of a table.
func rowsOf(pieces iter.Seq2[payout.Table, error]) iter.Seq2[[]payout.Cell, error] {
	return func(yield func([]payout.Cell, error) bool) {
		for t, err := range pieces {
			if err != nil {
				yield(nil, err)
				return
			}
			for _, row := range t.Rows {
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

// exceptions are the orders that do not simply match.
func exceptions(r *payout.Report, zone string) iter.Seq2[[]payout.Cell, error] {
	return func(yield func([]payout.Cell, error) bool) {
		for o, err := range r.Orders.All() {
			if err != nil {
				yield(nil, err)
				return
			}
			if o.Outcome == payout.Matched || o.Outcome == payout.WithinTolerance {
				continue
			}
			if !yield(r.OrderCells(o, o.Account.In(zone)), nil) {
				return
			}
		}
	}
}

// journalSheet is the entries of the report's payouts; in their place the categories that have no
// account, where there are such.
func (s *Server) journalSheet(c *call, r *payout.Report) (payout.Table, error) {
	entries, err := payout.Journal(c.ctx, c.paid.Store(), r)
	if errors.Is(err, payout.ErrNotWhole) {
		return payout.JournalTable(nil), nil
	}
	if missing, ok := errors.AsType[*payout.UnmappedError](err); ok {
		t := payout.Table{Columns: []string{"unmapped_category"}}
		for _, category := range missing.Categories {
			t.Rows = append(t.Rows, []payout.Cell{{Text: string(category)}})
		}
		return t, nil
	}
	if err != nil {
		return payout.Table{}, fmt.Errorf("making the journal of payouts: %w", err)
	}
	return payout.JournalTable(entries), nil
}

// about says what a report rests on: its snapshot and parameters, and the zone, the tolerance and the
// tariffs of each account as they were then. Codes are codes on every sheet; here is what each
// is called in the report's language.
func (s *Server) about(c *call, ask *reportAsk, r *payout.Report) (payout.Table, error) {
	t := payout.Table{Columns: []string{"about", "account", "name", "value"}}
	add := func(about, account, name, value string) {
		row := []payout.Cell{{Text: about}, {Text: account}, {Text: name}, {Text: value}}
		t.Rows = append(t.Rows, row)
	}
	add("report", "", "version", payout.Version)
	add("report", "", "snapshot", r.Snapshot)
	add("report", "", "at", r.At.UTC().Format(time.RFC3339))
	asked, err := json.Marshal(ask.parameters(r.Query))
	if err != nil {
		return t, fmt.Errorf("the parameters of a report: %w", err)
	}
	add("report", "", "parameters", string(asked))
	for _, a := range r.Accounts() {
		id := string(a.ID)
		add("zone", id, "", a.Zone)
		for _, currency := range slices.Sorted(maps.Keys(a.Tol)) {
			tol := a.Tol[currency]
			add("tolerance", id, currency, fmt.Sprintf("%d minor units, %d of ten thousand", tol.Minor, tol.BP))
		}
		kept, err := c.paid.Store().Tariffs(c.ctx, a.ID, r.At)
		if err != nil {
			return t, fmt.Errorf("the tariffs of %s: %w", a.ID, err)
		}
		for _, k := range kept {
			add("tariff", id, k.Key, string(k.Body))
		}
	}
	explain(c.language, add)
	return t, nil
}
