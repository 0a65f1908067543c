package payout

import (
	"maps"
	"slices"
	"time"

	"channelbridge/marketplace"
)

// State is what people have done about a finding.
type State string

const (
	New        State = "new"
	InReview   State = "in_review"
	Claimed    State = "claimed"
	Accepted   State = "accepted"
	WrittenOff State = "written_off"
	Fixed      State = "fixed"
	Reopened   State = "reopened"
)

// States lists them.
func States() []State { return []State{New, InReview, Claimed, Accepted, WrittenOff, Fixed, Reopened} }

// Do is one thing that is done about a finding.
type Do string

const (
	DoReview   Do = "review"
	DoClaim    Do = "claim"
	DoAccept   Do = "accept"
	DoWriteOff Do = "write_off"
	DoFix      Do = "fix"
	DoReopen   Do = "reopen"
	DoAssign   Do = "assign"
	DoNote     Do = "note"

	DoClaimState Do = "claim_state" // what became of the claim
	DoSeen       Do = "seen"        // by the system: the finding opened, changed or went away
)

// leadsTo is the state after something was done.
var leadsTo = map[Do]State{DoReview: InReview, DoClaim: Claimed, DoAccept: Accepted, DoWriteOff: WrittenOff, DoFix: Fixed, DoReopen: Reopened}

// settled reports a state that holds only as long as the facts are those it was decided on.
func (s State) settled() bool { return s == Claimed || s == Accepted || s == WrittenOff || s == Fixed }

// may lists from which states something may be done; what is not in it may always be.
var may = map[Do][]State{
	DoReview:   {New, Reopened},
	DoClaim:    {New, InReview, Reopened},
	DoAccept:   {New, InReview, Reopened, Claimed},
	DoWriteOff: {New, InReview, Reopened, Claimed},
	DoFix:      {New, InReview, Reopened, Claimed},
	DoReopen:   {Claimed, Accepted, WrittenOff, Fixed},
}

func (s State) may(do Do) bool {
	from, bounded := may[do]
	return !bounded || slices.Contains(from, s)
}

// Step is one thing that was done about a finding, and what the finding was then.
type Step struct {
	Do         Do      `json:"do"`
	Subject    Subject `json:"of"`
	Outcome    Outcome `json:"outcome,omitempty"` // "": the finding was not there any more
	Difference int64   `json:"difference"`
	// Causes are the sums of the difference's causes. nil: it has none, or they were not looked at.
	Causes     map[CauseCode]int64 `json:"causes,omitempty"`
	Note       string              `json:"note,omitempty"`
	Assignee   string              `json:"assignee,omitempty"`
	Claim      *Claim              `json:"claim,omitempty"`       // of DoClaim
	ClaimState ClaimState          `json:"claim_state,omitempty"` // of DoClaimState
	Granted    int64               `json:"granted,omitempty"`     // of a claim that was won in part
	State      State               `json:"state,omitempty"`       // of DoSeen: what the finding's state had become
}

// Said is a step with who took it when.
type Said struct {
	Step
	At time.Time
	By string
}

// Progress is what was done about one finding.
type Progress struct {
	State    State // as people left it; facts that changed since are not in it
	Assignee string
	Claim    *Claim
	Said     []Said

	basis *Said // what the state was decided on
}

func (p *Progress) take(s Said) {
	p.Said = append(p.Said, s)
	switch s.Do {
	case DoSeen:
		if s.State == Fixed && p.State != Fixed { // the system had the last word
			p.State, p.basis = s.State, &p.Said[len(p.Said)-1]
		}
		return
	case DoAssign:
		p.Assignee = s.Assignee
		return
	case DoNote:
		return
	case DoClaimState:
		if p.Claim != nil {
			c := *p.Claim
			c.said(s)
			p.Claim = &c
		}
		return
	case DoClaim:
		c := *s.Claim
		c.At, c.By, c.State = s.At, s.By, ClaimDraft
		p.Claim = &c
	}
	if to, ok := leadsTo[s.Do]; ok {
		p.State = to
		b := s
		p.basis = &b
	}
}

// note is the last thing that was written about a finding.
func (p *Progress) note() string {
	for _, s := range slices.Backward(p.Said) {
		if s.Note != "" {
			return s.Note
		}
	}
	return ""
}

// seen is the last the system has seen of the finding; false: nothing yet.
func (p *Progress) seen() (Said, bool) {
	for _, s := range slices.Backward(p.Said) {
		if s.Do == DoSeen {
			return s, true
		}
	}
	return Said{}, false
}

// now is the state that a finding is in, given what it has become. Facts that change never close
// one silently: what was settled is reopened, and what is not there any more is fixed.
func (p *Progress) now(f Finding, at time.Time) State {
	switch {
	case f.Outcome == "":
		return Fixed
	case !p.State.settled() || p.basis == nil:
		return p.State
	case p.State == Claimed && p.Claim != nil:
		return p.claimed(f.Difference, f.Reimbursed, at)
	case p.basis.of(f):
		return p.State
	}
	return Reopened
}

// of reports that a finding is what it was when the step was taken: of the same outcome and
// difference, for the same causes.
func (s Step) of(f Finding) bool {
	return s.Outcome == f.Outcome && s.Difference == f.Difference && (s.Causes == nil || maps.Equal(s.Causes, f.causes()))
}

// claimed is the state of a finding with a claim: money that came for all of it settles both; what
// came for a part, was lost or has expired leaves the rest for people.
func (p *Progress) claimed(difference, reimbursed int64, at time.Time) State {
	state := p.Claim.now(reimbursed, at)
	switch {
	case difference-reimbursed != p.basis.Difference, reimbursed < 0:
		return Reopened
	case reimbursed >= p.Claim.Amount:
		return Fixed
	case reimbursed > 0 && (p.Claim.State != ClaimPartlyWon || reimbursed >= p.Claim.Granted), state == ClaimLost, state == ClaimExpired:
		return Reopened
	}
	return Claimed
}

// reimbursing reports a category that settles a claim.
func reimbursing(category string) bool {
	return category == string(marketplace.ClaimReimbursement) || category == string(marketplace.Compensation)
}
