package amazon

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"channelbridge/internal/money"
)

// The wire types of Finances v2024-06-19, as far as refunds and deferrals need them. Arrays may be
// null, and the model's own example has an object where an array is declared.

type transactionsAnswer struct {
	Payload *transactionsPage // the model's form
	transactionsPage
}

type transactionsPage struct {
	NextToken    string
	Transactions list[json.RawMessage]
}

// page is the wrapped page, or the bare one.
func (a transactionsAnswer) page() transactionsPage {
	if a.Payload != nil {
		return *a.Payload
	}
	return a.transactionsPage
}

type transaction struct {
	SellingPartnerMetadata struct{ SellingPartnerID, MarketplaceID string }
	MarketplaceDetails     struct{ MarketplaceID string }
	RelatedIdentifiers     list[relatedIdentifier]
	TransactionType        string
	TransactionID          string
	TransactionStatus      string
	PostedDate             instant
	TotalAmount            *finAmount
	Items                  list[transactionItem]
	Breakdowns             list[finBreakdown]
	// Contexts stay as they came: a form nobody knows must not hide a refund.
	Contexts json.RawMessage
}

type relatedIdentifier struct{ RelatedIdentifierName, RelatedIdentifierValue string }

type transactionItem struct {
	Breakdowns list[finBreakdown]
	Contexts   json.RawMessage
}

// deferredContext is what one of the contexts of a deferred transaction says; the others have none
// of it.
type deferredContext struct {
	DeferralReason, MaturityDate string
}

type finBreakdown struct {
	BreakdownType   string
	BreakdownAmount *finAmount
	Breakdowns      list[finBreakdown]
}

// finAmount is an amount as a JSON number, which never passes through a float.
type finAmount struct {
	CurrencyAmount decimal `json:"currencyAmount"`
	CurrencyCode   string  `json:"currencyCode"`
}

// money reads an amount; none is nothing.
func (a *finAmount) money() (money.Money, error) {
	if a == nil || a.CurrencyAmount == "" {
		return money.Money{}, nil
	}
	text, err := expand(string(a.CurrencyAmount))
	if err != nil {
		return money.Money{}, err
	}
	return money.Parse(text, strings.ToUpper(a.CurrencyCode))
}

const maxExponent = 30

// expand writes a number without exponent, digit by digit: "1.25E+2" becomes "125".
func expand(number string) (string, error) {
	mantissa, exponent, found := strings.Cut(strings.ToLower(number), "e")
	if !found {
		return number, nil
	}
	shift, err := strconv.Atoi(exponent)
	if err != nil || shift > maxExponent || shift < -maxExponent {
		return "", fmt.Errorf("amount %.40q: %w", number, money.ErrSyntax)
	}
	digits, negative := strings.CutPrefix(mantissa, "-")
	whole, frac, _ := strings.Cut(digits, ".")
	point := len(whole) + shift
	all := whole + frac
	if point < 1 {
		all = strings.Repeat("0", 1-point) + all
		point = 1
	}
	if point > len(all) {
		all += strings.Repeat("0", point-len(all))
	}
	text := all[:point]
	if rest := all[point:]; rest != "" {
		text += "." + rest
	}
	if negative {
		text = "-" + text
	}
	return text, nil
}

// list is an array that may be null, one object alone, or an object that holds the array.
type list[T any] []T

// UnmarshalJSON accepts all of these.
func (l *list[T]) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	*l = nil
	if len(b) == 0 || string(b) == "null" {
		return nil
	}
	if b[0] == '[' {
		var all []T
		if err := json.Unmarshal(b, &all); err != nil {
			return err
		}
		*l = all
		return nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(b, &fields); err != nil {
		return err
	}
	if len(fields) == 1 {
		for _, inner := range fields {
			if inner = bytes.TrimSpace(inner); len(inner) > 0 && inner[0] == '[' {
				return l.UnmarshalJSON(inner)
			}
		}
	}
	var one T
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	*l = list[T]{one}
	return nil
}
