package amazon

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"channelbridge/internal/secret"
	"channelbridge/marketplace"
)

const envelopeDeep = 4 // array, record, body text, notification

// Receive takes notifications posted by an AWS pipe. The pipe proves itself with the configured
// header; Amazon signs nothing on this way. Old notifications are fine: a queue keeps them for
// days, and each is only a hint.
func (a *Adapter) Receive(now time.Time, in marketplace.Inbound) ([]marketplace.Hint, error) {
	if err := a.Verify(now, in); err != nil {
		return nil, err
	}
	return a.ReceiveQueued(now, in)
}

// Verify checks the header in which a pipe proves itself, without reading the body.
func (a *Adapter) Verify(_ time.Time, in marketplace.Inbound) error {
	got := in.Header.Get(a.cfg.PipeAuthHeader)
	if got == "" {
		return fmt.Errorf("amazon: header %s: %w", a.cfg.PipeAuthHeader, marketplace.ErrMissing)
	}
	// Both are always compared.
	current, previous := same(got, a.cfg.PipeAuthToken), same(got, a.cfg.PipeAuthTokenPrevious)
	if !current && !previous {
		return fmt.Errorf("amazon: header %s: %w", a.cfg.PipeAuthHeader, marketplace.ErrSignature)
	}
	return nil
}

// same compares hashes, so that neither content nor length shows in the time it takes.
func same(got string, want secret.Text) bool {
	g, w := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(want.Reveal()))
	return subtle.ConstantTimeCompare(g[:], w[:]) == 1 && want.Set()
}

// ReceiveQueued reads what Poll handed over. It checks no header: Amazon's queue was asked with
// our own keys. Never call it with a body that came from outside.
func (a *Adapter) ReceiveQueued(_ time.Time, in marketplace.Inbound) ([]marketplace.Hint, error) {
	found, err := unwrap(in.Body, envelopeDeep)
	if err != nil {
		return nil, fmt.Errorf("amazon: %w: %w", marketplace.ErrMalformed, err)
	}
	hints := make([]marketplace.Hint, 0, len(found))
	good := 0
	for _, f := range found {
		h, err := a.hint(f)
		if err == nil {
			good++
		} else {
			h.Ignore = "cannot be read: " + clean(err.Error())
		}
		hints = append(hints, h)
		if err != nil && len(found) == 1 {
			return nil, fmt.Errorf("amazon: %w: %w", marketplace.ErrMalformed, err)
		}
	}
	if good == 0 && len(found) > 0 {
		return nil, fmt.Errorf("amazon: %w: none of %d records can be read", marketplace.ErrMalformed, len(found))
	}
	return hints, nil
}

// wrapped is one notification, or a record of a batch that holds none.
type wrapped struct {
	body []byte
	err  error
}

// unwrap finds the notifications inside a push: an array of records, one record with the
// notification as text in "body", or the bare notification.
func unwrap(body []byte, depth int) ([]wrapped, error) {
	body = bytes.TrimSpace(body)
	if depth == 0 || len(body) == 0 {
		return nil, fmt.Errorf("no notification inside")
	}
	if body[0] == '[' {
		var records []json.RawMessage
		if err := json.Unmarshal(body, &records); err != nil {
			return nil, err
		}
		var all []wrapped
		for _, r := range records {
			inner, err := unwrap(r, depth-1)
			if err != nil {
				inner = []wrapped{{r, err}}
			}
			all = append(all, inner...)
		}
		return all, nil
	}
	var record struct {
		NotificationType json.RawMessage
		Body             json.RawMessage
	}
	if err := json.Unmarshal(body, &record); err != nil {
		return nil, err
	}
	if len(record.NotificationType) > 0 {
		return []wrapped{{body: body}}, nil
	}
	var text string
	if err := json.Unmarshal(record.Body, &text); err != nil {
		text = string(record.Body) // a pipe may have parsed it already
	}
	return unwrap([]byte(text), depth-1)
}

func (a *Adapter) hint(w wrapped) (marketplace.Hint, error) {
	h := marketplace.Hint{Body: w.body, DeliveryID: fingerprint(w.body)}
	if w.err != nil {
		return h, w.err
	}
	var n notification
	if err := json.Unmarshal(w.body, &n); err != nil {
		return h, err
	}
	h.DeliveryID = or(n.NotificationMetadata.NotificationID, h.DeliveryID)
	h.Topic = n.NotificationType
	err := a.about(n, &h)
	return h, err
}

// heard returns the first usable time; none is not an error.
func heard(texts ...string) time.Time {
	for _, s := range texts {
		if t, err := parseTime(s); err == nil {
			return t
		}
	}
	return time.Time{}
}

// fingerprint stands in for a notification id that is missing.
func fingerprint(b []byte) string {
	var compact bytes.Buffer
	if json.Compact(&compact, b) == nil {
		b = compact.Bytes()
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}
