package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"channelbridge/connector/payout"
)

// Filters of findings, each given once.
var findingFilters = []string{"account", "scope", "outcome", "workflow_state", "assignee", "claim_state", "current"}

// findingFilter is a filter as a body names it.
type findingFilter struct {
	Account  string `json:"account,omitempty"`
	Scope    string `json:"scope,omitempty"`
	Outcome  string `json:"outcome,omitempty"`
	State    string `json:"workflow_state,omitempty"`
	Assignee string `json:"assignee,omitempty"`
	Claim    string `json:"claim_state,omitempty"`
	Current  bool   `json:"current,omitempty"`
}

func filterOf(q url.Values) (findingFilter, error) {
	f := findingFilter{q.Get("account"), q.Get("scope"), q.Get("outcome"), q.Get("workflow_state"), q.Get("assignee"), q.Get("claim_state"), q.Get("current") == "true"}
	if c := q.Get("current"); c != "" && c != "true" {
		return f, badParameter("current", "It is true or left out.", "")
	}
	return f, nil
}

// query is the filter as the desk wants it.
func (f findingFilter) query() (q payout.FindingQuery, err error) {
	outcomes := append(payout.Outcomes(), payout.Suggested, payout.Ambiguous, payout.Unclassified, payout.NotProven, payout.Differs, payout.WithoutPayout, payout.ToleranceDrift, "failed", "returned")
	err = errors.Join(
		pick(&q.Scopes, "scope", f.Scope, payout.Scopes()),
		pick(&q.Outcomes, "outcome", f.Outcome, outcomes),
		pick(&q.States, "workflow_state", f.State, payout.States()),
		pick(&q.Claims, "claim_state", f.Claim, payout.ClaimStates()))
	if f.Assignee != "" {
		q.Assignees = []string{f.Assignee}
	}
	q.Current = f.Current
	return q, err
}

// pick reads one of a few words, if it is given.
func pick[T ~string](into *[]T, name, v string, may []T) error {
	switch {
	case v == "":
	case !slices.Contains(may, T(v)):
		return badParameter(name, "It is one of "+strings.Join(words(may), ", ")+".", "")
	default:
		*into = []T{T(v)}
	}
	return nil
}

// listFindings lists findings, the greatest difference first.
func (s *Server) listFindings(c *call) (reply, error) {
	return s.pageOfFindings(c, func(all []payout.Finding) []payout.Finding { return all }, func(f payout.Finding) any { return f.JSON() })
}

func (s *Server) pageOfFindings(c *call, arrange func([]payout.Finding) []payout.Finding, view func(payout.Finding) any) (reply, error) {
	q, page, err := c.pages(findingFilters...)
	if err != nil {
		return reply{}, err
	}
	f, err := filterOf(q)
	if err != nil {
		return reply{}, err
	}
	all, err := s.found(c, f)
	if err != nil {
		return reply{}, err
	}
	all = arrange(all)
	from := 0
	if page.after != "" {
		// What moved meanwhile is looked for; what is gone ends the list where it stood.
		id, at, _ := strings.Cut(page.after, ":")
		if from = slices.IndexFunc(all, func(f payout.Finding) bool { return f.ID == id }) + 1; from == 0 {
			from, _ = strconv.Atoi(at) // the code vouches for it
		}
	}
	from = min(from, len(all))
	rows := all[from:min(from+page.limit, len(all))]
	last := ""
	if n := len(rows); n > 0 {
		last = rows[n-1].ID + ":" + strconv.Itoa(from+n)
	}
	return page.reply(views(rows, view), len(rows), last)
}

// found are the findings of the accounts a filter names.
func (s *Server) found(c *call, f findingFilter) ([]payout.Finding, error) {
	query, err := f.query()
	if err != nil {
		return nil, err
	}
	accounts, err := c.accounts("account", given(f.Account)...)
	if err != nil {
		return nil, err
	}
	all, err := c.paid.Desk().Findings(c.ctx, accounts, query)
	if err != nil {
		return nil, fmt.Errorf("listing findings: %w", err)
	}
	return all, nil
}

// finding finds one, and the account it is of.
func (s *Server) finding(c *call, id string) (payout.Finding, payout.Account, error) {
	return c.paid.Desk().Finding(c.ctx, c.paid.Accounts(), id)
}

func (s *Server) showFinding(c *call) (reply, error) {
	if _, err := c.query(); err != nil {
		return reply{}, err
	}
	id, err := c.name("id")
	if err != nil {
		return reply{}, err
	}
	f, _, err := s.finding(c, id)
	if err != nil {
		return reply{}, err
	}
	return shown(f.InFull())
}

// FindingAct is what somebody wants done about a finding. Which members belong to it depends on
// what is done.
type FindingAct struct {
	Note     string   `json:"note,omitempty"`
	Assignee string   `json:"assignee,omitempty"`
	Amount   string   `json:"amount,omitempty"` // of a claim, in the finding's currency
	Reason   string   `json:"reason,omitempty"` // of a claim
	Evidence []string `json:"evidence,omitempty"`
	Deadline string   `json:"deadline,omitempty"` // of a claim, an instant
	// Difference is the one it was decided on; if it is another one now nothing is done.
	Difference string `json:"difference,omitempty"`
}

// asked reads what is to be done in a currency.
func (r FindingAct) asked(do payout.Do, currency string) (payout.Asked, error) {
	a := payout.Asked{Do: do, Note: r.Note, Assignee: r.Assignee}
	if r.Difference != "" {
		seen, err := minorOf("difference", r.Difference, currency)
		if err != nil {
			return a, err
		}
		a.Seen = &seen
	}
	if r.Assignee != "" && do != payout.DoAssign {
		return a, member("invalid_member", "assignee", "Only :assign has it.", "")
	}
	if do != payout.DoClaim {
		if r.Amount != "" || r.Reason != "" || len(r.Evidence) > 0 || r.Deadline != "" {
			return a, member("invalid_member", "amount", "Only :claim has an amount, a reason, evidence and a deadline.", "")
		}
		return a, nil
	}
	amount, err := minorOf("amount", r.Amount, currency)
	if err != nil {
		return a, err
	}
	deadline := time.Time{}
	if r.Deadline != "" {
		if deadline, err = moment(r.Deadline); err != nil {
			return a, member("invalid_member", "deadline", "It is an instant such as 2026-11-01T00:00:00Z.", "")
		}
	}
	a.Claim = payout.Claim{Amount: amount, Reason: r.Reason, Evidence: r.Evidence, Deadline: deadline.UTC()}
	return a, nil
}

// deed is the handler of one thing that is done about a finding.
func (s *Server) deed(do payout.Do) func(*call) (reply, error) {
	return write(s, "FindingAct", func(c *call, r FindingAct) (reply, error) {
		id, err := c.name("id")
		if err != nil {
			return reply{}, err
		}
		f, a, err := s.finding(c, id)
		if err != nil {
			return reply{}, err
		}
		asked, err := r.asked(do, f.Subject.Currency)
		if err != nil {
			return reply{}, err
		}
		now, err := c.paid.Desk().Act(c.ctx, a, id, asked, c.who())
		if err != nil {
			return reply{}, fmt.Errorf("finding %s: %w", id, err)
		}
		return shown(now.InFull())
	})
}

// who is who acts through the API, and under which key.
func (c *call) who() payout.By { return payout.By{Name: c.token.Name, Key: c.key} }

// findingRoutes are those of findings: the list, one, and everything that can be done about it.
func (s *Server) findingRoutes() []route {
	get, post := http.MethodGet, http.MethodPost
	all := []route{
		{get, "/findings", scopePayoutsRead, s.listFindings, nil},
		{get, "/findings/:id", scopePayoutsRead, s.showFinding, nil},
		{post, `/findings\:bulk`, scopePayoutsWrite, write(s, "FindingBulk", s.bulkFindings), nil},
		{get, "/claims", scopePayoutsRead, s.listClaims, nil},
	}
	for _, do := range findingDeeds {
		all = append(all, route{post, `/findings/:id\:` + string(do), scopePayoutsWrite, s.deed(do), nil})
	}
	for _, verb := range claimVerbs {
		all = append(all, route{post, `/claims/:id\:` + verb.name, scopePayoutsWrite, s.claimStep(verb.to), nil})
	}
	return all
}

var findingDeeds = []payout.Do{payout.DoReview, payout.DoClaim, payout.DoAccept, payout.DoWriteOff, payout.DoFix, payout.DoReopen, payout.DoAssign, payout.DoNote}
