package payout

import "time"

// FindingEventJSON is a finding as events tell it: nothing in it is about persons, or was written by
// one.
type FindingEventJSON struct {
	FindingJSON
	Claim *ClaimEventJSON `json:"claim"` // in the place of the finding's; null: there is none
}

// ClaimEventJSON is a claim as events tell it.
type ClaimEventJSON struct {
	ID       string     `json:"claim_id"`
	State    ClaimState `json:"state"`
	Amount   string     `json:"amount"`
	Granted  string     `json:"granted,omitempty"`
	Received string     `json:"received"`
	Deadline *time.Time `json:"deadline,omitempty"`
	At       time.Time  `json:"created_at"`
}

// EventJSON is the finding as events tell it.
func (f Finding) EventJSON() FindingEventJSON {
	out := FindingEventJSON{FindingJSON: f.JSON()}
	out.Assignee = ""
	if c := f.ClaimJSON(); c != nil {
		out.Claim = &ClaimEventJSON{c.ID, c.State, c.Amount, c.Granted, c.Received, c.Deadline, c.At}
	}
	return out
}
