package storetest

import (
	"fmt"
	"sync"
	"time"

	"channelbridge/connector"
)

func act(about, body string, at time.Duration) connector.PayoutAct {
	return connector.PayoutAct{Account: channel, Kind: "finding", About: about, At: later(at), Actor: "ops", Body: []byte(body)}
}

// keepAct adds an act after another one and gives it as it is kept.
func (s *story) keepAct(want error, a connector.PayoutAct, after int64) (connector.PayoutAct, bool) {
	s.Helper()
	kept, fresh, err := s.store.KeepAct(s.ctx, a, after, connector.AuditEntry{At: a.At, Actor: a.Actor, Action: "finding", Subject: a.About})
	s.ErrorIs(err, want)
	return kept, fresh
}

func (s *story) acts(asOf time.Time) (out []string) {
	s.Helper()
	all, err := s.store.Acts(s.ctx, channel, asOf)
	s.NoError(err)
	for _, a := range all {
		out = append(out, a.About+"="+string(a.Body))
	}
	return out
}

func (s *story) auditLines() int {
	s.Helper()
	all, err := s.store.AuditEntries(s.ctx, 0, 1000)
	s.NoError(err)
	return len(all)
}

var payoutActs = []chapter{
	{"acts are listed in the order they were added, as they were known, with a line of the record each", func(s *story) {
		a := act("fi_1", "first", 0)
		a.Key = "token/1"
		kept, fresh := s.keepAct(nil, a, -1)
		s.True(fresh)
		s.NotZero(kept.ID)
		a.ID = kept.ID
		s.Equal(a, kept)
		s.keepAct(nil, act("fi_2", "second", time.Hour), -1)
		s.keepAct(nil, act("fi_1", "third", time.Hour), -1)
		theirs := act("fi_1", "theirs", 0)
		theirs.Account = "amazon-fr"
		s.keepAct(nil, theirs, -1)
		s.Empty(s.acts(later(-1)))
		s.Equal([]string{"fi_1=first"}, s.acts(noon))
		s.Equal([]string{"fi_1=first", "fi_2=second", "fi_1=third"}, s.acts(later(time.Hour)))
		s.Equal([]string{"fi_1=first", "fi_2=second", "fi_1=third"}, s.acts(time.Time{}))
		s.Equal(4, s.auditLines())
	}},
	{"an act with a known key is that act, and nothing else", func(s *story) {
		a := act("fi_1", "first", 0)
		a.Key = "token/1"
		first, _ := s.keepAct(nil, a, 0)
		a.At = later(time.Hour)
		again, fresh := s.keepAct(nil, a, 0)
		s.False(fresh)
		s.Equal(first, again)
		a.Body = []byte("other")
		s.keepAct(connector.ErrKeyReused, a, -1)
		s.keepAct(nil, act("fi_1", "first", 0), -1) // without a key it is a further one
		s.Equal([]string{"fi_1=first", "fi_1=first"}, s.acts(time.Time{}))
		s.Equal(2, s.auditLines())
	}},
	{"an act about something that somebody else has spoken of meanwhile is not added", func(s *story) {
		first, _ := s.keepAct(nil, act("fi_1", "first", 0), 0)
		s.keepAct(nil, act("fi_2", "elsewhere", 0), 0)
		s.keepAct(connector.ErrOvertaken, act("fi_1", "blind", 0), 0)
		s.keepAct(nil, act("fi_1", "second", 0), first.ID)
		s.keepAct(connector.ErrOvertaken, act("fi_1", "late", 0), first.ID)
		claim := act("fi_1", "another kind", 0)
		claim.Kind = "claim"
		s.keepAct(nil, claim, 0)
		s.Equal([]string{"fi_1=first", "fi_2=elsewhere", "fi_1=second", "fi_1=another kind"}, s.acts(time.Time{}))
		s.Equal(4, s.auditLines())
	}},
	{"the mark is another one once anything was added", func(s *story) {
		mark := func() string {
			s.Helper()
			m, err := s.store.PayoutMark(s.ctx)
			s.NoError(err)
			return m
		}
		seen := map[string]bool{mark(): true}
		for _, add := range []func(){
			func() { s.keepAct(nil, act("fi_1", "first", 0), -1) },
			func() { s.keepFacts(1, fact("A", "a1", 0)) },
			func() { s.book(noon, statement("P1")) },
			func() { s.book(noon, statement("P1"), sale("k", "A", 1)) },
			func() {
				_, err := s.store.KeepTariff(s.ctx, connector.Tariff{Account: channel, Key: "a", KnownAt: noon, Body: []byte("x")})
				s.NoError(err)
			},
		} {
			add()
			s.False(seen[mark()])
			s.Equal(mark(), mark())
			seen[mark()] = true
		}
		s.keepFacts(0, fact("A", "a1", 0))
		s.True(seen[mark()])
	}},
	{"of several who speak at once after the same act one is heard", func(s *story) {
		var all sync.WaitGroup
		heard := make([]bool, 8)
		for i := range heard {
			all.Go(func() {
				_, heard[i], _ = s.store.KeepAct(s.ctx, act("fi_1", fmt.Sprint(i), 0), 0, connector.AuditEntry{At: noon, Actor: "ops", Action: "finding"})
			})
		}
		all.Wait()
		n := 0
		for _, h := range heard {
			if h {
				n++
			}
		}
		s.Equal(1, n)
		s.Len(s.acts(time.Time{}), 1)
	}},
}
