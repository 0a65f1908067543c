package sim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/order"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// judge says, once the world is calm, which promises were broken.
func (w *World) judge() {
	for _, id := range w.Market.All() {
		w.judgeOrder(id)
	}
	w.judgeConfirmations()
	w.judgeBatches()
	w.judgeCompleteness()
}

func (w *World) judgeOrder(id marketplace.OrderID) {
	m := w.Market.Get(id)
	var mirrors []shopadmin.Order
	for _, o := range w.Shop.Orders() {
		if o.Mark.Order == string(id) {
			mirrors = append(mirrors, o)
		}
	}
	switch {
	case len(mirrors) > 1:
		w.broken("order %s is mirrored %d times", id, len(mirrors))
	case len(mirrors) == 0 && (m.Lifecycle == marketplace.Open || m.Lifecycle == marketplace.Closed):
		w.broken("order %s (%s) is not mirrored", id, m.Lifecycle)
	case len(mirrors) == 1:
		if !slices.Contains(mirrors[0].Tags, "Amazon") {
			w.broken("order %s lacks its tag", id)
		}
		if mirrors[0].Total != m.Total {
			w.broken("order %s: mirrored total %s, channel's %s", id, mirrors[0].Total, m.Total)
		}
		w.judgeParcels(m, mirrors[0])
	}
	var s *shopadmin.Order
	if len(mirrors) == 1 {
		s = &mirrors[0]
	}
	w.judgeMoney(m, s)
	w.judgePlan(id)
}

// judgeParcels compares the parcels of both sides.
func (w *World) judgeParcels(m marketplace.Order, s shopadmin.Order) {
	st := w.truth[m.ID]
	if m.FulfilledBy == marketplace.ByChannel || m.Lifecycle == marketplace.Cancelled || st.foreign {
		return
	}
	for _, f := range s.Fulfillments {
		if f.Status != shopadmin.FulfillmentSuccess || st.noTrack[f.ID] || st.badName[f.ID] {
			continue
		}
		i := slices.IndexFunc(m.Packages, func(p marketplace.Package) bool { return p.Tracking == f.Tracking[0].Number })
		if i < 0 && w.recombined(s) && !w.room(s, f, w.now) {
			continue // a held item for a person: see reason
		}
		if i < 0 && w.wished[m.ID] && (w.heldBy(m.ID, "over_shipped", f.ID) || w.heldBy(m.ID, "shipped_at_channel", f.ID)) {
			continue // it was packed while an operator took its units back
		}
		if i < 0 {
			w.broken("order %s: parcel %s (%s) never reached the channel", m.ID, f.ID, f.Tracking[0].Number)
			continue
		}
		if pk := m.Packages[i]; !pk.ShippedAt.Equal(f.CreatedAt) && !w.adoptedRef(m.ID, pk.Ref) {
			w.broken("order %s: parcel %s carries ship date %s, the store says %s", m.ID, f.ID, pk.ShippedAt, f.CreatedAt)
		}
	}
	if a := m.ShipTo; a != nil && a.Line1 == "2 Side St" && s.Attributes != nil && !w.updated(m.ID) && s.CancelledAt.IsZero() {
		w.broken("order %s: the store does not show the changed address", m.ID)
	}
}

// recombined reports that two or more parcels were taken back and packed anew: no edit of one
// parcel can free the units of another, so a person has to settle it at the channel.
func (w *World) recombined(s shopadmin.Order) bool {
	n := 0
	for _, f := range s.Fulfillments {
		if f.Status == shopadmin.FulfillmentCancelled {
			n++
		}
	}
	return n > 1
}

// updated reports that the changed address went to the store, at creation or later.
func (w *World) updated(id marketplace.OrderID) bool {
	rec, err := w.base.Load(context.Background(), w.subject(id))
	must(err)
	for _, e := range rec.Entries {
		if e.Side == connector.Shop && e.State.Happened() && strings.Contains(string(e.Body), "2 Side St") {
			return true
		}
	}
	return false
}

// adoptedRef reports a parcel reference that two fulfillments used, one after the other.
func (w *World) adoptedRef(id marketplace.OrderID, ref string) bool {
	seen := map[string]bool{}
	for _, c := range w.Market.History {
		if c.Shipment.Order == id && c.Shipment.Ref == ref {
			seen[fulfillmentOf(c.Key)] = true
		}
	}
	return len(seen) > 1
}

func fulfillmentOf(key string) string {
	_, rest, _ := strings.Cut(key, "/confirm-shipment/")
	f, _, _ := strings.Cut(rest, "/")
	return f
}

// judgePlan plans once more: nothing may be left to do, and every hold needs a reason that
// exists in the world.
func (w *World) judgePlan(id marketplace.OrderID) {
	rec, err := w.base.Load(context.Background(), w.subject(id))
	if err != nil {
		w.broken("order %s is unknown to the bridge", id)
		return
	}
	m, s, err := order.Decode(rec)
	must(err)
	snap := order.SnapshotOf(rec, w.rejoined(), m, s, w.now)
	snap.Searched = w.now
	d := order.Plan(snap)
	if d.Look {
		w.broken("order %s: money is still to be moved", id)
	}
	for _, c := range d.Commands {
		w.broken("order %s: %s is still to be sent (%s)", id, c.Key, c.Why)
	}
	for _, e := range rec.Entries {
		if e.State != connector.Proven && e.State != connector.Refused {
			w.broken("order %s: %s is still %s", id, e.Key, e.State)
		}
	}
	for _, h := range rec.Holds {
		if !w.reason(id, h) {
			w.broken("order %s: hold %s %s without a reason in the world: %s", id, h.Kind, h.About, h.Reason)
		}
	}
}

// reason reports whether a hold's reason exists in the world.
func (w *World) reason(id marketplace.OrderID, h connector.Hold) bool {
	st, m := w.truth[id], w.Market.Get(id)
	switch h.Kind {
	case "tracking_missing":
		return st.noTrack[h.About]
	case "carrier_unmapped":
		return st.badName[h.About]
	case "cancelled_at_channel":
		s := w.mirror(id)
		return st.cancelled || w.wished[id] && s != nil && len(s.Fulfillments) > 0 // packed while an operator's cancellation was on its way
	case "shipped_at_channel":
		s := w.mirror(id)
		return st.foreign || w.wished[id] || s != nil && w.recombined(*s)
	case "shipment_refused":
		return st.cancelled || st.foreign
	case "cancel_requested":
		return m.CancelRequest != nil
	case "ship_by_missed", "ship_by_near", "shipment_taken_back", "over_shipped":
		return true // people's doing
	case "same_day_missed", "same_day_alarm":
		return st.cancelled || st.foreign || st.noTrack[h.About] || st.badName[h.About]
	}
	return w.moneyReason(id, h)
}

// judgeConfirmations looks at every confirmation that took effect.
func (w *World) judgeConfirmations() {
	refs, first := map[string]map[string]bool{}, map[string]time.Time{}
	for _, c := range w.Market.History {
		f := string(c.Shipment.Order) + "/" + fulfillmentOf(c.Key)
		if refs[f] == nil {
			refs[f], first[f] = map[string]bool{}, c.At
		}
		refs[f][c.Shipment.Ref] = true
	}
	w.judgeOrderOfNumbers()
	for f, r := range refs {
		if len(r) > 1 {
			w.broken("parcel %s was confirmed under %d references", f, len(r))
		}
	}
	for _, o := range w.Shop.Orders() {
		for _, f := range o.Fulfillments {
			key := o.Mark.Order + "/" + f.ID
			at, done := first[key]
			due := order.EndOfDay(f.CreatedAt, Zone)
			ready := w.truth[marketplace.OrderID(o.Mark.Order)].ready[f.ID]
			last := due.Add(-2 * time.Hour)
			if !done || !at.After(due) || w.cancelTried(o.Mark.Order) || ready.After(last) || w.wasPaused(ready, due) || !w.room(o, f, last) {
				continue
			}
			w.broken("parcel %s reached the channel at %s, after its day ended at %s", key, at, due)
		}
	}
}

// room reports whether the channel could take a parcel at an instant: its units were not counted
// as shipped there, or only in one parcel that the store had taken back, which the confirmation
// then edits. Units in two such parcels no confirmation can free, nor those shipped at the
// channel itself.
func (w *World) room(o shopadmin.Order, f shopadmin.Fulfillment, at time.Time) bool {
	id := marketplace.OrderID(o.Mark.Order)
	m, err := w.Market.AsOf(id, at)
	s, ok := w.Shop.AsOf(o.ID, at)
	if err != nil || !ok {
		return false
	}
	need := units(o, f)
	fits := func(freed map[string]int) bool {
		return !slices.ContainsFunc(m.Lines, func(l marketplace.Line) bool {
			return need[l.ID] > 0 && l.Shipped-freed[l.ID]+need[l.ID] > l.Ordered-l.Cancelled
		})
	}
	return fits(nil) || slices.ContainsFunc(m.Packages, func(p marketplace.Package) bool {
		return w.takenBack(s, p.Ref, at) && fits(p.Lines)
	})
}

// units counts what a parcel holds per line of the channel.
func units(o shopadmin.Order, f shopadmin.Fulfillment) map[string]int {
	out := map[string]int{}
	for _, fl := range f.Lines {
		for _, l := range o.Lines {
			if l.ID == fl.Line {
				out[l.ChannelLine] += fl.Quantity
			}
		}
	}
	return out
}

// takenBack reports whether the fulfillment that last used a reference was cancelled by then.
func (w *World) takenBack(s shopadmin.Order, ref string, at time.Time) bool {
	last := ""
	for _, c := range w.Market.History {
		if string(c.Shipment.Order) == s.Mark.Order && c.Shipment.Ref == ref && !c.At.After(at) {
			last = fulfillmentOf(c.Key)
		}
	}
	return slices.ContainsFunc(s.Fulfillments, func(f shopadmin.Fulfillment) bool {
		return f.ID == last && f.Status == shopadmin.FulfillmentCancelled
	})
}

// judgeOrderOfNumbers sees a corrected number (they end in X) that was replaced by the old one.
func (w *World) judgeOrderOfNumbers() {
	corrected := map[string]bool{}
	for _, c := range w.Market.History {
		f := string(c.Shipment.Order) + "/" + fulfillmentOf(c.Key)
		isNew := strings.HasSuffix(c.Shipment.Tracking, "X")
		if corrected[f] && !isNew {
			w.broken("parcel %s: the old number %s came after the corrected one", f, c.Shipment.Tracking)
		}
		corrected[f] = corrected[f] || isNew
	}
}

func (w *World) wasPaused(from, to time.Time) bool {
	over := func(p span) bool { return p.from.Before(to) && p.to.After(from.Add(-10*time.Minute)) }
	return slices.ContainsFunc(w.paused, over) || slices.ContainsFunc(w.removed, over)
}

func (w *World) judgeCompleteness() {
	loc, err := time.LoadLocation(Zone)
	must(err)
	days, err := w.base.Completeness(context.Background(), Channel, start.Add(-24*time.Hour), loc)
	must(err)
	seen := 0
	for _, d := range days {
		seen += d.Seen
		if d.Expected != d.Mirrored {
			w.broken("day %s: %d orders expected, %d mirrored", d.Day, d.Expected, d.Mirrored)
		}
	}
	if seen != len(w.Market.All()) {
		w.broken("%d orders counted, the channel has %d", seen, len(w.Market.All()))
	}
}

// Digest names the final state of both sides: equal for equal seeds on every store.
func (w *World) Digest() string {
	h := sha256.New()
	enc := json.NewEncoder(h)
	for _, id := range w.Market.All() {
		must(enc.Encode(w.Market.Get(id)))
	}
	for _, o := range w.Shop.Orders() {
		must(enc.Encode(o))
	}
	fmt.Fprint(h, w.Market.Calls, w.Shop.Calls)
	return hex.EncodeToString(h.Sum(nil))
}
