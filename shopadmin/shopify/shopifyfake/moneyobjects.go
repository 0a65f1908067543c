package shopifyfake

import (
	"encoding/json"
	"strings"

	"channelbridge/internal/money"
)

func transactionObj(o *Order, t Transaction) obj {
	out := obj{"__typename": "OrderTransaction", "id": t.ID, "kind": t.Kind, "status": t.Status, "gateway": text(t.Gateway),
		"amountSet": bagObj(t.Amount), "parentTransaction": nil}
	for _, p := range o.Transactions {
		if t.Parent != "" && p.ID == t.Parent {
			out["parentTransaction"] = transactionObj(o, p)
		}
	}
	return out
}

// refundObj shows a refund. A shipping refund stands in its shipping lines and, negative, among
// its adjustments.
func refundObj(o *Order, r Refund) obj {
	var lines, shipping, adjustments, transactions []obj
	for _, l := range r.Lines {
		lines = append(lines, obj{"__typename": "RefundLineItem", "quantity": l.Quantity, "restockType": l.Restock, "lineItem": lineObj(*o.line(l.Line)),
			"location": nil, "subtotalSet": bagObj(l.Subtotal), "totalTaxSet": bagObj(l.Tax)})
	}
	none := money.New(0, o.Currency)
	if !r.Shipping.IsZero() {
		shipping = []obj{{"__typename": "RefundShippingLine", "id": r.ID + "1", "subtotalAmountSet": bagObj(r.Shipping), "taxAmountSet": bagObj(r.ShippingTax)}}
		adjustments = []obj{{"__typename": "OrderAdjustment", "id": r.ID + "2", "reason": nil, "amountSet": bagObj(r.Shipping.Neg()),
			"taxAmountSet": bagObj(r.ShippingTax.Neg())}}
	}
	for _, a := range r.Adjustments {
		adjustments = append(adjustments, obj{"__typename": "OrderAdjustment", "id": a.ID, "reason": a.Reason, "amountSet": bagObj(a.Amount), "taxAmountSet": bagObj(none)})
	}
	for _, t := range o.Transactions {
		if t.Refund == r.ID {
			transactions = append(transactions, transactionObj(o, t))
		}
	}
	return obj{"__typename": "Refund", "id": r.ID, "createdAt": stamp(r.CreatedAt), "note": text(r.Note), "refundLineItems": paged(lines),
		"refundShippingLines": paged(shipping), "orderAdjustments": paged(adjustments), "transactions": paged(transactions)}
}

// restRefund is the body of refunds/create. Some of its amounts are numbers.
func restRefund(o *Order, r Refund) map[string]any {
	lines, shipping, adjustments, transactions, restocked := []any{}, []any{}, []any{}, []any{}, false
	for _, l := range r.Lines {
		restocked = restocked || l.Restock != "NO_RESTOCK"
		var place any
		if l.Location != "" {
			place = number(l.Location)
		}
		lines = append(lines, map[string]any{"id": number(l.Line), "line_item_id": number(l.Line), "quantity": l.Quantity, "location_id": place,
			"restock_type": strings.ToLower(l.Restock), "subtotal": json.Number(l.Subtotal.Decimal()), "total_tax": json.Number(l.Tax.Decimal()),
			"subtotal_set": restBag(l.Subtotal), "total_tax_set": restBag(l.Tax), "line_item": restLine(*o.line(l.Line), o.line(l.Line).Quantity)})
	}
	adjust := func(kind, reason string, amount money.Money) {
		adjustments = append(adjustments, map[string]any{"id": number(r.ID), "order_id": number(o.ID), "refund_id": number(r.ID), "kind": kind,
			"reason": reason, "amount": amount.Decimal(), "amount_set": restBag(amount)})
	}
	if !r.Shipping.IsZero() {
		shipping = append(shipping, map[string]any{"id": number(r.ID), "subtotal_amount_set": restBag(r.Shipping)})
		adjust("shipping_refund", "Shipping refund", r.Shipping.Neg())
	}
	for _, a := range r.Adjustments {
		adjust("refund_discrepancy", "Refund discrepancy", a.Amount)
	}
	for _, t := range o.Transactions {
		if t.Refund == r.ID {
			transactions = append(transactions, restTransaction(o, t))
		}
	}
	return map[string]any{"id": number(r.ID), "admin_graphql_api_id": r.ID, "order_id": number(o.ID), "created_at": stamp(r.CreatedAt),
		"processed_at": stamp(r.CreatedAt), "note": text(r.Note), "user_id": nil, "restock": restocked, "return": nil, "duties": []any{},
		"refund_line_items": lines, "refund_shipping_lines": shipping, "order_adjustments": adjustments, "transactions": transactions}
}

// restTransaction is the body of order_transactions/create.
func restTransaction(o *Order, t Transaction) map[string]any {
	var parent any
	if t.Parent != "" {
		parent = number(t.Parent)
	}
	return map[string]any{"id": number(t.ID), "admin_graphql_api_id": t.ID, "order_id": number(o.ID), "parent_id": parent,
		"kind": strings.ToLower(t.Kind), "status": strings.ToLower(t.Status), "gateway": t.Gateway, "amount": t.Amount.Decimal(),
		"currency": t.Amount.Currency, "created_at": stamp(t.At), "processed_at": stamp(t.At), "error_code": nil}
}
