package markettest

import (
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

var instructing = []chapter{
	{"a refund of a shipped unit is given back once and shows", func(s *story) {
		s.takes(marketplace.OpRefund)
		in := s.refund(s.shipped())
		s.accepted(s.instruct(in))
		s.showsRefund(in)
		found := s.listRefunds(s.h.Now().Add(-s.h.Adapter.Traits().RefundsIn - time.Hour))
		require.Contains(s, found, in.Order, "the listing of all orders' refunds shows it too")
	}},
	{"two refunds of one order are two", func(s *story) {
		s.takes(marketplace.OpRefund)
		o := s.shipped()
		in := s.refund(o)
		half := in
		half.Lines = []marketplace.InstructionLine{{Line: in.Lines[0].Line, Parts: []marketplace.Component{
			{Kind: marketplace.Item, Amount: money.New(100, o.Currency)}}}}
		half.Amount = money.New(100, o.Currency)
		for range 2 {
			s.accepted(s.instruct(half))
		}
		s.settle()
		s.pass(s.h.Adapter.Traits().RefundsIn)
		all, err := s.refundReader().Refunds(s.ctx, o.ID)
		require.NoError(s, err)
		require.Len(s, all, 2)
		require.NotEqual(s, all[0].ID, all[1].ID)
		require.False(s, all[1].PostedAt.Before(all[0].PostedAt), "oldest first")
	}},
	{"the listing tells the refunds of many orders, whatever the pages", func(s *story) {
		s.takes(marketplace.OpRefund)
		since := s.h.Now()
		var all []marketplace.Instruction
		for range s.h.Page + 1 {
			all = append(all, s.refund(s.shipped()))
		}
		s.accepted(s.instruct(all...))
		s.settle()
		s.pass(s.h.Adapter.Traits().RefundsIn)
		found := s.listRefunds(since)
		for _, in := range all {
			require.Equal(s, in.Amount, found[in.Order].Amount, "order %s", in.Order)
		}
	}},
	{"an order of which nothing has shipped is cancelled", func(s *story) {
		s.takes(marketplace.OpCancel)
		_, o := s.placed()
		s.accepted(s.instruct(s.cancel(o)))
		s.settle()
		require.Equal(s, marketplace.Cancelled, s.read(o.ID).Lifecycle)
		require.Zero(s, s.h.Shipments(o.ID))
	}},
	{"units that have not shipped are cancelled, the others stay", func(s *story) {
		s.takes(marketplace.OpCancelUnits)
		_, o := s.placed()
		in := s.instruction(marketplace.OpCancelUnits, o)
		in.Lines = []marketplace.InstructionLine{{Line: o.Lines[0].ID, Quantity: 1, Left: 1}}
		s.accepted(s.instruct(in))
		s.settle()
		after := s.read(o.ID)
		require.Equal(s, marketplace.Open, after.Lifecycle)
		require.Equal(s, 1, line(after, o.Lines[0].ID).Cancelled)
		require.Zero(s, line(after, o.Lines[1].ID).Cancelled)
	}},
	{"what is refused is told apart from what is done", func(s *story) {
		s.takes(marketplace.OpRefund)
		good, bad := s.refund(s.shipped()), s.refund(s.shipped())
		bad.Lines[0].Parts[0].Amount.Minor *= 100
		bad.Amount = worth(bad.Lines)
		verdicts := s.instruct(good, bad)
		require.Equal(s, marketplace.VerdictAccepted, verdicts[0].State, "%+v", verdicts)
		require.Equal(s, marketplace.VerdictRejected, verdicts[1].State, "%+v", verdicts)
		require.NotEmpty(s, verdicts[1].Text, "with the channel's reason")
		s.counts(good.Order, 1)
		s.counts(bad.Order, 0)
	}},
	{"nothing happens by preparing a batch", func(s *story) {
		s.takes(marketplace.OpRefund)
		sub := s.submitter()
		in, since := s.refund(s.shipped()), s.h.Now()
		lane := sub.Lane(in.Op)
		require.NotEmpty(s, lane)
		for range 2 {
			document, err := sub.Prepare(s.ctx, lane, number(in))
			require.NoError(s, err)
			require.NotEmpty(s, document)
		}
		s.pass(time.Hour)
		s.settle()
		s.counts(in.Order, 0)
		require.Empty(s, s.find(sub, lane, in.Site, since))
	}},
	{"a batch whose answer was lost is found, and done once", func(s *story) {
		s.takes(marketplace.OpRefund)
		sub := s.submitter()
		s.need(s.h.LoseNextInstruction != nil, "lost answer of a batch")
		in := s.refund(s.shipped())
		lane := sub.Lane(in.Op)
		document, err := sub.Prepare(s.ctx, lane, number(in))
		require.NoError(s, err)
		s.pass(time.Minute)
		since := s.h.Now()
		s.h.LoseNextInstruction()
		_, err = sub.Submit(s.ctx, lane, in.Site, document)
		s.class(fault.Unknown, err)
		tickets := s.find(sub, lane, in.Site, since)
		require.Len(s, tickets, 1)
		s.accepted(s.await(sub, lane, tickets[0], 1))
		s.showsRefund(in)
	}},
	{"an instruction whose answer was lost is unknown, and a later look tells", func(s *story) {
		s.takes(marketplace.OpRefund)
		ins := s.instructor()
		s.need(s.h.LoseNextInstruction != nil, "lost answer of an instruction")
		in := s.refund(s.shipped())
		s.h.LoseNextInstruction()
		_, err := ins.Instruct(s.ctx, "lost/"+string(in.Order), in)
		s.class(fault.Unknown, err)
		s.showsRefund(in)
		s.instructedAgain("lost/"+string(in.Order), in)
	}},
	{"the same instruction again does what the traits say", func(s *story) {
		s.takes(marketplace.OpRefund)
		in := s.refund(s.shipped())
		_, err := s.instructor().Instruct(s.ctx, "again/"+string(in.Order), in)
		require.NoError(s, err)
		s.instructedAgain("again/"+string(in.Order), in)
	}},
	{"an instruction that comes too fast leaves nothing behind", func(s *story) {
		s.takes(marketplace.OpRefund)
		ins := s.instructor()
		s.need(s.h.ThrottleNext != nil, "throttling")
		in := s.refund(s.shipped())
		s.h.ThrottleNext()
		_, err := ins.Instruct(s.ctx, "slow/"+string(in.Order), in)
		s.class(fault.Temporary, err)
		s.counts(in.Order, 0)
		s.need(s.h.Advance != nil, "clock, so the second half is left out")
		s.pass(max(fault.After(err), time.Minute))
		_, err = ins.Instruct(s.ctx, "slow/"+string(in.Order), in)
		require.NoError(s, err)
		s.showsRefund(in)
	}},
	{"what was charged with the order is refunded before it ships", func(s *story) {
		s.takes(marketplace.OpRefund)
		s.need(!s.h.Adapter.Traits().CaptureOnShip, "charge before the shipment")
		_, o := s.placed()
		in := s.refund(o)
		s.accepted(s.instruct(in))
		s.showsRefund(in)
		require.Equal(s, marketplace.Open, s.read(o.ID).Lifecycle, "money alone cancels nothing")
	}},
	{"a batch that comes too fast is not handed in", func(s *story) {
		s.takes(marketplace.OpRefund)
		sub := s.submitter()
		s.need(s.h.ThrottleNext != nil, "throttling")
		in := s.refund(s.shipped())
		lane := sub.Lane(in.Op)
		document, err := sub.Prepare(s.ctx, lane, number(in))
		require.NoError(s, err)
		s.h.ThrottleNext()
		_, err = sub.Submit(s.ctx, lane, in.Site, document)
		s.class(fault.Temporary, err)
		s.counts(in.Order, 0)
		s.need(s.h.Advance != nil, "clock, so the second half is left out")
		s.pass(max(fault.After(err), time.Minute))
		ticket, err := sub.Submit(s.ctx, lane, in.Site, document)
		require.NoError(s, err)
		s.accepted(s.await(sub, lane, ticket, 1))
		s.counts(in.Order, 1)
	}},
}
