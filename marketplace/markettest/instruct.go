package markettest

import (
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// takes skips the chapter unless the channel claims the instruction. A claim needs a way to give
// it, and refunds a way to be read.
func (s *story) takes(op marketplace.Operation) {
	s.Helper()
	s.need(slices.Contains(s.h.Adapter.Traits().Instructions, op), "instruction "+string(op))
	_, now := s.h.Adapter.(marketplace.Instructor)
	_, later := s.h.Adapter.(marketplace.Submitter)
	require.True(s, now || later, "%s is claimed, but cannot be given", op)
	s.refundReader()
}

func (s *story) refundReader() marketplace.RefundReader {
	s.Helper()
	r, ok := s.h.Adapter.(marketplace.RefundReader)
	require.True(s, ok, "instructions are claimed, but refunds cannot be read")
	return r
}

func (s *story) submitter() marketplace.Submitter {
	s.Helper()
	sub, ok := s.h.Adapter.(marketplace.Submitter)
	s.need(ok, "batches")
	return sub
}

// shipped is an order of which one unit of the first line has left.
func (s *story) shipped() marketplace.Order {
	s.Helper()
	id, o := s.placed()
	_, err := s.h.Adapter.ConfirmShipment(s.ctx, "ship/"+string(id), s.parcel(o, "1", marketplace.ShipmentLine{Line: o.Lines[0].ID, Quantity: 1}))
	require.NoError(s, err)
	s.settle()
	return s.read(id)
}

func (s *story) instruction(op marketplace.Operation, o marketplace.Order) marketplace.Instruction {
	return marketplace.Instruction{Op: op, Order: o.ID, Site: o.Site, Reason: s.h.Adapter.Traits().Reasons[op][""], Amount: money.New(0, o.Currency)}
}

func (s *story) cancel(o marketplace.Order) marketplace.Instruction {
	in := s.instruction(marketplace.OpCancel, o)
	for _, l := range o.Lines {
		in.Lines = append(in.Lines, marketplace.InstructionLine{Line: l.ID, Quantity: l.Ordered})
	}
	return in
}

// refund gives back one unit of the first line, with its share of everything.
func (s *story) refund(o marketplace.Order) marketplace.Instruction {
	s.Helper()
	l := o.Lines[0]
	out := marketplace.InstructionLine{Line: l.ID, Quantity: 1}
	for _, p := range l.Parts {
		net, err := p.Amount.Sub(p.Discount)
		require.NoError(s, err)
		if p.TaxIncluded {
			net, err = net.Sub(p.Tax)
			require.NoError(s, err)
		}
		unit := func(m money.Money) money.Money { return m.Split(1, int64(l.Ordered-1))[0] }
		out.Parts = append(out.Parts, marketplace.Component{Kind: p.Kind, Amount: unit(net), Tax: unit(p.Tax)})
	}
	in := s.instruction(marketplace.OpRefund, o)
	in.Lines = []marketplace.InstructionLine{out}
	in.Amount = worth(in.Lines)
	return in
}

// worth is what instruction lines come to, tax included.
func worth(lines []marketplace.InstructionLine) money.Money {
	var sum money.Money
	for _, l := range lines {
		for _, p := range l.Parts {
			sum, _ = money.Sum(sum, p.Amount, p.Tax)
		}
	}
	return sum
}

func number(all ...marketplace.Instruction) []marketplace.Message {
	var batch []marketplace.Message
	for i, in := range all {
		batch = append(batch, marketplace.Message{Number: i + 1, Key: string(in.Op) + "/" + string(in.Order), Instruction: in})
	}
	return batch
}

// instruct gives instructions of one lane and waits for a verdict on each.
func (s *story) instruct(all ...marketplace.Instruction) []marketplace.Verdict {
	s.Helper()
	batch := number(all...)
	if sub, ok := s.h.Adapter.(marketplace.Submitter); ok {
		lane := sub.Lane(all[0].Op)
		document, err := sub.Prepare(s.ctx, lane, batch)
		require.NoError(s, err)
		ticket, err := sub.Submit(s.ctx, lane, all[0].Site, document)
		require.NoError(s, err)
		return s.await(sub, lane, ticket, len(batch))
	}
	var out []marketplace.Verdict
	for _, m := range batch {
		_, err := s.h.Adapter.(marketplace.Instructor).Instruct(s.ctx, s.key(m.Instruction), m.Instruction)
		v := marketplace.Verdict{Number: m.Number, State: marketplace.VerdictAccepted}
		if err != nil {
			s.class(fault.Refused, err)
			v.State, v.Text = marketplace.VerdictRejected, err.Error()
		}
		out = append(out, v)
	}
	return out
}

// key is one that was not used before: each instruction is wanted for itself.
func (s *story) key(in marketplace.Instruction) string {
	s.keys++
	return fmt.Sprintf("%s/%s/%d", in.Op, in.Order, s.keys)
}

// instructor is a channel that answers at once.
func (s *story) instructor() marketplace.Instructor {
	s.Helper()
	ins, ok := s.h.Adapter.(marketplace.Instructor)
	s.need(ok, "instructions that are answered at once")
	return ins
}

// instructedAgain gives the same instruction under the same key once more and judges what the
// traits say of it. Where a second send acts a second time, nobody sends it.
func (s *story) instructedAgain(key string, in marketplace.Instruction) {
	s.Helper()
	class := s.h.Adapter.Traits().Repeat[in.Op]
	if class == marketplace.RepeatNone || class == "" {
		return
	}
	_, err := s.instructor().Instruct(s.ctx, key, in)
	if class == marketplace.RepeatNative {
		require.NoError(s, err, "the channel drops a repeated key")
	} else if err != nil {
		s.class(fault.Refused, err)
	}
	s.showsRefund(in)
}

// await asks for the results of a batch until they are there.
func (s *story) await(sub marketplace.Submitter, lane, ticket string, size int) []marketplace.Verdict {
	s.Helper()
	require.NotEmpty(s, ticket)
	var numbers []int
	for n := range size {
		numbers = append(numbers, n+1)
	}
	for range 200 {
		r, err := sub.Results(s.ctx, lane, ticket, numbers)
		switch {
		case fault.Is(err, fault.Temporary):
			s.pass(max(fault.After(err), time.Second))
			continue
		case err == nil && r.State == marketplace.BatchWaiting:
			s.pass(time.Minute)
			continue
		}
		require.NoError(s, err)
		require.Equal(s, marketplace.BatchDone, r.State, r.Text)
		require.Len(s, r.Verdicts, size, "one verdict for each message")
		slices.SortFunc(r.Verdicts, func(a, b marketplace.Verdict) int { return a.Number - b.Number })
		for i, v := range r.Verdicts {
			require.Equal(s, i+1, v.Number)
		}
		return r.Verdicts
	}
	s.Fatal("the batch does not end")
	return nil
}

// find asks for tickets until the channel's rate allows an answer.
func (s *story) find(sub marketplace.Submitter, lane, site string, since time.Time) []string {
	s.Helper()
	for range 50 {
		tickets, err := sub.Find(s.ctx, lane, site, since)
		if fault.Is(err, fault.Temporary) && s.h.Advance != nil {
			s.pass(max(fault.After(err), time.Second))
			continue
		}
		require.NoError(s, err)
		return tickets
	}
	s.Fatal("handed-in batches cannot be listed")
	return nil
}

func (s *story) accepted(all []marketplace.Verdict) {
	s.Helper()
	for _, v := range all {
		require.Equal(s, marketplace.VerdictAccepted, v.State, "%+v", v)
	}
}

// counts checks how often the channel itself says it gave money back.
func (s *story) counts(id marketplace.OrderID, want int) {
	s.Helper()
	if s.h.RefundCount != nil {
		require.Equal(s, want, s.h.RefundCount(id))
	}
}

// showsRefund checks that an order has exactly the refund that was asked for.
func (s *story) showsRefund(in marketplace.Instruction) {
	s.Helper()
	s.settle()
	s.pass(s.h.Adapter.Traits().RefundsIn)
	s.counts(in.Order, 1)
	all, err := s.refundReader().Refunds(s.ctx, in.Order)
	require.NoError(s, err)
	require.Len(s, all, 1)
	r := all[0]
	require.Equal(s, in.Order, r.Order)
	require.Equal(s, in.Amount, r.Amount, "what the buyer got, tax included")
	require.NotEmpty(s, r.ID)
	require.False(s, r.PostedAt.IsZero())
	if r.Untaxed.Currency != "" {
		require.LessOrEqual(s, r.Untaxed.Minor, r.Amount.Minor)
	}
	again, err := s.refundReader().Refunds(s.ctx, in.Order)
	require.NoError(s, err)
	require.Equal(s, all, again, "reading again says the same")
}

// listRefunds walks through the refunds of all orders since an instant.
func (s *story) listRefunds(since time.Time) map[marketplace.OrderID]marketplace.Refund {
	s.Helper()
	found := map[marketplace.OrderID]marketplace.Refund{}
	at := marketplace.Cursor{Since: since}
	for range 500 {
		p, err := s.refundReader().Refunded(s.ctx, at)
		if fault.Is(err, fault.Temporary) && s.h.Advance != nil {
			s.pass(max(fault.After(err), time.Second))
			continue
		}
		require.NoError(s, err)
		for _, r := range p.Refunds {
			found[r.Order] = r
		}
		if !p.More {
			require.Empty(s, p.Next.Token, "what a finished listing hands on is a watermark")
			require.False(s, p.Next.Since.Before(since))
			return found
		}
		require.NotEqual(s, at, p.Next, "pages go on")
		at = p.Next
	}
	s.Fatal("the listing does not end")
	return nil
}
