package marketplace

import (
	"context"
	"time"

	"channelbridge/internal/money"
)

// The writes that give money back or take back what was not shipped. Traits.Instructions lists
// those a channel takes.
const (
	OpCancel      Operation = "cancel"       // the whole order, while nothing of it has shipped
	OpCancelUnits Operation = "cancel_units" // units that have not shipped
	OpRefund      Operation = "refund"       // money that was captured
)

// More component kinds, which only instructions use.
const (
	Restocking Kind = "restocking" // kept back by the merchant: a negative amount
	Goodwill   Kind = "goodwill"   // given beyond what the order's parts come to
)

// Instruction asks a channel to give money back or to take back what was not shipped.
type Instruction struct {
	Op     Operation         `json:"op"`
	Order  OrderID           `json:"order"`
	Site   string            `json:"site"`
	Reason string            `json:"reason"` // in the channel's own words
	Amount money.Money       `json:"amount"` // what the buyer gets back in all, tax included; a cancel's is what is not charged
	Lines  []InstructionLine `json:"lines"`
}

// InstructionLine is what an instruction does to one order line.
type InstructionLine struct {
	Line     string `json:"line"`
	Quantity int    `json:"quantity,omitempty"` // units concerned; 0 for money alone
	// Ordered and Left are, for cancelled units, how many units of the line were ordered when this
	// was planned, and how many stay to be shipped or are shipped: a read recognises the effect.
	Ordered int `json:"ordered,omitempty"`
	Left    int `json:"left,omitempty"`
	// Parts is the money, for all units concerned and net of discounts: Amount before tax, Tax
	// beside it. Positive goes to the buyer.
	Parts []Component `json:"parts,omitempty"`
}

// Instructor carries out one instruction and answers at once. key is the ledger's.
type Instructor interface {
	Instruct(ctx context.Context, key string, in Instruction) (Receipt, error)
}

// Submitter takes instructions in batches and answers later. One batch a lane is under way at a
// time. The steps are apart so that each can be written down before the next is taken.
type Submitter interface {
	// Lane names the line in which an instruction waits. It is a stable name.
	Lane(op Operation) string
	// Writable says whether an instruction can be put into the channel's form; it calls nobody.
	Writable(lane string, m Message) error
	// Prepare uploads a batch, all of one lane and one site. Nothing happens by it: it may be
	// repeated, and what it leaves behind is harmless.
	Prepare(ctx context.Context, lane string, batch []Message) (document string, err error)
	// Submit hands the prepared document in. It is the point of no return and is called once.
	Submit(ctx context.Context, lane, site, document string) (ticket string, err error)
	// Find lists the tickets of what was handed in on this lane and site since an instant, for a
	// Submit whose answer was lost.
	Find(ctx context.Context, lane, site string, since time.Time) ([]string, error)
	// Results says what became of a batch. messages are the numbers that were in it.
	Results(ctx context.Context, lane, ticket string, messages []int) (Results, error)
}

// Message is an instruction with its number within a batch, from 1.
type Message struct {
	Number int
	Key    string // the ledger's
	Instruction
}

// BatchState is how far a channel is with a batch.
type BatchState string

const (
	BatchWaiting   BatchState = "waiting"   // no verdict yet
	BatchDone      BatchState = "done"      // Verdicts tell of every message
	BatchCancelled BatchState = "cancelled" // surely nothing of it happened
	BatchFatal     BatchState = "fatal"     // some, none or all of it may have happened
)

// Results is what became of a batch.
type Results struct {
	State    BatchState
	Verdicts []Verdict // of every message, when done
	Text     string    // the channel's own words about the whole
}

// VerdictState is what became of one message.
type VerdictState string

const (
	VerdictAccepted VerdictState = "accepted"
	VerdictRejected VerdictState = "rejected" // surely did not happen
	VerdictUnknown  VerdictState = "unknown"  // the report does not tell, or contradicts itself
)

// Verdict is what became of one message.
type Verdict struct {
	Number int
	State  VerdictState
	Code   string // the channel's
	Text   string // the channel's, for people
}

// RefundReader is a channel whose refunds can be read, whoever made them.
type RefundReader interface {
	// Refunds lists the refunds of an order, oldest first, ours among them. It may lag behind by
	// Traits.RefundsIn.
	Refunds(ctx context.Context, id OrderID) ([]Refund, error)
	// Refunded lists refunds of all orders posted since the cursor, one page a call.
	Refunded(ctx context.Context, after Cursor) (RefundPage, error)
}

// RefundPage is one page of refunds.
type RefundPage struct {
	Refunds []Refund
	Next    Cursor
	More    bool
}

// Refund is money that a channel has given back to a buyer.
type Refund struct {
	ID       string      `json:"id"` // the channel's; unique per order
	Order    OrderID     `json:"order"`
	PostedAt time.Time   `json:"posted_at"`
	Amount   money.Money `json:"amount"`            // to the buyer, tax included; positive
	Untaxed  money.Money `json:"untaxed,omitzero"`  // the same without tax, when the channel tells
	Pending  bool        `json:"pending,omitempty"` // announced, money not moved yet; counts as moved
	Kind     string      `json:"kind,omitempty"`    // the channel's own word: refund, claim, chargeback
	Ref      string      `json:"ref,omitempty"`     // our key, where the channel gives it back
}
