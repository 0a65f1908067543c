package payout

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"channelbridge/marketplace"
)

// Facts is what is known of one order that a payout is held against. Amounts are in the order's
// currency, in minor units.
type Facts struct {
	Order     string    `json:"order"` // the channel's number
	Aliases   []string  `json:"aliases,omitempty"`
	Store     string    `json:"store,omitempty"` // the mirrored order; "": the store has never seen it
	Name      string    `json:"name,omitempty"`  // the store's own number
	Site      string    `json:"site,omitempty"`
	Currency  string    `json:"currency"`
	PlacedAt  time.Time `json:"placed_at"`
	ShippedAt time.Time `json:"shipped_at,omitzero"` // of the first parcel
	Delivered time.Time `json:"delivered_at,omitzero"`
	Cancelled bool      `json:"cancelled,omitempty"`  // at the channel: it brings nothing
	ByChannel bool      `json:"by_channel,omitempty"` // the channel ships it
	Items     []Item    `json:"items"`
	Charges   []Part    `json:"charges,omitempty"` // of no item
	Refunds   []Refund  `json:"refunds,omitempty"` // that the store or somebody here gave
}

// Item is one line of an order, reduced to the units that were not cancelled.
type Item struct {
	ID    string `json:"id"`
	SKU   string `json:"sku,omitempty"`
	Units int    `json:"units"`
	Parts []Part `json:"parts"`
}

// Part is what one category of an item should bring, signed.
type Part struct {
	Category marketplace.Category `json:"category"`
	Amount   int64                `json:"amount"`
}

// Refund is money that was given back, as a magnitude.
type Refund struct {
	Ref    string    `json:"ref"`
	At     time.Time `json:"at"`
	Amount int64     `json:"amount"`
}

// Encode is the facts as they are kept.
func (f Facts) Encode() []byte {
	b, err := json.Marshal(f)
	if err != nil { // nothing in it can fail
		panic(fmt.Sprintf("payout facts of %s: %v", f.Order, err))
	}
	return b
}

// DecodeFacts reads what Encode wrote.
func DecodeFacts(b []byte) (Facts, error) {
	var f Facts
	if err := json.Unmarshal(b, &f); err != nil {
		return f, fmt.Errorf("kept facts of an order: %w", err)
	}
	return f, nil
}

// aliasesIn are the other numbers of the order in facts as they are kept. Few orders have any.
func aliasesIn(body []byte) ([]string, error) {
	if !bytes.Contains(body, []byte(`"aliases"`)) {
		return nil, nil
	}
	f, err := DecodeFacts(body)
	return f.Aliases, err
}

// refunded is what was given back in all, as a magnitude; the facts have to fit.
func (f Facts) refunded() (sum int64) {
	for _, r := range f.Refunds {
		sum += r.Amount
	}
	return sum
}

// fit refuses amounts whose sums could exceed int64.
func (f Facts) fit() (err error) {
	var l load
	f.parts(func(_ string, p Part) {
		if err == nil {
			err = l.add(p.Amount)
		}
	})
	for _, r := range f.Refunds {
		if err == nil {
			err = l.add(r.Amount)
		}
	}
	return err
}

// parts lists every part with the item it belongs to.
func (f Facts) parts(yield func(item string, p Part)) {
	for _, i := range f.Items {
		for _, p := range i.Parts {
			yield(i.ID, p)
		}
	}
	for _, p := range f.Charges {
		yield("", p)
	}
}
