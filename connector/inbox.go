package connector

import (
	"context"
	"time"
)

// Verdict is what became of a delivery.
type Verdict string

const (
	Accepted    Verdict = "accepted"
	Duplicate   Verdict = "duplicate"   // its delivery id was seen before
	Quarantined Verdict = "quarantined" // authentic but not understood; kept and replayable
	Rejected    Verdict = "rejected"    // not authentic or not acceptable
)

// Delivery is one push as it was kept.
type Delivery struct {
	Row        int64               `json:"row"` // our number, for people and replay
	Connection ConnectionID        `json:"connection"`
	ID         string              `json:"id"` // the sender's delivery id; unique per connection
	EventID    string              `json:"event_id,omitempty"`
	Topic      string              `json:"topic"`
	ReceivedAt time.Time           `json:"received_at"`
	Verdict    Verdict             `json:"verdict"`
	Reason     string              `json:"reason,omitempty"`
	Header     map[string][]string `json:"header,omitempty"` // only what is needed to read it again
	Body       []byte              `json:"-"`
	Size       int                 `json:"size"`
	Repeats    int                 `json:"repeats"` // how often it came again
	ReplayedAt time.Time           `json:"replayed_at,omitzero"`

	Touch    []Touch       `json:"-"`
	Observed []Observation `json:"-"` // when the push carried whole orders
}

// Inbox keeps deliveries.
type Inbox interface {
	// Record keeps the delivery and touches its subjects in one transaction and returns the
	// verdict: the given one, or Duplicate when the delivery id is known. When it returns nil the
	// delivery is durable. It is safe to call from many goroutines; calls share commits.
	Record(ctx context.Context, d Delivery) (Verdict, error)
	// Reject counts and, within a bound per connection, keeps a refused delivery. It never grows
	// the database beyond keep rows per connection.
	Reject(ctx context.Context, d Delivery, keep int) error
	// Replayed marks a quarantined delivery as understood and touches its subjects.
	Replayed(ctx context.Context, row int64, at time.Time, touch []Touch, observed []Observation) error
}
