package httpapi

import (
	"context"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/money"
)

// Channels is the life of sales channels. Unknown ids give connector.ErrNotFound; what cannot be
// done in the channel's state gives a *Refusal. All of it may be called again without harm.
type Channels interface {
	List(ctx context.Context) ([]Channel, error)                          // by id
	Show(ctx context.Context, id connector.ConnectionID) (Channel, error) // with its obligations
	Pause(ctx context.Context, id connector.ConnectionID, by By) error    // facts are recorded, nothing is sent
	Resume(ctx context.Context, id connector.ConnectionID, by By) error   // from paused or disconnected
	Remove(ctx context.Context, id connector.ConnectionID, dry bool, by By) ([]Obligation, error)
	Reconnect(ctx context.Context, id connector.ConnectionID, by By) error // goes on by itself; see the plan
	// ReconnectPlan is one page of the plan, after the channel's order number given.
	ReconnectPlan(ctx context.Context, id connector.ConnectionID, after string, limit int) (ReconnectPlan, error)
	// ApprovePlan lets the whole plan run, or, with an order's number, that order alone.
	ApprovePlan(ctx context.Context, id connector.ConnectionID, order string, by By) error
	// HoldInPlan keeps one order out of it until it is approved.
	HoldInPlan(ctx context.Context, id connector.ConnectionID, order string, by By) error
}

// By says who wants something, and why.
type By struct {
	Actor  string // the token's name
	Reason string
}

// Channel is how a sales channel stands.
type Channel struct {
	ID          connector.ConnectionID `json:"id"`
	Platform    string                 `json:"platform"`
	Store       connector.ConnectionID `json:"store,omitempty"`
	State       string                 `json:"state"` // active, degraded, paused, disconnected, removed, reconnecting
	Reason      string                 `json:"reason,omitempty"`
	ChangedAt   time.Time              `json:"changed_at,omitzero"`
	Since       time.Time              `json:"since,omitzero"`
	RemovedAt   time.Time              `json:"removed_at,omitzero"`
	RejoinedAt  time.Time              `json:"rejoined_at,omitzero"`
	Counts      ChannelCounts          `json:"counts"`
	Warnings    []Warning              `json:"warnings"`
	Obligations []Obligation           `json:"obligations,omitempty"` // only where one channel is shown
}

// ChannelCounts are a channel's orders.
type ChannelCounts struct {
	Orders int `json:"orders"`
	Open   int `json:"open"` // not final
	Held   int `json:"held"`
	Doubts int `json:"doubts"` // writes whose outcome is not known
}

// Warning is something about a channel that will go wrong, or does.
type Warning struct {
	Code string    `json:"code"`
	Text string    `json:"text"`
	Hint string    `json:"hint,omitempty"`
	At   time.Time `json:"at,omitzero"` // when it will happen, or did
}

// Obligation is something that is owed at a channel and would stay undone.
type Obligation struct {
	Kind  string        `json:"kind"` // to_ship, to_refund, to_cancel, in_doubt, …
	Count int           `json:"count"`
	Sums  []money.Money `json:"sums"` // by currency
}

// ReconnectPlan is what reconnecting a channel will do, and how far it is.
type ReconnectPlan struct {
	Channel    connector.ConnectionID `json:"channel"`
	State      string                 `json:"state"`  // reading, waiting, running, stopped, done
	Policy     string                 `json:"policy"` // run, ask_above, ask
	AskAbove   money.Money            `json:"ask_above,omitzero"`
	RemovedAt  time.Time              `json:"removed_at,omitzero"`
	RejoinedAt time.Time              `json:"rejoined_at,omitzero"`
	Totals     PlanTotals             `json:"totals"`
	Progress   PlanProgress           `json:"progress"`
	Orders     []PlanOrder            `json:"orders"` // by number
	NextCursor string                 `json:"next_cursor,omitempty"`
}

// PlanTotals count the whole plan.
type PlanTotals struct {
	Orders    int           `json:"orders"`
	Fulfilled int           `json:"fulfilled"`
	Sums      []money.Money `json:"sums"` // by currency
}

// PlanProgress counts the plan's orders by how far they are.
type PlanProgress struct {
	Waiting int `json:"waiting"` // for their wave, or for approval
	Held    int `json:"held"`
	Sent    int `json:"sent"`
	Done    int `json:"done"`
	Refused int `json:"refused"`
	Doubts  int `json:"doubts"`
}

// PlanOrder is one order of a plan.
type PlanOrder struct {
	Order       string      `json:"order"`            // the channel's number
	Number      string      `json:"number,omitempty"` // the store's
	Amount      money.Money `json:"amount"`
	CancelledAt time.Time   `json:"cancelled_at,omitzero"`
	Fulfilled   bool        `json:"fulfilled"`
	State       string      `json:"state"` // waiting, held, sent, done, refused, unknown
	Reason      string      `json:"reason,omitempty"`
}
