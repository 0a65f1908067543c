package shopify

import (
	"crypto/sha1" //nolint:gosec // RFC 9562 builds version 5 ids of it; nothing is protected by it
	"fmt"
	"strings"

	"channelbridge/internal/fault"
)

// keySpace is the namespace of the keys we hand to the store. It must never change: a key made
// before an update has to be the same afterwards.
var keySpace = [16]byte{0x6b, 0x1f, 0x0c, 0x52, 0x9d, 0x3e, 0x4a, 0x77, 0x8c, 0x61, 0x2e, 0x5b, 0xd0, 0x94, 0xa3, 0x18}

// idempotencyKey is the store's key of a write: a version 5 UUID of the ledger's key, equal at
// every attempt and on every machine. Attempts after the first have keys of their own.
func idempotencyKey(key string, attempt int) string {
	if attempt > 0 {
		key = fmt.Sprintf("%s#%d", key, attempt)
	}
	return uuid5(keySpace, key)
}

func uuid5(space [16]byte, name string) string {
	h := sha1.New() //nolint:gosec // see above
	h.Write(space[:])
	h.Write([]byte(name)) // hash.Hash never fails
	u := h.Sum(nil)[:16]
	u[6], u[8] = u[6]&0x0f|0x50, u[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// What the store says about a key it remembers. It is not documented whether a refund says so in
// its user errors, which have no code, or on top: both are looked at.
const (
	keyRunning  = "IDEMPOTENCY_CONCURRENT_REQUEST"
	keyMismatch = "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
	keyFailed   = "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"
)

// aboutKey gives an error that speaks of the idempotency key its meaning, and reports whether
// an earlier attempt with this key surely failed, so that another key may be used.
func aboutKey(err error) (failedBefore bool) {
	e, ok := asFault(err)
	if !ok {
		return false
	}
	text := e.Code + " " + e.Error()
	switch {
	case strings.Contains(text, keyFailed):
		e.Class = fault.Refused
		return true
	case strings.Contains(text, keyRunning):
		e.Class = fault.Unknown
	case strings.Contains(text, keyMismatch):
		e.Class = fault.Refused
		e.Hint = "This was asked for before with other contents within a day; the store still remembers. Look at the order's refunds in the store."
	case strings.Contains(strings.ToLower(text), "idempoten"):
		e.Class = fault.Unknown
	}
	return false
}
