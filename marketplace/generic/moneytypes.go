package generic

import (
	"encoding/json"
	"time"
)

// wireInstruction asks for money to be given back, or for units not to be sent.
type wireInstruction struct {
	Op       string           `json:"op"`
	Reason   string           `json:"reason,omitempty"`
	Currency string           `json:"currency"`
	Amount   amount           `json:"amount"`
	Lines    []wireInstructed `json:"lines"`
}

// wireInstructed is what an instruction does to one line.
type wireInstructed struct {
	Line     ident      `json:"line"`
	Quantity int        `json:"quantity,omitempty"`
	Parts    []wirePart `json:"parts,omitempty"`
}

// wirePart is money of one kind: amount before tax, the tax beside it.
type wirePart struct {
	Kind   string `json:"kind"`
	Amount amount `json:"amount"`
	Tax    amount `json:"tax,omitempty"`
}

// wireRefund is money that the channel has given back.
type wireRefund struct {
	ID       ident     `json:"id"`
	Order    ident     `json:"order"`
	PostedAt time.Time `json:"posted_at"`
	Currency string    `json:"currency"`
	Amount   amount    `json:"amount"`
	Untaxed  amount    `json:"untaxed"`
	Pending  bool      `json:"pending"`
	Kind     string    `json:"kind"`
	Key      string    `json:"key"`
}

// wireRefunds is one answer of either listing. Refunds stay raw, so that one that is faulty does
// not take others with it.
type wireRefunds struct {
	Refunds []json.RawMessage `json:"refunds"`
	Next    string            `json:"next_page_token"`
}
