package storetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/money"
)

func eur(minor int64) money.Money { return money.New(minor, "EUR") }

// statement is the head of a payout with all there can be.
func statement(id string) connector.Payout {
	return connector.Payout{Account: channel, External: id, Currency: "EUR", Start: later(-48 * time.Hour), End: later(-24 * time.Hour),
		State: connector.PayoutPaid, PaidAt: later(-time.Hour), Opening: eur(100), Closing: eur(-50), Paid: eur(2150), Declared: 2,
		Source: "hash-of-" + id, BankRef: "NOTPROVIDED 77"}
}

// sale is a line with all there can be.
func sale(key, order string, minor int64) connector.PayoutLine {
	return connector.PayoutLine{Key: key, Category: "principal", NativeType: "ItemPrice", NativeText: "Principal", Amount: eur(minor),
		Order: order, Alias: "#1001", Item: "item-1", Refund: "adj-1", Shipment: "ship-1", SKU: "MUG", Quantity: 2, PostedAt: later(-30 * time.Hour)}
}

// book imports a payout and gives it as the store answered.
func (s *story) book(at time.Time, head connector.Payout, lines ...connector.PayoutLine) (connector.Payout, bool) {
	s.Helper()
	p, fresh, err := s.store.ImportPayout(s.ctx, func() time.Time { return at }, filling(head, lines...))
	s.NoError(err)
	return p, fresh
}

func filling(head connector.Payout, lines ...connector.PayoutLine) func(func(connector.Payout) error, func(connector.PayoutLine) error) error {
	return func(giveHead func(connector.Payout) error, giveLine func(connector.PayoutLine) error) error {
		if err := giveHead(head); err != nil {
			return err
		}
		for _, l := range lines {
			if err := giveLine(l); err != nil {
				return err
			}
		}
		return nil
	}
}

func (s *story) payouts(f connector.PayoutFilter) []connector.Payout {
	s.Helper()
	all, err := s.store.PayoutList(s.ctx, f)
	s.NoError(err)
	return all
}

// revisions names payouts as "number/revision", with a mark for what is superseded.
func (s *story) revisions(f connector.PayoutFilter) (out []string) {
	s.Helper()
	for _, p := range s.payouts(f) {
		name := fmt.Sprintf("%s/%d", p.External, p.Revision)
		if !p.SupersededAt.IsZero() {
			name += " superseded"
		}
		out = append(out, name)
	}
	return out
}

func (s *story) movements(ids ...int64) (out []connector.PayoutLine) {
	s.Helper()
	s.NoError(s.store.PayoutLines(s.ctx, connector.LineFilter{Payouts: ids}, func(l connector.PayoutLine) error {
		out = append(out, l)
		return nil
	}))
	return out
}

var errTorn = errors.New("the file is torn")

var payouts = []chapter{
	{"a payout comes back as it was imported, with what the store worked out", func(s *story) {
		p, fresh := s.book(noon, statement("P1"), sale("k1", "A", 2500), sale("k2", "B", -500))
		s.True(fresh)
		s.NotZero(p.ID)
		s.Len(p.Digest, 64)
		want := statement("P1")
		want.ID, want.Revision, want.Lines, want.Sum, want.Digest, want.ImportedAt = p.ID, 1, 2, eur(2000), p.Digest, noon
		s.Equal(want, p)
		s.Equal([]connector.Payout{want}, s.payouts(connector.PayoutFilter{}))
		gap, err := p.Gap()
		s.NoError(err)
		s.True(gap.IsZero())

		first, second := sale("k1", "A", 2500), sale("k2", "B", -500)
		first.Payout, first.No, second.Payout, second.No = p.ID, 1, p.ID, 2
		s.Equal([]connector.PayoutLine{first, second}, s.movements(p.ID))
	}},
	{"what a channel does not say stays unsaid, and a payout may have no lines", func(s *story) {
		p, fresh := s.book(noon, connector.Payout{Account: channel, External: "P1", Currency: "VND", State: connector.PayoutOpen})
		s.True(fresh)
		s.Equal(money.Money{}, p.Opening)
		s.Equal(money.New(0, "VND"), p.Sum)
		s.Equal([]connector.Payout{p}, s.payouts(connector.PayoutFilter{}))
		s.Empty(s.movements(p.ID))
		p, _ = s.book(noon, connector.Payout{Account: channel, External: "P2", Currency: "VND", State: connector.PayoutOpen},
			connector.PayoutLine{Amount: money.New(-7, "VND")})
		s.Equal([]connector.PayoutLine{{Payout: p.ID, No: 1, Amount: money.New(-7, "VND")}}, s.movements(p.ID))
	}},
	{"a payout counts as imported when its last line has come", func(s *story) {
		s.book(noon, statement("P1"))
		now := noon
		p, fresh, err := s.store.ImportPayout(s.ctx, func() time.Time { return now }, func(head func(connector.Payout) error, line func(connector.PayoutLine) error) error {
			s.NoError(head(statement("P1")))
			now = later(time.Hour)
			return line(sale("k1", "A", 1))
		})
		s.NoError(err)
		s.True(fresh)
		s.same(later(time.Hour), p.ImportedAt)
		s.Equal([]string{"P1/1"}, s.revisions(connector.PayoutFilter{AsOf: later(time.Hour - time.Microsecond)}))
		s.Equal([]string{"P1/2"}, s.revisions(connector.PayoutFilter{AsOf: later(time.Hour)}))
	}},
	{"the same contents digest alike in every store", func(s *story) {
		p, _ := s.book(noon, statement("P1"), sale("k1", "A", 2500), sale("k2", "Đơn hàng ấy", -500))
		s.Equal("f10503f7a7fe24b7deb0e60f0558a94d068ca1045d7302866530365664d04086", p.Digest)
	}},
	{"importing the same contents again changes nothing", func(s *story) {
		p, _ := s.book(noon, statement("P1"), sale("k1", "A", 2500), sale("k2", "B", -500))
		other := statement("P1")
		other.Source = "another file that says the same"
		again, fresh := s.book(later(time.Hour), other, sale("k1", "A", 2500), sale("k2", "B", -500))
		s.False(fresh)
		s.Equal(p, again)
		s.Equal([]connector.Payout{p}, s.payouts(connector.PayoutFilter{All: true}))
		s.Len(s.movements(p.ID), 2)

		theirs := statement("P1")
		theirs.Account = "amazon-fr"
		elsewhere, fresh := s.book(later(time.Hour), theirs, sale("k1", "A", 2500), sale("k2", "B", -500))
		s.True(fresh)
		s.Equal(1, elsewhere.Revision)
		s.Equal(p.Digest, elsewhere.Digest)
	}},
	{"whatever differs is other contents", func(s *story) {
		s.book(noon, statement("P"), sale("k", "A", 1))
		revision := 1
		differs := func(head connector.Payout, l ...connector.PayoutLine) {
			s.Helper()
			p, fresh := s.book(noon, head, l...)
			revision++
			s.True(fresh)
			s.Equal(revision, p.Revision)
		}
		for _, change := range []func(p *connector.Payout){
			func(p *connector.Payout) { p.State = connector.PayoutReturned },
			func(p *connector.Payout) { p.Opening = eur(101) },
			func(p *connector.Payout) { p.Closing = eur(0) },
			func(p *connector.Payout) { p.Closing = money.Money{} },
			func(p *connector.Payout) { p.Paid = eur(0) },
			func(p *connector.Payout) { p.PaidAt = time.Time{} },
			func(p *connector.Payout) { p.Start, p.End = p.End, p.Start },
			func(p *connector.Payout) { p.Declared = 3 },
			func(p *connector.Payout) { p.BankRef = "" },
		} {
			head := statement("P")
			change(&head)
			differs(head, sale("k", "A", 1))
		}
		for _, change := range []func(l *connector.PayoutLine){
			func(l *connector.PayoutLine) { l.Key = "" },
			func(l *connector.PayoutLine) { l.Category = "commission" },
			func(l *connector.PayoutLine) { l.NativeType, l.NativeText = l.NativeText, l.NativeType },
			func(l *connector.PayoutLine) { l.Amount = money.New(1, "USD") },
			func(l *connector.PayoutLine) { l.Order, l.Alias = l.Order+l.Alias, "" },
			func(l *connector.PayoutLine) { l.Item = "" },
			func(l *connector.PayoutLine) { l.Refund, l.Shipment = l.Shipment, l.Refund },
			func(l *connector.PayoutLine) { l.SKU = "mug" },
			func(l *connector.PayoutLine) { l.Quantity = -2 },
			func(l *connector.PayoutLine) { l.PostedAt = l.PostedAt.Add(time.Microsecond) },
		} {
			l := sale("k", "A", 1)
			change(&l)
			differs(statement("P"), l)
		}
		differs(statement("P"))
		differs(statement("P"), sale("k", "A", 1), sale("k2", "B", 2))
		differs(statement("P"), sale("k2", "B", 2), sale("k", "A", 1))
	}},
	{"a re-issued payout is the next revision and supersedes the one before", func(s *story) {
		one, _ := s.book(noon, statement("P1"), sale("k1", "A", 2500))
		two, fresh := s.book(later(time.Hour), statement("P1"), sale("k1", "A", 2400))
		s.True(fresh)
		s.Equal(2, two.Revision)
		s.True(two.SupersededAt.IsZero())
		s.Equal([]connector.Payout{two}, s.payouts(connector.PayoutFilter{}))
		all := s.payouts(connector.PayoutFilter{All: true})
		s.Len(all, 2)
		s.same(later(time.Hour), all[0].SupersededAt)
		all[0].SupersededAt = time.Time{}
		s.Equal([]connector.Payout{one, two}, all)
		s.Equal(eur(2500), s.movements(one.ID)[0].Amount, "the lines of the old one stay")

		three, fresh := s.book(later(2*time.Hour), statement("P1"), sale("k1", "A", 2500))
		s.True(fresh, "going back is a change too")
		s.Equal(3, three.Revision)
		s.Equal(one.Digest, three.Digest)
	}},
	{"lists show what was known at an instant", func(s *story) {
		s.book(noon, statement("P1"), sale("", "A", 1))
		s.book(later(time.Hour), statement("P2"), sale("", "B", 1))
		s.book(later(2*time.Hour), statement("P1"), sale("", "A", 2))
		for at, want := range map[time.Duration][]string{
			-time.Microsecond:              nil,
			0:                              {"P1/1"},
			time.Hour:                      {"P1/1", "P2/1"},
			2*time.Hour - time.Microsecond: {"P1/1", "P2/1"},
			2 * time.Hour:                  {"P2/1", "P1/2"},
			9 * time.Hour:                  {"P2/1", "P1/2"},
		} {
			s.Equal(want, s.revisions(connector.PayoutFilter{AsOf: later(at)}), at)
		}
		s.Equal([]string{"P1/1", "P2/1"}, s.revisions(connector.PayoutFilter{AsOf: later(time.Hour), All: true}))
		s.Equal([]string{"P1/1 superseded", "P2/1", "P1/2"}, s.revisions(connector.PayoutFilter{AsOf: later(2 * time.Hour), All: true}))
		s.Equal([]string{"P1/1 superseded", "P2/1", "P1/2"}, s.revisions(connector.PayoutFilter{All: true}))
		s.Equal([]string{"P2/1", "P1/2"}, s.revisions(connector.PayoutFilter{}))
	}},
	{"lists are narrowed by account, number and id, oldest import first", func(s *story) {
		late, _ := s.book(later(time.Hour), statement("P1"))
		early, _ := s.book(noon, statement(`P,"2'`))
		theirs := statement("P1")
		theirs.Account = "amazon-fr"
		french, _ := s.book(noon, theirs)
		s.Equal([]connector.Payout{early, french, late}, s.payouts(connector.PayoutFilter{}))
		s.Equal([]connector.Payout{french}, s.payouts(connector.PayoutFilter{Accounts: []connector.ConnectionID{"amazon-fr", "nobody"}}))
		s.Equal([]connector.Payout{early}, s.payouts(connector.PayoutFilter{External: []string{`P,"2'`}}))
		s.Equal([]connector.Payout{late}, s.payouts(connector.PayoutFilter{External: []string{"P1"}, Accounts: []connector.ConnectionID{channel}}))
		s.Equal([]connector.Payout{early, late}, s.payouts(connector.PayoutFilter{IDs: []int64{late.ID, early.ID, 999}}))
		s.Empty(s.payouts(connector.PayoutFilter{IDs: []int64{late.ID}, External: []string{"P3"}}))
	}},
	{"an import that fails leaves nothing behind", func(s *story) {
		old, _ := s.book(noon, statement("P1"), sale("k1", "A", 2500))
		many := slices.Repeat([]connector.PayoutLine{sale("", "A", 1)}, 1234)
		for _, id := range []string{"P1", "P2"} {
			_, fresh, err := s.store.ImportPayout(s.ctx, at(later(time.Hour)), func(head func(connector.Payout) error, line func(connector.PayoutLine) error) error {
				s.NoError(filling(statement(id), many...)(head, line))
				return errTorn
			})
			s.ErrorIs(err, errTorn)
			s.False(fresh)
		}
		s.Equal([]connector.Payout{old}, s.payouts(connector.PayoutFilter{All: true}))
		s.Len(s.movements(old.ID, old.ID+1, old.ID+2), 1)
		next, _ := s.book(later(time.Hour), statement("P1"), sale("k1", "A", 2400))
		s.Equal(2, next.Revision)
	}},
	{"an import that panics leaves nothing behind either", func(s *story) {
		s.Panics(func() {
			_, _, _ = s.store.ImportPayout(s.ctx, at(noon), func(head func(connector.Payout) error, line func(connector.PayoutLine) error) error {
				s.NoError(filling(statement("P1"), sale("", "A", 1))(head, line))
				panic("the reader of the file is at fault")
			})
		})
		s.Empty(s.payouts(connector.PayoutFilter{All: true}))
		_, fresh := s.book(noon, statement("P1"), sale("", "A", 1))
		s.True(fresh)
	}},
	{"an import ends with its context", func(s *story) {
		ctx, stop := context.WithCancel(s.ctx)
		_, _, err := s.store.ImportPayout(ctx, at(noon), func(head func(connector.Payout) error, line func(connector.PayoutLine) error) error {
			s.NoError(filling(statement("P1"), sale("", "A", 1))(head, line))
			stop()
			return line(sale("", "B", 1))
		})
		s.ErrorIs(err, context.Canceled)
		s.Empty(s.payouts(connector.PayoutFilter{All: true}))
		_, fresh := s.book(noon, statement("P1"), sale("", "A", 1))
		s.True(fresh)
	}},
	{"an import that is refused stays refused, whatever its filler makes of it", func(s *story) {
		refused := func(want error, fill func(head func(connector.Payout) error, line func(connector.PayoutLine) error)) {
			s.Helper()
			_, _, err := s.store.ImportPayout(s.ctx, at(noon), func(head func(connector.Payout) error, line func(connector.PayoutLine) error) error {
				fill(head, line)
				return nil
			})
			s.Error(err)
			if want != nil {
				s.ErrorIs(err, want)
			}
		}
		given := func(want error, head connector.Payout, lines ...connector.PayoutLine) {
			s.Helper()
			refused(want, func(h func(connector.Payout) error, l func(connector.PayoutLine) error) {
				_ = filling(head, lines...)(h, l)
			})
		}
		refused(nil, func(func(connector.Payout) error, func(connector.PayoutLine) error) {})
		refused(nil, func(head func(connector.Payout) error, line func(connector.PayoutLine) error) {
			_, _ = line(sale("", "A", 1)), head(statement("P1"))
		})
		refused(nil, func(head func(connector.Payout) error, _ func(connector.PayoutLine) error) {
			_, _ = head(statement("P1")), head(statement("P1"))
		})
		for _, spoil := range []func(p *connector.Payout){
			func(p *connector.Payout) { p.Account = "" },
			func(p *connector.Payout) { p.External = "" },
			func(p *connector.Payout) { p.Currency = "" },
			func(p *connector.Payout) { p.State = "superseded" },
			func(p *connector.Payout) { p.Declared = -1 },
		} {
			head := statement("P1")
			spoil(&head)
			given(nil, head)
		}
		dollars := statement("P1")
		dollars.Paid = money.New(1, "USD")
		given(money.ErrMismatch, dollars)
		given(money.ErrCurrency, statement("P1"), connector.PayoutLine{Key: "k"})
		given(money.ErrOverflow, statement("P1"), sale("a", "A", math.MaxInt64), sale("b", "A", 1))
		given(money.ErrOverflow, statement("P1"), sale("a", "A", math.MinInt64), sale("b", "A", -1))
		given(connector.ErrLineTwice, statement("P1"), sale("k", "A", 1), sale("k", "B", 2))
		s.Empty(s.payouts(connector.PayoutFilter{All: true}))
	}},
	{"equal made keys are numbered in the order of the lines, and no channel's key is like one", func(s *story) {
		made := connector.MadeKey("0a")
		lines := []connector.PayoutLine{sale(made, "B", 1), sale("k", "A", 1), sale(made, "A", 1), sale(connector.MadeKey("0b"), "A", 1), sale("", "A", 1), sale(made, "A", 1), sale("", "A", 1),
			sale(connector.ChannelKey(made), "A", 1)}
		p, _ := s.book(noon, statement("P1"), lines...)
		got := map[int]string{}
		for _, l := range s.movements(p.ID) {
			got[l.No] = l.Key
		}
		s.Equal(map[int]string{1: "=0a", 2: "k", 3: "=0a/1", 4: "=0b", 5: "", 6: "=0a/2", 7: "", 8: "==0a"}, got)
		again, fresh := s.book(later(time.Hour), statement("P1"), lines...)
		s.False(fresh)
		s.Equal(p.Digest, again.Digest)
		own := sale(connector.ChannelKey("=x"), "A", 1)
		_, _, err := s.store.ImportPayout(s.ctx, at(noon), filling(statement("P2"), own, own))
		s.ErrorIs(err, connector.ErrLineTwice)
	}},
	{"the lines of two revisions are compared by their keys", func(s *story) {
		made := connector.MadeKey("0a")
		moved := sale("k2", "A", 1)
		moved.Category = "commission"
		one, _ := s.book(noon, statement("P1"), sale("k1", "A", 1), sale("k2", "A", 1), sale("k3", "A", 1), sale(made, "A", 5), sale(made, "A", 5), sale("", "A", 1))
		two, _ := s.book(later(time.Hour), statement("P1"), sale(made, "A", 5), sale("k1", "A", 2), moved, sale("k4", "A", 1), sale("k5", "A", 1), sale("", "A", 2))
		for _, c := range []struct {
			older, newer int64
			want         connector.LineDifference
		}{{one.ID, two.ID, connector.LineDifference{Added: 2, Gone: 2, Changed: 2}}, {two.ID, one.ID, connector.LineDifference{Added: 2, Gone: 2, Changed: 2}},
			{one.ID, one.ID, connector.LineDifference{}}, {0, one.ID, connector.LineDifference{Added: 5}}} {
			got, err := s.store.Difference(s.ctx, c.older, c.newer)
			s.NoError(err)
			s.Equal(c.want, got)
		}
	}},
	{"lines in another currency are kept and not added", func(s *story) {
		foreign := sale("k2", "A", 99)
		foreign.Amount = money.New(99, "USD")
		p, _ := s.book(noon, statement("P1"), sale("k1", "A", math.MaxInt64), foreign)
		s.Equal(eur(math.MaxInt64), p.Sum)
		s.Equal(2, p.Lines)
		s.Equal(money.New(99, "USD"), s.movements(p.ID)[1].Amount)
	}},
	{"one payout imported by many at once is one revision", func(s *story) {
		const many = 6
		found := make([]connector.Payout, many)
		fresh := make([]bool, many)
		var all sync.WaitGroup
		for i := range many {
			all.Go(func() {
				var err error
				found[i], fresh[i], err = s.store.ImportPayout(s.ctx, at(noon), filling(statement("P1"), sale("k1", "A", 2500), sale("k2", "B", 1)))
				s.check(err == nil, err)
			})
		}
		all.Wait()
		news := 0
		for i := range many {
			s.Equal(found[0], found[i])
			if fresh[i] {
				news++
			}
		}
		s.Equal(1, news)
		s.Equal([]connector.Payout{found[0]}, s.payouts(connector.PayoutFilter{All: true}))
		s.Len(s.movements(found[0].ID), 2)
	}},
	{"different contents imported at once are revisions in some order, and one counts", func(s *story) {
		const many = 6
		var all sync.WaitGroup
		for i := range int64(many) {
			all.Go(func() {
				_, fresh, err := s.store.ImportPayout(s.ctx, at(noon), filling(statement("P1"), sale("k1", "A", i)))
				s.check(err == nil && fresh, err)
			})
		}
		all.Wait()
		s.Equal([]string{"P1/6"}, s.revisions(connector.PayoutFilter{}))
		s.Len(s.payouts(connector.PayoutFilter{All: true}), many)
	}},
}

// at is a clock that stands still.
func at(t time.Time) connector.Clock { return func() time.Time { return t } }
