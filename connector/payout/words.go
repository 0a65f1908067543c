package payout

import (
	"errors"

	"channelbridge/marketplace"
)

// Outcomes lists the verdicts on orders, the weightiest first.
func Outcomes() []Outcome {
	return []Outcome{CurrencyMismatch, DuplicateSettlement, MissingInStore, RefundMismatch, AmountDiffers, TaxVariance, FeeVariance,
		MissingInSettlement, PartiallySettled, AwaitingRelease, WithinTolerance, Matched}
}

// CauseCodes lists the causes of differences.
func CauseCodes() []CauseCode {
	return []CauseCode{CausePrice, CauseDiscount, CauseShipping, CauseTax, CauseCommission, CausePaymentFee, CauseServiceFee, CauseShippingCost,
		CauseWithheld, CauseRefund, CauseChargeback, CauseCompensation, CauseFX, CauseDuplicate, CauseNotYet, CauseRounding, CauseUnknown}
}

// CategoryOf reads a category; false for one that does not stand in the closed list.
func CategoryOf(name string) (marketplace.Category, bool) {
	c := marketplace.Category(name)
	return c, c.Known()
}

// Row is the row to blame; false when the file as a whole is.
func (e *RejectedError) Row() (*marketplace.RowError, bool) {
	return errors.AsType[*marketplace.RowError](e.Err)
}
