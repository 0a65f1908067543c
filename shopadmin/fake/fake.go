// Package fake is a whole store admin in memory, as awkward as real ones: searches that lag,
// reads that are stale, creates that fail, fail after having worked, or work later; and no
// protection against a second create. It is deterministic: time and chance are handed in.
package fake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"channelbridge/internal/fault"
	"channelbridge/shopadmin"
)

// Faults are the chances of each misbehaviour, from 0 to 1.
type Faults struct {
	Fail    float64       // a call fails before anything happened
	Lost    float64       // a write works and its answer is lost
	Late    float64       // a write's answer is lost and it works only later, within SettleIn
	Odd     float64       // a read by id is wrongly refused or not found
	Stale   float64       // a read by id shows the state of a moment ago, within SettleIn
	ListLag time.Duration // searches and listings show what was so long ago
}

// Shop is the store. See New.
type Shop struct {
	Clock    func() time.Time
	Rand     *rand.Rand
	Faults   Faults
	Settle   time.Duration
	OnChange func(id shopadmin.OrderID, at time.Time, urgent bool)
	OnWrite  func(key, op string)
	Hook     func(op string)

	orders  map[shopadmin.OrderID]*order
	later   []late
	asOfNow time.Time // set while a late write is carried out: its own time
	nextID  int
	nextFul int
	nextRef int
	Calls   map[string]int
	Created []shopadmin.NewOrder
}

type order struct {
	now     shopadmin.Order
	lines   map[string]price // by the store's line id
	history []shopadmin.Order
	at      []time.Time
}

type late struct {
	at time.Time
	do func()
}

// New returns an empty store.
func New(clock func() time.Time, rnd *rand.Rand) *Shop {
	return &Shop{Clock: clock, Rand: rnd, Settle: time.Minute, orders: map[shopadmin.OrderID]*order{}, Calls: map[string]int{},
		OnChange: func(shopadmin.OrderID, time.Time, bool) {}, OnWrite: func(string, string) {}, Hook: func(string) {}}
}

// Traits of the store.
func (s *Shop) Traits() shopadmin.Traits {
	return shopadmin.Traits{SettleIn: s.Settle, SweepEvery: 5 * time.Minute, Overlap: 10 * time.Minute}
}

// Orders returns all orders, in the order of their creation, without faults.
func (s *Shop) Orders() []shopadmin.Order {
	s.flush()
	var out []shopadmin.Order
	for _, e := range s.orders {
		out = append(out, copied(e.now))
	}
	slices.SortFunc(out, func(a, b shopadmin.Order) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// Get returns an order, without faults.
func (s *Shop) Get(id shopadmin.OrderID) shopadmin.Order {
	s.flush()
	return copied(s.orders[id].now)
}

// AsOf returns the version of an order at an instant, without faults; ok is false before its time.
func (s *Shop) AsOf(id shopadmin.OrderID, t time.Time) (o shopadmin.Order, ok bool) {
	s.flush()
	o, ok = s.orders[id].asOf(t)
	return copied(o), ok
}

func copied(o shopadmin.Order) shopadmin.Order {
	o.Lines, o.Held = slices.Clone(o.Lines), slices.Clone(o.Held)
	o.Fulfillments = slices.Clone(o.Fulfillments)
	o.Refunds = slices.Clone(o.Refunds)
	for i, f := range o.Fulfillments {
		o.Fulfillments[i].Tracking = slices.Clone(f.Tracking)
	}
	o.Attributes = maps.Clone(o.Attributes)
	o.Tags = slices.Clone(o.Tags)
	return o
}

// Change edits an order as a person in the store would.
func (s *Shop) Change(id shopadmin.OrderID, urgent bool, edit func(*shopadmin.Order)) {
	s.flush()
	e := s.orders[id]
	o := copied(e.now)
	edit(&o)
	at := s.now()
	if !at.After(e.now.UpdatedAt) {
		at = e.now.UpdatedAt.Add(time.Millisecond)
	}
	o.UpdatedAt = at
	e.now = o
	e.history, e.at = append(e.history, o), append(e.at, s.now())
	s.OnChange(id, at, urgent)
}

// Fulfill ships lines (store line id → quantity) of an order; it is refused while a hold is on.
func (s *Shop) Fulfill(id shopadmin.OrderID, lines map[string]int, t ...shopadmin.Tracking) (string, error) {
	o := s.Get(id)
	if len(o.Held) > 0 {
		return "", errors.New("fake store: the order is on hold")
	}
	s.nextFul++
	f := shopadmin.Fulfillment{ID: fmt.Sprintf("F%d", s.nextFul), Name: fmt.Sprintf("%s.%d", o.Name, len(o.Fulfillments)+1),
		Status: shopadmin.FulfillmentSuccess, CreatedAt: s.Clock(), UpdatedAt: s.Clock(), Tracking: t}
	for _, l := range o.Lines {
		n := lines[l.ID]
		if n > l.Unfulfilled {
			return "", fmt.Errorf("fake store: only %d of line %s left", l.Unfulfilled, l.ID)
		}
		if n > 0 {
			f.Lines = append(f.Lines, shopadmin.FulfilledLine{Line: l.ID, Quantity: n})
		}
	}
	if len(f.Lines) == 0 {
		return "", errors.New("fake store: nothing to ship")
	}
	s.Change(id, true, func(o *shopadmin.Order) {
		o.Fulfillments = append(o.Fulfillments, f)
		for i, l := range o.Lines {
			o.Lines[i].Unfulfilled -= lines[l.ID]
		}
	})
	return f.ID, nil
}

// Track replaces the tracking of a fulfillment.
func (s *Shop) Track(id shopadmin.OrderID, fulfillment string, t ...shopadmin.Tracking) {
	s.Change(id, true, func(o *shopadmin.Order) {
		for i := range o.Fulfillments {
			if o.Fulfillments[i].ID == fulfillment {
				o.Fulfillments[i].Tracking, o.Fulfillments[i].UpdatedAt = t, s.Clock()
			}
		}
	})
}

// TakeBack cancels a fulfillment; its units can be shipped again.
func (s *Shop) TakeBack(id shopadmin.OrderID, fulfillment string) {
	s.Change(id, true, func(o *shopadmin.Order) {
		for i, f := range o.Fulfillments {
			if f.ID != fulfillment || f.Status == shopadmin.FulfillmentCancelled {
				continue
			}
			o.Fulfillments[i].Status = shopadmin.FulfillmentCancelled
			for _, fl := range f.Lines {
				for j := range o.Lines {
					if o.Lines[j].ID == fl.Line {
						o.Lines[j].Unfulfilled += fl.Quantity
					}
				}
			}
		}
	})
}

// Release takes all holds off an order.
func (s *Shop) Release(id shopadmin.OrderID) {
	s.Change(id, false, func(o *shopadmin.Order) { o.Held = nil })
}

func (s *Shop) chance(p float64) bool { return p > 0 && s.Rand.Float64() < p }

func (s *Shop) call(op string) error {
	s.Hook(op)
	s.Calls[op]++
	s.flush()
	if s.chance(s.Faults.Fail) {
		return fault.New(fault.Temporary, "fake store %s: busy", op)
	}
	return nil
}

func (s *Shop) flush() {
	now := s.Clock()
	due := slices.Clone(s.later)
	s.later = slices.DeleteFunc(s.later, func(l late) bool { return !l.at.After(now) })
	for _, l := range due {
		if !l.at.After(now) {
			s.asOfNow = l.at
			l.do()
			s.asOfNow = time.Time{}
		}
	}
}

// write carries a write out now, later, or with its answer lost.
func (s *Shop) write(key, op string, do func()) error {
	if err := s.call(op); err != nil {
		return err
	}
	s.OnWrite(key, op)
	if s.chance(s.Faults.Late) {
		s.later = append(s.later, late{s.Clock().Add(time.Duration(s.Rand.Int64N(int64(s.Settle / 2)))).Truncate(time.Microsecond), do})
		return fault.New(fault.Unknown, "fake store %s: no answer", op)
	}
	do()
	if s.chance(s.Faults.Lost) {
		return fault.New(fault.Unknown, "fake store %s: answer lost", op)
	}
	return nil
}

// Order reads one order, perhaps as it was a moment ago.
func (s *Shop) Order(_ context.Context, id shopadmin.OrderID) (shopadmin.Order, error) {
	defer s.Hook("order-end")
	if err := s.call("order"); err != nil {
		return shopadmin.Order{}, err
	}
	e := s.orders[id]
	if e == nil {
		return shopadmin.Order{}, fault.New(fault.NotFound, "fake store: no order %s", id)
	}
	if s.chance(s.Faults.Odd) {
		return shopadmin.Order{}, fault.New([]fault.Class{fault.NotFound, fault.Refused}[s.Rand.IntN(2)], "fake store: odd answer about %s", id)
	}
	if s.chance(s.Faults.Stale) {
		if o, ok := e.asOf(s.Clock().Add(-time.Duration(s.Rand.Int64N(int64(s.Settle / 2))))); ok {
			return copied(o), nil
		}
	}
	return copied(e.now), nil
}

func (e *order) asOf(t time.Time) (shopadmin.Order, bool) {
	for i := len(e.at) - 1; i >= 0; i-- {
		if !e.at[i].After(t) {
			return e.history[i], true
		}
	}
	return shopadmin.Order{}, false
}

// FindByMark searches the lagging index.
func (s *Shop) FindByMark(_ context.Context, m shopadmin.Mark) ([]shopadmin.Order, error) {
	defer s.Hook("find-end")
	if err := s.call("find"); err != nil {
		return nil, err
	}
	var out []shopadmin.Order
	for _, o := range s.lagging(time.Time{}) {
		if o.Mark == m {
			out = append(out, copied(o))
		}
	}
	return out, nil
}

// lagging is what the index shows of the orders changed after since.
func (s *Shop) lagging(since time.Time) []shopadmin.Order {
	var out []shopadmin.Order
	for _, e := range s.orders {
		if !e.now.UpdatedAt.After(since) {
			continue
		}
		if o, ok := e.asOf(s.Clock().Add(-s.Faults.ListLag)); ok && o.UpdatedAt.After(since) {
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b shopadmin.Order) int {
		return cmp.Or(a.UpdatedAt.Compare(b.UpdatedAt), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// pageSize is small so that paging happens.
const pageSize = 3

// Changed lists changed orders from the lagging index.
func (s *Shop) Changed(_ context.Context, after shopadmin.Cursor) (shopadmin.Page, error) {
	defer s.Hook("changed-end")
	if err := s.call("changed"); err != nil {
		return shopadmin.Page{}, err
	}
	list := s.lagging(after.Since)
	from, _ := strconv.Atoi(after.Token)
	from = min(from, len(list))
	to := min(from+pageSize, len(list))
	p := shopadmin.Page{Next: shopadmin.Cursor{Since: s.Clock()}}
	for _, o := range list[from:to] {
		p.Orders = append(p.Orders, copied(o))
	}
	if to < len(list) {
		p.More, p.Next = true, shopadmin.Cursor{Since: after.Since, Token: strconv.Itoa(to)}
	}
	return p, nil
}

// Create makes an order. A second create makes a second order.
func (s *Shop) Create(_ context.Context, key string, n shopadmin.NewOrder) (shopadmin.Order, error) {
	defer s.Hook("create-end")
	var id shopadmin.OrderID
	err := s.write(key, "create", func() { id = s.create(n) })
	if err != nil {
		return shopadmin.Order{}, err
	}
	return s.Get(id), nil
}

func (s *Shop) create(n shopadmin.NewOrder) shopadmin.OrderID {
	s.nextID++
	now := s.now()
	o := shopadmin.Order{ID: shopadmin.OrderID(fmt.Sprintf("S%04d", s.nextID)), Name: fmt.Sprintf("#%d", 1000+s.nextID), Mark: n.Mark,
		Tags: n.Tags, Attributes: maps.Clone(n.Attributes), CreatedAt: now, UpdatedAt: now, Total: n.Paid, Captured: n.Paid}
	prices := map[string]price{}
	for i, l := range n.Lines {
		prices[fmt.Sprintf("%s-L%d", o.ID, i+1)] = priceOf(l)
		o.Lines = append(o.Lines, shopadmin.Line{ID: fmt.Sprintf("%s-L%d", o.ID, i+1), ChannelLine: l.ChannelLine, SKU: l.SKU,
			Title: l.Title, Quantity: l.Quantity, Current: l.Quantity, Unfulfilled: l.Quantity})
	}
	s.Created = append(s.Created, n)
	s.orders[o.ID] = &order{now: o, lines: prices, history: []shopadmin.Order{o}, at: []time.Time{now}}
	s.OnChange(o.ID, now, false)
	return o.ID
}

// Update merges what the channel changed.
func (s *Shop) Update(_ context.Context, key string, id shopadmin.OrderID, u shopadmin.Update) error {
	defer s.Hook("update-end")
	return s.write(key, "update", func() {
		s.Change(id, false, func(o *shopadmin.Order) {
			if o.Attributes == nil {
				o.Attributes = map[string]string{}
			}
			maps.Copy(o.Attributes, u.Attributes)
			o.Tags = append(o.Tags, u.AddTags...)
			o.Note = noted(o.Note, u.Note)
		})
	})
}

// Hold stops the shipping.
func (s *Shop) Hold(_ context.Context, key string, id shopadmin.OrderID, reason string) error {
	defer s.Hook("hold-end")
	return s.write(key, "hold", func() {
		s.Change(id, false, func(o *shopadmin.Order) {
			if len(o.Held) == 0 {
				o.Held = append(o.Held, shopadmin.Hold{ID: "H1", Handle: "channelbridge", Ours: true, Reason: reason})
			}
		})
	})
}

// now is the clock, or a late write's own time while it is carried out.
func (s *Shop) now() time.Time {
	if !s.asOfNow.IsZero() {
		return s.asOfNow
	}
	return s.Clock()
}
