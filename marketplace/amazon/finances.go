package amazon

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"channelbridge/internal/fault"
	"channelbridge/marketplace"
)

const (
	transactionsPath = "/finances/2024-06-19/transactions"
	// longestSpan is the span of one listing. Amazon answers more than 180 days with nothing.
	longestSpan         = 179 * 24 * time.Hour
	maxTransactionPages = 50
)

// Refunds lists the refunds of an order, whoever made them. Amazon may show one up to 48 hours
// late. It asks for all pages, also after empty ones, until there is none or a token comes again.
// A transaction that cannot be read is an error: it may be a refund.
func (a *Adapter) Refunds(ctx context.Context, id marketplace.OrderID) ([]marketplace.Refund, error) {
	if id == "" {
		return nil, fault.New(fault.Refused, "amazon %s: the order id is empty", opListTransactions)
	}
	query := url.Values{"relatedIdentifierName": {"ORDER_ID"}, "relatedIdentifierValue": {string(id)}}
	var all []transaction
	var used []string
	for range maxTransactionPages {
		p, err := a.transactions(ctx, query)
		if err != nil {
			return nil, fault.Wrap(err, "reading the refunds of order %s", id)
		}
		some, bad := readTransactions(p.Transactions)
		if len(bad) > 0 {
			return nil, fault.Wrap(unreadable(errors.Join(bad...)), "reading the refunds of order %s", id)
		}
		for _, t := range some {
			if t.related("ORDER_ID") == string(id) {
				all = append(all, t)
			}
		}
		if p.NextToken == "" || slices.Contains(used, p.NextToken) {
			refunds, err := gather(all)
			if err != nil {
				return nil, fault.Wrap(unreadable(err), "reading the refunds of order %s", id)
			}
			return refunds, nil
		}
		used = append(used, p.NextToken)
		query.Set("nextToken", p.NextToken)
	}
	return nil, fault.New(fault.Temporary, "amazon %s: the refunds of order %s do not end", opListTransactions, id)
}

func unreadable(err error) error {
	return fault.New(fault.Temporary, "amazon %s: the answer cannot be read: %w", opListTransactions, err)
}

func (a *Adapter) transactions(ctx context.Context, query url.Values) (transactionsPage, error) {
	var body transactionsAnswer
	_, err := a.api.read(ctx, request{op: opListTransactions, method: http.MethodGet, path: transactionsPath, query: query, repeat: true}, &body)
	return body.page(), err
}

// Refunded lists one page of refunds by the time they were posted, reaching up to three minutes
// ago. No marketplace is asked for, because Amazon leaves rows out then. A page may be empty; a
// refund whose transactions stand on two pages is told on both with what is seen there, under one
// number, and Refunds tells the whole. Refunds appear up to 48 hours after the time they are
// posted under: a new listing should reach back that far.
func (a *Adapter) Refunded(ctx context.Context, after marketplace.Cursor) (marketplace.RefundPage, error) {
	s, err := a.span(after)
	if err != nil {
		return marketplace.RefundPage{}, err
	}
	if !s.After.Before(s.Before) {
		return marketplace.RefundPage{Next: marketplace.Cursor{Since: s.After}}, nil
	}
	query := url.Values{"postedAfter": {stamp(s.After)}, "postedBefore": {stamp(s.Before)}}
	if s.Token != "" {
		query.Set("nextToken", s.Token)
	}
	p, err := a.transactions(ctx, query)
	if fault.Is(err, fault.Refused) && s.Token != "" {
		a.log.Warn("listing broken off", "op", opListTransactions, "error", err) // the token has ended; begin anew
		return marketplace.RefundPage{Next: marketplace.Cursor{Since: after.Since}}, nil
	}
	if err != nil {
		return marketplace.RefundPage{}, fault.Wrap(err, "listing refunds posted since %s", stamp(s.After))
	}
	out := marketplace.RefundPage{Refunds: a.pageOfRefunds(p)}
	out.Next, out.More = s.following(after.Since, p.NextToken)
	return out, nil
}

// pageOfRefunds converts what can be converted; a transaction that cannot does not hold up the
// others.
func (a *Adapter) pageOfRefunds(p transactionsPage) []marketplace.Refund {
	all, bad := readTransactions(p.Transactions)
	byOrder := map[string][]transaction{}
	var orders []string
	for _, t := range all {
		order := t.related("ORDER_ID")
		if site := t.site(); site != "" && len(a.cfg.Sites) > 0 && !slices.Contains(a.cfg.Sites, site) {
			continue
		}
		if byOrder[order] == nil {
			orders = append(orders, order)
		}
		byOrder[order] = append(byOrder[order], t)
	}
	var out []marketplace.Refund
	for _, order := range orders {
		refunds, err := gather(byOrder[order])
		if err != nil {
			bad = append(bad, err)
		}
		out = append(out, refunds...)
	}
	for _, err := range bad {
		a.log.Warn("transaction not read", "op", opListTransactions, "error", err)
	}
	slices.SortStableFunc(out, func(x, y marketplace.Refund) int { return x.PostedAt.Compare(y.PostedAt) })
	return out
}
