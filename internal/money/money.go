// Package money is whole minor units and a currency. No float occurs in it, not even
// while parsing: text is read digit by digit, overflow is an error, and two currencies
// are never added.
package money

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// Errors a caller may decide by.
var (
	ErrSyntax   = errors.New("not a decimal amount")
	ErrDigits   = errors.New("more decimals than the currency has")
	ErrOverflow = errors.New("amount too large")
	ErrCurrency = errors.New("unknown currency code")
	ErrMismatch = errors.New("two different currencies")
)

// Money is an amount in minor units (cents, or whole yen) of one ISO 4217 currency.
// The zero value means "no amount"; it has no currency and adds to anything.
type Money struct {
	Minor    int64
	Currency string
}

// New returns minor units of a currency.
func New(minor int64, currency string) Money { return Money{minor, currency} }

// exponents lists the currencies whose minor unit is not a hundredth.
var exponents = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0,
	"RWF": 0, "UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
	"CLF": 4, "UYW": 4,
}

// Exponent returns how many decimals the currency has.
func Exponent(currency string) int {
	if e, ok := exponents[currency]; ok {
		return e
	}
	return 2
}

// ValidCode reports whether code has the form of an ISO 4217 code.
func ValidCode(code string) bool {
	if len(code) != 3 {
		return false
	}
	for i := range 3 {
		if code[i] < 'A' || code[i] > 'Z' {
			return false
		}
	}
	return true
}

// Parse reads a plain decimal ("-12.50", "19940", "0.5") in a currency. Decimals beyond the
// currency's are accepted only when they are zeros; anything else is ErrDigits.
func Parse(text, currency string) (Money, error) {
	if !ValidCode(currency) {
		return Money{}, fmt.Errorf("currency %q: %w", currency, ErrCurrency)
	}
	minor, err := parse(text, Exponent(currency))
	if err != nil {
		return Money{}, fmt.Errorf("amount %q %s: %w", clip(text), currency, err)
	}
	return Money{minor, currency}, nil
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

func parse(text string, exp int) (int64, error) {
	digits, neg := strings.CutPrefix(text, "-")
	whole, frac, dot := strings.Cut(digits, ".")
	if whole == "" || dot && frac == "" {
		return 0, ErrSyntax
	}
	var n uint64
	for i := range len(whole) {
		if err := push(&n, whole[i]); err != nil {
			return 0, err
		}
	}
	for i := range max(exp, len(frac)) {
		c := byte('0')
		if i < len(frac) {
			c = frac[i]
		}
		if i >= exp {
			if c < '0' || c > '9' {
				return 0, ErrSyntax
			}
			if c != '0' {
				return 0, ErrDigits
			}
			continue
		}
		if err := push(&n, c); err != nil {
			return 0, err
		}
	}
	if n > math.MaxInt64 {
		return 0, ErrOverflow
	}
	if neg {
		return -int64(n), nil
	}
	return int64(n), nil
}

func push(n *uint64, c byte) error {
	if c < '0' || c > '9' {
		return ErrSyntax
	}
	hi, lo := bits.Mul64(*n, 10)
	sum, carry := bits.Add64(lo, uint64(c-'0'), 0)
	if hi != 0 || carry != 0 {
		return ErrOverflow
	}
	*n = sum
	return nil
}

// Decimal returns the amount as plain decimal text with exactly the currency's digits.
func (m Money) Decimal() string {
	exp := Exponent(m.Currency)
	neg := m.Minor < 0
	u := uint64(m.Minor)
	if neg {
		u = -u
	}
	s := strconv.FormatUint(u, 10)
	if exp > 0 {
		if len(s) <= exp {
			s = strings.Repeat("0", exp-len(s)+1) + s
		}
		s = s[:len(s)-exp] + "." + s[len(s)-exp:]
	}
	if neg {
		s = "-" + s
	}
	return s
}

// String returns "12.50 USD", for people.
func (m Money) String() string {
	if m.Currency == "" {
		return "–"
	}
	return m.Decimal() + " " + m.Currency
}

// IsZero reports whether the amount is nothing, in whatever currency.
func (m Money) IsZero() bool { return m.Minor == 0 }

// Neg returns the opposite amount.
func (m Money) Neg() Money { return Money{-m.Minor, m.Currency} }

// Add returns m + o; ErrMismatch for two currencies, ErrOverflow beyond int64.
func (m Money) Add(o Money) (Money, error) {
	switch {
	case m.Currency == "" && m.Minor == 0:
		return o, nil
	case o.Currency == "" && o.Minor == 0:
		return m, nil
	case m.Currency != o.Currency:
		return Money{}, fmt.Errorf("%s + %s: %w", m, o, ErrMismatch)
	}
	sum := m.Minor + o.Minor
	if (sum > m.Minor) != (o.Minor > 0) && o.Minor != 0 {
		return Money{}, fmt.Errorf("%s + %s: %w", m, o, ErrOverflow)
	}
	return Money{sum, m.Currency}, nil
}

// Sub returns m − o, with the errors of Add.
func (m Money) Sub(o Money) (Money, error) {
	if o.Minor == math.MinInt64 {
		return Money{}, fmt.Errorf("%s - %s: %w", m, o, ErrOverflow)
	}
	return m.Add(o.Neg())
}

// Mul returns m × n, or ErrOverflow.
func (m Money) Mul(n int64) (Money, error) {
	p := m.Minor * n
	if n != 0 && (p/n != m.Minor || n == -1 && m.Minor == math.MinInt64) {
		return Money{}, fmt.Errorf("%s × %d: %w", m, n, ErrOverflow)
	}
	return Money{p, m.Currency}, nil
}

// Sum adds all amounts.
func Sum(all ...Money) (Money, error) {
	var total Money
	var err error
	for _, m := range all {
		if total, err = total.Add(m); err != nil {
			return Money{}, err
		}
	}
	return total, nil
}

// Cmp compares two amounts of one currency.
func (m Money) Cmp(o Money) int { return cmp.Compare(m.Minor, o.Minor) }

// Split divides m in proportion to weights by the largest remainder, ties by position.
// The parts always add up to m. Weights must not be negative; if all are zero the first
// part takes everything.
func (m Money) Split(weights ...int64) []Money {
	parts := make([]Money, len(weights))
	if len(weights) == 0 {
		return parts
	}
	var total uint64
	for _, w := range weights {
		total += uint64(w)
	}
	if total == 0 {
		for i := range parts {
			parts[i] = Money{0, m.Currency}
		}
		parts[0].Minor = m.Minor
		return parts
	}
	neg, abs := m.Minor < 0, uint64(m.Minor)
	if neg {
		abs = -abs
	}
	type rest struct {
		at  int
		rem uint64
	}
	rests, left := make([]rest, len(weights)), abs
	for i, w := range weights {
		hi, lo := bits.Mul64(abs, uint64(w))
		q, r := bits.Div64(hi, lo, total)
		parts[i] = Money{int64(q), m.Currency}
		rests[i] = rest{i, r}
		left -= q
	}
	slices.SortStableFunc(rests, func(a, b rest) int { return cmp.Compare(b.rem, a.rem) })
	for i := range left {
		parts[rests[i].at].Minor++
	}
	if neg {
		for i := range parts {
			parts[i].Minor = -parts[i].Minor
		}
	}
	return parts
}

type wire struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

// MarshalJSON writes {"amount":"12.50","currency":"USD"}, or null for no amount.
func (m Money) MarshalJSON() ([]byte, error) {
	if m.Currency == "" {
		return []byte("null"), nil
	}
	return json.Marshal(wire{m.Decimal(), m.Currency})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (m *Money) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*m = Money{}
		return nil
	}
	w, ok := plain(b)
	if !ok {
		if err := json.Unmarshal(b, &w); err != nil {
			return fmt.Errorf("money: %w", err)
		}
	}
	v, err := Parse(w.Amount, w.Currency)
	*m = v
	return err
}

// plain reads MarshalJSON's own bytes, which is most of what is ever read, without reflection.
func plain(b []byte) (w wire, ok bool) {
	rest, found := strings.CutPrefix(string(b), `{"amount":"`)
	amount, rest, two := strings.Cut(rest, `","currency":"`)
	currency, ok := strings.CutSuffix(rest, `"}`)
	return wire{amount, currency}, found && two && ok && !strings.ContainsAny(amount+currency, `"\`)
}
