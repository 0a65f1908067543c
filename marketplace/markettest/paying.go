package markettest

import (
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// longest is how long a transfer is on its way, and money held back, at most.
const longest = 30 * 24 * time.Hour

// paying is about transfers and deferrals: money on its way to the bank, and money that is not yet.
var paying = []chapter{
	{"a transfer is told at its start and at every change, and pays one statement", func(s *story) {
		src := s.transferring()
		began := s.h.Now().Add(-time.Minute)
		statement, amount := s.h.PayOut(s.T, false)
		last, words := s.follow(src, began, statement)
		require.Equal(s, []marketplace.TransferStatus{marketplace.TransferStarted, marketplace.TransferInTransit, marketplace.TransferPaid}, words)
		require.Equal(s, amount, last.Amount)
		require.NotEmpty(s, last.ID)
		require.NotEmpty(s, last.Word)
		require.Empty(s, last.Reason)
		require.WithinRange(s, last.CreatedAt, began, s.h.Now())
	}},
	{"a transfer that the bank refuses is told as failed", func(s *story) {
		src := s.transferring()
		began := s.h.Now().Add(-time.Minute)
		statement, amount := s.h.PayOut(s.T, true)
		last, words := s.follow(src, began, statement)
		require.Equal(s, marketplace.TransferFailed, last.Status)
		require.NotContains(s, words, marketplace.TransferPaid)
		require.Equal(s, amount, last.Amount, "what was meant to be sent")
		require.NotEmpty(s, last.Reason)
	}},
	{"the listing tells many transfers once each, whatever the pages", func(s *story) {
		src := s.transferring()
		began := s.h.Now()
		sent := map[string]money.Money{}
		for n := range s.h.Page + 3 {
			statement, amount := s.h.PayOut(s.T, n == 1)
			sent[statement] = amount
			s.pass(time.Minute)
		}
		all, _ := s.transfers(src, marketplace.Cursor{Since: began})
		ids := map[string]bool{}
		for _, t := range all {
			require.False(s, ids[t.ID], "transfer %s is told twice by one listing", t.ID)
			ids[t.ID] = true
			if amount, ours := sent[t.Statement]; ours {
				require.Equal(s, amount, t.Amount)
				delete(sent, t.Statement)
			}
		}
		require.Empty(s, sent)
	}},
	{"money held back is told as held, later as let go, and counts once", func(s *story) {
		src := s.deferring()
		at := marketplace.Cursor{Since: s.h.Now().Add(-time.Minute)}
		began := at.Since
		order, amount := s.h.HoldBack(s.T)
		s.settle()
		s.pass(s.h.Adapter.Traits().RefundsIn)
		known := map[string]marketplace.Deferral{}
		at = s.deferrals(src, at, known)
		held := s.one(known, order)
		require.Equal(s, amount, held.Amount)
		require.False(s, held.Released)
		require.True(s, held.ReleasedAt.IsZero())
		require.WithinRange(s, held.PostedAt, began, s.h.Now())
		if !held.Until.IsZero() {
			require.True(s, held.Until.After(held.PostedAt))
		}
		for waited := time.Duration(0); waited < longest && s.one(known, order).ReleasedAt.IsZero(); waited += 12 * time.Hour {
			s.pass(12 * time.Hour)
			at = s.deferrals(src, at, known)
		}
		free := s.one(known, order)
		require.True(s, free.Released)
		require.WithinRange(s, free.ReleasedAt, held.PostedAt, s.h.Now())
		require.Equal(s, held.ID, free.ID)
		held.Released, held.ReleasedAt = true, free.ReleasedAt
		require.Equal(s, held, free, "nothing else has changed")

		again := map[string]marketplace.Deferral{}
		s.deferrals(src, marketplace.Cursor{Since: began}, again)
		require.Equal(s, free, s.one(again, order), "who only now begins to look learns the same")
	}},
}

func (s *story) transferring() marketplace.TransferSource {
	s.Helper()
	src, ok := s.h.Adapter.(marketplace.TransferSource)
	s.need(ok && s.h.PayOut != nil && s.h.Advance != nil, "transfers")
	return src
}

func (s *story) deferring() marketplace.DeferralSource {
	s.Helper()
	src, ok := s.h.Adapter.(marketplace.DeferralSource)
	s.need(ok && s.h.HoldBack != nil && s.h.Advance != nil, "money held back")
	return src
}

// follow lists again and again, from where the last listing ended, until the transfer of a
// statement has come to its end. The results are what was told last, and every status in turn.
func (s *story) follow(src marketplace.TransferSource, began time.Time, statement string) (last marketplace.Transfer, words []marketplace.TransferStatus) {
	s.Helper()
	at := marketplace.Cursor{Since: began}
	for waited := time.Duration(0); waited < longest; waited += 3 * time.Hour {
		var all []marketplace.Transfer
		all, at = s.transfers(src, at)
		all = slices.DeleteFunc(all, func(t marketplace.Transfer) bool { return t.Statement != statement })
		require.Len(s, all, 1, "every listing tells of it, and once")
		t := all[0]
		if len(words) > 0 {
			require.Equal(s, last.ID, t.ID)
			require.Equal(s, last.CreatedAt, t.CreatedAt)
			require.False(s, t.ChangedAt.Before(last.ChangedAt))
			require.Equal(s, last.Status != t.Status, t.ChangedAt.After(last.ChangedAt), "the time is that of the status")
		}
		last, words = t, slices.Compact(append(words, t.Status))
		if t.Status == marketplace.TransferPaid || t.Status == marketplace.TransferFailed {
			return last, words
		}
		s.pass(3 * time.Hour)
	}
	s.Fatalf("the transfer does not come to its end: %v", words)
	return last, words
}

// transfers walks through one listing.
func (s *story) transfers(src marketplace.TransferSource, at marketplace.Cursor) (all []marketplace.Transfer, end marketplace.Cursor) {
	s.Helper()
	end = s.walk(at, func(c marketplace.Cursor) (marketplace.Cursor, bool, error) {
		p, err := src.Transfers(s.ctx, c)
		all = append(all, p.Transfers...)
		return p.Next, p.More, err
	})
	return all, end
}

// deferrals walks through one listing and joins what it tells to what is known.
func (s *story) deferrals(src marketplace.DeferralSource, at marketplace.Cursor, known map[string]marketplace.Deferral) marketplace.Cursor {
	s.Helper()
	return s.walk(at, func(c marketplace.Cursor) (marketplace.Cursor, bool, error) {
		p, err := src.Deferrals(s.ctx, c)
		ids := map[string]bool{}
		for _, d := range p.Deferrals {
			require.NotEmpty(s, d.ID)
			require.False(s, ids[d.ID], "a page tells each number once")
			ids[d.ID] = true
			if was, heard := known[d.ID]; heard {
				d = was.With(d)
			}
			known[d.ID] = d
		}
		return p.Next, p.More, err
	})
}

// one is the only deferral of an order.
func (s *story) one(known map[string]marketplace.Deferral, order marketplace.OrderID) (found marketplace.Deferral) {
	s.Helper()
	n := 0
	for _, d := range known {
		if d.Order == order {
			found, n = d, n+1
		}
	}
	require.Equal(s, 1, n, "the money of order %s stands under one number", order)
	return found
}

// walk asks for page after page, with patience, and returns where the next listing begins.
func (s *story) walk(at marketplace.Cursor, page func(marketplace.Cursor) (next marketplace.Cursor, more bool, err error)) marketplace.Cursor {
	s.Helper()
	for range 500 {
		next, more, err := page(at)
		if fault.Is(err, fault.Temporary) {
			s.pass(max(fault.After(err), time.Second))
			continue
		}
		require.NoError(s, err)
		if !more {
			require.Empty(s, next.Token, "what a finished listing hands on is a place in time")
			return next
		}
		require.NotEqual(s, at, next, "pages go on")
		at = next
	}
	s.Fatal("the listing does not end")
	return at
}
