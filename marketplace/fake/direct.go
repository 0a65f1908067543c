package fake

import (
	"context"
	"fmt"
	"time"

	"channelbridge/internal/fault"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// Direct is the same channel as one that takes single instructions and answers at once, charges
// with the order, and drops a key that it has seen. It takes no batches.
type Direct struct {
	readable
	m *Market
}

type readable interface {
	marketplace.Adapter
	marketplace.RefundReader
	marketplace.TransferSource
	marketplace.DeferralSource
}

var _ marketplace.Instructor = Direct{}

// Direct makes the channel charge with the order and returns it as one that answers at once.
func (m *Market) Direct() Direct {
	m.early = true
	return Direct{m, m}
}

// Traits of the channel.
func (d Direct) Traits() marketplace.Traits {
	t := d.m.Traits()
	t.CaptureOnShip = false
	for _, op := range t.Instructions {
		t.Repeat[op] = marketplace.RepeatNative
	}
	return t
}

// Instruct carries an instruction out, once per key. Its answer may be lost, and it may work only
// later, within Settle; until then the key is taken and nobody says for what.
func (d Direct) Instruct(ctx context.Context, key string, in marketplace.Instruction) (marketplace.Receipt, error) {
	m := d.m
	defer m.Hook("instruct-end")
	if err := m.call(ctx, "instruct"); err != nil {
		return marketplace.Receipt{}, err
	}
	m.OnInstruct(key, in)
	switch ref, known := m.keys[key]; {
	case known && ref == "":
		return marketplace.Receipt{}, fault.New(fault.Unknown, "fake channel instruct: it is being worked on")
	case known:
		return m.receipt(ref)
	case m.chance(m.Money.Reject):
		return marketplace.Receipt{}, fault.New(fault.Refused, "fake channel: busy, try again")
	case m.chance(m.Faults.Late):
		m.keys[key] = ""
		at := m.Clock().Add(time.Duration(m.Rand.Int64N(int64(m.Settle / 2)))).Truncate(time.Microsecond)
		m.later = append(m.later, late{at: at, do: func() { _, _ = m.carryNow(key, in) }})
		return marketplace.Receipt{}, fault.New(fault.Unknown, "fake channel instruct: no answer")
	}
	ref, err := m.carryNow(key, in)
	if err != nil {
		return marketplace.Receipt{}, fault.New(fault.Refused, "fake channel: %w", err)
	}
	return m.receipt(ref)
}

func (m *Market) receipt(ref string) (marketplace.Receipt, error) {
	if m.chance(m.Faults.Lost) {
		return marketplace.Receipt{}, fault.New(fault.Unknown, "fake channel instruct: answer lost")
	}
	return marketplace.Receipt{Ref: ref}, nil
}

// carryNow changes the world and remembers the key. What is refused leaves no trace.
func (m *Market) carryNow(key string, in marketplace.Instruction) (string, error) {
	delete(m.keys, key)
	if err := m.instruct(key, in); err != nil {
		return "", err
	}
	m.keys[key] = fmt.Sprintf("I%d", len(m.Instructed))
	return m.keys[key], nil
}

// cancelEarly cancels an order that was charged, and gives back what is left of that.
func (m *Market) cancelEarly(key string, in marketplace.Instruction, o marketplace.Order) error {
	rest, parts := o.Total.Minor, paidFor(o)
	for _, g := range m.given[o.ID] {
		rest -= g.Amount.Minor
	}
	for _, l := range o.Lines {
		if l.Shipped > 0 {
			return fmt.Errorf("order %s has shipped", o.ID)
		}
	}
	for k := range parts {
		parts[k] -= m.givenOf(o.ID, k)
	}
	o.Lifecycle, o.External = marketplace.Cancelled, "CANCELLED"
	m.Instructed = append(m.Instructed, Applied{m.now(), key, in, false})
	m.put(o)
	if rest > 0 {
		m.giveFor(key, o.ID, money.New(rest, o.Currency), money.Money{}, parts)
	}
	return nil
}

// giveBackUnits gives back what was charged for cancelled units, never more than is left.
func (m *Market) giveBackUnits(key string, in marketplace.Instruction, o marketplace.Order) {
	parts, sum, net := sums(in)
	for k, v := range parts {
		over := v + m.givenOf(o.ID, k) - paidFor(o)[k]
		if over > 0 {
			parts[k], sum = v-over, sum-over
		}
	}
	if sum > 0 {
		m.giveFor(key, o.ID, money.New(sum, o.Currency), money.New(net, o.Currency), parts)
	}
}

// giveFor is give with the key it was asked with.
func (m *Market) giveFor(key string, id marketplace.OrderID, amount, untaxed money.Money, parts map[string]int64) {
	m.give(id, amount, untaxed, parts, true)
	if n := len(m.given[id]); m.early {
		m.given[id][n-1].Ref = key
	}
}

// paidFor is what the buyer paid, by line and kind.
func paidFor(o marketplace.Order) map[string]int64 {
	paid := map[string]int64{}
	for _, l := range o.Lines {
		for _, c := range l.Parts {
			paid[l.ID+"/"+string(c.Kind)] += c.Amount.Minor - c.Discount.Minor + c.Tax.Minor
		}
	}
	return paid
}

// sums adds up an instruction: by part, in all, and in all before tax.
func sums(in marketplace.Instruction) (parts map[string]int64, sum, net int64) {
	parts = map[string]int64{}
	for _, l := range in.Lines {
		for _, c := range l.Parts {
			v := c.Amount.Minor + c.Tax.Minor
			sum, net = sum+v, net+c.Amount.Minor
			if c.Kind != marketplace.Restocking {
				parts[l.Line+"/"+string(c.Kind)] += v
			}
		}
	}
	return parts, sum, net
}
