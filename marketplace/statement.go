package marketplace

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"channelbridge/internal/money"
)

// Category names what a movement of a payout is for. The list is closed: what a channel calls
// something new is Unclassified, kept with its own words, and never dropped or guessed.
type Category string

const (
	Principal             Category = "principal"
	ShippingCharged       Category = "shipping_charged"
	GiftWrapCharged       Category = "gift_wrap"
	TaxCharged            Category = "tax_charged"
	TaxByChannelCollected Category = "tax_collected_by_channel" // never the seller's
	SellerDiscount        Category = "seller_discount"
	ChannelDiscount       Category = "channel_discount" // a subsidy
	RefundPrincipal       Category = "refund_principal"
	RefundShipping        Category = "refund_shipping"
	RefundTax             Category = "refund_tax"
	Commission            Category = "commission"
	PaymentFee            Category = "payment_fee"
	ServiceFee            Category = "service_fee"
	FixedFee              Category = "fixed_fee"
	ShippingCost          Category = "shipping_cost"
	ShippingRebate        Category = "shipping_rebate"
	FulfilmentFee         Category = "fulfilment_fee"
	StorageFee            Category = "storage_fee"
	Advertising           Category = "advertising"
	AffiliateFee          Category = "affiliate_fee"
	FeeTax                Category = "fee_tax"
	FeeRefund             Category = "fee_refund"
	RefundAdminFee        Category = "refund_admin_fee"
	WithheldVAT           Category = "tax_withheld_vat"
	WithheldIncome        Category = "tax_withheld_income"
	Chargeback            Category = "chargeback"
	ChargebackReversal    Category = "chargeback_reversal"
	ClaimReimbursement    Category = "claim_reimbursement"
	Compensation          Category = "compensation"
	Penalty               Category = "penalty"
	SubscriptionFee       Category = "subscription"
	Loan                  Category = "loan"
	ReserveHold           Category = "reserve_hold"
	ReserveRelease        Category = "reserve_release"
	BalanceTransfer       Category = "balance_transfer"
	FXDifference          Category = "fx_difference"
	Correction            Category = "correction"
	Unclassified          Category = "unclassified"
)

// Categories lists them all, in the order reports use.
func Categories() []Category { return slices.Clone(categories) }

var categories = []Category{Principal, ShippingCharged, GiftWrapCharged, TaxCharged, TaxByChannelCollected, SellerDiscount,
	ChannelDiscount, RefundPrincipal, RefundShipping, RefundTax, Commission, PaymentFee, ServiceFee, FixedFee, ShippingCost,
	ShippingRebate, FulfilmentFee, StorageFee, Advertising, AffiliateFee, FeeTax, FeeRefund, RefundAdminFee, WithheldVAT,
	WithheldIncome, Chargeback, ChargebackReversal, ClaimReimbursement, Compensation, Penalty, SubscriptionFee, Loan, ReserveHold,
	ReserveRelease, BalanceTransfer, FXDifference, Correction, Unclassified}

// Known reports whether the category stands in the closed list.
func (c Category) Known() bool { return slices.Contains(categories, c) }

// StatementState is where a payout stands at the channel.
type StatementState string

const (
	StatementOpen     StatementState = "open"   // the period still grows
	StatementClosed   StatementState = "closed" // nothing is added any more; not sent yet
	StatementPaid     StatementState = "paid"
	StatementFailed   StatementState = "failed"   // the bank transfer failed
	StatementReturned StatementState = "returned" // the bank sent the money back
)

// Statement is the head of one payout: what the channel says of the batch as a whole. Amounts are
// signed; positive is owed to the seller.
type Statement struct {
	ID         string // the channel's own number
	Currency   string
	Start, End time.Time // of the period; End is exclusive; zero: not given
	State      StatementState
	PaidAt     time.Time // when the money was sent; zero: not yet, or not given
	Opening    money.Money
	Closing    money.Money
	Paid       money.Money // what was sent; the sum that the lines have to come to
	Lines      int         // how many lines the channel says there are; 0: it does not say
	BankRef    string
}

// Movement is one line of a payout. Positive increases what the seller is owed; adapters turn
// debit flags and other signs around.
type Movement struct {
	Key        string // the channel's own line number; "" when it has none
	Category   Category
	NativeType string // the channel's own words, verbatim
	NativeText string
	Amount     money.Money
	Order      OrderID // "": it belongs to no order, or the channel does not say
	Alias      string  // another number of the order, such as the seller's own
	Item       string  // the channel's order item id
	Refund     string  // its refund or adjustment id
	Shipment   string
	SKU        string
	Quantity   int
	PostedAt   time.Time
	Row        int // in the file, its header being row 1; for messages
}

// StatementFormat reads payout files of one form. Reading is a stream: memory does not grow with
// the file.
type StatementFormat interface {
	// Name is stable and stands in stored records, such as "amazon-settlement-v2".
	Name() string
	// Detects reports from a file's first bytes (at most 64 KiB, decompressed) whether it is of this form.
	Detects(head []byte) bool
	// ReadStatement calls head once and then line for each movement, in the order of the file. An
	// error of theirs ends it and is returned. What cannot be read is a *RowError.
	ReadStatement(r io.Reader, head func(Statement) error, line func(Movement) error) error
}

// RowError is a row of a payout file that cannot be understood. Nothing of the file counts then.
type RowError struct {
	Row    int    // the header is row 1
	Column string // "" for the row as a whole
	Value  string // at most 80 bytes of it
	Reason string
}

func (e *RowError) Error() string {
	switch {
	case e.Column == "":
		return fmt.Sprintf("row %d: %s", e.Row, e.Reason)
	default:
		return fmt.Sprintf("row %d, column %s: %q %s", e.Row, e.Column, e.Value, e.Reason)
	}
}

// BadRow makes a RowError, with a long value cut.
func BadRow(row int, column, value, reason string, args ...any) error {
	const most = 80
	if len(value) > most {
		value = value[:most] + "…"
	}
	return &RowError{Row: row, Column: column, Value: value, Reason: fmt.Sprintf(reason, args...)}
}

// StatementRef is one payout document the channel has made.
type StatementRef struct {
	ID     string // of the document, for OpenStatement
	MadeAt time.Time
}

// StatementPage is one page of payout documents, oldest first.
type StatementPage struct {
	Statements []StatementRef
	Next       Cursor // where to go on; when !More: the watermark for the next listing
	More       bool
}

// StatementSource is a channel whose payout documents can be fetched.
type StatementSource interface {
	// Statements lists documents made since the cursor, one page a call.
	Statements(ctx context.Context, after Cursor) (StatementPage, error)
	// OpenStatement fetches a document's bytes as the channel made them, which may be compressed.
	OpenStatement(ctx context.Context, id string) (io.ReadCloser, error)
	// StatementFormats are the forms the documents come in.
	StatementFormats() []StatementFormat
}
