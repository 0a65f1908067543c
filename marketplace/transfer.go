package marketplace

import (
	"context"
	"time"

	"channelbridge/internal/money"
)

// TransferStatus is how far the money of a payout is on its way to the seller's bank.
type TransferStatus string

const (
	TransferStarted   TransferStatus = "started"
	TransferInTransit TransferStatus = "in_transit" // handed to the bank
	TransferPaid      TransferStatus = "paid"       // the channel says that the bank has it
	TransferFailed    TransferStatus = "failed"
	TransferCancelled TransferStatus = "cancelled"
	TransferNone      TransferStatus = "none"    // nothing is sent for this period
	TransferUnknown   TransferStatus = "unknown" // a word nobody knows; Transfer.Word has it
)

// Transfer is money on its way from the channel to the seller's bank. It is told again whenever
// its period is listed again; the telling with the latest ChangedAt is the one that holds.
type Transfer struct {
	ID        string
	Statement string // Statement.ID of the payout it pays; "": the channel does not say, or names several
	Status    TransferStatus
	Word      string // the channel's own word for the status, verbatim
	Reason    string // why it failed, in the channel's own words; "": not failed, or not said
	// Amount is what is sent, in the currency the channel states it in; positive goes to the
	// seller. The zero value: the channel names no amount, as when nothing is sent.
	Amount      money.Money
	CreatedAt   time.Time
	ChangedAt   time.Time // of the status
	BankRef     string    // the number under which the bank knows it; "": none yet
	AccountTail string    // the last digits of the account, as many as the channel shows
	Start, End  time.Time // of the period it pays; zero: not given
}

// TransferPage is one page of transfers, in the channel's own order.
type TransferPage struct {
	Transfers []Transfer
	Next      Cursor // where to go on; when !More: where the next listing begins
	More      bool
}

// TransferSource is a channel that tells of its transfers to the bank.
type TransferSource interface {
	// Transfers lists transfers created since the cursor, one page a call. A page may be empty and
	// not be the last. A finished listing hands on a cursor that reaches back, so that the next one
	// tells again of transfers whose status may still change: callers keep it as it is.
	Transfers(ctx context.Context, after Cursor) (TransferPage, error)
}
