package generic

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"channelbridge/internal/fault"
	"channelbridge/marketplace"
)

// Order reads one order.
func (a *Adapter) Order(ctx context.Context, id marketplace.OrderID) (marketplace.Order, error) {
	if a.cfg.Base == "" {
		e := fault.New(fault.NotFound, "order %s: this channel is push-only and cannot be asked", clean(string(id)))
		e.Hint = "Enter the channel's base address, or have it push the order again."
		return marketplace.Order{}, e
	}
	if !addressable(id) {
		return marketplace.Order{}, fault.New(fault.NotFound, "order %q: not an order's id", string(id))
	}
	ans, err := a.api.get(ctx, opOrder, "/orders/"+url.PathEscape(string(id)))
	if err != nil {
		return marketplace.Order{}, fault.Wrap(err, "reading order %s", clean(string(id)))
	}
	o, err := a.order(ans.Body)
	if err == nil && o.ID != id {
		err = fmt.Errorf("the answer is about another order")
	}
	if err != nil {
		return marketplace.Order{}, faulty(id, ans.Body, err)
	}
	return o, nil
}

func faulty(id marketplace.OrderID, raw []byte, err error) error {
	e := fault.New(fault.Refused, "reading order %s: %w", clean(string(id)), &marketplace.FaultyError{Raw: raw, Err: err})
	e.Hint = "The channel sends an order that does not fit its documentation; its support needs the raw text."
	return e
}

// Changed lists one page of orders changed since the cursor. A push-only channel has an empty
// list whose watermark stays where it is.
func (a *Adapter) Changed(ctx context.Context, after marketplace.Cursor) (marketplace.Page, error) {
	if a.cfg.Base == "" {
		return marketplace.Page{Next: marketplace.Cursor{Since: after.Since}}, nil
	}
	w, _, err := a.api.list(ctx, after)
	if err != nil {
		return marketplace.Page{}, fault.Wrap(err, "listing changed orders")
	}
	page, newest := a.page(w.Orders)
	if w.Next != "" && w.Next != after.Token {
		page.More, page.Next = true, marketplace.Cursor{Since: after.Since, Token: w.Next}
		return page, nil
	}
	if w.Next != "" { // a list that turns in circles must not be walked for ever
		return marketplace.Page{}, fault.New(fault.Temporary, "listing changed orders: the channel answers the same page token again")
	}
	page.Next.Since = a.watermark(after.Since, newest)
	return page, nil
}

// watermark is where the next listing begins: at the newest change seen. One in the future must
// not hide those until then.
func (a *Adapter) watermark(since, newest time.Time) time.Time {
	if now := a.cfg.HTTP.Clock(); newest.After(now) {
		newest = now
	}
	if newest.After(since) {
		return newest
	}
	return since
}

// page reads orders one by one and returns the newest change among them.
func (a *Adapter) page(raw []json.RawMessage) (p marketplace.Page, newest time.Time) {
	for _, r := range raw {
		o, err := a.order(r)
		if err == nil {
			p.Orders = append(p.Orders, o)
			if o.UpdatedAt.After(newest) {
				newest = o.UpdatedAt
			}
			continue
		}
		f := marketplace.Faulty{Raw: r, Err: err}
		var head struct {
			ID        ident     `json:"id"`
			UpdatedAt time.Time `json:"updated_at"`
		}
		if json.Unmarshal(r, &head) == nil || head.ID != "" {
			f.ID, f.UpdatedAt = marketplace.OrderID(head.ID), head.UpdatedAt.UTC()
		}
		p.Faulty = append(p.Faulty, f)
	}
	slices.SortStableFunc(p.Orders, func(a, b marketplace.Order) int { return a.UpdatedAt.Compare(b.UpdatedAt) })
	return p, newest
}

// clean makes the channel's text fit for a log line.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s[:min(len(s), 100)], "?"))
}
