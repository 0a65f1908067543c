package httpapi

import (
	"time"

	"channelbridge/connector"
	"channelbridge/connector/payout"
)

// findingView is something that somebody has to look at, or had to.
type findingView struct {
	ID         string                 `json:"finding_id"`
	Account    connector.ConnectionID `json:"account"`
	Scope      payout.Scope           `json:"scope"`
	Ref        string                 `json:"ref"`
	Payout     string                 `json:"payout_external_id,omitempty"`
	Outcome    payout.Outcome         `json:"outcome,omitempty"` // not there: the finding has gone
	Currency   string                 `json:"currency"`
	Difference string                 `json:"difference"`
	Causes     []findingCause         `json:"causes"`
	State      payout.State           `json:"workflow_state"`
	Assignee   string                 `json:"assignee,omitempty"`
	Claim      *payout.ClaimJSON      `json:"claim"`
	Store      string                 `json:"store_order_id,omitempty"`
	Name       string                 `json:"store_order_name,omitempty"`
	Text       string                 `json:"native_text,omitempty"`
	Payouts    []string               `json:"payout_external_ids,omitempty"`
	DueAt      time.Time              `json:"due_at,omitzero"`
	OpenedAt   time.Time              `json:"opened_at,omitzero"`
}

type findingCause struct {
	Code   payout.CauseCode `json:"code"`
	Amount string           `json:"amount"`
}

// findingDetail is a finding with all that was done about it.
type findingDetail struct {
	findingView
	History []findingStep `json:"history"`
}

type findingStep struct {
	At         time.Time         `json:"at"`
	By         string            `json:"by"`
	Do         payout.Do         `json:"do"`
	Outcome    payout.Outcome    `json:"outcome,omitempty"`
	Difference string            `json:"difference"`
	State      payout.State      `json:"workflow_state,omitempty"` // of what the system saw
	Assignee   string            `json:"assignee,omitempty"`
	ClaimState payout.ClaimState `json:"claim_state,omitempty"`
	Note       string            `json:"note,omitempty"`
}

func findingOf(f payout.Finding) findingView {
	cur := f.Subject.Currency
	return findingView{ID: f.ID, Account: f.Account, Scope: f.Subject.Scope, Ref: f.Subject.Ref, Payout: f.Subject.Payout, Outcome: f.Outcome, Currency: cur,
		Difference: decimal(f.Difference, cur), State: f.State, Assignee: f.Progress.Assignee, Claim: f.ClaimJSON(), Store: f.Store, Name: f.Name, Text: f.Text,
		Payouts: f.Payouts, DueAt: f.DueAt.UTC(), OpenedAt: f.OpenedAt().UTC(),
		Causes: views(f.Causes, func(c payout.Cause) findingCause { return findingCause{c.Code, decimal(c.Amount, cur)} })}
}

func findingInFull(f payout.Finding) findingDetail {
	return findingDetail{findingOf(f), views(f.Progress.Said, func(s payout.Said) findingStep {
		return findingStep{At: s.At.UTC(), By: s.By, Do: s.Do, Outcome: s.Outcome, Difference: decimal(s.Difference, f.Subject.Currency), State: s.Step.State,
			Assignee: s.Assignee, ClaimState: s.ClaimState, Note: s.Note}
	})}
}
