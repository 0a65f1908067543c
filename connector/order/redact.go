package order

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"channelbridge/connector"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// Redact is what a record's bodies look like without personal data: names, streets, places,
// postal codes, phone numbers, companies, order numbers of the buyer's own, his words, and notes.
// Country and region stay, for the books. Decisions stay the same, except that a redacted order's
// address and the buyer's words are not shown in the store any more.
func Redact(rec connector.Record) (connector.Redaction, error) {
	r := connector.Redaction{Subject: rec.Subject, Revision: rec.Revision, Bodies: map[connector.Side][]byte{}, Entries: map[int64][]byte{}}
	var err error
	put := func(side connector.Side, s *connector.Snapshot, clean func([]byte) ([]byte, error)) {
		switch {
		case s == nil || err != nil:
		case s.Fault != "": // nobody knows what is in it
			r.Bodies[side] = []byte{}
		default:
			r.Bodies[side], err = clean(s.Body)
		}
	}
	put(connector.Market, rec.Market, cleaned(withoutBuyer))
	put(connector.Shop, rec.Store, cleaned(withoutNotes))
	if err != nil {
		return r, fmt.Errorf("order %s: taking personal data out: %w", rec.Subject, err)
	}
	for _, e := range rec.Entries {
		body, touched, err := withoutAddress(e)
		if err != nil {
			return r, fmt.Errorf("order %s: taking personal data out of entry %d: %w", rec.Subject, e.ID, err)
		}
		if touched {
			r.Entries[e.ID] = body
		}
	}
	return r, nil
}

// cleaned rewrites a body through its type.
func cleaned[T any](clean func(*T)) func([]byte) ([]byte, error) {
	return func(body []byte) ([]byte, error) {
		var v T
		if err := json.Unmarshal(body, &v); err != nil {
			return nil, err
		}
		clean(&v)
		return json.Marshal(v)
	}
}

// unspoken stands for what a buyer said.
const unspoken = "yes"

func withoutBuyer(o *marketplace.Order) {
	if a := o.ShipTo; a != nil {
		o.ShipTo = &marketplace.Address{Region: a.Region, Country: a.Country}
	}
	o.Buyer = marketplace.Buyer{}
	if c := o.CancelRequest; c != nil {
		o.CancelRequest = &marketplace.CancelRequest{Lines: c.Lines}
	}
}

// ownAttributes are those that the bridge itself writes on a store order.
var ownAttributes = []string{AttrChannel, AttrOrder, AttrShipBy, AttrState, AttrCancel, AttrRefund}

func withoutNotes(o *shopadmin.Order) {
	o.Note = ""
	for i := range o.Refunds {
		o.Refunds[i].Note = markOf(o.Refunds[i].Note)
	}
	for i := range o.Held {
		o.Held[i].Reason = ""
	}
	o.Attributes = impersonal(o.Attributes)
}

// markOf is what a refund's note says of its wish, without what a person wrote.
func markOf(note string) string {
	_, rest, ok := strings.Cut(note, noteMark)
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, " ")
	return noteMark + name
}

func impersonal(attributes map[string]string) map[string]string {
	out := maps.Clone(attributes)
	maps.DeleteFunc(out, func(k, _ string) bool { return !slices.Contains(ownAttributes, k) })
	if _, ok := out[AttrCancel]; ok {
		out[AttrCancel] = unspoken
	}
	return out
}

// withoutAddress is a ledger entry's body without personal data. An update loses its address
// altogether: should it be sent again, it must not blank the one in the store.
func withoutAddress(e connector.Entry) (body []byte, touched bool, err error) {
	switch e.Verb {
	case CreateMirror:
		body, err = cleaned(func(o *shopadmin.NewOrder) {
			if a := o.ShipTo; a != nil {
				o.ShipTo = &shopadmin.Address{Region: a.Region, Country: a.Country}
			}
			o.Note, o.PONumber = "", ""
			o.Attributes = impersonal(o.Attributes)
		})(e.Body)
	case UpdateMirror:
		body, err = cleaned(func(u *shopadmin.Update) {
			u.ShipTo = nil
			u.Attributes = impersonal(u.Attributes)
		})(e.Body)
	case HoldShipping:
		body, err = cleaned(func(h *HoldBody) { h.Reason, _, _ = strings.Cut(h.Reason, ": ") })(e.Body)
	default:
		return nil, false, nil
	}
	return body, err == nil, err
}

// RedactAt is when an order's personal data has to go, keep after the buyer has his goods: after
// the delivery the channel tells of, else after the last shipment or the cancellation, else twice
// keep after the purchase.
func RedactAt(rec connector.Record, m *marketplace.Order, shop *shopadmin.Order, keep time.Duration) time.Time {
	placed := rec.FirstSeen
	if m != nil && !m.PlacedAt.IsZero() {
		placed = m.PlacedAt
	}
	shipped := lastShipped(m, shop)
	switch {
	case shop != nil && !shop.CancelledAt.IsZero():
		return latest(shop.CancelledAt, shipped).Add(keep)
	case m == nil:
	case m.Lifecycle == marketplace.Cancelled:
		return latest(m.UpdatedAt, shipped).Add(keep)
	case m.Lifecycle != marketplace.Closed && Fulfillment(*m, shop) != "fulfilled":
		return latest(placed.Add(2*keep), shipped.Add(keep))
	case delivered(m):
		at := m.UpdatedAt
		if by := m.Deliver.To; !by.IsZero() && by.Before(at) {
			at = by
		}
		return latest(at, shipped).Add(keep)
	case !shipped.IsZero():
		return shipped.Add(keep)
	}
	return placed.Add(2 * keep)
}

// delivered reports that the channel counts every parcel as delivered.
func delivered(m *marketplace.Order) bool {
	for _, p := range m.Packages {
		if !strings.EqualFold(p.Status, "delivered") {
			return false
		}
	}
	return len(m.Packages) > 0
}

// lastShipped is when the last parcel left, as far as either side knows.
func lastShipped(m *marketplace.Order, shop *shopadmin.Order) (at time.Time) {
	if m != nil {
		for _, p := range m.Packages {
			at = latest(at, p.ShippedAt)
		}
	}
	if shop != nil {
		for _, f := range successful(shop) {
			at = latest(at, f.CreatedAt)
		}
	}
	return at
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
