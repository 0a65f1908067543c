package generic

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"
	"unicode/utf8"

	"channelbridge/internal/fault"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// maxRefundPages bounds the refunds of one order.
const maxRefundPages = 50

// Refunds lists the refunds of an order, whoever made them. One that cannot be read makes the
// whole an error: nobody may take what was given back for less than it is.
func (c Instructed) Refunds(ctx context.Context, id marketplace.OrderID) ([]marketplace.Refund, error) {
	all, err := c.refundsOf(ctx, id)
	return all, fault.Wrap(err, "reading the refunds of order %s", clean(string(id)))
}

func (a *Adapter) refundsOf(ctx context.Context, id marketplace.OrderID) ([]marketplace.Refund, error) {
	if !addressable(id) {
		return nil, fault.New(fault.NotFound, "not an order's id")
	}
	all, q := []marketplace.Refund{}, url.Values{}
	for range maxRefundPages {
		page, err := a.api.refunds(ctx, opOrderRefunds, "/orders/"+url.PathEscape(string(id))+"/refunds", q)
		if err != nil {
			return nil, err
		}
		for _, raw := range page.Refunds {
			if all, err = gather(all, raw, id); err != nil {
				e := fault.New(fault.Refused, "a refund cannot be understood: %w", err)
				e.Hint = "No money is given back for this order until its refunds can be read; the channel's support needs the raw text."
				return nil, e
			}
		}
		if page.Next == "" {
			slices.SortFunc(all, older)
			return all, nil
		}
		if page.Next == q.Get("page_token") {
			break
		}
		q.Set("page_token", page.Next)
	}
	return nil, fault.New(fault.Temporary, "the channel's list does not end")
}

// gather adds a refund of an order to those read so far. The same one may come again, as pages
// shift, but says the same.
func gather(all []marketplace.Refund, raw []byte, id marketplace.OrderID) ([]marketplace.Refund, error) {
	r, err := refund(raw)
	if err != nil {
		return nil, err
	}
	if r.Order != id {
		return nil, errors.New("it is of another order")
	}
	i := slices.IndexFunc(all, func(x marketplace.Refund) bool { return x.ID == r.ID })
	if i < 0 {
		return append(all, r), nil
	}
	if all[i] != r {
		return nil, fmt.Errorf("refund %s occurs twice and differs", clean(r.ID))
	}
	return all, nil
}

func older(x, y marketplace.Refund) int {
	return cmp.Or(x.PostedAt.Compare(y.PostedAt), cmp.Compare(x.ID, y.ID))
}

// Refunded lists one page of the refunds of all orders posted since the cursor. One that cannot
// be read is passed on with no more than its names: its order is to be looked at.
func (c Instructed) Refunded(ctx context.Context, after marketplace.Cursor) (marketplace.RefundPage, error) {
	q := url.Values{"since": {after.Since.UTC().Format(time.RFC3339Nano)}}
	if after.Token != "" {
		q.Set("page_token", after.Token)
	}
	w, err := c.api.refunds(ctx, opRefunds, "/refunds", q)
	if err != nil {
		return marketplace.RefundPage{}, fault.Wrap(err, "listing refunds")
	}
	page, newest := c.pageOfRefunds(w.Refunds)
	if w.Next != "" && w.Next == after.Token { // a list that turns in circles must not be walked for ever
		return marketplace.RefundPage{}, fault.New(fault.Temporary, "listing refunds: the channel answers the same page token again")
	}
	if w.Next != "" {
		page.More, page.Next = true, marketplace.Cursor{Since: after.Since, Token: w.Next}
		return page, nil
	}
	page.Next.Since = c.watermark(after.Since, newest)
	return page, nil
}

func (a *Adapter) pageOfRefunds(raw []json.RawMessage) (p marketplace.RefundPage, newest time.Time) {
	for _, b := range raw {
		r, err := refund(b)
		if err != nil {
			a.cfg.HTTP.Log.Warn("refund not understood", "op", opRefunds, "order", clean(string(r.Order)), "error", err)
		}
		if r.Order == "" {
			continue
		}
		p.Refunds = append(p.Refunds, r)
		if r.PostedAt.After(newest) {
			newest = r.PostedAt
		}
	}
	slices.SortStableFunc(p.Refunds, older)
	return p, newest
}

// refund reads one refund. With an error it has no more than its names and its time.
func refund(raw []byte) (marketplace.Refund, error) {
	var w wireRefund
	if !utf8.Valid(raw) {
		return marketplace.Refund{}, errors.New("not UTF-8")
	}
	if err := json.Unmarshal(raw, &w); err != nil {
		return w.named(), err
	}
	if err := w.check(); err != nil {
		return w.named(), err
	}
	r := w.named()
	r.Pending, r.Kind, r.Ref = w.Pending, w.Kind, w.Key
	var err error
	if r.Amount, err = money.Parse(string(w.Amount), w.Currency); err != nil {
		return w.named(), fmt.Errorf("amount: %w", err)
	}
	if w.Untaxed != "" {
		if r.Untaxed, err = money.Parse(string(w.Untaxed), w.Currency); err != nil {
			return w.named(), fmt.Errorf("untaxed: %w", err)
		}
	}
	if r.Amount.Minor <= 0 || r.Untaxed.Minor < 0 || r.Untaxed.Minor > r.Amount.Minor {
		return w.named(), fmt.Errorf("%s with %s before tax cannot be", r.Amount, r.Untaxed)
	}
	return r, nil
}

// named is what a refund is called and when it was posted.
func (w wireRefund) named() marketplace.Refund {
	r := marketplace.Refund{ID: string(w.ID), Order: marketplace.OrderID(w.Order)}
	if !w.PostedAt.IsZero() {
		r.PostedAt = w.PostedAt.UTC()
	}
	return r
}

// check finds what no refund may lack.
func (w wireRefund) check() error {
	switch {
	case w.ID == "":
		return errors.New("id is missing")
	case w.Order == "":
		return errors.New("order is missing")
	case w.PostedAt.IsZero():
		return errors.New("posted_at is missing")
	case w.Amount == "":
		return errors.New("amount is missing")
	}
	return nil
}
