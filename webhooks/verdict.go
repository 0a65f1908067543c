package webhooks

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// Codes of refusals. They begin the stored reason and stand in the answer.
const (
	codeSignature = "signature"
	codeStale     = "stale"
	codeMissing   = "missing_header"
	codeRefused   = "refused" // by the receiver, for a reason of its own
	codeTooDeep   = "too_deep"
	codeTooLarge  = "too_large"
	codeHeaders   = "header_too_large"
	codeSlow      = "slow"
	codeTruncated = "truncated"
	codeMalformed = "malformed" // authentic: quarantined, never refused
)

// refusal says how a push that will not be taken is answered.
type refusal struct {
	status int
	code   string
	text   string // for the operator only
}

// refusalOf turns a receiver's error into an answer; malformed marks an authentic push
// that the receiver cannot read.
func refusalOf(err error) (r refusal, malformed bool) {
	is := func(a, b error) bool { return errors.Is(err, a) || errors.Is(err, b) }
	switch {
	case is(marketplace.ErrSignature, shopadmin.ErrSignature):
		return refusal{http.StatusUnauthorized, codeSignature, err.Error()}, false
	case is(marketplace.ErrMissing, shopadmin.ErrMissing):
		return refusal{http.StatusBadRequest, codeMissing, err.Error()}, false
	case is(marketplace.ErrStale, shopadmin.ErrStale):
		return refusal{http.StatusUnauthorized, codeStale, err.Error()}, false
	case is(marketplace.ErrMalformed, shopadmin.ErrMalformed):
		return refusal{http.StatusOK, codeMalformed, err.Error()}, true
	}
	if _, ok := errors.AsType[deepError](err); ok {
		return refusal{http.StatusBadRequest, codeTooDeep, err.Error()}, false
	}
	return refusal{http.StatusBadRequest, codeRefused, err.Error()}, false
}

// bodyRefusal turns an error of readBody into an answer; ok is false for errNoRoom, which is our
// lack of room and not the sender's mistake.
func bodyRefusal(err error) (r refusal, ok bool) {
	switch {
	case errors.Is(err, errTooLarge):
		return refusal{http.StatusRequestEntityTooLarge, codeTooLarge, err.Error()}, true
	case errors.Is(err, errSlow):
		return refusal{http.StatusRequestTimeout, codeSlow, err.Error()}, true
	case errors.Is(err, errTruncated):
		return refusal{http.StatusBadRequest, codeTruncated, err.Error()}, true
	}
	return refusal{}, false
}

// problem is the body of every answer that is not a 200 (RFC 9457). It holds a stable code and
// nothing about our inside.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
}

func answer(c echo.Context, status int, code string) error {
	if status == http.StatusOK {
		return c.NoContent(status)
	}
	blob, err := json.Marshal(problem{"about:blank", http.StatusText(status), status, code})
	if err != nil {
		return err
	}
	return c.Blob(status, "application/problem+json", blob)
}

// busyAnswer asks the sender to come again.
func busyAnswer(c echo.Context, code string) error {
	c.Response().Header().Set("Retry-After", "2")
	return answer(c, http.StatusServiceUnavailable, code)
}

func codeOf(status int) string {
	switch status {
	case http.StatusNotFound:
		return "not_found"
	case http.StatusMethodNotAllowed:
		return "method_not_allowed"
	}
	return "internal"
}
