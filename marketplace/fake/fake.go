// Package fake is a whole sales channel in memory, as awkward as real ones: reads that are
// stale, listings that lag, writes that fail, fail after having worked, or work later. It is
// deterministic: time and chance are handed in.
package fake

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"channelbridge/internal/fault"
	"channelbridge/marketplace"
)

// Faults are the chances of each misbehaviour, from 0 to 1.
type Faults struct {
	Fail    float64 // a call fails before anything happened
	Lost    float64 // a write works and its answer is lost
	Late    float64 // a write's answer is lost and it works only later, within SettleIn
	Stale   float64 // a read shows the state of a moment ago, within SettleIn
	Odd     float64 // a read is wrongly refused, not found, or not to be understood
	ListLag time.Duration
}

// Market is the channel. Its zero value is not usable; see New.
type Market struct {
	Clock  func() time.Time
	Rand   *rand.Rand
	Faults Faults
	Money  MoneyFaults
	// Works is how long a batch takes at most, RefundLag how long a refund takes to show.
	Works, RefundLag time.Duration

	Settle time.Duration
	Repeat marketplace.RepeatClass
	// OnChange is told of every change, as the channel's own push would be.
	OnChange func(id marketplace.OrderID, at time.Time)
	// OnWrite sees every write before it is carried out.
	OnWrite func(key string, s marketplace.Shipment)
	// OnInstruct sees every instruction that is handed in, OnRefund every refund that is made.
	OnInstruct func(key string, in marketplace.Instruction)
	OnRefund   func(id marketplace.OrderID, at time.Time)
	// Hook is called at the start and end of every call: the place for crashes and pauses.
	Hook func(op string)

	// Mistakes of a caller, planted to see that they are noticed.
	StampNow bool // ship dates are replaced by the time of the call
	NewRefs  bool // every call carries a reference of its own

	orders  map[marketplace.OrderID]*order
	later   []late
	asOfNow time.Time // set while a late write is carried out: its own time
	Calls   map[string]int
	History []Confirmation // every confirmation that took effect

	documents   map[string][]marketplace.Message
	handed      []*handed
	working     bool
	given       map[marketplace.OrderID][]given
	refundsMade int
	Submitted   map[string]int    // how often each document was handed in
	Instructed  []Applied         // every instruction that took effect
	early       bool              // the buyer is charged with the order
	keys        map[string]string // of single instructions → reference; empty: being worked on
	transfers   []transfer
	deferrals   []deferral
}

// Confirmation is one accepted shipment confirmation.
type Confirmation struct {
	At       time.Time
	Key      string
	Shipment marketplace.Shipment
	Edit     bool // it changed a package that was there
}

type order struct {
	now     marketplace.Order
	history []marketplace.Order // every version, oldest first
	at      []time.Time
}

type late struct {
	at  time.Time
	key string
	s   marketplace.Shipment
	do  func() // in place of the shipment
}

// New returns an empty channel.
func New(clock func() time.Time, rnd *rand.Rand) *Market {
	return &Market{Clock: clock, Rand: rnd, Settle: time.Minute, Repeat: marketplace.RepeatNatural,
		orders: map[marketplace.OrderID]*order{}, Calls: map[string]int{},
		Works: 10 * time.Minute, documents: map[string][]marketplace.Message{}, given: map[marketplace.OrderID][]given{}, Submitted: map[string]int{}, keys: map[string]string{},
		OnInstruct: func(string, marketplace.Instruction) {}, OnRefund: func(marketplace.OrderID, time.Time) {},
		OnChange: func(marketplace.OrderID, time.Time) {}, OnWrite: func(string, marketplace.Shipment) {}, Hook: func(string) {}}
}

// Traits of the channel.
func (m *Market) Traits() marketplace.Traits {
	return marketplace.Traits{SettleIn: m.Settle, NeedTrack: true, SweepEvery: 5 * time.Minute, Overlap: 10 * time.Minute,
		Repeat:        map[marketplace.Operation]marketplace.RepeatClass{marketplace.OpConfirmShipment: m.Repeat},
		Instructions:  []marketplace.Operation{marketplace.OpCancel, marketplace.OpCancelUnits, marketplace.OpRefund},
		Reasons:       map[marketplace.Operation]map[string]string{marketplace.OpCancel: {"": "other"}, marketplace.OpRefund: {"": "other"}},
		CaptureOnShip: true, RefundsIn: m.RefundLag,
		Carriers: map[string]marketplace.Carrier{"ups": {Code: "UPS"}, "usps": {Code: "USPS"}}}
}

// Put places an order or replaces it by a new version with a newer update time.
func (m *Market) Put(o marketplace.Order) {
	m.flush()
	at := m.now()
	e := m.orders[o.ID]
	if e == nil {
		e = &order{}
		m.orders[o.ID] = e
	}
	if !at.After(e.now.UpdatedAt) {
		at = e.now.UpdatedAt.Add(time.Millisecond)
	}
	o.UpdatedAt = at
	o.Lines = slices.Clone(o.Lines)
	o.Packages = slices.Clone(o.Packages)
	e.now = o
	e.history, e.at = append(e.history, o), append(e.at, m.now())
	m.OnChange(o.ID, at)
}

// Change edits the present version of an order.
func (m *Market) Change(id marketplace.OrderID, edit func(*marketplace.Order)) {
	m.flush()
	o := m.orders[id].now
	o.Lines, o.Packages = slices.Clone(o.Lines), slices.Clone(o.Packages)
	edit(&o)
	m.Put(o)
}

// Get returns the present version of an order, without faults.
func (m *Market) Get(id marketplace.OrderID) marketplace.Order {
	m.flush()
	return m.orders[id].now
}

// AsOf returns the version of an order at an instant, without faults.
func (m *Market) AsOf(id marketplace.OrderID, t time.Time) (marketplace.Order, error) {
	m.flush()
	return m.orders[id].asOf(t, id)
}

// All returns the ids of all orders, sorted.
func (m *Market) All() []marketplace.OrderID {
	var out []marketplace.OrderID
	for id := range m.orders {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

func (m *Market) chance(p float64) bool { return p > 0 && m.Rand.Float64() < p }

// call counts, and fails before anything happens if chance wants it.
func (m *Market) call(ctx context.Context, op string) error {
	m.Hook(op)
	if err := ctx.Err(); err != nil {
		return fault.New(fault.Temporary, "fake channel %s: %w", op, err)
	}
	m.Calls[op]++
	m.flush()
	if m.chance(m.Faults.Fail) {
		return fault.New(fault.Temporary, "fake channel %s: busy", op)
	}
	return nil
}

// Order reads one order, perhaps as it was a moment ago.
func (m *Market) Order(ctx context.Context, id marketplace.OrderID) (marketplace.Order, error) {
	defer m.Hook("order-end")
	if err := m.call(ctx, "order"); err != nil {
		return marketplace.Order{}, err
	}
	e := m.orders[id]
	if e == nil {
		return marketplace.Order{}, fault.New(fault.NotFound, "fake channel: no order %s", id)
	}
	if m.chance(m.Faults.Odd) {
		switch m.Rand.IntN(3) {
		case 0:
			return marketplace.Order{}, fault.New(fault.NotFound, "fake channel: no order %s", id)
		case 1:
			return marketplace.Order{}, fault.New(fault.Refused, "fake channel: bad request")
		}
		return marketplace.Order{}, &marketplace.FaultyError{Raw: []byte(`{"orderId":"?"}`), Err: errors.New("fake channel: gibberish")}
	}
	if m.chance(m.Faults.Stale) {
		return e.asOf(m.Clock().Add(-time.Duration(m.Rand.Int64N(int64(m.Settle/2)))), id)
	}
	return e.now, nil
}

func (e *order) asOf(t time.Time, id marketplace.OrderID) (marketplace.Order, error) {
	for i := len(e.at) - 1; i >= 0; i-- {
		if !e.at[i].After(t) {
			return e.history[i], nil
		}
	}
	return marketplace.Order{}, fault.New(fault.NotFound, "fake channel: no order %s yet", id)
}

// pageSize is small so that paging happens.
const pageSize = 3

// Changed lists changed orders with a lag: what changed less than ListLag ago shows as it was.
func (m *Market) Changed(ctx context.Context, after marketplace.Cursor) (marketplace.Page, error) {
	defer m.Hook("changed-end")
	if err := m.call(ctx, "changed"); err != nil {
		return marketplace.Page{}, err
	}
	var list []marketplace.Order
	for id, e := range m.orders {
		if !e.now.UpdatedAt.After(after.Since) {
			continue
		}
		if o, err := e.asOf(m.Clock().Add(-m.Faults.ListLag), id); err == nil && o.UpdatedAt.After(after.Since) {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(a, b marketplace.Order) int {
		return cmp.Or(a.UpdatedAt.Compare(b.UpdatedAt), cmp.Compare(a.ID, b.ID))
	})
	from, _ := strconv.Atoi(after.Token)
	from = min(from, len(list))
	to := min(from+pageSize, len(list))
	p := marketplace.Page{Orders: list[from:to], Next: marketplace.Cursor{Since: m.Clock()}}
	if to < len(list) {
		p.More, p.Next = true, marketplace.Cursor{Since: after.Since, Token: strconv.Itoa(to)}
	}
	return p, nil
}

// ConfirmShipment counts a parcel as shipped; the same reference again edits it.
func (m *Market) ConfirmShipment(ctx context.Context, key string, s marketplace.Shipment) (marketplace.Receipt, error) {
	defer m.Hook("confirm-end")
	if err := m.call(ctx, "confirm"); err != nil {
		return marketplace.Receipt{}, err
	}
	m.OnWrite(key, s)
	if m.StampNow {
		s.ShippedAt = m.Clock()
	}
	if m.NewRefs {
		s.Ref = strconv.Itoa(1000 + len(m.History))
	}
	if m.chance(m.Faults.Late) {
		m.later = append(m.later, late{at: m.Clock().Add(time.Duration(m.Rand.Int64N(int64(m.Settle / 2)))).Truncate(time.Microsecond), key: key, s: s})
		return marketplace.Receipt{}, fault.New(fault.Unknown, "fake channel confirm: no answer")
	}
	if err := m.apply(key, s); err != nil {
		return marketplace.Receipt{}, err
	}
	if m.chance(m.Faults.Lost) {
		return marketplace.Receipt{}, fault.New(fault.Unknown, "fake channel confirm: answer lost")
	}
	return marketplace.Receipt{Ref: s.Ref}, nil
}

// flush carries out late writes whose time has come.
func (m *Market) flush() {
	m.work()
	now := m.Clock()
	due := slices.Clone(m.later)
	m.later = slices.DeleteFunc(m.later, func(l late) bool { return !l.at.After(now) })
	for _, l := range due {
		if !l.at.After(now) {
			m.asOfNow = l.at
			if l.do != nil {
				l.do()
			} else {
				_ = m.apply(l.key, l.s)
			}
			m.asOfNow = time.Time{}
		}
	}
}

func (m *Market) apply(key string, s marketplace.Shipment) error {
	e := m.orders[s.Order]
	if e == nil {
		return fault.New(fault.NotFound, "fake channel: no order %s", s.Order)
	}
	o := e.now
	switch {
	case o.FulfilledBy == marketplace.ByChannel:
		return fault.New(fault.Refused, "fake channel: order %s is shipped by the channel", s.Order)
	case o.Lifecycle == marketplace.Pending || o.Lifecycle == marketplace.Cancelled:
		return fault.New(fault.Refused, "fake channel: order %s is %s", s.Order, o.Lifecycle)
	case s.Tracking == "" || s.Carrier.Code == "":
		return fault.New(fault.Refused, "fake channel: tracking and carrier are required")
	}
	o.Lines, o.Packages = slices.Clone(o.Lines), slices.Clone(o.Packages)
	i := slices.IndexFunc(o.Packages, func(p marketplace.Package) bool { return p.Ref == s.Ref })
	if i >= 0 {
		if same(o.Packages[i], s) {
			m.History = append(m.History, Confirmation{m.now(), key, s, true})
			return nil
		}
		count(o.Lines, o.Packages[i].Lines, -1)
		o.Packages = slices.Delete(o.Packages, i, i+1)
	}
	pk := marketplace.Package{Ref: s.Ref, Carrier: s.Carrier.Code, Tracking: s.Tracking, ShippedAt: s.ShippedAt, Lines: map[string]int{}}
	for _, l := range s.Lines {
		pk.Lines[l.Line] += l.Quantity
	}
	if err := count(o.Lines, pk.Lines, 1); err != nil {
		return fault.New(fault.Refused, "fake channel: order %s: %w", s.Order, err)
	}
	o.Packages = append(o.Packages, pk)
	o.Lifecycle = marketplace.Closed
	for _, l := range o.Lines {
		if l.Shipped < l.Ordered-l.Cancelled {
			o.Lifecycle = marketplace.Open
		}
	}
	m.History = append(m.History, Confirmation{m.now(), key, s, i >= 0})
	m.put(o)
	return nil
}

// put is Put without carrying out late writes, which would recurse.
func (m *Market) put(o marketplace.Order) {
	keep := m.later
	m.later = nil
	m.Put(o)
	m.later = append(keep, m.later...)
}

func same(p marketplace.Package, s marketplace.Shipment) bool {
	sum := map[string]int{}
	for _, l := range s.Lines {
		sum[l.Line] += l.Quantity
	}
	if len(sum) != len(p.Lines) || p.Tracking != s.Tracking || p.Carrier != s.Carrier.Code {
		return false
	}
	for k, n := range sum {
		if p.Lines[k] != n {
			return false
		}
	}
	return true
}

func count(lines []marketplace.Line, parcel map[string]int, sign int) error {
	for id, n := range parcel {
		i := slices.IndexFunc(lines, func(l marketplace.Line) bool { return l.ID == id })
		if i < 0 {
			return errors.New("no line " + id)
		}
		lines[i].Shipped += sign * n
		if lines[i].Shipped > lines[i].Ordered-lines[i].Cancelled {
			return errors.New("more shipped than ordered of line " + id)
		}
	}
	return nil
}

// now is the clock, or a late write's own time while it is carried out.
func (m *Market) now() time.Time {
	if !m.asOfNow.IsZero() {
		return m.asOfNow
	}
	return m.Clock()
}
