package order

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/fault"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// Sides is what an order of one channel is kept in agreement with.
type Sides struct {
	Channel marketplace.Adapter
	Shop    shopadmin.Admin
	Store   connector.ConnectionID
	Policy  Policy
}

// Store is what the reconciler keeps its records in.
type Store interface {
	connector.Queue
	connector.Ledger
}

// Reconciler looks at both sides of an order, plans, and does what is missing.
type Reconciler struct {
	Store Store
	Sides func(channel connector.ConnectionID) (Sides, bool)
	Clock connector.Clock
	Log   *slog.Logger
	// CallTime is how long one outside write may take; its ledger deadline. 0: 30 s.
	CallTime time.Duration
	// Denied is told that a connection refused a call for want of permission. It reports whether
	// the whole connection is refused; otherwise only this order is. Nil: always the whole.
	Denied func(ctx context.Context, conn connector.ConnectionID, err error) bool
	// Known is told what is known of an order once a look at it has come to rest. Its error is the
	// look's. Nil: nobody is told.
	Known func(ctx context.Context, s Snapshot) error
}

// maxRounds bounds the plan-and-do rounds of one look. A calm order needs two.
const maxRounds = 8

// Reconcile brings one order into agreement.
func (r *Reconciler) Reconcile(ctx context.Context, w connector.Work) (connector.Next, error) {
	s, ok := r.Sides(w.Subject.Channel)
	if !ok {
		return connector.Next{}, fault.New(fault.Refused, "order %s: the connection %q is not configured", w.Subject, w.Subject.Channel)
	}
	t := &turn{Reconciler: r, w: w, s: s}
	var d Decision
	for round := 0; ; round++ {
		if err := t.load(ctx); err != nil {
			return t.next(d), err
		}
		if err := t.look(ctx); err != nil {
			d = Plan(t.snapshot())
			return t.next(d), err
		}
		d = Plan(t.snapshot())
		done, err := t.do(ctx, d)
		if done && err == nil && d.Look && !t.afresh {
			t.afresh, done = true, false
			err = t.lookAfresh(ctx)
		}
		if !done && round == maxRounds {
			done, t.cut = true, true
		}
		if err == nil && done && r.Known != nil {
			err = r.Known(ctx, t.snapshot())
		}
		if err == nil && done {
			err = t.late
		}
		if err != nil || done {
			return t.next(d), err
		}
	}
}

// turn is one look at one order.
type turn struct {
	*Reconciler
	w        connector.Work
	s        Sides
	rec      connector.Record
	market   *marketplace.Order
	shop     *shopadmin.Order
	searched time.Time
	twins    []shopadmin.OrderID
	looked   int
	looks    [3]connector.Look // of the channel, the store and the channel's refunds, this turn
	afresh   bool              // all sides were read in this turn
	cut      bool              // something was left to do: come back soon
	late     error             // the channel's refunds could not be read
	stopped  []connector.Hold  // what kept a command from being sent
}

func (t *turn) load(ctx context.Context) error {
	rec, err := t.Store.Load(ctx, t.w.Subject)
	if err != nil {
		return fault.Wrap(err, "order %s: loading", t.w.Subject)
	}
	if !t.looks[0].At.IsZero() {
		rec.LookMarket = t.looks[0]
	}
	if !t.looks[1].At.IsZero() {
		rec.LookShop = t.looks[1]
	}
	if !t.looks[2].At.IsZero() {
		rec.LookMoney = t.looks[2]
	}
	was := t.rec
	t.rec = rec
	if sameBody(was.Market, rec.Market) && sameBody(was.Store, rec.Store) {
		return nil
	}
	t.market, t.shop, err = Decode(rec)
	return fault.Wrap(err, "order %s: stored snapshot", t.w.Subject)
}

// sameBody reports two snapshots that decode alike.
func sameBody(a, b *connector.Snapshot) bool {
	return a != nil && b != nil && a.Fault == b.Fault && bytes.Equal(a.Body, b.Body)
}

// Decode reads the two sides of a record.
func Decode(rec connector.Record) (m *marketplace.Order, s *shopadmin.Order, err error) {
	if rec.Market != nil && rec.Market.Fault == "" {
		m = new(marketplace.Order)
		if err := json.Unmarshal(rec.Market.Body, m); err != nil {
			return nil, nil, fmt.Errorf("channel side: %w", err)
		}
	}
	if rec.Store != nil && rec.Store.Fault == "" {
		s = new(shopadmin.Order)
		if err := json.Unmarshal(rec.Store.Body, s); err != nil {
			return nil, nil, fmt.Errorf("store side: %w", err)
		}
	}
	return m, s, nil
}

// look reads whichever side has to be read, at most once a turn and side.
func (t *turn) look(ctx context.Context) error {
	n := t.needs()
	if n.Market && t.looked&1 == 0 {
		t.looked |= 1
		if err := t.lookMarket(ctx); err != nil {
			return err
		}
		n = t.needs()
	}
	if n.Shop && t.looked&2 == 0 {
		t.looked |= 2
		if err := t.lookShop(ctx); err != nil {
			return err
		}
	}
	if n.Money && t.looked&8 == 0 {
		t.looked |= 8
		t.late = t.lookMoney(ctx) // what else there is to do does not wait for it
	}
	if n.Search && t.looked&4 == 0 {
		t.looked |= 4
		return t.search(ctx)
	}
	return nil
}

func (t *turn) needs() Needs { return needs(t.rec, t.s.Policy, t.market, t.shop, t.Clock()) }

// lookAfresh reads everything there is to read, whatever is kept: before money moves.
func (t *turn) lookAfresh(ctx context.Context) error {
	if err := t.lookMarket(ctx); err != nil {
		return err
	}
	if t.rec.Shop.Set() {
		if err := t.lookShop(ctx); err != nil {
			return err
		}
	}
	return t.lookMoney(ctx)
}

// lookMoney reads the refunds that the channel shows.
func (t *turn) lookMoney(ctx context.Context) error {
	r, ok := t.s.Channel.(marketplace.RefundReader)
	if !ok || !t.s.Policy.ReadsRefunds {
		return nil
	}
	list, err := r.Refunds(ctx, marketplace.OrderID(t.w.Subject.ID))
	at := t.Clock()
	if err == nil {
		t.looks[2] = connector.Look{At: at}
		return t.seen(ctx, at, RefundsObservation(t.w.Subject, list, at))
	}
	return t.unread(ctx, 2, t.w.Subject.Channel, at, fault.Wrap(err, "order %s: reading its refunds at the channel", t.w.Subject))
}

// notThere is the trouble of a side that answers that there is no such order.
const notThere = "it does not exist"

func (t *turn) lookMarket(ctx context.Context) error {
	o, err := t.s.Channel.Order(ctx, marketplace.OrderID(t.w.Subject.ID))
	at := t.Clock()
	var faulty *marketplace.FaultyError
	switch {
	case err == nil:
		t.looks[0] = connector.Look{At: at}
		return t.seen(ctx, at, MarketObservation(t.w.Subject.Channel, o, at))
	case errors.As(err, &faulty):
		t.looks[0] = connector.Look{At: at, Trouble: faulty.Error()}
		return t.seen(ctx, at, FaultyObservation(t.w.Subject, at, faulty.Raw, faulty.Err))
	}
	return t.unread(ctx, 0, t.w.Subject.Channel, at, fault.Wrap(err, "order %s: reading it at the channel", t.w.Subject))
}

func (t *turn) lookShop(ctx context.Context) error {
	o, err := t.s.Shop.Order(ctx, shopadmin.OrderID(t.rec.Shop.ID))
	at := t.Clock()
	if err == nil {
		t.looks[1] = connector.Look{At: at}
		return t.seen(ctx, at, ShopObservation(t.s.Store, o, t.w.Subject, at))
	}
	return t.unread(ctx, 1, t.s.Store, at, fault.Wrap(err, "order %s: reading its mirror %s", t.w.Subject, t.rec.Shop.ID))
}

// unread keeps why a side could not be read. What was read before stays; the order goes on with
// it. An error of the moment is returned instead, to be tried again with growing pauses.
func (t *turn) unread(ctx context.Context, side int, conn connector.ConnectionID, at time.Time, err error) error {
	switch fault.Of(err) {
	case fault.NotFound:
		t.looks[side] = connector.Look{At: at, Trouble: notThere}
	case fault.Refused:
		t.looks[side] = connector.Look{At: at, Trouble: err.Error()}
	case fault.Denied:
		if t.denied(ctx, conn, err) {
			return err
		}
		t.looks[side] = connector.Look{At: at, Trouble: err.Error()}
	default:
		return err
	}
	return t.load(ctx)
}

// search looks for store orders that carry our mark. The oldest is the mirror.
func (t *turn) search(ctx context.Context) error {
	found, err := t.s.Shop.FindByMark(ctx, shopadmin.Mark{Channel: string(t.w.Subject.Channel), Order: t.w.Subject.ID})
	if err != nil {
		t.denied(ctx, t.s.Store, err)
		return fault.Wrap(err, "order %s: searching its mirror", t.w.Subject)
	}
	if len(found) == 0 {
		t.searched = t.Clock()
		return nil
	}
	first := found[0]
	for _, o := range found[1:] {
		if o.CreatedAt.Before(first.CreatedAt) {
			first = o
		}
	}
	for _, o := range found {
		if o.ID != first.ID {
			t.twins = append(t.twins, o.ID)
		}
	}
	return t.seen(ctx, t.Clock(), ShopObservation(t.s.Store, first, t.w.Subject, t.Clock()))
}

// seen keeps an observation and loads the record again.
func (t *turn) seen(ctx context.Context, at time.Time, o connector.Observation) error {
	if _, err := t.Store.Seen(ctx, at, o); err != nil {
		return fault.Wrap(err, "order %s: keeping what was read", t.w.Subject)
	}
	return t.load(ctx)
}

// denied reports whether err means that the whole connection refuses us.
func (t *turn) denied(ctx context.Context, conn connector.ConnectionID, err error) bool {
	return fault.Is(err, fault.Denied) && (t.Denied == nil || t.Denied(ctx, conn, err))
}

func (t *turn) snapshot() Snapshot {
	s := SnapshotOf(t.rec, t.s.Policy, t.market, t.shop, t.Clock())
	s.Searched, s.Twins = t.searched, t.twins
	return s
}

// SnapshotOf puts a stored record together for planning.
func SnapshotOf(rec connector.Record, p Policy, m *marketplace.Order, shop *shopadmin.Order, now time.Time) Snapshot {
	s := Snapshot{Subject: rec.Subject, Policy: p, Market: m, Shop: shop, ShopRef: rec.Shop, Ledger: rec.Entries, Now: now}
	if rec.Market != nil {
		s.MarketAt = rec.Market.ObservedAt
	}
	if rec.Store != nil {
		s.ShopAt = rec.Store.ObservedAt
	}
	s.Wishes, s.Redacted = rec.Wishes, !rec.RedactedAt.IsZero()
	s.Refunds, s.RefundsFault = refundsOf(rec)
	s.MarketRead, s.ShopRead = readAt(rec.Market, rec.LookMarket, rec.HeardMarket), readAt(rec.Store, rec.LookShop, rec.HeardShop)
	s.RefundsRead = readAt(rec.Refunds, rec.LookMoney, rec.HeardMoney)
	s.MarketFault, s.ShopFault = trouble(rec.Market, rec.LookMarket), trouble(rec.Store, rec.LookShop)
	s.Missing, s.Gone = s.MarketFault == notThere, s.ShopFault == notThere
	return s
}

// readAt is when a side was last read and understood; zero while a newer version is heard of.
func readAt(s *connector.Snapshot, l connector.Look, h connector.Heard) time.Time {
	if s == nil || trouble(s, l) != "" || h.Version.After(s.Version) && lastRead(s, l).Before(h.At) {
		return time.Time{}
	}
	return lastRead(s, l)
}

// refundsOf decodes the refunds that the channel shows.
func refundsOf(rec connector.Record) (out []marketplace.Refund, trouble string) {
	if rec.LookMoney.Trouble != "" && (rec.Refunds == nil || !rec.Refunds.ObservedAt.After(rec.LookMoney.At)) {
		trouble = rec.LookMoney.Trouble
	}
	if rec.Refunds == nil {
		return nil, trouble
	}
	if err := json.Unmarshal(rec.Refunds.Body, &out); err != nil {
		return nil, "the refunds kept cannot be read: " + err.Error()
	}
	return out, trouble
}

// next turns a decision into when to look again. Whatever is not final is looked at once a day
// at least, and nothing is looked at again in the same moment.
func (t *turn) next(d Decision) connector.Next {
	now := t.Clock()
	n := connector.Next{Wake: d.Wake, Due: d.Due, Holds: d.Holds, Final: d.Final, Summary: d.Summary, Market: t.looks[0], Shop: t.looks[1], Money: t.looks[2]}
	n.Holds = append(n.Holds, t.stopped...)
	earlier := func(at time.Time) {
		if !at.IsZero() && (n.Wake.IsZero() || at.Before(n.Wake)) {
			n.Wake = at
		}
	}
	earlier(askAgain(t.rec.Market, t.rec.LookMarket, t.rec.HeardMarket, t.s.Policy.SettleMarket))
	if t.rec.Shop.Set() {
		earlier(askAgain(t.rec.Store, t.rec.LookShop, t.rec.HeardShop, t.s.Policy.SettleShop))
	}
	if h := t.rec.HeardMoney; t.s.Policy.ReadsRefunds && !h.At.IsZero() && (t.rec.Refunds == nil || h.Version.After(t.rec.Refunds.Version)) && now.Sub(h.At) < 4*t.s.Policy.RefundsIn {
		earlier(lastRead(t.rec.Refunds, t.rec.LookMoney).Add(laggardEvery))
	}
	if t.cut {
		earlier(now.Add(3 * time.Second))
	}
	if d.Look && len(d.Commands) == 0 { // the other side does not answer as it should
		earlier(now.Add(time.Minute))
	}
	if len(t.stopped) > 0 {
		n.Final = false
		earlier(now.Add(5 * time.Minute))
	}
	if !n.Final {
		earlier(now.Add(24 * time.Hour))
	}
	if !n.Wake.IsZero() && n.Wake.Before(now.Add(time.Second)) {
		n.Wake = now.Add(time.Second)
	}
	if n.Summary == (connector.Summary{}) {
		n.Summary = t.rec.Summary
	}
	if t.market == nil && n.Summary.PlacedAt.IsZero() { // never readable: it counts as missing in the store
		n.Summary = connector.Summary{Lifecycle: "unreadable", PlacedAt: t.rec.FirstSeen, Expected: true}
	}
	return n
}

// hash names the facts a command was planned from.
func (t *turn) hash() string {
	h := sha256.New()
	for _, s := range []*connector.Snapshot{t.rec.Market, t.rec.Store} {
		if s != nil {
			h.Write(s.Body)
		}
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}
