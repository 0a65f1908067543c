package payout

import (
	"time"

	"channelbridge/connector"
	"channelbridge/internal/money"
)

// FindingJSON is something that somebody has to look at, or had to.
type FindingJSON struct {
	ID         string                 `json:"finding_id"`
	Account    connector.ConnectionID `json:"account"`
	Scope      Scope                  `json:"scope"`
	Ref        string                 `json:"ref"`
	Payout     string                 `json:"payout_external_id,omitempty"`
	Outcome    Outcome                `json:"outcome,omitempty"` // not there: the finding has gone
	Currency   string                 `json:"currency"`
	Difference string                 `json:"difference"`
	Causes     []FindingCauseJSON     `json:"causes"`
	State      State                  `json:"workflow_state"`
	Assignee   string                 `json:"assignee,omitempty"`
	Claim      *ClaimJSON             `json:"claim"`
	Store      string                 `json:"store_order_id,omitempty"`
	Name       string                 `json:"store_order_name,omitempty"`
	Text       string                 `json:"native_text,omitempty"`
	Payouts    []string               `json:"payout_external_ids,omitempty"`
	DueAt      time.Time              `json:"due_at,omitzero"`
	OpenedAt   time.Time              `json:"opened_at,omitzero"`
}

// FindingCauseJSON is one cause of a finding's difference.
type FindingCauseJSON struct {
	Code   CauseCode `json:"code"`
	Amount string    `json:"amount"`
}

// FindingInFullJSON is a finding with all that was done about it.
type FindingInFullJSON struct {
	FindingJSON
	History []FindingStepJSON `json:"history"`
}

// FindingStepJSON is one thing that was done about a finding, or that the system saw of it.
type FindingStepJSON struct {
	At         time.Time  `json:"at"`
	By         string     `json:"by"`
	Do         Do         `json:"do"`
	Outcome    Outcome    `json:"outcome,omitempty"`
	Difference string     `json:"difference"`
	State      State      `json:"workflow_state,omitempty"` // of what the system saw
	Assignee   string     `json:"assignee,omitempty"`
	ClaimState ClaimState `json:"claim_state,omitempty"`
	Note       string     `json:"note,omitempty"`
}

// JSON is the finding as programs see it.
func (f Finding) JSON() FindingJSON {
	dec := func(minor int64) string { return money.New(minor, f.Subject.Currency).Decimal() }
	out := FindingJSON{ID: f.ID, Account: f.Account, Scope: f.Subject.Scope, Ref: f.Subject.Ref, Payout: f.Subject.Payout, Outcome: f.Outcome, Currency: f.Subject.Currency,
		Difference: dec(f.Difference), Causes: []FindingCauseJSON{}, State: f.State, Assignee: f.Progress.Assignee, Claim: f.ClaimJSON(), Store: f.Store, Name: f.Name, Text: f.Text,
		Payouts: f.Payouts, DueAt: f.DueAt.UTC(), OpenedAt: f.OpenedAt().UTC()}
	for _, c := range f.Causes {
		out.Causes = append(out.Causes, FindingCauseJSON{c.Code, dec(c.Amount)})
	}
	return out
}

// InFull is the finding with all that was done about it.
func (f Finding) InFull() FindingInFullJSON {
	out := FindingInFullJSON{f.JSON(), []FindingStepJSON{}}
	for _, s := range f.Progress.Said {
		out.History = append(out.History, FindingStepJSON{At: s.At.UTC(), By: s.By, Do: s.Do, Outcome: s.Outcome, Difference: money.New(s.Difference, f.Subject.Currency).Decimal(),
			State: s.Step.State, Assignee: s.Assignee, ClaimState: s.ClaimState, Note: s.Note})
	}
	return out
}

// ClaimRowJSON is a claim and the finding it is about.
type ClaimRowJSON struct {
	*ClaimJSON
	Account  connector.ConnectionID `json:"account"`
	Finding  string                 `json:"finding_id"`
	Ref      string                 `json:"ref"`
	Currency string                 `json:"currency"`
	DaysLeft *int                   `json:"days_left,omitempty"` // until the deadline; below 0: since
}

// AsClaim is the finding's claim, which there has to be.
func (f Finding) AsClaim(now time.Time) ClaimRowJSON {
	v := ClaimRowJSON{ClaimJSON: f.ClaimJSON(), Account: f.Account, Finding: f.ID, Ref: f.Subject.Ref, Currency: f.Subject.Currency}
	if d := f.Progress.Claim.Deadline; !d.IsZero() {
		left := int(d.Sub(now) / (24 * time.Hour))
		v.DaysLeft = &left
	}
	return v
}

// DepositJSON is money seen at the bank, and what it was held against.
type DepositJSON struct {
	ID       string                 `json:"deposit_id"`
	Account  connector.ConnectionID `json:"account"`
	Currency string                 `json:"currency"`
	Amount   string                 `json:"amount"`
	Day      string                 `json:"value_date"`
	BankRef  string                 `json:"bank_reference,omitempty"`
	Payout   string                 `json:"payout_external_id,omitempty"` // the one it is held against
	Origin   string                 `json:"origin"`
	Outcome  Outcome                `json:"outcome"`
	Note     string                 `json:"note,omitempty"`
	By       string                 `json:"entered_by"`
	At       time.Time              `json:"entered_at"`
}

// JSON is the deposit as programs see it.
func (d Deposit) JSON(account connector.ConnectionID) DepositJSON {
	return DepositJSON{d.ID, account, d.Amount.Currency, d.Amount.Decimal(), d.Day, d.BankRef, d.external, d.Origin, d.Outcome, d.Note, d.By, d.At.UTC()}
}

// ClosingJSON is a month that was closed.
type ClosingJSON struct {
	Account  connector.ConnectionID `json:"account"`
	Month    string                 `json:"month"`
	At       time.Time              `json:"closed_at"`
	By       string                 `json:"closed_by"`
	KnownAt  time.Time              `json:"known_at"`
	Snapshot string                 `json:"snapshot_id"`
	Totals   []SummaryJSON          `json:"totals"`
}

// JSON is the closed month as programs see it.
func (c Closing) JSON(account connector.ConnectionID) ClosingJSON {
	return ClosingJSON{account, c.Month, c.At.UTC(), c.By, c.KnownAt.UTC(), c.Snapshot, append([]SummaryJSON{}, c.Totals...)}
}
