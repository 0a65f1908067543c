package storetest

import (
	"fmt"
	"sync"

	"channelbridge/connector"
)

// oddOrders are order numbers in the order of their bytes.
var oddOrders = []string{"", " 1", "#1", "-", "0", "028-1", "028-10", "028-2", "10", "9", "A", "Z", "Zz", "_", "a", "a b", "a-b", "aB", "ab", "b",
	"z", "~", "Ä", "ä", "é", "Đơn", "đơn", "ơ", "ấ", "ấ1", "日本", "😀"}

var payoutLines = []chapter{
	{"lines come sorted by the bytes of the order, then payout, then number", func(s *story) {
		var first, second []connector.PayoutLine
		for i, o := range oddOrders {
			first = append(first, sale("", oddOrders[len(oddOrders)-1-i], 1), sale("", o, 2))
			second = append(second, sale("", o, 3))
		}
		one, _ := s.book(noon, statement("P1"), first...)
		two, _ := s.book(noon, statement("P2"), second...)
		other, _ := s.book(noon, statement("P3"), sale("", "A", 4))
		got := s.movements(two.ID, one.ID, 999, one.ID)
		s.Len(got, 3*len(oddOrders))
		for i, o := range oddOrders {
			three := got[3*i : 3*i+3]
			for _, l := range three {
				s.Equal(o, l.Order)
			}
			s.Equal([]int64{one.ID, one.ID, two.ID}, []int64{three[0].Payout, three[1].Payout, three[2].Payout}, o)
			s.Less(three[0].No, three[1].No, o)
		}
		s.Len(s.movements(other.ID), 1)
		s.Empty(s.movements())
		s.Empty(s.movements(999))
	}},
	{"lines of thousands of payouts", func(s *story) {
		p, _ := s.book(noon, statement("P1"), sale("", "A", 1))
		ids := make([]int64, 40_000)
		for i := range ids {
			ids[i] = int64(i)
		}
		s.Len(s.movements(ids...), 1)
		s.Len(s.payouts(connector.PayoutFilter{IDs: ids}), 1)
		s.Equal(p.ID, s.movements(ids...)[0].Payout)
	}},
	{"who takes no more lines gets no more, and the store goes on", func(s *story) {
		p, _ := s.book(noon, statement("P1"), s.manyLines(2000)...)
		for range 3 {
			taken := 0
			err := s.store.PayoutLines(s.ctx, connector.LineFilter{Payouts: []int64{p.ID}}, func(connector.PayoutLine) error {
				if taken++; taken == 10 {
					return errTorn
				}
				return nil
			})
			s.ErrorIs(err, errTorn)
			s.Equal(10, taken)
		}
		s.Len(s.movements(p.ID), 2000)
	}},
	{"the store may be asked while lines are handed over", func(s *story) {
		p, _ := s.book(noon, statement("P1"), sale("", "A", 1), sale("", "B", 2))
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				err := s.store.PayoutLines(s.ctx, connector.LineFilter{Payouts: []int64{p.ID}}, func(connector.PayoutLine) error {
					_, err := s.store.PayoutSources(s.ctx, "", 1)
					return err
				})
				s.check(err == nil, err)
			})
		}
		all.Wait()
	}},
	{"a large payout is imported whole", func(s *story) {
		const many = 20_000
		all := s.manyLines(many)
		p, fresh := s.book(noon, statement("P1"), all...)
		s.True(fresh)
		s.Equal(many, p.Lines)
		var sum int64
		for _, l := range all {
			sum += l.Amount.Minor
		}
		s.Equal(eur(sum), p.Sum)
		got := s.movements(p.ID)
		s.Len(got, many)
		for i, l := range got {
			want := all[l.No-1]
			want.Payout, want.No = p.ID, l.No
			if want != l || i > 0 && got[i-1].Order > l.Order {
				s.Equal(want, l)
			}
		}
		_, fresh = s.book(later(1), statement("P1"), all...)
		s.False(fresh)
	}},
	{"text that COPY would mistake comes back as it was", func(s *story) {
		var all []connector.PayoutLine
		for i, text := range []string{`\N`, `\.`, "a\tb", "a\nb\r", `back\slash`, `"quoted"`, "", "NULL", "\x01", "x\u2028y"} {
			l := sale(fmt.Sprint(i), "A", 1)
			l.NativeText, l.SKU = text, text
			all = append(all, l)
		}
		p, _ := s.book(noon, statement("P1"), all...)
		for i, l := range s.movements(p.ID) {
			s.Equal(all[i].NativeText, l.NativeText)
			s.Equal(all[i].SKU, l.SKU)
		}
	}},
}

// manyLines are lines of many orders, a few of each.
func (s *story) manyLines(n int) []connector.PayoutLine {
	out := make([]connector.PayoutLine, 0, n)
	for i := range n {
		out = append(out, sale(fmt.Sprint("key-", i), fmt.Sprintf("028-%07d", i*7919%(n/3+1)), int64(i%1000-300)))
	}
	return out
}
