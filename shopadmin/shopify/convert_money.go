package shopify

import (
	"fmt"
	"slices"
	"strings"

	"channelbridge/internal/money"
	"channelbridge/shopadmin"
)

// captured is what was taken for the order, before refunds: its successful sales and captures.
// An authorisation takes nothing; a capture made on one does.
func captured(list []transactionNode) (money.Money, error) {
	return sumOf(list, func(t transactionNode) bool {
		return (t.Kind == "SALE" || t.Kind == "CAPTURE") && t.Status == "SUCCESS"
	})
}

// sumOf adds the amounts of the transactions that count.
func sumOf(list []transactionNode, counts func(transactionNode) bool) (total money.Money, err error) {
	for _, t := range list {
		if !counts(t) {
			continue
		}
		m, err := toMoney("transaction "+t.ID, t.AmountSet)
		if err != nil {
			return money.Money{}, err
		}
		if total, err = total.Add(m); err != nil {
			return money.Money{}, err
		}
	}
	return total, nil
}

// toMoney reads an amount in the shop's currency.
func toMoney(what string, bag moneyBag) (money.Money, error) {
	m, err := money.Parse(bag.ShopMoney.Amount, bag.ShopMoney.CurrencyCode)
	if err != nil {
		return m, fmt.Errorf("the amount of %s: %w", what, err)
	}
	return m, nil
}

// waiting reports whether a transaction may still move money. A state not heard of may.
func waiting(status string) bool {
	return status != "SUCCESS" && status != "FAILURE" && status != "ERROR"
}

// toRefunds translates refunds, oldest first.
func toRefunds(nodes []refundNode) ([]shopadmin.Refund, error) {
	var all []shopadmin.Refund
	for _, n := range nodes {
		r, err := toRefund(n)
		if err != nil {
			return nil, fmt.Errorf("refund %s: %w", n.ID, err)
		}
		all = append(all, r)
	}
	slices.SortStableFunc(all, func(a, b shopadmin.Refund) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return all, nil
}

// toRefund translates one complete refund. Shipping is taken from its shipping lines alone: the
// store books the same amount a second time, negative, among the order's adjustments. The money
// is what its transactions moved, which need not be what its lines come to.
func toRefund(n refundNode) (r shopadmin.Refund, err error) {
	r = shopadmin.Refund{ID: n.ID, Note: n.Note, Reason: reasonOf(n.Adjustments.Nodes)}
	if n.ID == "" {
		return r, fmt.Errorf("it has no id")
	}
	if r.CreatedAt, err = instant("createdAt", n.CreatedAt); err != nil {
		return r, err
	}
	for _, l := range n.Lines.Nodes {
		line, err := toRefundLine(l)
		if err != nil {
			return r, err
		}
		r.Lines = append(r.Lines, line)
	}
	for _, s := range n.Shipping.Nodes {
		if r.Shipping, err = plus(r.Shipping, "the shipping", s.SubtotalAmountSet); err != nil {
			return r, err
		}
		if r.ShipTax, err = plus(r.ShipTax, "the shipping's tax", s.TaxAmountSet); err != nil {
			return r, err
		}
	}
	if r.Moved, err = sumOf(n.Transactions.Nodes, func(t transactionNode) bool {
		return t.Kind == "REFUND" && t.Status == "SUCCESS"
	}); err != nil {
		return r, err
	}
	r.Pending, err = sumOf(n.Transactions.Nodes, func(t transactionNode) bool {
		return t.Kind == "REFUND" && waiting(t.Status)
	})
	return r, err
}

func plus(sum money.Money, what string, bag moneyBag) (money.Money, error) {
	m, err := toMoney(what, bag)
	if err != nil {
		return sum, err
	}
	return sum.Add(m)
}

func toRefundLine(n refundLineNode) (l shopadmin.RefundLine, err error) {
	l = shopadmin.RefundLine{Line: n.LineItem.ID, Quantity: n.Quantity, Restock: toRestock(n.RestockType)}
	if l.Line == "" {
		return l, fmt.Errorf("a line that names no line of the order")
	}
	if l.Amount, err = toMoney("line "+l.Line, n.SubtotalSet); err != nil {
		return l, err
	}
	l.Tax, err = toMoney("the tax of line "+l.Line, n.TotalTaxSet)
	return l, err
}

// toRestock maps what became of the units. LEGACY_RESTOCK, of old refunds, does not say whether
// they had shipped; a value not heard of is passed on as it is.
func toRestock(s string) shopadmin.Restock {
	switch s {
	case "NO_RESTOCK":
		return shopadmin.RestockNone
	case "CANCEL":
		return shopadmin.RestockCancel
	case "RETURN", "LEGACY_RESTOCK":
		return shopadmin.RestockReturn
	}
	return shopadmin.Restock(strings.ToLower(s))
}

// reasonOf is the reason staff gave for a difference, the only coded reason a refund has. The
// store's own bookkeeping reasons are none.
func reasonOf(list []adjustmentNode) string {
	for _, a := range list {
		if slices.Contains([]string{"CUSTOMER", "DAMAGE", "RESTOCK", "OTHER"}, a.Reason) {
			return strings.ToLower(a.Reason)
		}
	}
	return ""
}
