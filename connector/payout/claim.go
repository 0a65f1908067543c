package payout

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"channelbridge/internal/money"
)

// ClaimState is where a claim stands.
type ClaimState string

const (
	ClaimDraft        ClaimState = "draft"
	ClaimSent         ClaimState = "sent"
	ClaimAcknowledged ClaimState = "acknowledged"
	ClaimWon          ClaimState = "won"
	ClaimPartlyWon    ClaimState = "partly_won"
	ClaimLost         ClaimState = "lost"
	ClaimExpired      ClaimState = "expired"
)

// ClaimStates lists them.
func ClaimStates() []ClaimState {
	return []ClaimState{ClaimDraft, ClaimSent, ClaimAcknowledged, ClaimWon, ClaimPartlyWon, ClaimLost, ClaimExpired}
}

// Claim is what the seller asks the channel for because of a finding.
type Claim struct {
	ID       string    `json:"id"`
	Amount   int64     `json:"amount"` // minor units of the finding's currency; above zero
	Reason   string    `json:"reason"`
	Evidence []string  `json:"evidence,omitempty"` // lines, tracking numbers, addresses of pictures
	Deadline time.Time `json:"deadline,omitzero"`  // of the channel: until when the claim has to be sent

	// Had is what the order's lines had reimbursed already when the claim was made: that was not for it.
	Had int64 `json:"had,omitempty"`

	State   ClaimState `json:"-"` // as people left it
	Granted int64      `json:"-"` // of a claim that was won in part
	At      time.Time  `json:"-"`
	By      string     `json:"-"`
}

// Bounds of what a claim may hold.
const (
	mostEvidence = 20
	mostText     = 500
)

// check says what is wrong with a claim.
func (c Claim) check(currency string) error {
	var all []error
	if c.Amount <= 0 {
		all = append(all, errors.New("amount: a claim is about more than nothing"))
	}
	if !plausible(c.Amount) {
		all = append(all, errors.New("amount: it is far beyond what a channel pays"))
	}
	if c.Reason == "" || len(c.Reason) > mostText {
		all = append(all, fmt.Errorf("reason: it is a text of 1 to %d characters", mostText))
	}
	if len(c.Evidence) > mostEvidence {
		all = append(all, fmt.Errorf("evidence: at most %d are kept", mostEvidence))
	}
	for _, e := range c.Evidence {
		if u, err := url.Parse(e); e == "" || len(e) > mostText || err == nil && u.User != nil {
			all = append(all, fmt.Errorf("evidence: each is a line, a number or an address of 1 to %d characters, without a password", mostText))
			break
		}
	}
	if !money.ValidCode(currency) {
		all = append(all, errors.New("amount: the finding has no currency"))
	}
	return errors.Join(all...)
}

// asksFor reports that the claim is over the same, whatever its id.
func (c Claim) asksFor(o Claim) bool {
	return c.Amount == o.Amount && c.Reason == o.Reason && slices.Equal(c.Evidence, o.Evidence) && c.Deadline.Equal(o.Deadline)
}

// said takes what a person says of the claim.
func (c *Claim) said(s Said) {
	c.State = s.ClaimState
	c.Granted = s.Granted
}

// mayBecome reports what a person may say of a claim that stands somewhere.
func (s ClaimState) mayBecome(to ClaimState) bool {
	switch to {
	case ClaimSent:
		return s == ClaimDraft
	case ClaimAcknowledged:
		return s == ClaimSent
	case ClaimWon, ClaimPartlyWon, ClaimLost:
		return slices.Contains([]ClaimState{ClaimSent, ClaimAcknowledged}, s)
	}
	return false
}

// received is what has come for the claim, of all that an order's lines have reimbursed. It is below
// zero when something was taken back that the order had before.
func (c *Claim) received(reimbursed int64) int64 { return reimbursed - c.Had }

// owed reports that money may still come for a claim: the channel has it before it, or has granted
// what is not here yet. Money that came while a further claim was out could not be told apart.
func (c *Claim) owed(state ClaimState, received int64) bool {
	switch state {
	case ClaimSent, ClaimAcknowledged:
		return true
	case ClaimWon:
		return received < c.Amount
	case ClaimPartlyWon:
		return received < c.Granted
	}
	return false
}

// now is where a claim stands: money that came for it settles it, whatever people have said, and
// one that was not sent by its deadline has expired.
func (c *Claim) now(reimbursed int64, at time.Time) ClaimState {
	switch {
	case reimbursed >= c.Amount:
		return ClaimWon
	case reimbursed > 0:
		return ClaimPartlyWon
	case c.State == ClaimDraft && !c.Deadline.IsZero() && at.After(c.Deadline):
		return ClaimExpired
	}
	return c.State
}

// ByDeadline leaves the findings that have a claim, the nearest deadline first; those without one
// come last.
func ByDeadline(all []Finding) []Finding {
	all = slices.DeleteFunc(slices.Clone(all), func(f Finding) bool { return f.Progress.Claim == nil })
	slices.SortFunc(all, func(x, y Finding) int {
		a, b := x.Progress.Claim.Deadline, y.Progress.Claim.Deadline
		switch {
		case a.IsZero() != b.IsZero() && a.IsZero():
			return 1
		case a.IsZero() != b.IsZero():
			return -1
		}
		return cmp.Or(a.Compare(b), strings.Compare(x.ID, y.ID))
	})
	return all
}
