package lifecycle

import (
	"fmt"
	"slices"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/order"
	"channelbridge/internal/money"
)

// How far an order of a reconnection's plan is.
const (
	RowWaiting = "waiting" // for its turn, its wave or the plan's approval
	RowHeld    = "held"    // for a person
	RowSent    = "sent"
	RowDone    = "done"
	RowRefused = "refused"
	RowUnknown = "unknown" // nobody knows whether it happened
)

// Row is one order of the plan of a reconnection: money to be given back for what happened while
// the channel was away.
type Row struct {
	Order       string // the channel's number
	Number      string // the store's
	Amount      money.Money
	CancelledAt time.Time
	Fulfilled   bool
	State       string
	Reason      string
}

// Planned is an order's row in the plan of the channel's last reconnection, or of the one to come;
// ok is false when it has none. The plan is no rule of its own: it is what order.Plan says.
func Planned(s order.Snapshot) (r Row, ok bool) {
	s = asRead(s)
	removed, rejoined := s.Policy.RemovedAt, s.Policy.RejoinedAt
	if removed.IsZero() || s.Market == nil || s.Shop == nil {
		return Row{}, false
	}
	if rejoined.IsZero() {
		s.Policy.RejoinedAt = s.Now
	}
	begun := slices.DeleteFunc(slices.Clone(s.Ledger), func(e connector.Entry) bool {
		return !e.Counts() || e.Class == order.Withdrawn || e.IntendedAt.Before(removed) && !e.State.Open() || !rejoined.IsZero() && asked(s, e.About).After(rejoined)
	})
	coming := slices.DeleteFunc(meant(free(s)), func(c connector.Command) bool {
		return c.Again != 0 && slices.ContainsFunc(begun, func(e connector.Entry) bool { return e.ID == c.Again }) ||
			!rejoined.IsZero() && asked(s, c.About).After(rejoined)
	})
	holds := slices.DeleteFunc(order.Plan(s).Holds, func(h connector.Hold) bool {
		return !stops(h) || !within(asked(s, h.About), removed, rejoined)
	})
	if len(begun)+len(coming)+len(holds) == 0 {
		return Row{}, false
	}
	r = Row{Order: s.Subject.ID, Number: s.Shop.Name, CancelledAt: s.Shop.CancelledAt, Amount: money.New(0, s.Market.Currency),
		Fulfilled: order.Fulfillment(*s.Market, s.Shop) == "fulfilled"}
	r.add(begun, coming)
	r.stand(begun, coming, holds, s.Now)
	return r, true
}

// add sums up what was begun and what is to come.
func (r *Row) add(begun []connector.Entry, coming []connector.Command) {
	for _, e := range begun {
		if sum, err := r.Amount.Add(e.Amount); err == nil {
			r.Amount = sum
		}
	}
	for _, c := range coming {
		if sum, err := r.Amount.Add(c.Amount); err == nil {
			r.Amount = sum
		}
	}
}

// stand says how far the order is: what needs a person goes first.
func (r *Row) stand(begun []connector.Entry, coming []connector.Command, holds []connector.Hold, now time.Time) {
	entry := func(is func(connector.Entry) bool) *connector.Entry {
		if i := slices.IndexFunc(begun, is); i >= 0 {
			return &begun[i]
		}
		return nil
	}
	waits := func(e connector.Entry) bool { return e.State == connector.Queued || e.State == connector.Retry }
	doubt := entry(func(e connector.Entry) bool { return e.Doubtful(now) && e.State != connector.Taken })
	refused := entry(func(e connector.Entry) bool { return e.State == connector.Refused })
	sent := entry(func(e connector.Entry) bool { return e.State == connector.Sent || e.State == connector.Taken })
	switch {
	case doubt != nil:
		r.State, r.Reason = RowUnknown, fmt.Sprintf("nobody knows the outcome of entry %d", doubt.ID)
	case refused != nil && len(coming) == 0:
		r.State, r.Reason = RowRefused, refused.Reason
	case len(holds) > 0:
		r.State, r.Reason = RowHeld, holds[0].Reason
	case sent != nil:
		r.State = RowSent
	case len(coming) > 0 || entry(waits) != nil:
		r.State = RowWaiting
	default:
		r.State = RowDone
	}
}

// free is the snapshot without what a person or the policy holds back, to see what is at stake.
func free(s order.Snapshot) order.Snapshot {
	s.Policy.AskAbove = money.Money{}
	s.Wishes = slices.DeleteFunc(slices.Clone(s.Wishes), func(w connector.Wish) bool { return w.Kind == connector.WishHold })
	return s
}

// asked is when a person wanted what a command or hold is about: the refund in the store, the
// wish here, or the order's cancellation.
func asked(s order.Snapshot, about string) time.Time {
	for _, r := range s.Shop.Refunds {
		if r.ID == about {
			return r.CreatedAt
		}
	}
	for _, w := range s.Wishes {
		if order.AboutWish(w) == about {
			return w.At
		}
	}
	if s.Shop.CancelledAt.IsZero() && len(s.Shop.Refunds) > 0 {
		return s.Shop.Refunds[len(s.Shop.Refunds)-1].CreatedAt
	}
	return s.Shop.CancelledAt
}

// moneyHolds are the holds that keep money from being given back.
var moneyHolds = []string{"approval_needed", "held_by_operator", "above_refundable", "already_refunded", "cancel_without_refund",
	"currency_differs", "refund_refused", "cancel_refused", "refund_unreadable", "no_capability", "whole_only", "money_unknown"}

func stops(h connector.Hold) bool {
	return h.Level == connector.Blocks && slices.Contains(moneyHolds, h.Kind)
}
