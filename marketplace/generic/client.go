package generic

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"channelbridge/internal/fault"
	"channelbridge/internal/httpx"
	"channelbridge/internal/secret"
	"channelbridge/marketplace"
)

// Operations, for pacing and metrics.
const (
	opOrder = "order"
	opList  = "orders"
	opShip  = "confirm_shipment"

	opInstruct     = "instruct"
	opOrderRefunds = "order_refunds"
	opRefunds      = "refunds"
)

// client speaks the channel's API word for word.
type client struct {
	http  *httpx.Client
	base  string
	token secret.Text
	now   func() time.Time
}

func (c *client) get(ctx context.Context, op, path string) (httpx.Answer, error) {
	return c.do(ctx, httpx.Call{Op: op, Method: http.MethodGet, URL: c.base + path, Header: http.Header{}, Repeat: true})
}

// list asks for one page and returns the channel's time of day, if it tells.
func (c *client) list(ctx context.Context, after marketplace.Cursor) (wirePage, time.Time, error) {
	q := url.Values{"updated_after": {after.Since.UTC().Format(time.RFC3339Nano)}}
	if after.Token != "" {
		q.Set("page_token", after.Token)
	}
	ans, err := c.get(ctx, opList, "/orders?"+q.Encode())
	if err != nil {
		return wirePage{}, time.Time{}, err
	}
	var page wirePage
	if err := json.Unmarshal(ans.Body, &page); err != nil {
		return wirePage{}, time.Time{}, fault.New(fault.Temporary, "reading the list of orders: %w", err)
	}
	date, err := http.ParseTime(ans.Header.Get("Date"))
	if err != nil {
		date = time.Time{}
	}
	return page, date, nil
}

// idempotencyKey is spelled in lower case on purpose: Go's transport repeats a POST with the
// canonical spelling by itself, and a write is repeated by the ledger only.
const idempotencyKey = "idempotency-key"

func (c *client) ship(ctx context.Context, id marketplace.OrderID, key string, body []byte) (httpx.Answer, error) {
	return c.post(ctx, opShip, id, "shipments", key, body)
}

func (c *client) instruct(ctx context.Context, id marketplace.OrderID, key string, body []byte) (httpx.Answer, error) {
	return c.post(ctx, opInstruct, id, "instructions", key, body)
}

func (c *client) post(ctx context.Context, op string, id marketplace.OrderID, what, key string, body []byte) (httpx.Answer, error) {
	return c.do(ctx, httpx.Call{Op: op, Method: http.MethodPost, Body: body,
		URL:    c.base + "/orders/" + url.PathEscape(string(id)) + "/" + what,
		Header: http.Header{"Content-Type": {"application/json"}, idempotencyKey: {key}}})
}

// refunds asks for one page of a listing of refunds.
func (c *client) refunds(ctx context.Context, op, path string, q url.Values) (wireRefunds, error) {
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	ans, err := c.get(ctx, op, path)
	if err != nil {
		return wireRefunds{}, err
	}
	var page wireRefunds
	if err := json.Unmarshal(ans.Body, &page); err != nil {
		return wireRefunds{}, fault.New(fault.Temporary, "the list of refunds cannot be read: %w", err)
	}
	if page.Refunds == nil {
		return wireRefunds{}, fault.New(fault.Temporary, "the answer holds no list of refunds")
	}
	return page, nil
}

// sendable reports a key that fits into a header.
func sendable(key string) bool { return key != "" && !strings.ContainsAny(key, "\r\n") }

// addressable reports an id that is a path of its own: "", "." and ".." are not.
func addressable(id marketplace.OrderID) bool { return strings.Trim(string(id), ".") != "" }

// do sends a call and turns every answer that is not a 2xx into a classified error.
func (c *client) do(ctx context.Context, call httpx.Call) (httpx.Answer, error) {
	call.Header.Set("Accept", "application/json")
	if c.token.Set() {
		call.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	}
	ans, err := c.http.Do(ctx, call)
	if err != nil {
		return ans, err
	}
	if ans.Status >= 200 && ans.Status < 300 {
		c.http.Admitted(call.Op)
		return ans, nil
	}
	e := fault.New(httpx.Classify(ans.Status, call.Repeat), "the channel answered %s to %s", quote(ans), call.Op)
	e.Ref = clean(ans.Header.Get("X-Request-Id"))
	switch {
	case ans.Status == http.StatusTooManyRequests:
		e.After = c.http.Throttled(call.Op, c.retryAfter(ans))
	case e.Class == fault.Temporary:
		e.After = c.retryAfter(ans)
	case e.Class == fault.Denied:
		e.Hint = "Check the channel's bearer token and what it may do."
	}
	return ans, e
}

// retryAfter reads the header in both of its forms; 0 when there is none.
func (c *client) retryAfter(ans httpx.Answer) time.Duration {
	text := ans.Header.Get("Retry-After")
	if n, err := strconv.Atoi(text); err == nil && n > 0 {
		return min(time.Duration(n), 24*3600) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(c.now()), 0), 24*time.Hour)
	}
	return 0
}

// quote is the channel's status and, when it gave one, its own code or title.
func quote(ans httpx.Answer) string {
	var said struct{ Code, Title, Error string }
	text := strconv.Itoa(ans.Status)
	if json.Unmarshal(ans.Body, &said) != nil {
		return text
	}
	for _, s := range []string{said.Code, said.Title, said.Error} {
		if s != "" {
			return fmt.Sprintf("%s %q", text, clean(s))
		}
	}
	return text
}
