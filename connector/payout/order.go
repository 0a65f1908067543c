package payout

import (
	"time"

	"channelbridge/connector"
	"channelbridge/marketplace"
)

// Outcome is the verdict on an order.
type Outcome string

// Of an order, in order of weight: the first that applies counts, all causes are listed.
const (
	CurrencyMismatch    Outcome = "currency_mismatch"
	DuplicateSettlement Outcome = "duplicate_settlement"
	MissingInStore      Outcome = "missing_in_store"
	RefundMismatch      Outcome = "refund_mismatch"
	AmountDiffers       Outcome = "amount_differs"
	TaxVariance         Outcome = "tax_variance"
	FeeVariance         Outcome = "fee_variance"
	MissingInSettlement Outcome = "missing_in_settlement"
	PartiallySettled    Outcome = "partially_settled"
	AwaitingRelease     Outcome = "awaiting_release"
	WithinTolerance     Outcome = "matched_within_tolerance"
	Matched             Outcome = "matched"
)

// Of a line, besides Matched, WithinTolerance and MissingInStore.
const (
	Suggested    Outcome = "suggested"
	Ambiguous    Outcome = "ambiguous"
	NonOrder     Outcome = "non_order"
	Unclassified Outcome = "unclassified"
)

// Cause is one reason for an order's difference. The causes of an order add up to it exactly.
type Cause struct {
	Code     CauseCode            `json:"code"`
	Category marketplace.Category `json:"category,omitempty"`
	Amount   int64                `json:"amount"`
	Expected int64                `json:"expected"`
	Actual   int64                `json:"actual"`
	Tariff   string               `json:"tariff,omitempty"`
	// Told: it is no variance. The line explains itself, or nothing was expected because no tariff
	// covers it.
	Told bool `json:"informational,omitempty"`
}

// Pair is what was expected of a category and what came.
type Pair struct {
	Expected, Actual int64
	Known            bool // false: no tariff covers it, so nothing was expected
	Tariff           string
	lines, units     int
}

// Order is what is known of one order and currency and its money.
type Order struct {
	Facts                        Facts
	Ref                          string // the channel's number, also when no facts are known
	Currency                     string
	InStore                      bool
	Outcome                      Outcome
	ByKind                       map[marketplace.Category]Pair
	Expected, Actual, Difference int64
	Causes                       []Cause
	Lines                        []Verdict
	Shares                       []Share
	DueAt                        time.Time
	First, Last                  time.Time // settlement: the payouts' own instants
	Held                         *Held     // money the channel holds back; nil: none
}

// Verdict is what became of one line.
type Verdict struct {
	Line       connector.PayoutLine
	Rank       int // of its payout in time
	Outcome    Outcome
	Rule       string // item, sku, order, refund, alias, group, manual; "" when none applies
	Confidence string // certain, suggested, manual
	Expected   int64
	Difference int64 // of its category

	Candidate string // a suggested order, or a few of those that an ambiguous line could be for

	alias, hand bool
}

// Share is an order's part in one payout: Amount = Expected + the variances.
type Share struct {
	Payout   int64
	Rank     int
	Amount   int64
	Expected int64
	Variance map[CauseCode]int64
}

// Sum adds a group's categories up.
func (o Order) Sum(g Group) (expected, actual int64) {
	for c, p := range o.ByKind {
		if kind(string(c)).group == g {
			expected, actual = expected+p.Expected, actual+p.Actual
		}
	}
	return expected, actual
}
