package generic

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"channelbridge/internal/signature"
	"channelbridge/marketplace"
)

// Topics of pushes: the body is always an order, and may be sent because of its refunds.
const (
	topic       = "order"
	topicRefund = "refund"
)

// Receive checks a push and reads the order it carries.
func (a *Adapter) Receive(now time.Time, in marketplace.Inbound) ([]marketplace.Hint, error) {
	if err := a.Verify(now, in); err != nil {
		return nil, err
	}
	hints, err := a.Unwrap(in.Body)
	if err != nil {
		return nil, err
	}
	for i := range hints {
		hints[i].DeliveryID = in.Header.Get(HeaderID)
	}
	return hints, nil
}

// Verify checks headers, signature and timestamp, in this order, and does not look into the body.
func (a *Adapter) Verify(now time.Time, in marketplace.Inbound) error {
	id, stamp := in.Header.Get(HeaderID), in.Header.Get(HeaderTimestamp)
	signatures := strings.Join(in.Header.Values(HeaderSignature), " ")
	for _, h := range []struct{ name, value string }{{HeaderID, id}, {HeaderTimestamp, stamp}, {HeaderSignature, signatures}} {
		if strings.TrimSpace(h.value) == "" {
			return fmt.Errorf("generic push: %s: %w", h.name, marketplace.ErrMissing)
		}
	}
	sec, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return fmt.Errorf("generic push: %s is not a number of seconds: %w", HeaderTimestamp, marketplace.ErrMissing)
	}
	if !signature.Fits(a.keys, id, stamp, signatures, in.Body) {
		return fmt.Errorf("generic push: %w", marketplace.ErrSignature)
	}
	sent := time.Unix(sec, 0)
	if sent.Before(now.Add(-a.cfg.Tolerance)) || sent.After(now.Add(a.cfg.Tolerance)) {
		return fmt.Errorf("generic push: sent %s: %w", sent.UTC().Format(time.RFC3339), marketplace.ErrStale)
	}
	return nil
}

// Unwrap reads a body that is known to be authentic. The hint has no delivery id: that stands in
// a header.
func (a *Adapter) Unwrap(body []byte) ([]marketplace.Hint, error) {
	o, err := a.order(body)
	if err != nil {
		return nil, fmt.Errorf("generic push: %w: %w", marketplace.ErrMalformed, err)
	}
	h := marketplace.Hint{Topic: topic, Order: o.ID, Heard: o.UpdatedAt, Observed: &o}
	if a.takesMoney() && aboutRefunds(body) {
		h.Topic, h.Money = topicRefund, true
	}
	return []marketplace.Hint{h}, nil
}

// aboutRefunds reports a push that says "refunds": true. Anything else under that name is a field
// nobody knows.
func aboutRefunds(body []byte) bool {
	var said struct{ Refunds json.RawMessage }
	return json.Unmarshal(body, &said) == nil && string(said.Refunds) == "true"
}
