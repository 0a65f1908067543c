package fake

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"channelbridge/internal/fault"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// MoneyFaults are the chances of each misbehaviour of batches, from 0 to 1.
type MoneyFaults struct {
	Fatal  float64 // the channel gives up on a batch after having done some, none or all of it
	Stuck  float64 // a batch never gets a verdict, whatever was done of it
	Reject float64 // a message is refused for no reason of ours
	Vague  float64 // the report does not tell of a message
}

// Lane is the one line in which the fake's instructions wait.
const (
	LaneCancel = "cancel"
	LaneAdjust = "adjust"
)

// Applied is one instruction that took effect.
type Applied struct {
	At    time.Time
	Key   string
	In    marketplace.Instruction
	Whole bool // a cancel that came after a shipment: the whole order was refunded
}

// handed is a batch that was handed in.
type handed struct {
	ticket, lane, site string
	at, ready          time.Time
	messages           []marketplace.Message
	verdicts           []marketplace.Verdict
	state              marketplace.BatchState
	carried            bool
}

// given is money given back on an order.
type given struct {
	marketplace.Refund
	shows time.Time // from when on it can be read
	parts map[string]int64
	ours  bool
}

// Lane names the line of an operation.
func (m *Market) Lane(op marketplace.Operation) string {
	if op == marketplace.OpCancel {
		return LaneCancel
	}
	return LaneAdjust
}

// Writable takes everything.
func (m *Market) Writable(string, marketplace.Message) error { return nil }

// Prepare keeps a document. Nothing happens by it.
func (m *Market) Prepare(ctx context.Context, _ string, batch []marketplace.Message) (string, error) {
	defer m.Hook("prepare-end")
	if err := m.call(ctx, "prepare"); err != nil {
		return "", err
	}
	doc := fmt.Sprintf("D%d", len(m.documents)+1)
	m.documents[doc] = slices.Clone(batch)
	return doc, nil
}

// Submit takes a document on; it is carried out some time later. A second submit of the same
// document is carried out a second time.
func (m *Market) Submit(ctx context.Context, lane, site, document string) (string, error) {
	defer m.Hook("submit-end")
	if err := m.call(ctx, "submit"); err != nil {
		return "", err
	}
	list, ok := m.documents[document]
	if !ok {
		return "", fault.New(fault.Refused, "fake channel: no document %s", document)
	}
	m.Submitted[document]++
	for _, msg := range list {
		m.OnInstruct(msg.Key, msg.Instruction)
	}
	b := &handed{ticket: fmt.Sprintf("T%d", len(m.handed)+1), lane: lane, site: site, at: m.Clock(), messages: list, state: marketplace.BatchDone}
	b.ready = b.at.Add(10*time.Second + time.Duration(m.Rand.Int64N(int64(max(m.Works, time.Second))))).Truncate(time.Microsecond) // databases keep no more
	m.handed = append(m.handed, b)
	if m.chance(m.Faults.Late) || m.chance(m.Faults.Lost) {
		return "", fault.New(fault.Unknown, "fake channel submit: no answer")
	}
	return b.ticket, nil
}

// Find lists what was handed in.
func (m *Market) Find(ctx context.Context, lane, site string, since time.Time) ([]string, error) {
	defer m.Hook("find-end")
	if err := m.call(ctx, "find"); err != nil {
		return nil, err
	}
	var out []string
	for _, b := range m.handed {
		if b.lane == lane && b.site == site && !b.at.Before(since) {
			out = append(out, b.ticket)
		}
	}
	return out, nil
}

// Results says what became of a batch.
func (m *Market) Results(ctx context.Context, _, ticket string, _ []int) (marketplace.Results, error) {
	defer m.Hook("results-end")
	if err := m.call(ctx, "results"); err != nil {
		return marketplace.Results{}, err
	}
	for _, b := range m.handed {
		if b.ticket == ticket {
			if !b.carried || b.state == marketplace.BatchWaiting {
				return marketplace.Results{State: marketplace.BatchWaiting}, nil
			}
			return marketplace.Results{State: b.state, Verdicts: b.verdicts}, nil
		}
	}
	return marketplace.Results{}, fault.New(fault.NotFound, "fake channel: no submission %s", ticket)
}

// work carries out the batches whose time has come.
func (m *Market) work() {
	if m.working {
		return
	}
	m.working = true
	defer func() { m.working = false }()
	now := m.Clock()
	for _, b := range m.handed {
		if b.carried || b.ready.After(now) {
			continue
		}
		b.carried = true
		fatal, stuck := m.chance(m.Money.Fatal), m.chance(m.Money.Stuck)
		m.asOfNow = b.ready
		for _, msg := range b.messages {
			m.carry(b, msg, fatal || stuck)
		}
		m.asOfNow = time.Time{}
		switch {
		case stuck:
			b.state = marketplace.BatchWaiting
		case fatal:
			b.state, b.verdicts = marketplace.BatchFatal, nil
		}
	}
}

// carry does one message, or half of the time nothing where the whole batch goes wrong.
func (m *Market) carry(b *handed, msg marketplace.Message, wrong bool) {
	if wrong && m.Rand.IntN(2) == 0 {
		return
	}
	v := marketplace.Verdict{Number: msg.Number, State: marketplace.VerdictAccepted}
	if m.chance(m.Money.Reject) {
		v.State, v.Code, v.Text = marketplace.VerdictRejected, "busy", "try again"
	} else if err := m.instruct(msg.Key, msg.Instruction); err != nil {
		v.State, v.Code, v.Text = marketplace.VerdictRejected, "rejected", err.Error()
	}
	if m.chance(m.Money.Vague) {
		v.State = marketplace.VerdictUnknown
	}
	b.verdicts = append(b.verdicts, v)
}

// instruct changes the world by one instruction, as an unforgiving channel does.
func (m *Market) instruct(key string, in marketplace.Instruction) error {
	e := m.orders[in.Order]
	if e == nil {
		return fmt.Errorf("no order %s", in.Order)
	}
	o := e.now
	o.Lines, o.Packages = slices.Clone(o.Lines), slices.Clone(o.Packages)
	if o.Lifecycle != marketplace.Open && (o.Lifecycle != marketplace.Closed || in.Op == marketplace.OpCancelUnits) {
		return fmt.Errorf("order %s is %s", in.Order, o.Lifecycle)
	}
	switch {
	case in.Op == marketplace.OpCancel && m.early:
		return m.cancelEarly(key, in, o)
	case in.Op == marketplace.OpCancel:
		return m.cancelAll(key, in, o)
	case in.Op == marketplace.OpCancelUnits:
		return m.cancelUnits(key, in, o)
	}
	return m.refund(key, in, o)
}

// cancelAll cancels an order. Once a unit has shipped it gives the order back instead: all that the
// buyer was charged, which is not what was cancelled before.
func (m *Market) cancelAll(key string, in marketplace.Instruction, o marketplace.Order) error {
	for _, l := range o.Lines {
		if l.Shipped > 0 {
			m.Instructed = append(m.Instructed, Applied{m.now(), key, in, true})
			m.give(o.ID, m.charged(o), money.Money{}, nil, true)
			return nil
		}
	}
	o.Lifecycle, o.External = marketplace.Cancelled, "CANCELLED"
	m.Instructed = append(m.Instructed, Applied{m.now(), key, in, false})
	m.put(o)
	return nil
}

// charged is an order's total without the units that an instruction has cancelled.
func (m *Market) charged(o marketplace.Order) money.Money {
	sum := o.Total
	for _, a := range m.Instructed {
		if a.In.Order == o.ID && a.In.Op == marketplace.OpCancelUnits {
			sum.Minor -= a.In.Amount.Minor
		}
	}
	return sum
}

func (m *Market) cancelUnits(key string, in marketplace.Instruction, o marketplace.Order) error {
	for _, il := range in.Lines {
		i := slices.IndexFunc(o.Lines, func(l marketplace.Line) bool { return l.ID == il.Line })
		if i < 0 || il.Quantity > o.Lines[i].Ordered-o.Lines[i].Cancelled-o.Lines[i].Shipped {
			return fmt.Errorf("line %s has not that many units left to ship", il.Line)
		}
		o.Lines[i].Cancelled += il.Quantity
	}
	active, left := 0, 0
	for _, l := range o.Lines {
		active += l.Ordered - l.Cancelled
		left += l.Ordered - l.Cancelled - l.Shipped
	}
	switch {
	case active == 0:
		o.Lifecycle, o.External = marketplace.Cancelled, "CANCELLED"
	case left == 0:
		o.Lifecycle, o.External = marketplace.Closed, "SHIPPED"
	}
	m.Instructed = append(m.Instructed, Applied{m.now(), key, in, false})
	m.put(o)
	if m.early {
		m.giveBackUnits(key, in, o)
	}
	return nil
}

// refund gives captured money back, never more of a part than the buyer paid for it. A second
// refund of what is left is paid: there is no protection against repetition.
func (m *Market) refund(key string, in marketplace.Instruction, o marketplace.Order) error {
	paid, shipped := paidFor(o), map[string]int{}
	for _, l := range o.Lines {
		shipped[l.ID] = l.Shipped
	}
	for _, il := range in.Lines {
		if shipped[il.Line] == 0 && !m.early {
			return fmt.Errorf("line %s has not shipped: there is nothing to give back", il.Line)
		}
	}
	parts, sum, net := sums(in)
	for k, v := range parts {
		if v+m.givenOf(o.ID, k) > paid[k] {
			return fmt.Errorf("%s: more than the buyer paid", k)
		}
	}
	if sum <= 0 {
		return fmt.Errorf("nothing to give back")
	}
	m.Instructed = append(m.Instructed, Applied{m.now(), key, in, false})
	m.giveFor(key, o.ID, money.New(sum, o.Currency), money.New(net, o.Currency), parts)
	return nil
}

func (m *Market) givenOf(id marketplace.OrderID, part string) (sum int64) {
	for _, g := range m.given[id] {
		sum += g.parts[part]
	}
	return sum
}

// give keeps a refund; it shows some time later.
func (m *Market) give(id marketplace.OrderID, amount, untaxed money.Money, parts map[string]int64, ours bool) {
	at := m.now()
	lag := time.Duration(0)
	if m.RefundLag > 0 {
		lag = time.Duration(m.Rand.Int64N(int64(m.RefundLag))).Truncate(time.Microsecond)
	}
	m.refundsMade++
	r := marketplace.Refund{ID: "R" + strconv.Itoa(m.refundsMade), Order: id, PostedAt: at, Amount: amount, Untaxed: untaxed}
	m.given[id] = append(m.given[id], given{Refund: r, shows: at.Add(lag), parts: parts, ours: ours})
	m.OnRefund(id, at)
}

// RefundThere is a refund made at the channel itself, of a share of one line's items. It reports
// how much was given back; zero when the channel would refuse.
func (m *Market) RefundThere(id marketplace.OrderID, line string, gross int64) int64 {
	m.flush()
	o := m.orders[id].now
	for _, l := range o.Lines {
		if l.ID != line || l.Shipped == 0 || o.Lifecycle == marketplace.Cancelled {
			continue
		}
		k, paid := line+"/"+string(marketplace.Item), int64(0)
		for _, c := range l.Parts {
			paid += c.Amount.Minor - c.Discount.Minor + c.Tax.Minor
		}
		if gross > 0 && gross+m.givenOf(id, k) <= paid {
			m.give(id, money.New(gross, o.Currency), money.Money{}, map[string]int64{k: gross}, false)
			return gross
		}
	}
	return 0
}

// Given is all money given back on an order, without faults and lag: ours and the channel's own.
func (m *Market) Given(id marketplace.OrderID) (ours, theirs []marketplace.Refund) {
	m.flush()
	for _, g := range m.given[id] {
		if g.ours {
			ours = append(ours, g.Refund)
		} else {
			theirs = append(theirs, g.Refund)
		}
	}
	return ours, theirs
}

// Shown counts the refunds made at the channel itself that could be read at an instant.
func (m *Market) Shown(id marketplace.OrderID, at time.Time) (n int) {
	for _, g := range m.given[id] {
		if !g.ours && !g.shows.After(at) {
			n++
		}
	}
	return n
}

// Refunds lists what shows of an order's refunds.
func (m *Market) Refunds(ctx context.Context, id marketplace.OrderID) ([]marketplace.Refund, error) {
	defer m.Hook("refunds-end")
	if err := m.call(ctx, "refunds"); err != nil {
		return nil, err
	}
	return m.showing(id), nil
}

func (m *Market) showing(id marketplace.OrderID) []marketplace.Refund {
	var out []marketplace.Refund
	for _, g := range m.given[id] {
		if !g.shows.After(m.Clock()) {
			out = append(out, g.Refund)
		}
	}
	return out
}

// Refunded lists refunds of all orders since the cursor.
func (m *Market) Refunded(ctx context.Context, after marketplace.Cursor) (marketplace.RefundPage, error) {
	defer m.Hook("refunded-end")
	if err := m.call(ctx, "refunded"); err != nil {
		return marketplace.RefundPage{}, err
	}
	var all []marketplace.Refund
	for id := range m.given {
		for _, r := range m.showing(id) {
			if r.PostedAt.After(after.Since) {
				all = append(all, r)
			}
		}
	}
	slices.SortFunc(all, func(a, b marketplace.Refund) int {
		return cmp.Or(a.PostedAt.Compare(b.PostedAt), cmp.Compare(a.ID, b.ID))
	})
	from, _ := strconv.Atoi(after.Token)
	from = min(from, len(all))
	to := min(from+pageSize, len(all))
	p := marketplace.RefundPage{Refunds: all[from:to], Next: marketplace.Cursor{Since: m.Clock()}}
	if to < len(all) {
		p.More, p.Next = true, marketplace.Cursor{Since: after.Since, Token: strconv.Itoa(to)}
	}
	return p, nil
}
