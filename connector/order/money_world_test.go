package order

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"channelbridge/connector"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// moneyWorld is one order on both sides and the ledger between them, without any network: what
// the sides really did, and what the ledger knows of it.
type moneyWorld struct {
	*rapid.T
	policy  Policy
	now     time.Time
	m       marketplace.Order
	s       shopadmin.Order
	gross   map[string]int64 // by store line: what all its units were sold for
	ledger  []connector.Entry
	wishes  []connector.Wish
	shown   []marketplace.Refund // what the channel's finance side shows
	late    []marketplace.Refund // of ours, what it will show
	given   map[part]int64       // by the channel to the buyer
	foreign int64
	worked  map[string]bool // keys whose effect exists
	n       int
}

func (w *moneyWorld) chance(percent int, what string) bool {
	return rapid.IntRange(0, 99).Draw(w.T, what) >= 100-percent
}

func (w *moneyWorld) upTo(n int64, what string) int64 {
	return rapid.Int64Range(0, max(n, 0)).Draw(w.T, what)
}

func (w *moneyWorld) next() int { w.n++; return w.n }

func (w *moneyWorld) cash(minor int64) money.Money { return money.New(minor, w.m.Currency) }

func newMoneyWorld(t *rapid.T) *moneyWorld {
	w := &moneyWorld{T: t, now: noon, gross: map[string]int64{}, given: map[part]int64{}, worked: map[string]bool{}}
	w.policy = snapshot(nil, nil).Policy
	moneyPolicy(&w.policy)
	w.policy.RefundsIn = time.Hour
	if w.chance(20, "drops repeated keys") {
		w.policy.Lanes, w.policy.Repeat = nil, map[marketplace.Operation]marketplace.RepeatClass{
			marketplace.OpCancel: marketplace.RepeatNative, marketplace.OpCancelUnits: marketplace.RepeatNative, marketplace.OpRefund: marketplace.RepeatNative}
	}
	if w.chance(15, "was removed") {
		w.policy.RemovedAt, w.policy.RejoinedAt = noon.Add(-time.Hour), noon.Add(6*time.Hour)
	}
	w.order()
	w.mirror()
	if w.policy.RejoinedAt.After(noon) && w.chance(50, "asks above") {
		w.policy.AskAbove = w.cash(w.paid() / 3)
	}
	return w
}

// order draws what the buyer bought.
func (w *moneyWorld) order() {
	m := *channelOrder()
	m.Currency = rapid.SampledFrom([]string{"USD", "EUR", "JPY"}).Draw(w.T, "currency")
	m.Lines = nil
	w.m = m
	included := w.chance(30, "tax included")
	draw := func(kind marketplace.Kind, most int64) marketplace.Component {
		c := marketplace.Component{Kind: kind, Amount: w.cash(w.upTo(most, "amount")), TaxIncluded: included}
		c.Discount = w.cash(w.upTo(c.Amount.Minor/2, "discount"))
		c.Tax = w.cash(w.upTo((c.Amount.Minor-c.Discount.Minor)/5, "tax"))
		return c
	}
	for i := range rapid.IntRange(1, 4).Draw(w.T, "lines") {
		l := marketplace.Line{ID: fmt.Sprint(i + 1), Ordered: rapid.IntRange(1, 3).Draw(w.T, "units"), Parts: []marketplace.Component{draw(marketplace.Item, 5000)}}
		if w.chance(40, "shipping") {
			l.Parts = append(l.Parts, draw(marketplace.Shipping, 900))
		}
		w.m.Lines = append(w.m.Lines, l)
	}
	if w.chance(15, "charge") {
		w.m.Charges = []marketplace.Component{draw(marketplace.Fee, 300)}
	}
	w.m.Total = w.cash(w.paid())
}

// worth is what the buyer paid, part by part.
func (w *moneyWorld) worth() map[part]int64 {
	out := map[part]int64{}
	add := func(line string, c marketplace.Component) {
		v := c.Amount.Minor - c.Discount.Minor
		if !c.TaxIncluded {
			v += c.Tax.Minor
		}
		out[part{line, c.Kind}] += v
	}
	for _, l := range w.m.Lines {
		for _, c := range l.Parts {
			add(l.ID, c)
		}
	}
	for _, c := range w.m.Charges {
		add("", c)
	}
	return out
}

func (w *moneyWorld) paid() (sum int64) {
	for _, v := range w.worth() {
		sum += v
	}
	return sum
}

// mirror makes the store's order: each line as one or two store lines.
func (w *moneyWorld) mirror() {
	w.s = shopadmin.Order{ID: "S1", Name: "#1001", CreatedAt: noon.Add(-time.Hour), UpdatedAt: noon.Add(-time.Hour), Total: w.m.Total, Captured: w.m.Total}
	for _, l := range w.m.Lines {
		first := rapid.IntRange(1, l.Ordered).Draw(w.T, "first store line")
		whole, done := w.worth()[part{l.ID, marketplace.Item}], 0
		for i, n := range []int{first, l.Ordered - first} {
			if n == 0 {
				continue
			}
			id := fmt.Sprintf("%s.%d", l.ID, i)
			w.s.Lines = append(w.s.Lines, shopadmin.Line{ID: id, ChannelLine: l.ID, Quantity: n, Current: n, Unfulfilled: n})
			w.gross[id] = whole*int64(done+n)/int64(l.Ordered) - whole*int64(done)/int64(l.Ordered)
			done += n
		}
	}
}

// unitsCost is what n more units of a store line cost, the parts adding up to the whole.
func (w *moneyWorld) unitsCost(l shopadmin.Line, n int) int64 {
	done := l.Quantity - l.Current
	upTo := func(k int) int64 { return w.gross[l.ID] * int64(k) / int64(l.Quantity) }
	return upTo(done+n) - upTo(done)
}

// leftInStore is what staff can still give back.
func (w *moneyWorld) leftInStore() int64 {
	left := w.s.Captured.Minor
	for _, r := range w.s.Refunds {
		left -= r.Moved.Minor + r.Pending.Minor
	}
	return left
}

// take takes units of a store line out of the order, for a refund.
func (w *moneyWorld) take(i, n int, how shopadmin.Restock) shopadmin.RefundLine {
	l := &w.s.Lines[i]
	r := shopadmin.RefundLine{Line: l.ID, Quantity: n, Restock: how, Amount: w.cash(w.unitsCost(*l, n))}
	l.Current -= n
	if how != shopadmin.RestockReturn {
		l.Unfulfilled = max(0, l.Unfulfilled-n)
	}
	return r
}

// snapshot is what the bridge knows now: fresh reads of both sides and its ledger.
func (w *moneyWorld) snapshot() Snapshot {
	m, s := w.m, w.s
	m.Lines, m.Packages = slices.Clone(m.Lines), slices.Clone(m.Packages)
	s.Lines, s.Refunds, s.Fulfillments = slices.Clone(s.Lines), slices.Clone(s.Refunds), slices.Clone(s.Fulfillments)
	snap := snapshot(&m, &s, slices.Clone(w.ledger)...)
	snap.Policy, snap.Now, snap.Wishes, snap.Refunds = w.policy, w.now, slices.Clone(w.wishes), slices.Clone(w.shown)
	snap.MarketAt, snap.ShopAt, snap.Searched = w.now, w.now, w.now
	snap.MarketRead, snap.ShopRead, snap.RefundsRead = w.now, w.now, w.now
	return snap
}

// ship counts units of a parcel; the same reference again edits.
func (w *moneyWorld) ship(s marketplace.Shipment) error {
	lines := slices.Clone(w.m.Lines)
	count := func(id string, n int) error {
		i := slices.IndexFunc(lines, func(l marketplace.Line) bool { return l.ID == id })
		lines[i].Shipped += n
		if lines[i].Shipped > lines[i].Ordered-lines[i].Cancelled {
			return fmt.Errorf("more shipped than ordered of line %s", id)
		}
		return nil
	}
	if w.m.Lifecycle != marketplace.Open {
		return fmt.Errorf("the order is %s", w.m.Lifecycle)
	}
	for i, pk := range w.m.Packages {
		if pk.Ref == s.Ref {
			for id, n := range pk.Lines {
				_ = count(id, -n)
			}
			w.m.Packages = slices.Delete(slices.Clone(w.m.Packages), i, i+1)
			break
		}
	}
	pk := marketplace.Package{Ref: s.Ref, Tracking: s.Tracking, Lines: map[string]int{}}
	for _, l := range s.Lines {
		if err := count(l.Line, l.Quantity); err != nil {
			return err
		}
		pk.Lines[l.Line] += l.Quantity
	}
	w.m.Lines, w.m.Packages = lines, append(w.m.Packages, pk)
	w.settleLifecycle()
	return nil
}

func (w *moneyWorld) settleLifecycle() {
	active, left := 0, 0
	for _, l := range w.m.Lines {
		active += l.Ordered - l.Cancelled
		left += l.Ordered - l.Cancelled - l.Shipped
	}
	switch {
	case active == 0:
		w.m.Lifecycle = marketplace.Cancelled
	case left == 0:
		w.m.Lifecycle = marketplace.Closed
	}
}

// instruct does at the channel what an instruction says, with the channel's own limits.
func (w *moneyWorld) instruct(key string, in marketplace.Instruction) error {
	if w.m.Lifecycle != marketplace.Open && (w.m.Lifecycle != marketplace.Closed || in.Op != marketplace.OpRefund) {
		return fmt.Errorf("the order is %s", w.m.Lifecycle)
	}
	switch in.Op {
	case marketplace.OpCancel:
		for _, l := range w.m.Lines {
			if l.Shipped > 0 {
				w.Fatalf("the whole order was acknowledged as failed after a unit of line %s had shipped", l.ID)
			}
		}
		w.m.Lifecycle = marketplace.Cancelled
	case marketplace.OpCancelUnits:
		lines := slices.Clone(w.m.Lines)
		for _, il := range in.Lines {
			i := slices.IndexFunc(lines, func(l marketplace.Line) bool { return l.ID == il.Line })
			if il.Quantity > lines[i].Ordered-lines[i].Cancelled-lines[i].Shipped {
				return fmt.Errorf("line %s has not that many units left to ship", il.Line)
			}
			lines[i].Cancelled += il.Quantity
		}
		w.m.Lines = lines
		w.settleLifecycle()
	case marketplace.OpRefund:
		return w.refund(key, in)
	}
	return nil
}

func (w *moneyWorld) refund(key string, in marketplace.Instruction) error {
	parts, sum := map[part]int64{}, int64(0)
	for _, il := range in.Lines {
		if i := slices.IndexFunc(w.m.Lines, func(l marketplace.Line) bool { return l.ID == il.Line }); i >= 0 && w.m.Lines[i].Shipped == 0 {
			w.Fatalf("%s: line %s has not shipped, there is nothing to give back", key, il.Line)
		}
		for _, c := range il.Parts {
			sum += c.Amount.Minor + c.Tax.Minor
			if c.Kind != marketplace.Restocking {
				parts[part{il.Line, c.Kind}] += c.Amount.Minor + c.Tax.Minor
			}
		}
	}
	for k, v := range parts {
		if w.given[k]+v > w.worth()[k] {
			return fmt.Errorf("%v: more than the buyer paid", k)
		}
	}
	for k, v := range parts {
		w.given[k] += v
	}
	w.late = append(w.late, marketplace.Refund{ID: fmt.Sprintf("R%d", w.next()), Order: w.m.ID, PostedAt: w.now, Amount: w.cash(sum)})
	return nil
}

// storeRefund records a refund in the store by its note, once.
func (w *moneyWorld) storeRefund(n shopadmin.NewRefund) error {
	if slices.ContainsFunc(w.s.Refunds, func(r shopadmin.Refund) bool { return r.Note == n.Note }) {
		return nil
	}
	if n.Amount.Minor > w.leftInStore() {
		return fmt.Errorf("only %d are left of the payment", w.leftInStore())
	}
	r := shopadmin.Refund{ID: fmt.Sprintf("RF%d", w.next()), CreatedAt: w.now, Note: n.Note, Moved: n.Amount, Shipping: n.Shipping}
	for _, l := range n.Lines {
		i := slices.IndexFunc(w.s.Lines, func(x shopadmin.Line) bool { return x.ID == l.Line })
		if w.s.Lines[i].Current < l.Quantity {
			return fmt.Errorf("only %d of line %s are left", w.s.Lines[i].Current, l.Line)
		}
		r.Lines = append(r.Lines, w.take(i, l.Quantity, l.Restock))
	}
	w.s.Refunds = append(w.s.Refunds, r)
	return nil
}

// storeCancel cancels the store's order, with what is left of the payment or with nothing.
func (w *moneyWorld) storeCancel(reason string, refund bool) {
	if left := w.leftInStore(); refund && left > 0 {
		r := shopadmin.Refund{ID: fmt.Sprintf("RF%d", w.next()), CreatedAt: w.now, Moved: w.cash(left)}
		for i, l := range w.s.Lines {
			if n := min(l.Unfulfilled, l.Current); n > 0 {
				r.Lines = append(r.Lines, w.take(i, n, shopadmin.RestockCancel))
			}
			if n := w.s.Lines[i].Current; n > 0 {
				r.Lines = append(r.Lines, w.take(i, n, shopadmin.RestockReturn))
			}
		}
		w.s.Refunds = append(w.s.Refunds, r)
	}
	for i := range w.s.Lines {
		w.s.Lines[i].Unfulfilled = 0
	}
	w.s.CancelledAt, w.s.CancelReason = w.now, reason
}

// effect does on the side written to what a command says; a side that drops repeated keys does
// nothing the second time.
func (w *moneyWorld) effect(c connector.Command) error {
	if w.worked[c.Key] && instructs(c.Verb) && w.policy.Repeat[instructionOf(c).Op] == marketplace.RepeatNative {
		return nil
	}
	var err error
	switch {
	case instructs(c.Verb):
		err = w.instruct(c.Key, instructionOf(c))
	case c.Verb == ConfirmShipment:
		err = w.ship(bodyOf(c))
	case c.Verb == RefundShop:
		var n shopadmin.NewRefund
		_ = json.Unmarshal(c.Body, &n)
		err = w.storeRefund(n)
	case c.Verb == CancelMirror:
		var x shopadmin.Cancel
		_ = json.Unmarshal(c.Body, &x)
		switch {
		case !w.s.CancelledAt.IsZero():
		case len(successful(&w.s)) > 0:
			err = fmt.Errorf("a parcel has left")
		default:
			w.storeCancel(x.Reason, x.Refund)
		}
	case c.Verb == HoldShipping:
		w.s.Held = []shopadmin.Hold{{ID: "H1", Ours: true}}
	}
	if err == nil {
		w.worked[c.Key] = true
	}
	return err
}
