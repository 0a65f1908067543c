package order

import (
	"encoding/json"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"channelbridge/connector"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// Whatever people do on both sides, in whatever order, and whatever becomes of each command: no
// more is ever given back than was paid, nothing is sent twice, and in the end the channel has
// given what the store has, or a hold says why not. -rapid.checks says how many sequences.
func TestMoneyProperty(t *testing.T) {
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		require.NoError(t, flag.Set(f.Name, "2000"))
		t.Cleanup(func() { _ = flag.Set(f.Name, f.DefValue) })
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := newMoneyWorld(rt)
		if w.chance(15, "pending at first") {
			w.m.Lifecycle = marketplace.Pending
		}
		for range rapid.IntRange(1, 14).Draw(rt, "steps") {
			w.people()
			w.turn(true)
			w.pass()
		}
		w.calm()
		w.judge()
	})
}

// people does one thing on one of the sides.
func (w *moneyWorld) people() {
	switch what := rapid.SampledFrom([]string{"nothing", "refund", "refund", "refund", "cancel", "ship", "ship", "ship there", "refund there",
		"cancel there", "wish refund", "wish cancel", "hold", "release", "approve", "pending ends", "release the order", "takes back"}).Draw(w.T, "people"); what {
	case "refund":
		w.staffRefund()
	case "cancel":
		if w.s.CancelledAt.IsZero() {
			w.storeCancel(rapid.SampledFrom([]string{"customer", "inventory", "other"}).Draw(w.T, "reason"), w.chance(80, "with refund"))
		}
	case "ship":
		w.staffShip()
	case "ship there":
		l := w.m.Lines[w.upTo(int64(len(w.m.Lines)-1), "line")]
		if l.Shipped < l.Ordered-l.Cancelled {
			_ = w.ship(marketplace.Shipment{Ref: fmt.Sprint(900 + w.next()), Tracking: fmt.Sprint("X", w.n), Lines: []marketplace.ShipmentLine{{Line: l.ID, Quantity: 1}}})
		}
	case "refund there":
		w.refundThere()
	case "cancel there":
		if w.m.Lifecycle == marketplace.Open && !slices.ContainsFunc(w.m.Lines, func(l marketplace.Line) bool { return l.Shipped > 0 }) && w.chance(40, "really") {
			w.m.Lifecycle = marketplace.Cancelled
		}
	case "wish refund":
		l := w.m.Lines[w.upTo(int64(len(w.m.Lines)-1), "line")]
		body := RefundWish{Lines: []RefundWishLine{{Line: l.ID, Quantity: 1}}, Restock: w.chance(50, "restock"), Reason: "customer"}
		if w.chance(30, "an amount") {
			body = RefundWish{Amount: w.cash(w.upTo(w.paid(), "amount"))}
		}
		w.wish(connector.WishRefund, "", body)
	case "wish cancel":
		if w.chance(30, "really") {
			w.wish(connector.WishCancel, "", CancelWish{Reason: "inventory"})
		}
	case "hold":
		w.wish(connector.WishHold, "", nil)
	case "release":
		w.wish(connector.WishRelease, "", nil)
	case "approve":
		if n := len(w.s.Refunds); n > 0 {
			w.wish(connector.WishApprove, w.s.Refunds[n-1].ID, nil)
		}
	case "pending ends":
		w.pendingEnds(w.chance(70, "moved"))
	case "release the order":
		if w.m.Lifecycle == marketplace.Pending {
			w.m.Lifecycle = marketplace.Open
		}
	case "takes back":
		w.takeBack()
	}
}

func (w *moneyWorld) wish(k connector.WishKind, about string, body any) {
	raw, err := json.Marshal(body)
	require.NoError(w.T, err)
	w.wishes = append(w.wishes, connector.Wish{ID: int64(w.next()), Kind: k, About: about, Body: raw, Actor: "operator", At: w.now})
}

// staffRefund gives units back, with money beyond them or kept, or money alone, or goods alone.
func (w *moneyWorld) staffRefund() {
	if !w.s.CancelledAt.IsZero() {
		return
	}
	r := shopadmin.Refund{ID: fmt.Sprintf("RF%d", w.next()), CreatedAt: w.now, Reason: "customer"}
	before := slices.Clone(w.s.Lines)
	sum := int64(0)
	for i, l := range w.s.Lines {
		n := int(w.upTo(int64(l.Current), "units"))
		if n == 0 || w.chance(30, "not this line") {
			continue
		}
		how := rapid.SampledFrom([]shopadmin.Restock{shopadmin.RestockNone, shopadmin.RestockCancel, shopadmin.RestockReturn}).Draw(w.T, "restock")
		if how == shopadmin.RestockCancel && n > l.Unfulfilled || how == shopadmin.RestockReturn && n > l.Current-min(l.Unfulfilled, l.Current) {
			how = shopadmin.RestockNone
		}
		r.Lines = append(r.Lines, w.take(i, n, how))
		sum += r.Lines[len(r.Lines)-1].Amount.Minor
	}
	switch rapid.IntRange(0, 5).Draw(w.T, "beyond") {
	case 0:
		sum += w.upTo(500, "more")
	case 1:
		sum -= w.upTo(min(sum, 300), "kept")
	case 2:
		r.Shipping = w.cash(w.upTo(400, "shipping"))
		sum += r.Shipping.Minor
	case 3:
		if w.chance(30, "goods alone") {
			sum = 0
		}
	}
	if sum > w.leftInStore() {
		w.s.Lines = before
		return
	}
	r.Moved = w.cash(sum)
	if w.chance(15, "pending") {
		r.Moved, r.Pending = w.cash(0), r.Moved
	}
	w.s.Refunds = append(w.s.Refunds, r)
}

func (w *moneyWorld) pendingEnds(moved bool) {
	w.s.Refunds = slices.Clone(w.s.Refunds)
	for i := range w.s.Refunds {
		if r := &w.s.Refunds[i]; r.Pending.Minor > 0 {
			if moved {
				r.Moved = r.Pending
			}
			r.Pending = w.cash(0)
			return
		}
	}
}

func (w *moneyWorld) staffShip() {
	if len(w.s.Held) > 0 && w.chance(50, "let go") {
		w.s.Held = nil
	}
	f := shopadmin.Fulfillment{ID: fmt.Sprintf("F%d", w.next()), Status: shopadmin.FulfillmentSuccess, CreatedAt: w.now}
	f.Tracking = []shopadmin.Tracking{{Company: "UPS", Number: "1Z" + f.ID}}
	for i, l := range w.s.Lines {
		if n := int(w.upTo(int64(l.Unfulfilled), "units")); n > 0 && len(w.s.Held) == 0 {
			f.Lines = append(f.Lines, shopadmin.FulfilledLine{Line: l.ID, Quantity: n})
			w.s.Lines[i].Unfulfilled -= n
		}
	}
	if len(f.Lines) > 0 {
		w.s.Fulfillments = append(w.s.Fulfillments, f)
	}
}

// takeBack cancels a fulfillment that the channel was not told of.
func (w *moneyWorld) takeBack() {
	for i, f := range w.s.Fulfillments {
		told := slices.ContainsFunc(w.ledger, func(e connector.Entry) bool { return e.Verb == ConfirmShipment && e.About == f.ID })
		if told || f.Status != shopadmin.FulfillmentSuccess || !w.s.CancelledAt.IsZero() {
			continue
		}
		w.s.Fulfillments = slices.Clone(w.s.Fulfillments)
		w.s.Fulfillments[i].Status = shopadmin.FulfillmentCancelled
		for _, fl := range f.Lines {
			for j := range w.s.Lines {
				if l := &w.s.Lines[j]; l.ID == fl.Line {
					l.Unfulfilled = min(l.Unfulfilled+fl.Quantity, l.Current)
				}
			}
		}
		return
	}
}

// refundThere is money the channel gives back by itself.
func (w *moneyWorld) refundThere() {
	l := w.m.Lines[w.upTo(int64(len(w.m.Lines)-1), "line")]
	k := part{l.ID, marketplace.Item}
	charged := w.worth()[k] * int64(l.Shipped) / int64(l.Ordered)
	amount := w.upTo(charged-w.given[k], "amount")
	if amount == 0 || l.Shipped == 0 || w.m.Lifecycle == marketplace.Cancelled {
		return
	}
	w.given[k] += amount
	w.foreign += amount
	w.shown = append(w.shown, marketplace.Refund{ID: fmt.Sprintf("R%d", w.next()), Order: w.m.ID, PostedAt: w.now, Amount: w.cash(amount)})
}

// pass lets time go by; what the channel has given back shows after a while.
func (w *moneyWorld) pass() {
	d := rapid.SampledFrom([]time.Duration{time.Second, 2 * time.Minute, 20 * time.Minute, 3 * time.Hour, 50 * time.Hour}).Draw(w.T, "time")
	w.now = w.now.Add(d)
	if d > time.Hour {
		w.shown, w.late = append(w.shown, w.late...), nil
	}
}

// turn plans and carries out what the plan says, as the loop and the lanes do.
func (w *moneyWorld) turn(rough bool) (did bool) {
	w.lanes(rough)
	d := w.plan()
	for _, p := range d.Proven {
		w.entry(p.Entry).State = connector.Proven
		did = true
	}
	for _, p := range d.Withdrawn {
		e := w.entry(p.Entry)
		e.State, e.Class = connector.Refused, Withdrawn
		did = true
	}
	for _, c := range d.Commands {
		w.intend(c, rough)
		did = true
	}
	return did
}

func (w *moneyWorld) plan() Decision {
	s := w.snapshot()
	d := Plan(s)
	require.Equal(w.T, d, Plan(s), "planning twice gives the same")
	require.False(w.T, d.Look, "everything was read just now")
	open := 0
	for _, c := range d.Commands {
		if instructs(c.Verb) {
			open++
		}
	}
	require.LessOrEqual(w.T, open, 1, "two money commands in one plan")
	return d
}

func (w *moneyWorld) entry(id int64) *connector.Entry {
	for i := range w.ledger {
		if w.ledger[i].ID == id {
			return &w.ledger[i]
		}
	}
	w.Fatalf("no entry %d", id)
	return nil
}

// intend writes a command down, as the ledger would allow it, and sends it.
func (w *moneyWorld) intend(c connector.Command, rough bool) {
	w.allowed(c)
	var e *connector.Entry
	doubted := false
	if c.Again != 0 {
		e = w.entry(c.Again)
		doubted = instructs(c.Verb) && (e.State == connector.Sent || e.State == connector.Unknown)
		e.Command, e.Attempts = c, e.Attempts+1
	} else {
		w.ledger = append(w.ledger, connector.Entry{ID: int64(w.next()), Command: c, Attempts: 1})
		e = &w.ledger[len(w.ledger)-1]
	}
	e.IntendedAt, e.Deadline = w.now, w.now.Add(30*time.Second)
	if e.State = connector.Sent; c.Lane != "" {
		e.State = connector.Queued
		return // it waits in its lane
	}
	w.send(e, rough, doubted)
}

// allowed checks what may be written into the ledger.
func (w *moneyWorld) allowed(c connector.Command) {
	for _, e := range w.ledger {
		if e.Key == c.Key {
			require.Equal(w.T, c.Again, e.ID, "the key %s is spent", c.Key)
		}
		require.False(w.T, c.Again == e.ID && (e.State == connector.Done || e.State == connector.Proven), "%s is done and sent again", c.Key)
		if c.Again == e.ID && instructs(c.Verb) && w.policy.Repeat[instructionOf(c).Op] != marketplace.RepeatNative {
			require.Equal(w.T, connector.Retry, e.State, "%s is sent again", c.Key)
		}
		if instructs(c.Verb) && instructs(e.Verb) && e.ID != c.Again {
			require.False(w.T, e.State.Open(), "%s while %s is %s", c.Key, e.Key, e.State)
		}
	}
	if !instructs(c.Verb) {
		return
	}
	in := instructionOf(c)
	require.Equal(w.T, c.Amount, in.Amount)
	if c.Verb != CancelMarket { // it takes the whole order, charges that belong to no line included
		require.Equal(w.T, c.Amount.Minor, partsOf(in), "%s: its parts", c.Key)
	}
	if c.Verb == RefundMarket {
		require.Positive(w.T, c.Amount.Minor, c.Key)
	}
	spent, sum := map[part]int64{}, w.foreign+c.Amount.Minor
	add := func(in marketplace.Instruction) {
		for _, l := range in.Lines {
			for _, p := range l.Parts {
				spent[part{l.Line, p.Kind}] += p.Amount.Minor + p.Tax.Minor
			}
		}
	}
	add(in)
	for _, e := range w.ledger {
		if instructs(e.Verb) && e.State.Spent() && e.ID != c.Again {
			add(instructionOf(e.Command))
			sum += e.Amount.Minor
		}
	}
	require.LessOrEqual(w.T, sum, w.paid(), "%s: more than the buyer paid", c.Key)
	for k, v := range spent {
		if k.kind == marketplace.Restocking {
			require.LessOrEqual(w.T, v, int64(0), "more is given back than was kept")
			continue
		}
		require.LessOrEqual(w.T, v, w.worth()[k], "%s: more than the buyer paid for %v", c.Key, k)
	}
}

// lanes sends what waits, after a last look at the order.
func (w *moneyWorld) lanes(rough bool) {
	for i := range w.ledger {
		e := &w.ledger[i]
		if e.State != connector.Queued || rough && w.chance(30, "the lane is slow") {
			continue
		}
		d := Plan(without(w.snapshot(), e.ID))
		if !slices.ContainsFunc(d.Commands, func(c connector.Command) bool { return sameInstruction(c, e.Command) }) {
			e.State, e.Class = connector.Refused, Withdrawn
			continue
		}
		e.IntendedAt, e.Deadline, e.Batch = w.now, w.now.Add(30*time.Second), 1
		w.send(e, rough, false)
	}
}

// send calls the other side; its answer may be lost. doubted: an earlier attempt may have worked.
func (w *moneyWorld) send(e *connector.Entry, rough, doubted bool) {
	how := "answered"
	if rough {
		how = rapid.SampledFrom([]string{"answered", "answered", "answered", "busy", "refused", "lost", "nothing came of it", "crash before", "crash after"}).Draw(w.T, "outcome of "+string(e.Verb))
	}
	if how == "refused" && w.worked[e.Key] {
		how = "answered" // whoever drops repeated keys does not refuse them
	}
	switch how {
	case "busy":
		if doubted {
			e.State = connector.Unknown // that says nothing of the attempt before
			break
		}
		e.State, e.RetryAt = connector.Retry, w.now.Add(time.Minute)
	case "refused":
		e.State, e.Class, e.Reason = connector.Refused, "odd", "no reason given"
	case "nothing came of it":
		e.State = connector.Unknown
	case "crash before":
		e.State = connector.Sent
	default:
		err := w.effect(e.Command)
		switch {
		case how == "lost":
			e.State = connector.Unknown
		case how == "crash after":
			e.State = connector.Sent
		case err != nil:
			e.State, e.Reason = connector.Refused, err.Error()
		default:
			e.State = connector.Done
		}
	}
	e.SettledAt = w.now
}

// calm lets everything come to its end: answers come, doubts are settled by a person who looks,
// announced money moves, holds are released.
func (w *moneyWorld) calm() {
	if w.m.Lifecycle == marketplace.Pending {
		w.m.Lifecycle = marketplace.Open
	}
	for range w.s.Refunds {
		w.pendingEnds(true)
	}
	w.wish(connector.WishRelease, "", nil)
	for range 60 {
		w.now = w.now.Add(3 * time.Hour)
		w.shown, w.late = append(w.shown, w.late...), nil
		did := w.turn(false)
		for i := range w.ledger {
			e := &w.ledger[i]
			if instructs(e.Verb) && e.Doubtful(w.now) {
				if e.State = connector.Refused; w.worked[e.Key] {
					e.State = connector.Done
				}
				e.Class, did = "resolved", true
			}
			did = did || e.State == connector.Queued
		}
		if !did {
			return
		}
	}
	w.Fatalf("it does not come to rest: %+v", w.plan().Commands)
}

// judge looks at both sides at rest.
func (w *moneyWorld) judge() {
	var sum int64
	for k, v := range w.given {
		sum += v
		if k.kind != marketplace.Restocking {
			require.LessOrEqual(w.T, v, w.worth()[k], "given for %v", k)
		}
	}
	require.LessOrEqual(w.T, sum, w.paid()+w.kept(), "given in all")
	if w.m.Lifecycle == marketplace.Cancelled {
		return // nothing was captured
	}
	d := w.plan()
	done, cut := map[string]int64{}, map[string]int{}
	for _, e := range w.ledger {
		if instructs(e.Verb) && e.State.Spent() {
			done[e.About] += e.Amount.Minor
			if e.Verb == CancelUnits {
				for _, l := range instructionOf(e.Command).Lines {
					cut[e.About] += l.Quantity
				}
			}
		}
	}
	p, lost := &planner{Snapshot: w.snapshot()}, int64(0)
	wanted := p.demands()
	for _, x := range wanted {
		if n := cut[x.about]; n > 0 { // the buyer was never charged for what was kept of these
			lost += int64(n) + max(-x.rest, 0)
		}
	}
	for _, x := range wanted {
		missing := x.total.Minor - done[x.about]
		switch {
		case -missing <= int64(cut[x.about]) && missing <= lost: // a unit's share may be rounded differently on either side
		case heldFor(d, x.about):
		default:
			w.Fatalf("%s wants %s, at the channel %d took effect and nothing is held: %+v\n%s", x.about, x.total, done[x.about], d.Holds, w.story())
		}
	}
	for about := range done {
		known := about == "order" || about == "rest" || slices.ContainsFunc(wanted, func(x demand) bool { return x.about == about })
		require.True(w.T, known, "%s was given back, which nobody asked for", about)
	}
}

// story is the world at a glance, for a failure.
func (w *moneyWorld) story() string {
	out := ""
	for _, l := range w.m.Lines {
		out += fmt.Sprintf("%s line %s: %d ordered, %d shipped, %d cancelled\n", w.m.Lifecycle, l.ID, l.Ordered, l.Shipped, l.Cancelled)
	}
	for _, r := range w.s.Refunds {
		out += fmt.Sprintf("store refund %s: %s, shipping %s, %q\n", r.ID, r.Moved, r.Shipping, r.Note)
		for _, l := range r.Lines {
			out += fmt.Sprintf("   %d of %s (%s): %s\n", l.Quantity, l.Line, l.Restock, l.Amount)
		}
	}
	for _, e := range w.ledger {
		out += fmt.Sprintf("%s %s %s %s %s\n", e.Key, e.Amount, e.State, e.Class, e.Reason)
	}
	return out
}

// kept is what refunds have kept back of the parts they name.
func (w *moneyWorld) kept() (sum int64) {
	for _, e := range w.ledger {
		if !w.worked[e.Key] || e.Verb != RefundMarket {
			continue
		}
		for _, l := range instructionOf(e.Command).Lines {
			for _, c := range l.Parts {
				if c.Kind == marketplace.Restocking {
					sum -= c.Amount.Minor
				}
			}
		}
	}
	return sum
}

// heldFor reports a hold that says why a demand is not met.
func heldFor(d Decision, about string) bool {
	return slices.ContainsFunc(d.Holds, func(h connector.Hold) bool {
		return h.About == about && h.Kind != "not_visible" || h.Kind == "cancel_refused" || h.Kind == "already_refunded" || h.Kind == "cancel_without_refund" || h.Kind == "approval_needed"
	})
}
