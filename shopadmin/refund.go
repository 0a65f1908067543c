package shopadmin

import (
	"context"
	"time"

	"channelbridge/internal/money"
)

// Refund is what the store records as given back on an order.
type Refund struct {
	ID        string       `json:"id"`
	CreatedAt time.Time    `json:"created_at"`
	Note      string       `json:"note,omitempty"` // staff's, or the mark of one we made
	Reason    string       `json:"reason,omitempty"`
	Lines     []RefundLine `json:"lines,omitempty"`
	Shipping  money.Money  `json:"shipping,omitzero"` // before tax
	ShipTax   money.Money  `json:"ship_tax,omitzero"`
	// Moved is the money of its transactions that succeeded, Pending of those that may yet. What
	// failed counts in neither. A refund without either only puts goods back.
	Moved   money.Money `json:"moved,omitzero"`
	Pending money.Money `json:"pending,omitzero"`
}

// Restock says what a refund did to the units of a line.
type Restock string

const (
	RestockNone   Restock = "no_restock"
	RestockCancel Restock = "cancel" // units that had not shipped
	RestockReturn Restock = "return" // units that had shipped
)

// RefundLine is one line of a refund, for all its units.
type RefundLine struct {
	Line     string      `json:"line"` // the store's line id
	Quantity int         `json:"quantity"`
	Restock  Restock     `json:"restock,omitempty"`
	Amount   money.Money `json:"amount"` // net of discounts, before tax
	Tax      money.Money `json:"tax,omitzero"`
}

// Refunder records a refund in the store, without any message to the customer.
type Refunder interface {
	// Refund returns the store's id of the refund. The note of r comes back with every later read
	// and is how an earlier attempt is found.
	Refund(ctx context.Context, key string, id OrderID, r NewRefund) (string, error)
}

// NewRefund is a refund to be recorded. Its money goes against the payment the order was created
// with, which moves nothing: the channel has paid.
type NewRefund struct {
	Note     string          `json:"note"` // carries our mark
	Lines    []NewRefundLine `json:"lines,omitempty"`
	Shipping money.Money     `json:"shipping,omitzero"`
	Amount   money.Money     `json:"amount"` // in all, tax included
}

// NewRefundLine is a line of a refund to be recorded.
type NewRefundLine struct {
	Line     string  `json:"line"`
	Quantity int     `json:"quantity"`
	Restock  Restock `json:"restock"`
}

// Canceller cancels an order in the store, without any message to the customer.
type Canceller interface {
	Cancel(ctx context.Context, key string, id OrderID, c Cancel) error
}

// Cancel says how an order is cancelled.
type Cancel struct {
	Reason  string `json:"reason"`  // as in Order.CancelReason
	Restock bool   `json:"restock"` // put the goods back into stock
	Refund  bool   `json:"refund"`  // record the payment as given back
	Note    string `json:"note,omitempty"`
}

// Privacy is a demand of the law about personal data, passed on by the store.
type Privacy struct {
	Kind   PrivacyKind `json:"kind"`
	Orders []OrderID   `json:"orders,omitempty"` // whose data it is about
	Due    time.Time   `json:"due,omitzero"`
	Ref    string      `json:"ref,omitempty"` // the store's number of the request
}

// PrivacyKind is what is demanded.
type PrivacyKind string

const (
	DataRequest    PrivacyKind = "data_request"    // a customer wants to know what is kept
	CustomerRedact PrivacyKind = "customer_redact" // what is kept of a customer has to go
	ShopRedact     PrivacyKind = "shop_redact"     // everything personal of the shop has to go
)
