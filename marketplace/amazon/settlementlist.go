package amazon

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"channelbridge/internal/fault"
	"channelbridge/marketplace"
)

const (
	reportsPath      = "/reports/2021-06-30/reports"
	settlementReport = "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2"
	reportsKept      = 89 * 24 * time.Hour // Amazon keeps them 90 days
	// reportsLate is how far behind its watermark a report may come to its end. It is listed by the
	// time it was begun.
	reportsLate = 48 * time.Hour
)

// settlementRef is a report as Amazon lists it.
type settlementRef struct {
	ReportType       string
	MarketplaceIDs   []string
	CreatedTime      instant
	ProcessingStatus string
	ReportDocumentID string
}

// reportListing is what the text of a cursor holds.
type reportListing struct {
	Begun time.Time `json:"begun"`
	Token string    `json:"token"`
	Pages int       `json:"pages"`
}

const maxReportPages = 50

// Statements lists the settlement reports Amazon has made, one page a call. Amazon makes them by
// itself and refuses to be asked for one. It lists the newest first, so that a page holds later
// documents than the one that follows it. A document may come again: the next listing reaches back
// two days, because a report is listed under the time it was begun.
//
// Source: getReports of Reports v2021-06-30, where nextToken is the only parameter of a further page.
func (a *Adapter) Statements(ctx context.Context, after marketplace.Cursor) (marketplace.StatementPage, error) {
	l, err := a.reportListing(after)
	if err != nil {
		return marketplace.StatementPage{}, err
	}
	query := url.Values{"nextToken": {l.Token}}
	if l.Token == "" {
		since := after.Since
		if oldest := l.Begun.Add(-reportsKept); since.Before(oldest) {
			since = oldest
		}
		query = url.Values{"reportTypes": {settlementReport}, "processingStatuses": {"DONE"}, "pageSize": {"100"}, "createdSince": {stamp(since)}}
	}
	var body struct {
		Reports   []settlementRef
		NextToken string
	}
	_, err = a.api.read(ctx, request{op: opGetReports, method: http.MethodGet, path: reportsPath, query: query, repeat: true}, &body)
	if fault.Is(err, fault.Refused) && l.Token != "" {
		a.log.Warn("listing broken off", "op", opGetReports, "error", err) // the token has ended; begin anew
		return marketplace.StatementPage{Next: marketplace.Cursor{Since: after.Since}}, nil
	}
	if err != nil {
		return marketplace.StatementPage{}, fault.Wrap(err, "listing settlement reports made since %s", stamp(after.Since))
	}
	p := marketplace.StatementPage{Statements: a.settlements(body.Reports)}
	p.Next, p.More = l.following(after.Since, body.NextToken)
	return p, nil
}

func (a *Adapter) reportListing(c marketplace.Cursor) (reportListing, error) {
	if c.Token == "" {
		return reportListing{Begun: a.clock().UTC().Truncate(time.Second)}, nil
	}
	var l reportListing
	if err := json.Unmarshal([]byte(c.Token), &l); err != nil || l.Token == "" || l.Begun.IsZero() {
		return l, fault.New(fault.Refused, "amazon %s: the cursor is not one of ours", opGetReports)
	}
	return l, nil
}

// following says where to go on. A token that comes a second time, or a list without end, ends the
// listing without moving the watermark.
func (l reportListing) following(since time.Time, token string) (marketplace.Cursor, bool) {
	if token == "" {
		if mark := l.Begun.Add(-reportsLate); mark.After(since) {
			since = mark
		}
		return marketplace.Cursor{Since: since}, false
	}
	if token == l.Token || l.Pages >= maxReportPages {
		return marketplace.Cursor{Since: since}, false
	}
	text, _ := json.Marshal(reportListing{Begun: l.Begun, Token: token, Pages: l.Pages + 1})
	return marketplace.Cursor{Since: since, Token: string(text)}, true
}

// settlements keeps what is done and concerns the sites worked on, oldest first and each once.
func (a *Adapter) settlements(all []settlementRef) []marketplace.StatementRef {
	var out []marketplace.StatementRef
	for _, r := range all {
		known := slices.ContainsFunc(out, func(s marketplace.StatementRef) bool { return s.ID == r.ReportDocumentID })
		if r.done() && !known && a.mine(r.MarketplaceIDs) {
			out = append(out, marketplace.StatementRef{ID: r.ReportDocumentID, MadeAt: r.CreatedTime.Time})
		}
	}
	slices.SortStableFunc(out, func(x, y marketplace.StatementRef) int { return x.MadeAt.Compare(y.MadeAt) })
	return out
}

func (r settlementRef) done() bool {
	return strings.EqualFold(r.ReportType, settlementReport) && strings.EqualFold(r.ProcessingStatus, "DONE") && r.ReportDocumentID != ""
}

// mine reports whether sites that Amazon names, or leaves out, are among those worked on.
func (a *Adapter) mine(named []string) bool {
	return len(named) == 0 || len(a.cfg.Sites) == 0 ||
		slices.ContainsFunc(named, func(id string) bool { return slices.Contains(a.cfg.Sites, id) })
}

// StatementFormats are the forms of the documents.
func (a *Adapter) StatementFormats() []marketplace.StatementFormat {
	return []marketplace.StatementFormat{SettlementV2(nil)}
}
