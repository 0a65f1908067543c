package amazon

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"channelbridge/internal/fault"
	"channelbridge/marketplace"
)

const (
	ordersPath   = "/orders/2026-01-01/orders"
	pageSize     = "100"
	settledAfter = 3 * time.Minute // Amazon refuses bounds younger than two minutes
	seenKept     = 64              // page tokens remembered against running in a circle
)

// Order reads one order with all its data.
func (a *Adapter) Order(ctx context.Context, id marketplace.OrderID) (marketplace.Order, error) {
	if id == "" {
		return marketplace.Order{}, fault.New(fault.Refused, "amazon getOrder: the order id is empty")
	}
	var body struct{ Order json.RawMessage }
	_, dropped, err := a.readOrders(ctx, request{op: opGetOrder, path: ordersPath + "/" + url.PathEscape(string(id))}, &body)
	if err != nil {
		return marketplace.Order{}, fault.Wrap(err, "reading order %s", id)
	}
	o, err := convert(body.Order, dropped)
	if err == nil && o.ID != id {
		err = &marketplace.FaultyError{Raw: body.Order, Err: fault.New(fault.Refused, "asked for %s, answered %s", id, o.ID)}
	}
	if err != nil {
		return marketplace.Order{}, fault.Wrap(err, "reading order %s", id)
	}
	return o, nil
}

// listing is what the text of a cursor holds: Amazon wants every parameter of a listing
// unchanged from page to page, and the watermark is the earliest one a page named.
type listing struct {
	After  time.Time `json:"after"`
	Before time.Time `json:"before,omitzero"`
	Token  string    `json:"token"`
	Seen   []string  `json:"seen,omitempty"` // hashes of the tokens already used
}

// Changed lists one page of orders by update time. It reaches up to Amazon's own bound, two
// minutes ago, which becomes the watermark of the next listing.
func (a *Adapter) Changed(ctx context.Context, after marketplace.Cursor) (marketplace.Page, error) {
	l, err := a.resume(after)
	if err != nil {
		return marketplace.Page{}, err
	}
	q := url.Values{"lastUpdatedAfter": {stamp(l.After)}, "maxResultsPerPage": {pageSize}}
	if len(a.cfg.Sites) > 0 {
		q.Set("marketplaceIds", strings.Join(a.cfg.Sites, ","))
	}
	if l.Token != "" {
		q.Set("paginationToken", l.Token)
	}
	var body searchAnswer
	_, dropped, err := a.readOrders(ctx, request{op: opSearchOrders, path: ordersPath, query: q}, &body)
	if fault.Is(err, fault.Refused) && l.Token != "" {
		// The page token has ended its life; the next listing starts over and loses nothing.
		a.log.Warn("listing broken off", "op", opSearchOrders, "error", err)
		return marketplace.Page{Next: marketplace.Cursor{Since: after.Since}}, nil
	}
	if err != nil {
		return marketplace.Page{}, fault.Wrap(err, "listing orders changed since %s", stamp(l.After))
	}
	p := page(body.Orders, dropped)
	p.Next, p.More = l.next(after.Since, body)
	return p, nil
}

func (a *Adapter) resume(c marketplace.Cursor) (listing, error) {
	if c.Token == "" {
		since := c.Since
		if latest := a.clock().Add(-settledAfter); since.After(latest) {
			since = latest
		}
		return listing{After: since.UTC().Truncate(time.Second)}, nil
	}
	var l listing
	if err := json.Unmarshal([]byte(c.Token), &l); err != nil || l.Token == "" || l.After.IsZero() {
		return l, fault.New(fault.Refused, "amazon searchOrders: the cursor is not one of ours")
	}
	return l, nil
}

// next says where to go on. A token that comes a second time ends the listing without moving
// the watermark.
func (l listing) next(since time.Time, body searchAnswer) (marketplace.Cursor, bool) {
	before := body.LastUpdatedBefore.Time
	if !l.Before.IsZero() && (before.IsZero() || l.Before.Before(before)) {
		before = l.Before
	}
	token := body.Pagination.NextToken
	if token == "" {
		if before.Before(since) {
			before = since // no watermark named, or one before the start
		}
		return marketplace.Cursor{Since: before}, false
	}
	seen, again := remember(l.Seen, token)
	if again || token == l.Token {
		return marketplace.Cursor{Since: since}, false
	}
	text, _ := json.Marshal(listing{After: l.After, Before: before, Token: token, Seen: seen})
	return marketplace.Cursor{Since: since, Token: string(text)}, true
}

// page converts what can be converted; an order that cannot does not hold up the others.
func page(raw []json.RawMessage, dropped []string) marketplace.Page {
	var p marketplace.Page
	for _, r := range raw {
		o, err := convert(r, dropped)
		if err != nil {
			id, at := peek(r)
			p.Faulty = append(p.Faulty, marketplace.Faulty{ID: id, UpdatedAt: at, Raw: r, Err: err})
			continue
		}
		p.Orders = append(p.Orders, o)
	}
	slices.SortStableFunc(p.Orders, func(x, y marketplace.Order) int { return x.UpdatedAt.Compare(y.UpdatedAt) })
	return p
}

// peek takes id and update time out of an order that is otherwise beyond understanding.
func peek(raw json.RawMessage) (marketplace.OrderID, time.Time) {
	var fields map[string]json.RawMessage
	var id, at string
	_ = json.Unmarshal(raw, &fields)
	_ = json.Unmarshal(fields["orderId"], &id)
	_ = json.Unmarshal(fields["lastUpdatedTime"], &at)
	t, _ := parseTime(at)
	return marketplace.OrderID(id), t
}
