package payout

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"time"

	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// Tariff is one dated rule of what a channel takes, or keeps for the tax office.
type Tariff struct {
	Key      string                  `json:"key"` // names it; a later row with the same key replaces it
	Site     string                  `json:"site,omitempty"`
	Shipper  marketplace.FulfilledBy `json:"fulfilled_by,omitempty"` // "": whoever ships
	Category marketplace.Category    `json:"category"`
	Base     []marketplace.Category  `json:"base,omitempty"` // what the rate is taken of; none: principal and the seller's discount
	RateBP   int64                   `json:"rate_bp"`        // of ten thousand
	Fixed    int64                   `json:"fixed,omitempty"`
	Currency string                  `json:"currency,omitempty"` // of Fixed, Minimum and Maximum, and then the only one it is for
	Minimum  int64                   `json:"minimum,omitempty"`  // magnitudes, in minor units
	Maximum  int64                   `json:"maximum,omitempty"`  // 0: none
	Round    Rounding                `json:"rounding,omitempty"`
	Instant  Instant                 `json:"effective,omitempty"` // which instant of an order decides whether it is in force
	From     time.Time               `json:"valid_from"`
	To       time.Time               `json:"valid_to,omitzero"` // exclusive; zero: for good
	Note     string                  `json:"note,omitempty"`
}

// Rounding is where the fraction of a minor unit is rounded, half to even.
type Rounding string

const (
	PerOrder Rounding = "order" // the default
	PerLine  Rounding = "line"
)

// Instant names the moment of an order at which a tariff has to be in force.
type Instant string

const (
	AtOrder    Instant = "order" // the default
	AtShipment Instant = "shipment"
)

// Check says everything that is wrong with a tariff.
func (t Tariff) Check() error {
	var all []error
	bad := func(is bool, format string, args ...any) {
		if is {
			all = append(all, fmt.Errorf(format, args...))
		}
	}
	k, known := kinds[t.Category]
	bad(t.Key == "", "key: it needs a name")
	bad(!known || k.alone || k.group == Gross || k.group == Refunds, "category: %q is not something a channel takes of an order", t.Category)
	for _, b := range t.Base {
		bad(!b.Known(), "base: %q is no category", b)
	}
	bad(t.RateBP < 0 || t.RateBP > 10000, "rate_bp: %d is not between 0 and 10000", t.RateBP)
	bad(t.Fixed < 0 || t.Minimum < 0 || t.Maximum < 0, "fixed, minimum, maximum: amounts are magnitudes and not negative")
	bad(!plausible(t.Fixed) || !plausible(t.Minimum) || !plausible(t.Maximum), "fixed, minimum, maximum: an amount is far beyond what a channel takes")
	bad((t.Fixed != 0 || t.Minimum != 0 || t.Maximum != 0) && !money.ValidCode(t.Currency), "currency: an amount needs one, such as USD")
	bad(t.Maximum != 0 && t.Maximum < t.Minimum, "maximum: it is below the minimum")
	bad(t.Round != "" && t.Round != PerOrder && t.Round != PerLine, "rounding: %q is neither order nor line", t.Round)
	bad(t.Instant != "" && t.Instant != AtOrder && t.Instant != AtShipment, "effective: %q is neither order nor shipment", t.Instant)
	bad(t.From.IsZero(), "valid_from: it has to begin")
	bad(!t.To.IsZero() && !t.To.After(t.From), "valid_to: it ends before it begins")
	return errors.Join(all...)
}

// Encode is the tariff as it is kept.
func (t Tariff) Encode() ([]byte, error) { return json.Marshal(t) }

// DecodeTariff reads what Encode wrote.
func DecodeTariff(b []byte) (t Tariff, err error) {
	if err = json.Unmarshal(b, &t); err != nil {
		err = fmt.Errorf("kept tariff: %w", err)
	}
	return t, err
}

// covers reports whether the tariff is the one for an order, in force at its instant.
func (t Tariff) covers(f Facts) bool {
	at := f.PlacedAt
	if t.Instant == AtShipment {
		at = f.ShippedAt
	}
	by := marketplace.ByMerchant
	if f.ByChannel {
		by = marketplace.ByChannel
	}
	return (t.Site == "" || t.Site == f.Site) && (t.Shipper == "" || t.Shipper == by) && (t.Currency == "" || t.Currency == f.Currency) &&
		!at.IsZero() && !at.Before(t.From) && (t.To.IsZero() || at.Before(t.To))
}

// special is how narrowly a tariff is meant: of two that cover an order the narrower counts.
func (t Tariff) special() int {
	n := 0
	for _, narrow := range []bool{t.Site != "", t.Shipper != "", t.Currency != ""} {
		if narrow {
			n++
		}
	}
	return n
}

// inForce picks one tariff per category for an order: the narrowest, then the one that began
// last, then by key, so that the choice does not depend on the order of the list.
func inForce(all []Tariff, f Facts) map[marketplace.Category]Tariff {
	out := map[marketplace.Category]Tariff{}
	for _, t := range all {
		if !t.covers(f) {
			continue
		}
		was, taken := out[t.Category]
		if !taken || cmp.Or(cmp.Compare(t.special(), was.special()), t.From.Compare(was.From), cmp.Compare(was.Key, t.Key)) > 0 {
			out[t.Category] = t
		}
	}
	return out
}

// base is what the rate is taken of: by line, and in all.
func (t Tariff) base(f Facts) (lines []int64, sum int64) {
	of := t.Base
	if len(of) == 0 {
		of = []marketplace.Category{marketplace.Principal, marketplace.SellerDiscount}
	}
	at := map[string]int{}
	f.parts(func(item string, p Part) {
		if !slices.Contains(of, p.Category) {
			return
		}
		i, ok := at[item]
		if !ok {
			i = len(lines)
			at[item], lines = i, append(lines, 0)
		}
		lines[i] += p.Amount
		sum += p.Amount
	})
	if !slices.Contains(of, marketplace.RefundPrincipal) {
		return lines, sum
	}
	sign := int64(-1) // what was given back lowers the rest of the base
	if len(of) == 1 {
		sign = 1
	}
	for _, r := range f.Refunds {
		lines, sum = append(lines, sign*r.Amount), sum+sign*r.Amount
	}
	return lines, sum
}

// takes is what a tariff takes of an order, as a magnitude.
func (t Tariff) takes(f Facts) (int64, error) {
	lines, sum := t.base(f)
	var fee int64
	if t.Round == PerLine {
		for _, l := range lines {
			fee += rate(l, t.RateBP)
		}
	} else {
		fee = rate(sum, t.RateBP)
	}
	if sum <= 0 {
		return 0, nil
	}
	all, err := money.New(fee, f.Currency).Add(money.New(t.Fixed, f.Currency))
	if err != nil {
		return 0, err
	}
	fee = max(all.Minor, t.Minimum)
	if t.Maximum > 0 {
		fee = min(fee, t.Maximum)
	}
	return fee, nil
}

// rate is amount × bp / 10000, rounded half to even.
func rate(amount, bp int64) int64 { return scaled(amount, bp, 10000) }

// scaled is amount × n / of, rounded half to even; 0 ≤ n ≤ of, so it never exceeds the amount.
func scaled(amount, n, of int64) int64 {
	abs := uint64(amount)
	if amount < 0 {
		abs = -abs
	}
	hi, lo := bits.Mul64(abs, uint64(n))
	q, r := bits.Div64(hi, lo, uint64(of))
	if twice := 2 * r; twice > uint64(of) || twice == uint64(of) && q%2 == 1 {
		q++
	}
	if amount < 0 {
		return -int64(q)
	}
	return int64(q)
}
