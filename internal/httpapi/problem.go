package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"channelbridge/connector"
	"channelbridge/connector/payout"
	"channelbridge/internal/fault"
)

// Problem is the body of every answer of 400 and above (RFC 9457): what happened, why, what to
// do, and a reference that stands in the log as well.
type Problem struct {
	Type      string    `json:"type"`
	Title     string    `json:"title"` // what happened; the same for every problem of a code
	Status    int       `json:"status"`
	Code      string    `json:"code"`             // stable
	Detail    string    `json:"detail,omitempty"` // why
	Hint      string    `json:"hint,omitempty"`   // what to do
	Reference string    `json:"reference"`
	Member    string    `json:"member,omitempty"` // the parameter or member of the body that is wrong
	Scope     string    `json:"scope,omitempty"`  // the scope that is missing
	Refusals  []Refusal `json:"refusals,omitempty"`

	// Of a payout file that cannot be understood: the hash its bytes are kept under, and the row to
	// blame, unless it is the file as a whole.
	Hash   string `json:"hash,omitempty"`
	Row    int    `json:"row,omitempty"`
	Column string `json:"column,omitempty"`
	Value  string `json:"value,omitempty"`
	Reason string `json:"reason,omitempty"`

	retryAfter int // seconds; 0: no such header
}

func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

const problemType = "urn:channelbridge:problem:"

// titles says what happened, by code, and with which status it is answered.
var titles = map[string]struct {
	status int
	title  string
}{
	"unauthorized":       {http.StatusUnauthorized, "The request carries no valid token"},
	"too_many_failures":  {http.StatusServiceUnavailable, "Too many requests without a valid token came from this address"},
	"too_many_requests":  {http.StatusTooManyRequests, "There were too many requests"},
	"scope_missing":      {http.StatusForbidden, "The token may not do this"},
	"not_found":          {http.StatusNotFound, "There is no such thing"},
	"method_not_allowed": {http.StatusMethodNotAllowed, "This method is not offered here"},
	"invalid_parameter":  {http.StatusBadRequest, "A parameter is wrong"},
	"invalid_cursor":     {http.StatusBadRequest, "The cursor is not one of ours"},
	"invalid_body":       {http.StatusBadRequest, "The body is not understood"},
	"unknown_member":     {http.StatusBadRequest, "The body has a member that is not known"},
	"missing_member":     {http.StatusBadRequest, "The body lacks a member"},
	"invalid_member":     {http.StatusBadRequest, "A member of the body is wrong"},
	"body_too_large":     {http.StatusRequestEntityTooLarge, "The body is too large"},
	"unsupported_media":  {http.StatusUnsupportedMediaType, "The body is not JSON"},
	"key_missing":        {http.StatusBadRequest, "The write carries no usable Idempotency-Key"},
	"key_reused":         {http.StatusConflict, "The Idempotency-Key was used for something else"},
	"in_progress":        {http.StatusConflict, "The same request is being answered already"},
	"settled":            {http.StatusConflict, "The entry has an outcome already"},
	"bad_parameter":      {http.StatusBadRequest, "A parameter is wrong"},
	"unmapped_category":  {http.StatusConflict, "A category has no account"},
	"unknown_account":    {http.StatusNotFound, "There is no such account"},
	"snapshot_gone":      {http.StatusGone, "The report this page belongs to is not kept any more"},
	"too_many_exports":   {http.StatusServiceUnavailable, "Too many exports are under way"},
	"export_not_done":    {http.StatusConflict, "The export is not done"},
	"rejected_file":      {http.StatusUnprocessableEntity, "The file is kept, but cannot be understood"},
	"not_available":      {http.StatusNotFound, "This is not set up here"},
	"refused":            {http.StatusUnprocessableEntity, "This cannot be done"},
	"unavailable":        {http.StatusServiceUnavailable, "The bridge cannot answer now"},
	"internal":           {http.StatusInternalServerError, "Something went wrong inside"},
}

// newProblem makes a problem of a known code.
func newProblem(code, why, todo string) *Problem {
	t := titles[code]
	return &Problem{Type: problemType + code, Title: t.title, Status: t.status, Code: code, Detail: why, Hint: todo}
}

// member makes a problem about one parameter or member of the body.
func member(code, name, why, todo string) *Problem {
	p := newProblem(code, why, todo)
	p.Member = name
	return p
}

// refused makes a problem of refusals; the first gives the code.
func refused(all ...Refusal) *Problem {
	list := make([]Refusal, len(all))
	for i, r := range all {
		r.Hint = r.hint()
		list[i] = r
	}
	p := newProblem("refused", list[0].Reason, list[0].Hint)
	p.Code, p.Type, p.Refusals = list[0].Code, problemType+list[0].Code, list
	return p
}

// problemOf is the one mapping from errors to problems. What is inside stays inside.
func problemOf(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		c := *p
		return &c
	}
	if r, ok := errors.AsType[*Refusal](err); ok {
		return refused(*r)
	}
	if r, ok := errors.AsType[*payout.RefusedError](err); ok {
		p := refused(Refusal{Code: r.Code, Reason: r.Reason, Hint: r.Hint})
		p.Member = r.Member
		return p
	}
	switch {
	case errors.Is(err, connector.ErrNotFound), errors.Is(err, connector.ErrSourceMissing), fault.Is(err, fault.NotFound):
		return newProblem("not_found", "Nothing is kept under this name.", "Check the address; lists show what there is.")
	case errors.Is(err, connector.ErrKeyReused):
		return keyReused()
	case errors.Is(err, connector.ErrSettled):
		return newProblem("settled", "Only an entry whose outcome is in doubt can be resolved, and not before its deadline.",
			"Read the entry: its state says what is known.")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), fault.Is(err, fault.Temporary):
		p := newProblem("unavailable", "It did not answer in time.", "Send the same request again, with the same Idempotency-Key.")
		p.retryAfter = 5
		return p
	}
	return newProblem("internal", "The reason stands in the bridge's log under the reference.",
		"Send the same request again, with the same Idempotency-Key; if it happens again, look into the log.")
}

func keyReused() *Problem {
	return newProblem("key_reused", "This key was sent before with another address or body.", "Use a new key for everything that is new.")
}

func (p *Problem) bytes() []byte {
	b, err := json.Marshal(p)
	if err != nil { // strings and numbers only: cannot happen
		return []byte(`{"type":"about:blank","title":"Something went wrong inside","status":500,"code":"internal","reference":""}`)
	}
	return b
}
