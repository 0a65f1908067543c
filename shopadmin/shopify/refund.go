package shopify

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"channelbridge/internal/fault"
	"channelbridge/shopadmin"
)

// attemptsOfKey bounds how many keys one call uses up. A new one is taken only after the store
// said that the attempt with the one before failed.
const attemptsOfKey = 5

// refundBasis is what the store says about an order before a refund is added to it.
type refundBasis struct {
	ID                  string            `json:"id"`
	Currency            string            `json:"currencyCode"`
	PresentmentCurrency string            `json:"presentmentCurrencyCode"`
	Refunds             []refundNode      `json:"refunds"`
	TransactionsCount   *countNode        `json:"transactionsCount"`
	Transactions        []transactionNode `json:"transactions"`
	places              *orderPlaces      // only read to put goods back
}

// Refund records a refund against the payment the order was created with. The customer is told
// nothing. A refund that carries the note already is not made again, whatever the store remembers
// of the key: its memory ends after a day.
func (a *Admin) Refund(ctx context.Context, key string, id shopadmin.OrderID, r shopadmin.NewRefund) (string, error) {
	if err := checkRefund(r); err != nil {
		return "", fault.New(fault.Refused, "shopify: a refund of order %s cannot be recorded: %w", id, err)
	}
	basis, err := a.refundBasis(ctx, id)
	if err != nil {
		return "", err
	}
	for _, made := range basis.Refunds {
		if carries(made.Note, r.Note) {
			return made.ID, nil
		}
	}
	if basis.places, err = a.placesFor(ctx, id, r.Lines); err != nil {
		return "", err
	}
	in, err := toRefundInput(r, basis)
	if err != nil {
		return "", fault.New(fault.Refused, "shopify: a refund of order %s cannot be recorded: %w", id, err)
	}
	for n := range attemptsOfKey {
		var made string
		if made, err = a.sendRefund(ctx, idempotencyKey(key, n), in); err == nil {
			return made, nil
		}
		if !aboutKey(err) {
			break
		}
	}
	return "", fault.Wrap(err, "recording a refund of order %s", id)
}

// refundBasis reads what the refund is checked against. Nothing has been sent when it fails.
func (a *Admin) refundBasis(ctx context.Context, id shopadmin.OrderID) (refundBasis, error) {
	var out struct{ Order *refundBasis }
	if err := a.client.do(ctx, docRefundBasis, map[string]any{"id": string(id)}, &out); err != nil {
		return refundBasis{}, asTemporary(err, "reading the order before its refund")
	}
	if out.Order == nil {
		return refundBasis{}, gone(string(id))
	}
	if len(out.Order.Refunds) >= listLimit {
		return refundBasis{}, tooLong(string(id), len(out.Order.Refunds), "refunds")
	}
	n := orderNode{orderHead: orderHead{ID: string(id)}, TransactionsCount: out.Order.TransactionsCount, Transactions: out.Order.Transactions}
	if err := a.restOfTransactions(ctx, &n); err != nil {
		return refundBasis{}, asTemporary(err, "reading the order's payments before its refund")
	}
	out.Order.Transactions = n.Transactions
	return *out.Order, nil
}

func (a *Admin) sendRefund(ctx context.Context, key string, in refundInput) (string, error) {
	var out struct {
		Payload *struct {
			Refund     *idNode
			UserErrors []userError
		} `json:"refundCreate"`
	}
	if err := a.client.do(ctx, docRefund, map[string]any{"input": in, "key": key}, &out); err != nil {
		return "", err
	}
	if out.Payload == nil {
		return "", empty(docRefund)
	}
	if err := userErrors(docRefund.name, out.Payload.UserErrors); err != nil {
		return "", err
	}
	if out.Payload.Refund == nil || out.Payload.Refund.ID == "" {
		return "", empty(docRefund)
	}
	return out.Payload.Refund.ID, nil
}

// carries reports whether a note holds the mark as whole words: "op-1" is not in "op-10".
func carries(note, mark string) bool {
	words, want := strings.Fields(note), strings.Fields(mark)
	for i := 0; len(want) > 0 && i+len(want) <= len(words); i++ {
		if slices.Equal(words[i:i+len(want)], want) {
			return true
		}
	}
	return false
}

// checkRefund finds what no store could record.
func checkRefund(r shopadmin.NewRefund) error {
	switch {
	case strings.TrimSpace(r.Note) == "":
		return fmt.Errorf("it has no note to be found by")
	case r.Amount.Minor < 0 || r.Shipping.Minor < 0:
		return fmt.Errorf("it is negative")
	case r.Amount.IsZero() && !r.Shipping.IsZero():
		return fmt.Errorf("it gives shipping back and no money")
	case r.Amount.IsZero() && len(r.Lines) == 0:
		return fmt.Errorf("it gives back nothing")
	}
	for _, l := range r.Lines {
		if l.Quantity <= 0 || l.Line == "" {
			return fmt.Errorf("line %q has quantity %d", l.Line, l.Quantity)
		}
		if restockTypes[l.Restock] == "" {
			return fmt.Errorf("line %q is to be put back as %q", l.Line, clip(string(l.Restock), 40))
		}
	}
	return nil
}
