package marketplace

import (
	"context"
	"time"

	"channelbridge/internal/money"
)

// Deferral is money of one transaction that the channel holds back, or has held back and let go.
// It is no further money: what is told of one ID, however often, counts once.
type Deferral struct {
	ID    string  // of the transaction that was held back; its release is told under the same
	Order OrderID // "": the channel names none
	// Amount is what the transaction comes to for the seller, fees taken off; negative where a
	// refund is held back.
	Amount     money.Money
	PostedAt   time.Time // of the transaction held back; zero: only its release has been seen
	Until      time.Time // when the channel means to let it go; zero: not said
	Reason     string    // why, in the channel's own words; "": not said
	Released   bool
	ReleasedAt time.Time // zero: not released, or the channel has not said when
}

// With joins two tellings of one deferral; later is the one heard later. What one does not know,
// the other says. Once released it stays released. A release that was seen alone gives way to
// the transaction it releases.
func (d Deferral) With(later Deferral) Deferral {
	out, rest := later, d
	if later.PostedAt.IsZero() && !d.PostedAt.IsZero() {
		out, rest = d, later
	}
	if out.Order == "" {
		out.Order = rest.Order
	}
	if out.Reason == "" {
		out.Reason = rest.Reason
	}
	if out.Until.IsZero() {
		out.Until = rest.Until
	}
	if out.ReleasedAt.IsZero() {
		out.ReleasedAt = rest.ReleasedAt
	}
	out.Released = d.Released || later.Released
	return out
}

// DeferralPage is one page of deferrals, each ID once.
type DeferralPage struct {
	Deferrals []Deferral
	Next      Cursor // where to go on; when !More: where the next listing begins
	More      bool
}

// DeferralSource is a channel that tells which money it holds back.
type DeferralSource interface {
	// Deferrals lists what was held back, and what was let go, since the cursor, one page a call.
	// A page may be empty and not be the last. The two may stand on different pages or in
	// different listings, in either order; each telling has what is known by it, and
	// Deferral.With joins them. A finished listing hands on a cursor that reaches back as far as
	// the channel is late: callers keep it as it is.
	Deferrals(ctx context.Context, after Cursor) (DeferralPage, error)
}
