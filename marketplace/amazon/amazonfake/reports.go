package amazonfake

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

const reportsShown = 90 * 24 * time.Hour

// publication is a report Amazon has made.
type publication struct {
	id, document string
	made, done   time.Time
	of           Settlement
}

func (s *Server) reportState(p *publication) string {
	switch {
	case s.now().Before(p.done):
		return "IN_PROGRESS"
	case p.of.Status != "":
		return p.of.Status
	}
	return "DONE"
}

func (s *Server) reportWire(p *publication) map[string]any {
	w := map[string]any{"reportId": p.id, "reportType": settlementType, "createdTime": stamp(p.made), "processingStatus": s.reportState(p)}
	if len(p.of.Sites) > 0 {
		w["marketplaceIds"] = p.of.Sites
	}
	if !p.of.Start.IsZero() {
		w["dataStartTime"] = stamp(p.of.Start)
	}
	if !p.of.End.IsZero() {
		w["dataEndTime"] = stamp(p.of.End)
	}
	if s.reportState(p) == "DONE" {
		w["processingStartTime"], w["processingEndTime"], w["reportDocumentId"] = stamp(p.made), stamp(p.done), p.document
	}
	return w
}

// createReport is refused: Amazon makes settlements by itself.
func (s *Server) createReport(*call) result {
	return badInput("The report type 1118 is not allowed to be requested.")
}

// getReports lists newest first; further pages are asked for with the token alone.
func (s *Server) getReports(c *call) result {
	q := c.URL.Query()
	if token := q.Get("nextToken"); token != "" {
		page, known := s.reportPages[token]
		if !known || len(q) > 1 {
			return badInput("nextToken is invalid or not the only parameter")
		}
		return s.reportPage(page)
	}
	since, until := s.now().Add(-reportsShown), s.now()
	for name, to := range map[string]*time.Time{"createdSince": &since, "createdUntil": &until} {
		text := q.Get(name)
		if text == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339, text)
		if err != nil || t.Before(s.now().Add(-reportsShown)) {
			return badInput("%s is not a date-time of the last 90 days", name)
		}
		*to = t
	}
	page := reportPage{size: 10}
	if text := q.Get("pageSize"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 100 {
			return badInput("pageSize must be between 1 and 100")
		}
		page.size = n
	}
	if types := list(q, "reportTypes"); len(types) == 0 || len(types) > 10 {
		return badInput("reportTypes with at most 10 values, or nextToken, is required")
	} else if !slices.Contains(types, settlementType) {
		return s.reportPage(page)
	}
	states, sites := list(q, "processingStatuses"), list(q, "marketplaceIds")
	for _, p := range slices.Backward(s.reports) {
		if p.made.Before(since) || p.made.After(until) || len(states) > 0 && !slices.Contains(states, s.reportState(p)) ||
			len(sites) > 0 && !slices.ContainsFunc(sites, func(id string) bool { return slices.Contains(p.of.Sites, id) }) {
			continue
		}
		page.rest = append(page.rest, p)
		if s.chance(s.faults.ListTwice) {
			page.rest = append(page.rest, p)
		}
	}
	return s.reportPage(page)
}

// reportPage is the rest of a listing of reports.
type reportPage struct {
	rest []*publication
	size int
}

func (s *Server) reportPage(p reportPage) result {
	now, answer := p.rest[:min(p.size, len(p.rest))], map[string]any{}
	if rest := p.rest[len(now):]; len(rest) > 0 {
		s.serial++
		token := fmt.Sprintf("rp%06d", s.serial)
		s.reportPages[token] = reportPage{rest, p.size}
		answer["nextToken"] = token
	}
	shown := make([]any, 0, len(now))
	for _, r := range now {
		shown = append(shown, s.reportWire(r))
	}
	answer["reports"] = shown
	return ok(answer)
}

func (s *Server) getReportDocument(c *call) result {
	id := c.PathValue("id")
	at := slices.IndexFunc(s.reports, func(p *publication) bool { return p.document == id })
	if at < 0 || s.reportState(s.reports[at]) != "DONE" || s.reports[at].made.Before(s.now().Add(-reportsShown)) {
		return refuse(http.StatusNotFound, "NotFound", "There is no such document.")
	}
	d := s.documents[id]
	w := map[string]any{"reportDocumentId": d.id, "url": s.address(c, d)}
	if d.gzip {
		w["compressionAlgorithm"] = "GZIP"
	}
	return ok(w)
}
