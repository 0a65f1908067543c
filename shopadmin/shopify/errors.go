package shopify

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"channelbridge/internal/fault"
	"channelbridge/internal/httpx"
)

// graphError is one entry of the top-level errors.
type graphError struct {
	Message    string `json:"message"`
	Path       []any  `json:"path"`
	Extensions struct {
		Code           string `json:"code"`
		RequiredAccess string `json:"requiredAccess"`
	} `json:"extensions"`
}

// invalidCodes are refusals of the document or its variables: nothing was executed.
var invalidCodes = []string{"MAX_COST_EXCEEDED", "BAD_REQUEST", "GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED",
	"INVALID_VARIABLE", "undefinedField", "undefinedType", "argumentLiteralsIncompatible", "argumentNotAccepted",
	"missingRequiredArguments", "missingRequiredInputObjectAttribute", "variableMismatch", "variableNotDefined",
	"parseError", "selectionMismatch", "RESOURCE_LIMITS_EXCEEDED"}

// topLevel is the second layer: errors beside or instead of data. nil when there are none.
func (c *client) topLevel(d document, ans httpx.Answer, r reply) error {
	if len(r.Errors) == 0 || string(r.Errors) == "null" || string(r.Errors) == "[]" {
		return nil
	}
	var list []graphError
	if err := json.Unmarshal(r.Errors, &list); err != nil || len(list) == 0 {
		// Some gateways answer with a bare text instead of a list.
		list = []graphError{{Message: "an error of unknown form"}}
	}
	worst := list[0]
	for _, e := range list[1:] {
		if rank(e) > rank(worst) {
			worst = e
		}
	}
	e := fault.New(fault.Temporary, "shopify %s: the store says %q", d.name, clip(worst.Message, 200))
	e.Code, e.Ref = worst.Extensions.Code, ans.Header.Get("X-Request-Id")
	c.classify(e, d, worst, r)
	return e
}

// rank orders errors by how much they explain when several come together.
func rank(e graphError) int {
	return slices.Index([]string{"THROTTLED", "INTERNAL_SERVER_ERROR", "ACCESS_DENIED", "SHOP_INACTIVE"}, e.Extensions.Code)
}

// classify gives a top-level error its meaning.
func (c *client) classify(e *fault.Error, d document, g graphError, r reply) {
	switch code := g.Extensions.Code; {
	case code == "THROTTLED":
		e.After = throttleWait(r.Extensions.Cost)
		c.budget.block(c.cfg.Clock(), e.After)
	case code == "SHOP_INACTIVE":
		e.Class, e.Hint = fault.Denied, "The store is closed or paused."
	case code == "ACCESS_DENIED":
		e.Class, e.Hint = fault.Denied, accessHint(g)
	case code == "NOT_FOUND" && !d.mutation:
		e.Class = fault.NotFound
	case slices.Contains(invalidCodes, code):
		e.Class = fault.Refused
	case d.mutation:
		e.Class = fault.Unknown
	case code == "" || code == "INTERNAL_SERVER_ERROR" || code == "TIMEOUT" || code == "SERVICE_UNAVAILABLE":
	default:
		e.Class = fault.Refused
	}
	// A complaint from inside the mutation's answer comes after its effect.
	if d.mutation && len(g.Path) > 1 {
		e.Class = fault.Unknown
	}
}

// throttleWait is how long the bucket needs to hold what was asked for.
func throttleWait(c costInfo) time.Duration {
	if c.Status.RestoreRate <= 0 {
		return time.Second
	}
	missing := min(c.Requested, c.Status.MaximumAvailable) - c.Status.CurrentlyAvailable
	return max(seconds(missing/c.Status.RestoreRate), 100*time.Millisecond)
}

var scopePattern = regexp.MustCompile("`?((?:read|write)_[a-z_]+)`?")

// accessHint names the scopes the store asks for.
func accessHint(g graphError) string {
	text := g.Extensions.RequiredAccess
	if text == "" {
		text = g.Message
	}
	var scopes []string
	for _, m := range scopePattern.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(scopes, m[1]) {
			scopes = append(scopes, m[1])
		}
	}
	if len(scopes) == 0 {
		return "The app lacks a permission for this call: compare its access scopes with the documentation."
	}
	return "Grant the app the access scope " + strings.Join(scopes, " or ") + " and install it again."
}

// tooMany is how trial and development stores word their limit of new orders per minute. The
// wording is not documented; a text that does not match ends as Refused, which a person sees.
var tooMany = regexp.MustCompile(`(?i)too many (attempts|requests|orders)|try again later|exceeded.{0,40}(limit|rate)`)

// userErrors is the third layer: the store understood and said no. nil when the list is empty.
func userErrors(op string, list []userError) error {
	if len(list) == 0 {
		return nil
	}
	var parts []string
	code := ""
	for _, u := range list {
		if code == "" {
			code = u.Code
		}
		text := clip(u.Message, 200)
		if len(u.Field) > 0 {
			text = strings.Join(u.Field, ".") + ": " + text
		}
		if u.Code != "" {
			text += " (" + u.Code + ")"
		}
		parts = append(parts, text)
	}
	e := fault.New(fault.Refused, "shopify %s: the store refused: %s", op, strings.Join(parts, "; "))
	e.Code = code
	switch {
	case code == "SHOP_DORMANT":
		e.Class, e.Hint = fault.Denied, "The store is dormant: open it again, then reconnect."
	case op == docCreateOrder.name && tooMany.MatchString(list[0].Message):
		e.Class, e.After = fault.Temporary, time.Minute
		e.Hint = "Trial and development stores take only a few new orders per minute."
	case code == "INVENTORY_CLAIM_FAILED":
		e.Hint = "The store's stock rules refuse this order: adjust the stock, or let orders ignore it."
	}
	return e
}

// deniedAccess reports whether the store refused a field for want of an access scope.
func deniedAccess(err error) (*fault.Error, bool) {
	e, ok := asFault(err)
	return e, ok && e.Code == "ACCESS_DENIED"
}

func asFault(err error) (*fault.Error, bool) { return errors.AsType[*fault.Error](err) }

// hinted adds the hint that belongs to the error's code.
func hinted(err error, hints map[string]string) error {
	if e, ok := asFault(err); ok && e.Hint == "" {
		e.Hint = hints[e.Code]
	}
	return err
}

func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n]) + "…"
}

// asTemporary turns a doubtful preparation into "did not happen": the write it prepares was
// never sent.
func asTemporary(err error, doing string) error {
	class := fault.Of(err)
	if class == fault.Unknown || class == fault.NotFound {
		return &fault.Error{Class: fault.Temporary, Err: fmt.Errorf("%s: %w", doing, err)}
	}
	return fault.Wrap(err, "%s", doing)
}
