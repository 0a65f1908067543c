package connector

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"
)

// WishKind is what a person asked for.
type WishKind string

const (
	WishRefund  WishKind = "refund"  // give money back on both sides, the channel first
	WishCancel  WishKind = "cancel"  // cancel on both sides, the channel first
	WishHold    WishKind = "hold"    // move no money for this order until it is released
	WishRelease WishKind = "release" // end of a hold
	WishApprove WishKind = "approve" // what About names may go on
)

// ErrKeyReused says that a key was used before for something else.
var ErrKeyReused = errors.New("the key was used before for something else")

// Wish is what a person asked for about one order. Wishes are only ever added; what follows from
// them is decided with everything else.
type Wish struct {
	ID      int64           `json:"id"`
	Subject Subject         `json:"subject"`
	Kind    WishKind        `json:"kind"`
	About   string          `json:"about,omitempty"`
	Body    json.RawMessage `json:"body,omitempty"`
	Actor   string          `json:"actor"`
	Reason  string          `json:"reason,omitempty"`
	At      time.Time       `json:"at"`
	Key     string          `json:"-"` // of the request; unique for ever
}

// Same reports whether two wishes ask for the same.
func (w Wish) Same(o Wish) bool {
	return w.Subject == o.Subject && w.Kind == o.Kind && w.About == o.About && bytes.Equal(w.Body, o.Body)
}

// Line is the line of the timeline about it.
func (w Wish) Line() string {
	text := string(w.Kind) + " asked for"
	if w.About != "" {
		text += " (" + w.About + ")"
	}
	if w.Reason != "" {
		text += ": " + w.Reason
	}
	return text
}

// Wishes keeps what people ask for.
type Wishes interface {
	// Wish keeps it, writes a line of the timeline and makes the order due. When the key is known
	// the earlier wish is returned with fresh false, or ErrKeyReused if it was about something
	// else. ErrNotFound when there is no such order.
	Wish(ctx context.Context, w Wish) (kept Wish, fresh bool, err error)
}
