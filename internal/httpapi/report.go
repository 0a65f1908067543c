package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"channelbridge/connector/payout"
)

// reportView is one page of a report. Its summary covers the whole selection.
type reportView struct {
	Version    string               `json:"report_version"`
	Snapshot   string               `json:"snapshot_id"`
	At         time.Time            `json:"at"`             // what it says was so then
	AsOf       time.Time            `json:"as_of,omitzero"` // as it was asked for
	Closed     []payout.Closed      `json:"closed,omitempty"`
	Parameters reportParameters     `json:"parameters"` // as they were understood
	Summary    []payout.SummaryJSON `json:"summary"`    // by currency; never added together
	Rows       []any                `json:"rows"`
	Labels     any                  `json:"labels"` // of the codes on this page, by kind and code; the only thing that is in a language
	Next       string               `json:"next_cursor,omitempty"`
}

// report answers the reconciliation of payouts: a page of it, or all of it as a file. The first
// page fixes what is known; the others are cut from the same report.
func (s *Server) report(c *call) (reply, error) {
	ask, err := s.asked(c)
	if err != nil {
		return reply{}, err
	}
	if later, err := s.later(c, ask); err != nil {
		return reply{}, err
	} else if later {
		return s.export(c, ask)
	}
	r, from, err := s.reported(c, ask)
	if err != nil {
		return reply{}, err
	}
	header := map[string]string{"ETag": `"` + r.Snapshot + `"`}
	if unchanged(c.Request().Header, r.Snapshot) {
		return reply{status: http.StatusNotModified, header: header}, nil
	}
	out, err := s.formed(c, ask, r, from)
	if out.header == nil {
		out.header = map[string]string{}
	}
	for name, v := range header {
		out.header[name] = v
	}
	return out, err
}

// formed writes a report as it is asked for.
func (s *Server) formed(c *call, ask *reportAsk, r *payout.Report, from int) (reply, error) {
	switch ask.format {
	case formatJSON:
		return s.reportPage(c, ask, r, from)
	case formatXLSX:
		return s.reportBook(c, ask, r)
	case journalJSON, journalCSV, journalText:
		return s.reportJournal(c, ask, r)
	}
	return reportFile(ask, r), nil
}

// reported gives the report that is asked for, and where in it a page begins: a new one, or the
// one that a cursor goes on with.
func (s *Server) reported(c *call, ask *reportAsk) (*payout.Report, int, error) {
	if ask.cursor == "" {
		r, err := s.fresh(c, ask)
		return r, 0, err
	}
	position, ok := unseal(c.token.Hash, ask.list, ask.cursor)
	id, offset, cut := strings.Cut(position, ":")
	from, err := strconv.Atoi(offset)
	if !ok || !cut || err != nil || from < 0 {
		return nil, 0, badParameter("cursor", "It was changed, or made for other parameters or another token.", "Begin again without a cursor.")
	}
	r, found := s.reports.get(id, c.now)
	if !found {
		return nil, 0, newProblem("snapshot_gone", "Reports are kept for a quarter of an hour, and not many at once.", "Begin again without a cursor.")
	}
	return r, from, nil
}

// fresh gives a report of what is known now: the one that was made a moment ago for the same
// question, where nothing was added and nothing has fallen due since.
func (s *Server) fresh(c *call, ask *reportAsk) (*payout.Report, error) {
	mark, err := c.paid.Store().PayoutMark(c.ctx)
	if err != nil {
		return nil, fmt.Errorf("reconciling payouts: %w", err)
	}
	name, err := json.Marshal([]any{mark, idsOf(ask.accounts), ask.query})
	if err != nil {
		return nil, fmt.Errorf("naming a question about payouts: %w", err)
	}
	if r, warm := s.reports.warm(string(name), c.now); warm {
		return r, nil
	}
	r, err := c.paid.Report(c.ctx, idsOf(ask.accounts), ask.query)
	if err != nil {
		return nil, fmt.Errorf("reconciling payouts: %w", err)
	}
	s.reports.keep(r, string(name), c.now)
	return r, nil
}

// unchanged reports that the client has this snapshot already.
func unchanged(h http.Header, snapshot string) bool {
	for _, line := range h.Values("If-None-Match") {
		for tag := range strings.SplitSeq(line, ",") {
			if tag = strings.TrimSpace(tag); tag == "*" || strings.TrimPrefix(tag, "W/") == `"`+snapshot+`"` {
				return true
			}
		}
	}
	return false
}

// reportPage makes one page.
func (s *Server) reportPage(c *call, ask *reportAsk, r *payout.Report, from int) (reply, error) {
	sheet := sheetOf(ask, r)
	to := min(from+ask.limit, sheet.length())
	out := reportView{Version: payout.Version, Snapshot: r.Snapshot, At: r.At.UTC(), AsOf: r.Query.AsOf.UTC(), Closed: r.Closed, Parameters: ask.parameters(r.Query),
		Summary: views(r.Summary, payout.Summary.JSON), Rows: []any{}}
	if from < to {
		rows, err := sheet.rows(from, to)
		if err != nil {
			return reply{}, err
		}
		out.Rows = rows
	}
	out.Labels = legendOf(c.language, ask.level, out.Summary, out.Rows)
	if to < sheet.length() {
		s.reports.keep(r, "", c.now)
		out.Next = seal(c.token.Hash, ask.list, r.Snapshot+":"+strconv.Itoa(to))
	}
	return shown(out)
}
