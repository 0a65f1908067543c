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
// ago. A page may be empty; a refund whose transactions stand on two pages is told on both with
// what is seen there, under one number, and Refunds tells the whole. Refunds appear up to 48 hours
// after the time they are posted under: a new listing should reach back that far.
func (a *Adapter) Refunded(ctx context.Context, after marketplace.Cursor) (marketplace.RefundPage, error) {
	p, err := a.posted(ctx, after, 0)
	if err != nil {
		return marketplace.RefundPage{}, err
	}
	return marketplace.RefundPage{Refunds: a.pageOfRefunds(p.all), Next: p.next, More: p.more}, nil
}

// postedPage is one page of the transactions of all orders.
type postedPage struct {
	all  []transaction // of the sites worked on
	next marketplace.Cursor
	more bool
}

// posted reads one page of transactions by the time they were posted. No marketplace is asked for,
// because Amazon leaves rows out then. A finished listing reaches back by late. A transaction that
// cannot be read does not hold up the others.
func (a *Adapter) posted(ctx context.Context, after marketplace.Cursor, late time.Duration) (postedPage, error) {
	s, err := a.span(after)
	if err != nil {
		return postedPage{}, err
	}
	if !s.After.Before(s.Before) {
		return postedPage{next: marketplace.Cursor{Since: s.After}}, nil
	}
	query := url.Values{"postedAfter": {stamp(s.After)}, "postedBefore": {stamp(s.Before)}}
	if s.Token != "" {
		query.Set("nextToken", s.Token)
	}
	p, err := a.transactions(ctx, query)
	if fault.Is(err, fault.Refused) && s.Token != "" {
		a.log.Warn("listing broken off", "op", opListTransactions, "error", err) // the token has ended; begin anew
		return postedPage{next: marketplace.Cursor{Since: after.Since}}, nil
	}
	if err != nil {
		return postedPage{}, fault.Wrap(err, "listing transactions posted since %s", stamp(s.After))
	}
	all, bad := readTransactions(p.Transactions)
	a.unread(opListTransactions, bad)
	out := postedPage{all: slices.DeleteFunc(all, func(t transaction) bool { return t.site() != "" && !a.mine([]string{t.site()}) })}
	out.next, out.more = s.following(after.Since, p.NextToken, late)
	return out, nil
}

// unread tells of parts of an answer that were left out because they cannot be read.
func (a *Adapter) unread(op string, bad []error) {
	for _, err := range bad {
		a.log.Warn("part of an answer not read", "op", op, "error", err)
	}
}

// pageOfRefunds converts what can be converted; a transaction that cannot does not hold up the
// others.
func (a *Adapter) pageOfRefunds(all []transaction) []marketplace.Refund {
	byOrder := map[string][]transaction{}
	var orders []string
	for _, t := range all {
		order := t.related("ORDER_ID")
		if byOrder[order] == nil {
			orders = append(orders, order)
		}
		byOrder[order] = append(byOrder[order], t)
	}
	var out []marketplace.Refund
	for _, order := range orders {
		refunds, err := gather(byOrder[order])
		if err != nil {
			a.unread(opListTransactions, []error{err})
		}
		out = append(out, refunds...)
	}
	slices.SortStableFunc(out, func(x, y marketplace.Refund) int { return x.PostedAt.Compare(y.PostedAt) })
	return out
}
