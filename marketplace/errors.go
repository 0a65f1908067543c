package marketplace

import (
	"encoding/json"
	"errors"
)

// Why a push is refused. The receiving side turns these into a verdict and a status code.
var (
	ErrSignature = errors.New("signature does not match")
	ErrMissing   = errors.New("a required header is missing")
	ErrStale     = errors.New("timestamp outside the tolerance")
	ErrMalformed = errors.New("body is not what the channel documents")
)

// FaultyError is an order that was received but could not be understood.
type FaultyError struct {
	Raw json.RawMessage
	Err error
}

func (e *FaultyError) Error() string { return "order cannot be understood: " + e.Err.Error() }
func (e *FaultyError) Unwrap() error { return e.Err }
