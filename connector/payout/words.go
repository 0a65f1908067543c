package payout

import (
	"errors"
	"fmt"
	"time"

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

// ErrYears says that an instant lies where not every form can write it.
var ErrYears = errors.New("it lies outside the years 1 to 9999")

// InYears refuses instants that, in UTC, do not lie after the beginning of year 1, which stands for
// none, and before year 10,000.
func InYears(t time.Time) error {
	if !t.After(time.Time{}) || t.UTC().Year() > 9999 {
		return ErrYears
	}
	return nil
}

// ReadInstant reads what people write for From, To and AsOf: a date, which begins at its midnight in
// a place, or an instant. No text is the zero instant, and no other text is. ErrYears.
func ReadInstant(text string, place *time.Location) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.ParseInLocation(time.DateOnly, text, place)
	if err != nil {
		if at, err = time.Parse(time.RFC3339, text); err != nil {
			return at, fmt.Errorf("%q is neither a day such as 2026-11-01 nor an instant such as 2026-11-01T08:00:00Z", text)
		}
	}
	if err := InYears(at); err != nil {
		return time.Time{}, fmt.Errorf("%q: %w", text, err)
	}
	return at.UTC(), nil
}

// IsDay reports that a text is a day, which is another instant in each zone.
func IsDay(text string) bool {
	_, err := time.Parse(time.DateOnly, text)
	return err == nil
}

// Row is the row to blame; false when the file as a whole is.
func (e *RejectedError) Row() (*marketplace.RowError, bool) {
	return errors.AsType[*marketplace.RowError](e.Err)
}
