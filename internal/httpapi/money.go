package httpapi

import (
	"context"

	"channelbridge/connector"
	"channelbridge/connector/order"
	"channelbridge/internal/money"
)

// Money answers what an order's money looks like and what a request would do to it. It reads and
// decides; it sends nothing and keeps nothing.
type Money interface {
	// Sheet is an order's money for people and programs, as JSON in snake_case: what was captured,
	// what is refundable by line and part, the refunds of both sides, and where they differ.
	// connector.ErrNotFound when there is no such order.
	Sheet(ctx context.Context, s connector.Subject) (any, error)
	// Preview says what a refund would do, by the rules that will carry it out.
	Preview(ctx context.Context, s connector.Subject, r RefundRequest) (Preview, error)
	// PreviewCancel is the same for a cancellation of the whole order.
	PreviewCancel(ctx context.Context, s connector.Subject, r CancelRequest) (Preview, error)
}

// RefundRequest asks to give money back on both sides: some units of lines, shipping, or an
// amount that belongs to no line. It is kept as the body of the wish.
type RefundRequest struct {
	Lines    []RefundLine `json:"lines,omitempty"`
	Shipping *money.Money `json:"shipping,omitempty"` // tax included
	Amount   *money.Money `json:"amount,omitempty"`   // instead of lines and shipping
	Restock  bool         `json:"restock"`
	Reason   string       `json:"reason,omitempty"` // in the store's words
	Note     string       `json:"note,omitempty"`
	DryRun   bool         `json:"dry_run,omitempty"` // preview only: it never becomes a wish
}

// RefundLine is a line of a refund.
type RefundLine struct {
	Line     string       `json:"line"` // the channel's line id
	Quantity int          `json:"quantity"`
	Amount   *money.Money `json:"amount,omitempty"` // for all its units, tax included; nil: what is refundable for them
}

// CancelRequest asks to cancel the whole order on both sides. It is kept as the body of the wish.
type CancelRequest struct {
	Reason  string `json:"reason,omitempty"` // in the store's words
	Restock bool   `json:"restock"`
	Note    string `json:"note,omitempty"`
	DryRun  bool   `json:"dry_run,omitempty"` // preview only: it never becomes a wish
}

func (r RefundRequest) dry() bool { return r.DryRun }
func (r CancelRequest) dry() bool { return r.DryRun }

// Preview is exactly what a request would do, or why it will not be done.
type Preview struct {
	Amount   money.Money      `json:"amount"`   // what the buyer gets back, or is not charged, in all
	Commands []PreviewCommand `json:"commands"` // of both sides, in the order in which they would be sent
	Refusals []Refusal        `json:"refusals"` // any of them stops the whole
	Warnings []string         `json:"warnings,omitempty"`
	Read     order.ReadAt     `json:"read_at,omitzero"` // when what it is worked out from was read
}

// PreviewCommand is one outside write that would follow.
type PreviewCommand struct {
	Side   connector.Side `json:"side"`
	Verb   connector.Verb `json:"verb"`
	Amount money.Money    `json:"amount"`
	Lines  []PreviewLine  `json:"lines,omitempty"`
	Why    string         `json:"why,omitempty"`
}

// PreviewLine is what a command does to one line.
type PreviewLine struct {
	Line     string      `json:"line"` // the id of the line on the command's side
	Quantity int         `json:"quantity"`
	Amount   money.Money `json:"amount,omitzero"`
}
