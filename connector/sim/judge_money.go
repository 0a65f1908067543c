package sim

import (
	"context"
	"slices"
	"strings"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/order"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// judgeMoney looks at all money of an order, once the world is calm.
func (w *World) judgeMoney(m marketplace.Order, s *shopadmin.Order) {
	ours, theirs := w.Market.Given(m.ID)
	var back, total int64
	for _, r := range append(ours, theirs...) {
		back += r.Amount.Minor
	}
	total = m.Total.Minor
	if back > total {
		w.broken("order %s: %d given back of %d captured", m.ID, back, total)
	}
	done, units := map[string]int64{}, map[string]int64{} // about → what took effect for it, and units among it
	times := map[string]int{}
	cancelled := false
	for _, a := range w.Market.Instructed {
		if a.In.Order != m.ID {
			continue
		}
		verb, about := aboutOf(a.Key)
		times[string(verb)+" "+about]++
		done[about] += a.In.Amount.Minor
		if verb == order.CancelUnits {
			for _, l := range a.In.Lines {
				units[about] += int64(l.Quantity)
			}
		}
		cancelled = cancelled || verb == order.CancelMarket
		if a.Whole && !w.truth[m.ID].foreign { // the merchant shipped it at the channel while it was being cancelled: nobody can prevent that
			w.broken("order %s: the whole order was acknowledged as failed after a unit had shipped", m.ID)
		}
	}
	for about := range done {
		if about != "order" && about != "rest" && !strings.HasPrefix(about, "w") && (s == nil || !slices.ContainsFunc(s.Refunds, func(r shopadmin.Refund) bool { return r.ID == about })) {
			w.broken("order %s: money was given back for %s, which nobody asked for", m.ID, about)
		}
	}
	for what, n := range times {
		if n > 1 {
			w.broken("order %s: %s took effect %d times", m.ID, what, n)
		}
	}
	if s == nil || m.FulfilledBy == marketplace.ByChannel {
		return
	}
	for _, r := range s.Refunds {
		w.judgeRefund(m, *s, r, done, units, cancelled)
	}
	w.judgeStoreLegs(m, *s, done)
}

// judgeRefund: every refund of the store is at the channel once and whole, or held for a reason
// that exists.
func (w *World) judgeRefund(m marketplace.Order, s shopadmin.Order, r shopadmin.Refund, done, units map[string]int64, cancelled bool) {
	switch {
	case strings.Contains(r.Note, "channelbridge:"):
		if done[r.ID] != 0 {
			w.broken("order %s: the bridge's own refund %s was passed on", m.ID, r.ID)
		}
	case m.Lifecycle == marketplace.Cancelled || cancelled || r.Moved.Minor == 0:
	case within(done[r.ID]-r.Moved.Minor, 3*units[r.ID]): // cancelled units are never charged: their share may be rounded either way
	case r.Moved.Minor > done[r.ID] && r.Moved.Minor-done[r.ID] <= done["rest"]+3*(units[r.ID]+units["rest"]): // asked for units that were cancelled with the rest
	case w.heldFor(m.ID, r.ID):
	case done[r.ID] == 0 && w.gaveThere(m.ID, r.Moved): // while ours was in doubt: nobody can tell them apart, and the buyer has it once
	default:
		w.broken("order %s: the store gave back %s in %s, at the channel %d took effect and nothing is held", m.ID, r.Moved, r.ID, done[r.ID])
	}
}

// gaveThere reports a refund of just that amount that the channel made by itself.
func (w *World) gaveThere(id marketplace.OrderID, amount money.Money) bool {
	_, theirs := w.Market.Given(id)
	return slices.ContainsFunc(theirs, func(r marketplace.Refund) bool { return r.Amount == amount })
}

// heldFor reports an open hold about a refund, or about the order's money.
func (w *World) heldFor(id marketplace.OrderID, about string) bool {
	rec, err := w.base.Load(context.Background(), w.subject(id))
	must(err)
	for _, h := range rec.Holds {
		if h.About == about || h.Kind == "already_refunded" || h.Kind == "kept_back_lost" || h.Kind == "cancel_without_refund" || h.Kind == "refund_waits" {
			return true
		}
	}
	return false
}

// judgeStoreLegs: what was asked for here and done at the channel is recorded in the store once.
func (w *World) judgeStoreLegs(m marketplace.Order, s shopadmin.Order, done map[string]int64) {
	seen, recorded := map[string]int{}, map[string]money.Money{}
	for _, r := range s.Refunds {
		if _, rest, ok := strings.Cut(r.Note, "channelbridge:"); ok {
			about, _, _ := strings.Cut(rest, " ")
			seen[about]++
			recorded[about] = r.Moved
		}
	}
	rec, err := w.base.Load(context.Background(), w.subject(m.ID))
	must(err)
	for about, n := range seen {
		if n > 1 {
			w.broken("order %s: the refund %s is recorded %d times in the store", m.ID, about, n)
		}
		if done[about] == 0 && m.Lifecycle != marketplace.Cancelled && !w.gaveThere(m.ID, recorded[about]) {
			w.broken("order %s: the store recorded %s, the channel never gave it back", m.ID, about)
		}
	}
	for about := range done {
		if strings.HasPrefix(about, "w") && seen[about] == 0 && s.CancelledAt.IsZero() && !openHold(rec, about) {
			w.broken("order %s: the channel gave %s back, the store has not recorded it", m.ID, about)
		}
	}
}

// cancelTried reports an order that somebody tried to cancel at the channel: while that is in
// doubt no parcel of it is confirmed.
func (w *World) cancelTried(id string) bool {
	rec, err := w.base.Load(context.Background(), w.subject(marketplace.OrderID(id)))
	must(err)
	return slices.ContainsFunc(rec.Entries, func(e connector.Entry) bool { return e.Verb == order.CancelMarket || e.Verb == order.CancelUnits })
}

func within(diff, by int64) bool { return diff <= by && -diff <= by }

func (w *World) heldBy(id marketplace.OrderID, kind, about string) bool {
	rec, err := w.base.Load(context.Background(), w.subject(id))
	must(err)
	return slices.ContainsFunc(rec.Holds, func(h connector.Hold) bool { return h.Kind == kind && h.About == about })
}

func openHold(rec connector.Record, about string) bool {
	for _, h := range rec.Holds {
		if h.About == about {
			return true
		}
	}
	return false
}

// moneyReason reports whether the reason of a hold about money exists in the world.
func (w *World) moneyReason(id marketplace.OrderID, h connector.Hold) bool {
	m, s, st := w.Market.Get(id), w.mirror(id), w.truth[id]
	_, theirs := w.Market.Given(id)
	switch h.Kind {
	case "already_refunded", "refunded_at_channel":
		return len(theirs) > 0
	case "above_refundable", "store_refund_refused": // both the operator here and staff there gave the same money back
		return len(theirs) > 0 || w.wished[id] || s != nil && roundedApart(m, *s, h.About)
	case "cancel_without_refund":
		return st.unpaidCancel
	case "channel_refunds":
		return m.FulfilledBy == marketplace.ByChannel
	case "nothing_captured":
		return w.wished[id] && m.Lifecycle == marketplace.Cancelled
	case "cancel_too_late":
		return w.wished[id]
	case "cancelled_after_shipping":
		return st.foreign
	case "kept_back_lost":
		return s != nil && slices.ContainsFunc(s.Refunds, func(r shopadmin.Refund) bool { return r.ID == h.About })
	case "refund_waits":
		return s != nil && (w.pendingIn(*s, h.About) || m.Lifecycle == marketplace.Pending || unshippedLine(m))
	case "refund_refused", "cancel_refused", "cancelling_at_channel":
		return len(theirs) > 0 || st.foreign
	case "mirror_not_cancelled":
		return s != nil && len(s.Fulfillments) > 0
	}
	return false
}

func (w *World) pendingIn(s shopadmin.Order, ref string) bool {
	for _, r := range s.Refunds {
		if (r.ID == ref || ref == "order") && r.Moved.Minor == 0 && r.Pending.Minor > 0 {
			return true
		}
	}
	return false
}

// roundedApart reports a refund in which the store's share of a partly cancelled line's last units,
// rounded part by part, is dearer by some minor units than what the channel charged for them: such
// a refund is a person's to decide.
func roundedApart(m marketplace.Order, s shopadmin.Order, about string) bool {
	i := slices.IndexFunc(s.Refunds, func(r shopadmin.Refund) bool { return r.ID == about })
	if i < 0 {
		return false
	}
	asked, lineOf := map[string]int64{}, map[string]string{}
	for _, l := range s.Lines {
		lineOf[l.ID] = l.ChannelLine
	}
	for _, l := range s.Refunds[i].Lines {
		asked[lineOf[l.Line]] += l.Amount.Minor + l.Tax.Minor
	}
	return slices.ContainsFunc(m.Lines, func(l marketplace.Line) bool {
		if l.Cancelled == 0 || l.Shipped == 0 {
			return false
		}
		charged := int64(0)
		for _, c := range l.Parts {
			charged += (c.Amount.Minor - c.Discount.Minor + c.Tax.Minor) * int64(l.Shipped) / int64(l.Ordered)
		}
		over := asked[l.ID] - charged
		return over > 0 && over <= 3
	})
}

func unshippedLine(m marketplace.Order) bool {
	for _, l := range m.Lines {
		if l.Shipped < l.Ordered-l.Cancelled {
			return true
		}
	}
	return false
}

// judgeBatches: no document was handed in twice.
func (w *World) judgeBatches() {
	for doc, n := range w.Market.Submitted {
		if n > 1 {
			w.broken("document %s was handed in %d times", doc, n)
		}
	}
}

// witnessMoney sees every instruction before it is handed in: what the channel has refunded by
// itself, and has shown for a while, is never repeated.
func (w *World) witnessMoney(key string, in marketplace.Instruction) {
	if verb, _ := aboutOf(key); verb != order.RefundMarket || w.Market.Shown(in.Order, w.now.Add(-20*time.Minute)) == 0 {
		return
	}
	w.broken("%s is handed in although the channel has shown a refund of its own", key)
}
