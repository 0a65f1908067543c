package shopify

import (
	"context"
	"slices"

	"channelbridge/internal/fault"
)

// refundsAtOnce is how many refunds one question asks for in full.
const refundsAtOnce = 5

// restOfRefunds reads the refunds of an order, of which its first answer only names a few: most
// orders have none, and each would make every read dearer.
func (a *Admin) restOfRefunds(ctx context.Context, n *orderNode) error {
	if len(n.Refunds) == 0 {
		return nil
	}
	ids, err := a.refundIDs(ctx, n)
	if err != nil {
		return err
	}
	n.Refunds = nil
	for part := range slices.Chunk(ids, refundsAtOnce) {
		var page struct{ Nodes []*refundNode }
		if err := a.client.do(ctx, docRefunds, map[string]any{"ids": part}, &page); err != nil {
			return err
		}
		if len(page.Nodes) != len(part) || slices.Contains(page.Nodes, nil) {
			return fault.New(fault.Temporary, "shopify: refunds of order %s were named and cannot be read", n.ID)
		}
		for _, r := range page.Nodes {
			if err := a.restOfRefund(ctx, r); err != nil {
				return err
			}
			n.Refunds = append(n.Refunds, *r)
		}
	}
	return nil
}

// namedRefunds is how many refunds an order's first answer names at most.
const namedRefunds = 5

func (a *Admin) refundIDs(ctx context.Context, n *orderNode) ([]string, error) {
	named := n.Refunds
	if len(named) >= namedRefunds {
		var out struct{ Order *orderNode }
		if err := a.client.do(ctx, docRefundIDs, map[string]any{"id": n.ID}, &out); err != nil {
			return nil, err
		}
		if out.Order == nil {
			return nil, gone(n.ID)
		}
		named = out.Order.Refunds
	}
	if len(named) >= listLimit {
		return nil, tooLong(n.ID, len(named), "refunds")
	}
	ids := make([]string, len(named))
	for i, r := range named {
		ids[i] = r.ID
	}
	return ids, nil
}

// tooLong is a list the store gives no way to read to its end.
func tooLong(id string, n int, what string) error {
	return fault.New(fault.Refused, "shopify: order %s has %d or more %s; not all of them can be read", id, n, what)
}

// restOfRefund reads the lines, shipping lines and transactions that did not fit.
func (a *Admin) restOfRefund(ctx context.Context, r *refundNode) (err error) {
	fetch := func(d document, after string) (refundNode, error) {
		var out struct{ Refund *refundNode }
		err := a.client.do(ctx, d, map[string]any{"id": r.ID, "after": after}, &out)
		if err == nil && out.Refund == nil {
			err = fault.New(fault.Temporary, "shopify: refund %s cannot be read to its end", r.ID)
		}
		if err != nil {
			return refundNode{}, err
		}
		return *out.Refund, nil
	}
	if r.Lines.Nodes, err = walk(r.Lines, func(after string) (connection[refundLineNode], error) {
		more, err := fetch(docRefundLines, after)
		return more.Lines, err
	}); err != nil {
		return err
	}
	if r.Shipping.Nodes, err = walk(r.Shipping, func(after string) (connection[refundShippingNode], error) {
		more, err := fetch(docRefundShipping, after)
		return more.Shipping, err
	}); err != nil {
		return err
	}
	r.Transactions.Nodes, err = walk(r.Transactions, func(after string) (connection[transactionNode], error) {
		more, err := fetch(docRefundTransactions, after)
		return more.Transactions, err
	})
	return err
}

// restOfTransactions reads an order's transactions anew when the first answer did not hold all.
func (a *Admin) restOfTransactions(ctx context.Context, n *orderNode) error {
	if n.TransactionsCount == nil || n.TransactionsCount.Count <= len(n.Transactions) {
		return nil
	}
	var out struct{ Order *orderNode }
	if err := a.client.do(ctx, docTransactions, map[string]any{"id": n.ID}, &out); err != nil {
		return err
	}
	if out.Order == nil {
		return gone(n.ID)
	}
	if len(out.Order.Transactions) < n.TransactionsCount.Count {
		return tooLong(n.ID, n.TransactionsCount.Count, "transactions")
	}
	n.Transactions = out.Order.Transactions
	return nil
}
