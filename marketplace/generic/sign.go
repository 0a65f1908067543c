package generic

import (
	"net/http"
	"time"

	"channelbridge/internal/secret"
	"channelbridge/internal/signature"
)

// Names of the three headers of a signed push.
const (
	HeaderID        = signature.HeaderID
	HeaderTimestamp = signature.HeaderTimestamp
	HeaderSignature = signature.HeaderSignature
)

// Sign returns the headers of a push as a channel would send it, for tests and fakes.
func Sign(s secret.Text, id string, at time.Time, body []byte) (http.Header, error) {
	key, err := signature.ParseKey(s)
	if err != nil {
		return nil, err
	}
	h := signature.Header(id, at, body, key)
	h.Set("Content-Type", "application/json")
	return h, nil
}
