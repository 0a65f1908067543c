package shopify

import (
	"fmt"

	"channelbridge/internal/money"
	"channelbridge/shopadmin"
)

// restockTypes is what the store calls what becomes of the units.
var restockTypes = map[shopadmin.Restock]string{"": "NO_RESTOCK", shopadmin.RestockNone: "NO_RESTOCK",
	shopadmin.RestockCancel: "CANCEL", shopadmin.RestockReturn: "RETURN"}

// toRefundInput translates a checked refund. The amount is sent as given: where the lines come to
// another sum, the store books the difference as an adjustment.
func toRefundInput(r shopadmin.NewRefund, b refundBasis) (refundInput, error) {
	in := refundInput{OrderID: b.ID, Note: r.Note}
	for _, m := range []money.Money{r.Amount, r.Shipping} {
		if !m.IsZero() && (m.Currency != b.Currency || m.Currency != b.PresentmentCurrency) {
			return in, fmt.Errorf("%s, but the order is in %s and %s to its buyer: %w", m, b.Currency, b.PresentmentCurrency, money.ErrMismatch)
		}
	}
	for _, l := range r.Lines {
		line := refundLineInput{LineItemID: l.Line, Quantity: l.Quantity, RestockType: restockTypes[l.Restock]}
		if restocks(l) {
			place, err := b.places.of(l)
			if err != nil {
				return in, err
			}
			line.LocationID = place
		}
		in.Lines = append(in.Lines, line)
	}
	if !r.Shipping.IsZero() {
		in.Shipping = &refundShippingInput{Amount: r.Shipping.Decimal()}
	}
	if r.Amount.IsZero() {
		return in, nil
	}
	sale, err := payment(b.Transactions, r.Amount)
	if err != nil {
		return in, err
	}
	in.Transactions = []refundTransactionInput{{OrderID: b.ID, ParentID: sale.ID, Kind: "REFUND", Gateway: sale.Gateway, Amount: r.Amount.Decimal()}}
	return in, nil
}

// payment is the sale the order was created with: its first. Giving back against any other
// payment, which staff may have taken by card, could move money outside. What waits counts as
// given back.
func payment(list []transactionNode, amount money.Money) (transactionNode, error) {
	for _, sale := range list {
		if sale.Kind != "SALE" || sale.Status != "SUCCESS" {
			continue
		}
		taken, err := toMoney("the payment", sale.AmountSet)
		if err != nil {
			return sale, err
		}
		given, err := sumOf(list, func(t transactionNode) bool {
			return t.Kind == "REFUND" && t.Parent != nil && t.Parent.ID == sale.ID && (t.Status == "SUCCESS" || waiting(t.Status))
		})
		if err != nil {
			return sale, err
		}
		left, err := taken.Sub(given)
		if err != nil {
			return sale, err
		}
		if amount.Cmp(left) > 0 {
			return sale, fmt.Errorf("%s is more than the %s left of the order's payment", amount, left)
		}
		return sale, nil
	}
	return transactionNode{}, fmt.Errorf("no payment was taken for the order")
}
