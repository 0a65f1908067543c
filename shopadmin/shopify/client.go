package shopify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"channelbridge/internal/fault"
	"channelbridge/internal/httpx"
	"channelbridge/internal/secret"
)

// client sends documents to one store: token, cost budget, and the three layers of failure.
type client struct {
	cfg    Config
	http   *httpx.Client
	tokens *tokens
	budget budget
	sleep  func(context.Context, time.Duration) error

	mu     sync.Mutex
	served string        // the API version that answered last
	skew   time.Duration // their clock minus ours
}

func newClient(cfg Config) *client {
	limits := map[string]httpx.Limit{}
	if n := cfg.OrdersPerMinute; n > 0 {
		limits[docCreateOrder.name] = httpx.Limit{PerSecond: float64(n) / 60, Burst: n}
	}
	h := httpx.New(httpx.Config{Service: "shopify", Transport: cfg.Transport, Clock: cfg.Clock, Sleep: cfg.Sleep,
		Retries: cfg.Retries, Timeout: cfg.Timeout, Limits: limits, Log: cfg.Log, Observe: cfg.Observe, UserAgent: "channelbridge"})
	c := &client{cfg: cfg, http: h, tokens: &tokens{cfg: cfg, http: h}, sleep: cfg.Sleep}
	if c.sleep == nil {
		c.sleep = pause
	}
	return c
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// costInfo is what an answer says about its price.
type costInfo struct {
	Requested float64        `json:"requestedQueryCost"`
	Status    throttleStatus `json:"throttleStatus"`
}

// reply is the envelope of every GraphQL answer.
type reply struct {
	Data       json.RawMessage `json:"data"`
	Errors     json.RawMessage `json:"errors"`
	Extensions struct {
		Cost costInfo `json:"cost"`
	} `json:"extensions"`
}

// do sends one document and decodes its data into out. A read whose token was refused is sent
// once more with a new one.
func (c *client) do(ctx context.Context, d document, vars map[string]any, out any) error {
	body, err := json.Marshal(struct {
		Query     string         `json:"query"`
		Operation string         `json:"operationName"`
		Variables map[string]any `json:"variables,omitempty"`
	}{d.text, d.name, vars})
	if err != nil {
		return fault.New(fault.Refused, "shopify %s: encoding the variables: %w", d.name, err)
	}
	err = c.attempt(ctx, d, body, out)
	if e, ok := errors.AsType[*tokenError](err); ok && e.again && !d.mutation {
		err = c.attempt(ctx, d, body, out)
	}
	if e, ok := errors.AsType[*tokenError](err); ok {
		return e.classified(d)
	}
	return err
}

// tokenError says that the store refused the token; nothing was executed.
type tokenError struct {
	again bool // a new token may be taken
	ref   string
}

func (e *tokenError) Error() string { return "the access token was refused" }

func (e *tokenError) classified(d document) error {
	f := fault.New(fault.Temporary, "shopify %s: %w", d.name, error(e))
	f.Ref, f.Code = e.ref, "HTTP 401"
	if !e.again {
		f.Class = fault.Denied
		f.Hint = "The store does not accept the app's access token: check that the app is installed and its credentials are current."
	}
	return f
}

func (c *client) attempt(ctx context.Context, d document, body []byte, out any) error {
	if ctx.Err() != nil {
		return fault.New(fault.Temporary, "shopify %s: not sent: %w", d.name, context.Cause(ctx))
	}
	token, err := c.tokens.get(ctx)
	if err != nil {
		return fault.Wrap(err, "%s", d.name)
	}
	cost, err := c.turn(ctx, d)
	if err != nil {
		return err
	}
	ans, err := c.http.Do(ctx, httpx.Call{Op: d.name, Method: http.MethodPost, Body: body, Repeat: !d.mutation,
		URL: c.cfg.BaseURL + "/admin/api/" + c.cfg.APIVersion + "/graphql.json",
		Header: http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"},
			"X-Shopify-Access-Token": {token.Reveal()}}})
	if err != nil {
		c.budget.give(cost)
		return err
	}
	c.note(ans.Header)
	if ans.Status != http.StatusOK {
		c.budget.give(cost)
		return c.httpFailure(d, ans, token)
	}
	c.tokens.accepted(token)
	return c.read(d, cost, ans, out)
}

// turn waits until the budget has room for the document.
func (c *client) turn(ctx context.Context, d document) (float64, error) {
	var waited time.Duration
	for {
		cost, wait := c.budget.take(d, c.cfg.Clock())
		if wait == 0 {
			return cost, nil
		}
		if waited+wait > c.cfg.MaxWait {
			return 0, &fault.Error{Class: fault.Temporary, After: wait, Code: "paced",
				Err: fmt.Errorf("shopify %s: the query budget leaves no room for %s", d.name, wait.Round(time.Millisecond))}
		}
		if err := c.sleep(ctx, wait); err != nil {
			return 0, fault.New(fault.Temporary, "shopify %s: waiting for query budget: %w", d.name, err)
		}
		waited += wait
	}
}

// read takes an answer of HTTP 200 apart.
func (c *client) read(d document, cost float64, ans httpx.Answer, out any) error {
	var r reply
	if err := json.Unmarshal(ans.Body, &r); err != nil {
		c.budget.give(cost)
		return unreadable(d, ans, err)
	}
	c.budget.learn(d.name, cost, r.Extensions.Cost, c.cfg.Clock())
	if err := c.topLevel(d, ans, r); err != nil {
		return err
	}
	if len(r.Data) == 0 || string(r.Data) == "null" {
		return unreadable(d, ans, errors.New("an answer without data"))
	}
	if err := json.Unmarshal(r.Data, out); err != nil {
		return unreadable(d, ans, err)
	}
	return nil
}

// unreadable is an answer that came and cannot be understood: a write may have worked.
func unreadable(d document, ans httpx.Answer, err error) error {
	class := fault.Temporary
	if d.mutation {
		class = fault.Unknown
	}
	e := fault.New(class, "shopify %s: reading the answer: %w", d.name, err)
	e.Ref = ans.Header.Get("X-Request-Id")
	return e
}

// note keeps what the headers tell about the store: its clock and the API version served.
func (c *client) note(h http.Header) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, err := http.ParseTime(h.Get("Date")); err == nil {
		c.skew = at.Sub(c.cfg.Clock()).Round(time.Second)
	}
	v := h.Get("X-Shopify-API-Version")
	if v == "" || v == c.served {
		return
	}
	c.served = v
	if v != c.cfg.APIVersion {
		c.cfg.Log.Warn("the store serves another API version than the pinned one", "pinned", c.cfg.APIVersion, "served", v)
	}
}

func (c *client) learned() (served string, skew time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.served, c.skew
}

// retryAfter reads the header of that name: whole or fractional seconds, at most an hour.
func retryAfter(h http.Header) time.Duration {
	s, err := strconv.ParseFloat(strings.TrimSpace(h.Get("Retry-After")), 64)
	if err != nil || s <= 0 {
		return 0
	}
	return seconds(min(s, 3600))
}

// httpFailure is the first layer: the HTTP status.
func (c *client) httpFailure(d document, ans httpx.Answer, token secret.Text) error {
	ref := ans.Header.Get("X-Request-Id")
	if ans.Status == http.StatusUnauthorized {
		return &tokenError{again: c.tokens.refused(token), ref: ref}
	}
	e := fault.New(httpx.Classify(ans.Status, !d.mutation), "shopify %s: HTTP %d", d.name, ans.Status)
	e.Ref, e.Code = ref, "HTTP "+strconv.Itoa(ans.Status)
	switch ans.Status {
	case http.StatusTooManyRequests, 430:
		e.Class, e.After = fault.Temporary, max(retryAfter(ans.Header), time.Second)
		c.budget.block(c.cfg.Clock(), e.After)
	case http.StatusPaymentRequired:
		e.Class, e.Hint = fault.Denied, "The store is frozen for an unpaid bill."
	case http.StatusLocked:
		e.Class, e.Hint = fault.Denied, "The store is locked."
	case http.StatusForbidden:
		e.Hint = "The store forbids the app this call: check its access scopes and that the store is open."
	case http.StatusNotFound:
		e.Class, e.Hint = fault.Denied, "There is no Admin API at this address: check the shop domain and the API version."
	case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		e.Class, e.Hint = fault.Denied, "The store answers with a redirect: configure its permanent myshopify.com domain."
	}
	return e
}
