package httpapi

import (
	"encoding/json"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/money"
)

// orderRow is an order in a list.
type orderRow struct {
	Channel     connector.ConnectionID `json:"channel"`
	ID          string                 `json:"id"` // the channel's number
	Store       connector.ConnectionID `json:"store,omitempty"`
	StoreID     string                 `json:"store_id,omitempty"`
	Number      string                 `json:"number,omitempty"` // the store's
	Lifecycle   string                 `json:"lifecycle"`
	Fulfillment string                 `json:"fulfillment"`
	FulfilledBy string                 `json:"fulfilled_by"`
	PlacedAt    time.Time              `json:"placed_at,omitzero"`
	ShipBy      time.Time              `json:"ship_by,omitzero"`
	Mirrored    bool                   `json:"mirrored"`
	Expected    bool                   `json:"expected"`
	NextAt      time.Time              `json:"next_at,omitzero"`
	DueAt       time.Time              `json:"due_at,omitzero"`
	Final       bool                   `json:"final"`
	Holds       []connector.Hold       `json:"holds"`
}

func rowView(r connector.OrderRow) orderRow {
	m := r.Summary
	return orderRow{Channel: r.Subject.Channel, ID: r.Subject.ID, Store: r.Shop.Store, StoreID: r.Shop.ID, Number: m.Number,
		Lifecycle: m.Lifecycle, Fulfillment: m.Fulfillment, FulfilledBy: m.FulfilledBy, PlacedAt: m.PlacedAt.UTC(), ShipBy: m.ShipBy.UTC(),
		Mirrored: m.Mirrored, Expected: m.Expected, NextAt: r.NextAt.UTC(), DueAt: r.DueAt.UTC(), Final: r.Final, Holds: holdViews(r.Holds)}
}

func holdViews(all []connector.Hold) []connector.Hold {
	return views(all, func(h connector.Hold) connector.Hold { h.Since = h.Since.UTC(); return h })
}

// orderView is one order without what its two sides say about its buyer.
type orderView struct {
	orderRow
	FirstSeen time.Time   `json:"first_seen"`
	Market    *sideView   `json:"market,omitempty"`
	Shop      *sideView   `json:"shop,omitempty"`
	Money     *sideView   `json:"money,omitempty"`
	Ledger    []entryView `json:"ledger"`
	Wishes    []wishView  `json:"wishes"`
}

// sideView says how well one side is known.
type sideView struct {
	Version    time.Time `json:"version,omitzero"`
	ObservedAt time.Time `json:"observed_at,omitzero"`
	Readable   bool      `json:"readable"` // false: what it said last is not understood
	AskedAt    time.Time `json:"asked_at,omitzero"`
	Trouble    string    `json:"trouble,omitempty"` // what kept the last read from being used
}

func sideOf(s *connector.Snapshot, l connector.Look) *sideView {
	if s == nil && l.At.IsZero() {
		return nil
	}
	v := sideView{AskedAt: l.At.UTC(), Trouble: l.Trouble}
	if s != nil {
		v.Version, v.ObservedAt, v.Readable = s.Version.UTC(), s.ObservedAt.UTC(), s.Fault == ""
	}
	return &v
}

func recordView(rec connector.Record, now time.Time) orderView {
	row := connector.OrderRow{Subject: rec.Subject, Shop: rec.Shop, Summary: rec.Summary, NextAt: rec.NextAt, DueAt: rec.DueAt, Holds: rec.Holds, Final: rec.Final}
	return orderView{orderRow: rowView(row), FirstSeen: rec.FirstSeen.UTC(),
		Market: sideOf(rec.Market, rec.LookMarket), Shop: sideOf(rec.Store, rec.LookShop), Money: sideOf(rec.Refunds, rec.LookMoney),
		Ledger: views(rec.Entries, func(e connector.Entry) entryView { return entryOf(e, now) }), Wishes: views(rec.Wishes, wishOf)}
}

// entryView is a ledger entry. What it sends is shown only where one entry that moves money is
// asked for: other writes carry addresses.
type entryView struct {
	ID         int64                  `json:"id"`
	Channel    connector.ConnectionID `json:"channel"`
	Order      string                 `json:"order"`
	Key        string                 `json:"key"`
	Verb       connector.Verb         `json:"verb"`
	Side       connector.Side         `json:"side"`
	About      string                 `json:"about,omitempty"`
	Amount     money.Money            `json:"amount,omitzero"`
	Money      bool                   `json:"money"`
	Why        string                 `json:"why"`
	State      connector.EntryState   `json:"state"`
	Doubt      bool                   `json:"doubt"` // a person may say whether it happened
	Attempts   int                    `json:"attempts"`
	IntendedAt time.Time              `json:"intended_at"`
	Deadline   time.Time              `json:"deadline,omitzero"`
	SettledAt  time.Time              `json:"settled_at,omitzero"`
	RetryAt    time.Time              `json:"retry_at,omitzero"`
	Due        time.Time              `json:"due,omitzero"`
	Ref        string                 `json:"ref,omitempty"`
	Class      string                 `json:"class,omitempty"`
	Reason     string                 `json:"reason,omitempty"`
	Lane       string                 `json:"lane,omitempty"`
	Site       string                 `json:"site,omitempty"`
	Batch      int64                  `json:"batch,omitempty"`
	Message    int                    `json:"message,omitempty"`
	Body       json.RawMessage        `json:"body,omitempty"`
}

func entryOf(e connector.Entry, now time.Time) entryView {
	return entryView{ID: e.ID, Channel: e.Subject.Channel, Order: e.Subject.ID, Key: e.Key, Verb: e.Verb, Side: e.Side, About: e.About,
		Amount: e.Amount, Money: e.Money, Why: e.Why, State: e.State, Doubt: e.Doubtful(now), Attempts: e.Attempts,
		IntendedAt: e.IntendedAt.UTC(), Deadline: e.Deadline.UTC(), SettledAt: e.SettledAt.UTC(), RetryAt: e.RetryAt.UTC(), Due: e.Due.UTC(),
		Ref: e.Ref, Class: e.Class, Reason: e.Reason, Lane: e.Lane, Site: e.Site, Batch: e.Batch, Message: e.Message}
}

// wishView is what a person asked for.
type wishView struct {
	ID      int64              `json:"id"`
	Kind    connector.WishKind `json:"kind"`
	About   string             `json:"about,omitempty"`
	Actor   string             `json:"actor"`
	Reason  string             `json:"reason,omitempty"`
	At      time.Time          `json:"at"`
	Request json.RawMessage    `json:"request,omitempty"`
}

func wishOf(w connector.Wish) wishView {
	return wishView{ID: w.ID, Kind: w.Kind, About: w.About, Actor: w.Actor, Reason: w.Reason, At: w.At.UTC(), Request: w.Body}
}

// deliveryView is a push without its contents.
type deliveryView struct {
	Row        int64                  `json:"row"`
	Connection connector.ConnectionID `json:"connection"`
	ID         string                 `json:"id"`
	EventID    string                 `json:"event_id,omitempty"`
	Topic      string                 `json:"topic"`
	ReceivedAt time.Time              `json:"received_at"`
	Verdict    connector.Verdict      `json:"verdict"`
	Reason     string                 `json:"reason,omitempty"`
	Size       int                    `json:"size"`
	Repeats    int                    `json:"repeats"`
	ReplayedAt time.Time              `json:"replayed_at,omitzero"`
}

func deliveryOf(d connector.Delivery) deliveryView {
	return deliveryView{d.Row, d.Connection, d.ID, d.EventID, d.Topic, d.ReceivedAt.UTC(), d.Verdict, d.Reason, d.Size, d.Repeats, d.ReplayedAt.UTC()}
}

// views maps a list; it is never null.
func views[A, B any](all []A, of func(A) B) []B {
	out := make([]B, 0, len(all))
	for _, a := range all {
		out = append(out, of(a))
	}
	return out
}
