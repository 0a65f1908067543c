package amazon

import (
	"errors"
	"strings"

	"channelbridge/internal/money"
)

// reading is a set of ways to read amounts: with a decimal point, a decimal comma, or either.
type reading byte

const (
	point  reading = 1
	comma  reading = 2
	either         = point | comma
)

func (r reading) String() string {
	return [...]string{"no decimal mark", "a decimal point", "a decimal comma", "a decimal point or comma"}[r]
}

// figure is an amount as it may be read.
type figure struct {
	can                  reading
	withPoint, withComma money.Money // by a point, by a comma
}

// readFigure tries both ways. Neither is an error.
func readFigure(text, currency string) (figure, error) {
	var f figure
	one, errOne := readAmount(text, ".", ",", currency)
	if errOne == nil {
		f.can, f.withPoint = f.can|point, one
	}
	two, errTwo := readAmount(text, ",", ".", currency)
	if errTwo == nil {
		f.can, f.withComma = f.can|comma, two
	}
	switch {
	case f.can != 0:
		return f, nil
	case errors.Is(errOne, money.ErrSyntax) && !errors.Is(errTwo, money.ErrSyntax):
		return f, errTwo
	}
	return f, errOne
}

// amount is the figure under the readings that are left; false while they differ.
func (f figure) amount(left reading) (money.Money, bool) {
	switch left & f.can {
	case point:
		return f.withPoint, true
	case comma:
		return f.withComma, true
	case either:
		return f.withPoint, f.withPoint == f.withComma
	}
	return money.Money{}, false
}

// readAmount reads "-1,234.50": an optional minus, digits, perhaps in groups of three, and
// decimals. Yen with three decimals are taken for a group, for nobody writes them.
func readAmount(text, mark, group, currency string) (money.Money, error) {
	digits, negative := strings.CutPrefix(text, "-")
	whole, decimals, marked := strings.Cut(digits, mark)
	groups := strings.Split(whole, group)
	if !grouped(groups) || marked && !isDigits(decimals) {
		return money.Money{}, money.ErrSyntax
	}
	if money.Exponent(currency) == 0 && len(decimals) > 2 {
		return money.Money{}, money.ErrDigits
	}
	plain := strings.Join(groups, "")
	if marked {
		plain += "." + decimals
	}
	if negative {
		plain = "-" + plain
	}
	return money.Parse(plain, currency)
}

// grouped reports whether the parts of a number are its digits in threes, or all in one.
func grouped(parts []string) bool {
	for i, p := range parts {
		first, several := i == 0, len(parts) > 1
		if !isDigits(p) || several && (first && (len(p) > 3 || p[0] == '0') || !first && len(p) != 3) {
			return false
		}
	}
	return true
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
