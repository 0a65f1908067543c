package httpapi

import (
	"fmt"
	"slices"

	"channelbridge/connector/payout"
)

// FindingBulk asks for the same about many findings: those named, or all that a filter finds.
type FindingBulk struct {
	Do       string         `json:"do"`
	IDs      []string       `json:"ids,omitempty"`
	Filter   *findingFilter `json:"filter,omitempty"`
	Note     string         `json:"note,omitempty"`
	Assignee string         `json:"assignee,omitempty"`
	DryRun   bool           `json:"dry_run,omitempty"`
}

func (r FindingBulk) dry() bool { return r.DryRun }

// bulkView says of each finding whether it was done, or would be.
type bulkView struct {
	DryRun  bool        `json:"dry_run"`
	Done    int         `json:"done"`
	Refused int         `json:"refused"`
	Results []bulkEntry `json:"results"`
}

type bulkEntry struct {
	ID      string       `json:"finding_id"`
	State   payout.State `json:"workflow_state"`
	Refusal *Refusal     `json:"refusal,omitempty"`
}

func (s *Server) bulkFindings(c *call, r FindingBulk) (reply, error) {
	if (len(r.IDs) == 0) == (r.Filter == nil) {
		return reply{}, member("invalid_member", "ids", "Either ids or a filter is given.", "An empty filter means all findings.")
	}
	var f findingFilter
	if r.Filter != nil {
		f = *r.Filter
	}
	q, err := f.query()
	if err != nil {
		return reply{}, err
	}
	q.IDs = r.IDs
	accounts, err := c.accounts("account", given(f.Account)...)
	if err != nil {
		return reply{}, err
	}
	asked, err := FindingAct{Note: r.Note, Assignee: r.Assignee}.asked(payout.Do(r.Do), "")
	if err != nil {
		return reply{}, err
	}
	done, err := c.paid.Desk().Bulk(c.ctx, accounts, q, asked, r.DryRun, c.who())
	if err != nil {
		return reply{}, fmt.Errorf("many findings at once: %w", err)
	}
	out := bulkView{DryRun: r.DryRun, Results: []bulkEntry{}}
	for _, d := range done {
		e := bulkEntry{ID: d.Finding.ID, State: d.Finding.State}
		if d.Refused != nil {
			e.Refusal = &Refusal{Code: d.Refused.Code, Reason: d.Refused.Reason, Hint: d.Refused.Hint}
			out.Refused++
		} else {
			out.Done++
		}
		out.Results = append(out.Results, e)
	}
	for _, id := range r.IDs {
		if !slices.ContainsFunc(out.Results, func(e bulkEntry) bool { return e.ID == id }) {
			out.Refused++
			out.Results = append(out.Results, bulkEntry{ID: id, Refusal: &Refusal{Code: "not_found", Reason: "There is no such finding.", Hint: "GET /v1/findings lists those there are."}})
		}
	}
	return shown(out)
}
