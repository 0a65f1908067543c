package storetest

import (
	"encoding/json"
	"errors"
	"sync"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/money"
)

var ledger = []chapter{
	{"an intent is committed in state sent before anything leaves", func(s *story) {
		w := s.working("A")["A"]
		c := command("A/refund/1")
		c.Amount, c.Due = money.New(1990, "EUR"), later(time.Hour)
		e, err := s.store.Intend(s.ctx, w, c, noon, later(10*time.Second), "hash")
		s.NoError(err)
		s.Equal(connector.Sent, e.State)
		s.Equal(1, e.Attempts)

		kept := s.entry("A")
		s.Equal(e.ID, kept.ID)
		s.Equal(order("A"), kept.Subject)
		s.Equal(c.Key, kept.Key)
		s.Equal(c.Verb, kept.Verb)
		s.Equal(c.Side, kept.Side)
		s.Equal(c.About, kept.About)
		s.Equal(c.Amount, kept.Amount)
		s.Equal(c.Why, kept.Why)
		s.JSONEq(string(c.Body), string(kept.Body))
		s.Equal("hash", kept.PlannedOn)
		s.same(c.Due, kept.Due)
		s.same(noon, kept.IntendedAt)
		s.same(later(10*time.Second), kept.Deadline)
		s.True(kept.SettledAt.IsZero())
	}},
	{"a key is spent for ever, whoever asks", func(s *story) {
		w := s.working("A", "B")
		s.intend(nil, w["A"], command("key"), noon)
		s.intend(connector.ErrSpent, w["A"], command("key"), noon)
		s.intend(connector.ErrSpent, w["B"], command("key"), noon)
		s.intend(nil, w["B"], command("other"), noon)
	}},
	{"what was given up is not opened again by a call that was not made", func(s *story) {
		w := s.working("A")["A"]
		e := s.intend(nil, w, command("key"), noon)
		s.settle(e, connector.Outcome{State: connector.Refused, At: noon, Class: "withdrawn"})
		s.settle(e, connector.Outcome{State: connector.Retry, Attempt: 1, At: noon, Class: "temporary"})
		s.Equal(connector.Refused, s.entry("A").State)
		s.settle(e, connector.Outcome{State: connector.Done, Attempt: 1, At: noon})
		s.Equal(connector.Done, s.entry("A").State, "that it happened is never lost")
	}},
	{"a late word about what was given up has the order looked at again", func(s *story) {
		w := s.working("A")["A"]
		e := s.intend(nil, w, command("key"), noon)
		s.settle(e, connector.Outcome{State: connector.Refused, At: noon, Class: "withdrawn"})
		s.release(w, noon, connector.Next{Final: true})
		s.settle(e, connector.Outcome{State: connector.Retry, Attempt: 1, At: later(time.Hour)})
		s.settle(e, connector.Outcome{State: connector.Refused, At: later(time.Hour), Class: "withdrawn"})
		s.Empty(s.claim(later(time.Hour), 10), "nothing new")
		s.settle(e, connector.Outcome{State: connector.Done, Attempt: 1, At: later(time.Hour)})
		s.claimOne(later(time.Hour))
	}},
	{"what was refused may be tried again when a person says so", func(s *story) {
		w := s.working("A")["A"]
		e := s.intend(nil, w, command("key"), noon)
		s.settle(e, connector.Outcome{State: connector.Refused, At: noon, Reason: "no"})
		s.release(w, noon, connector.Next{})
		c := command("key")
		c.Again = e.ID
		n, err := s.store.Reopen(s.ctx, order("A"), later(time.Hour), "try again")
		s.NoError(err)
		s.Equal(1, n)
		s.Equal(connector.Retry, s.entry("A").State)
		s.Contains(s.notes("A"), "try again")
		s.intend(nil, s.claimOne(later(time.Hour)), c, later(time.Hour))
		n, err = s.store.Reopen(s.ctx, order("A"), later(time.Hour), "again")
		s.NoError(err)
		s.Zero(n, "only what was refused")
		_, err = s.store.Reopen(s.ctx, order("nobody"), noon, "")
		s.ErrorIs(err, connector.ErrNotFound)
	}},
	{"a late answer of an earlier attempt says nothing about the last unless it worked", func(s *story) {
		w := s.working("A")["A"]
		first := s.intend(nil, w, command("key"), noon)
		s.settle(first, connector.Outcome{State: connector.Unknown, Attempt: 1, At: noon})
		c := command("key")
		c.Again = first.ID
		again := s.intend(nil, w, c, noon)
		s.Equal(2, again.Attempts)
		s.settle(first, connector.Outcome{State: connector.Retry, Attempt: 1, At: noon})
		s.Equal(connector.Sent, s.entry("A").State)
		s.settle(first, connector.Outcome{State: connector.Done, Attempt: 1, At: noon})
		s.Equal(connector.Done, s.entry("A").State)
	}},
	{"of many who intend the same key at once one may send", func(s *story) {
		w := s.working("A")
		var mu sync.Mutex
		won := 0
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				_, err := s.store.Intend(s.ctx, w["A"], command("key"), noon, later(time.Second), "")
				if err != nil {
					s.check(errors.Is(err, connector.ErrSpent), err)
					return
				}
				mu.Lock()
				won++
				mu.Unlock()
			})
		}
		wg.Wait()
		s.Equal(1, won)
	}},
	{"an old token cannot write, nor can a lease that is over", func(s *story) {
		old := s.working("A")["A"]
		s.intend(connector.ErrLeaseLost, old, command("late"), old.LeaseUntil)
		now := s.claimOne(later(time.Minute))
		s.intend(connector.ErrLeaseLost, old, command("k"), later(time.Minute))
		s.intend(nil, now, command("k"), later(time.Minute))
		s.release(now, later(time.Minute), connector.Next{})
		s.intend(connector.ErrLeaseLost, now, command("k2"), later(time.Minute))
		stranger := connector.Work{Subject: order("nobody"), Token: 1}
		s.intend(connector.ErrLeaseLost, stranger, command("k3"), noon)
	}},
	{"nothing is intended for a connection that is not active", func(s *story) {
		w := s.working("A")["A"]
		for _, id := range []connector.ConnectionID{channel, shop} {
			for _, state := range []connector.State{connector.Paused, connector.Disconnected} {
				s.NoError(s.store.SetState(s.ctx, id, state, "test", noon))
				s.intend(connector.ErrParked, w, command("k"), noon)
			}
			s.NoError(s.store.SetState(s.ctx, id, connector.Active, "", noon))
		}
		s.intend(nil, w, command("k"), noon)

		foreign := connector.Subject{Kind: connector.KindOrder, Channel: "unconfigured", ID: "X"}
		s.NoError(s.store.Touch(s.ctx, noon, connector.Touch{Subject: foreign, Side: connector.Market}))
		x, err := s.store.Claim(s.ctx, noon, 1, time.Minute, []connector.ConnectionID{"unconfigured"})
		s.NoError(err)
		s.intend(connector.ErrParked, x[0], command("x"), noon)
	}},
	{"an attempt is made again only when it may be", func(s *story) {
		w := s.working("A")["A"]
		c := command("k")
		e := s.intend(nil, w, c, noon)
		c.Again = e.ID
		s.intend(connector.ErrSpent, w, c, noon)     // under way
		s.intend(connector.ErrSpent, w, c, deadline) // may leave at the last moment
		for _, st := range []connector.EntryState{connector.Taken, connector.Refused} {
			s.settle(e, connector.Outcome{State: st, At: noon})
			s.intend(connector.ErrSpent, w, c, noon)
		}
		s.settle(e, connector.Outcome{State: connector.Unknown, At: noon})
		s.Equal(2, s.intend(nil, w, c, noon).Attempts)
		s.settle(e, connector.Outcome{State: connector.Retry, At: noon, RetryAt: later(time.Second), Class: "temporary"})
		s.same(later(time.Second), s.entry("A").RetryAt)
		again := s.intend(nil, w, c, later(time.Second))
		s.Equal(3, again.Attempts)
		s.True(again.RetryAt.IsZero())
		s.True(again.SettledAt.IsZero())
		s.Equal(4, s.intend(nil, w, c, later(30*time.Second)).Attempts) // its deadline has passed
		s.settle(e, connector.Outcome{State: connector.Done, At: noon})
		s.intend(connector.ErrSpent, w, c, later(50*time.Second))
	}},
	{"what may have happened is repeated word for word", func(s *story) {
		w := s.working("A")["A"]
		c := command("k")
		e := s.intend(nil, w, c, noon)
		c.Again, c.Body = e.ID, json.RawMessage(`{"other":true}`)
		s.settle(e, connector.Outcome{State: connector.Unknown, At: noon})
		s.JSONEq(`{"n":1}`, string(s.intend(nil, w, c, noon).Body))
		s.settle(e, connector.Outcome{State: connector.Retry, At: noon})
		s.JSONEq(`{"other":true}`, string(s.intend(nil, w, c, noon).Body))
		s.JSONEq(`{"other":true}`, string(s.entry("A").Body))
	}},
	{"only an entry of the same order and key is sent again", func(s *story) {
		w := s.working("A", "B")
		e := s.intend(nil, w["A"], command("k"), noon)
		s.settle(e, connector.Outcome{State: connector.Retry, At: noon})
		c := command("k")
		c.Again = e.ID
		s.intend(connector.ErrSpent, w["B"], c, noon)
		c.Again = e.ID + 1000
		s.intend(connector.ErrSpent, w["A"], c, noon)
		c = command("elsewhere")
		c.Again = e.ID
		s.intend(connector.ErrSpent, w["A"], c, noon)
	}},
	{"an outcome is kept", func(s *story) {
		w := s.working("A")["A"]
		e := s.intend(nil, w, command("k"), noon)
		s.settle(e, connector.Outcome{State: connector.Refused, At: later(time.Second), Ref: "r-1", Class: "refused", Reason: "no such carrier", Note: "refused by the channel"})
		kept := s.entry("A")
		s.Equal(connector.Refused, kept.State)
		s.same(later(time.Second), kept.SettledAt)
		s.Equal("r-1", kept.Ref)
		s.Equal("refused", kept.Class)
		s.Equal("no such carrier", kept.Reason)
		s.Equal([]string{"refused by the channel"}, s.notes("A"))
		s.ErrorIs(s.store.Settle(s.ctx, e.ID+1000, connector.Outcome{State: connector.Done, At: noon}), connector.ErrNotFound)
	}},
	{"done and proven are never taken back", func(s *story) {
		w := s.working("A")["A"]
		e := s.intend(nil, w, command("k"), noon)
		s.settle(e, connector.Outcome{State: connector.Done, At: later(time.Second), Ref: "r-1", Note: "confirmed"})
		for _, st := range []connector.EntryState{connector.Unknown, connector.Retry, connector.Refused, connector.Taken, connector.Done} {
			s.settle(e, connector.Outcome{State: st, At: later(time.Minute), Note: "too late"})
			s.Equal(connector.Done, s.entry("A").State)
		}
		s.settle(e, connector.Outcome{State: connector.Proven, At: later(time.Hour), Note: "seen"})
		s.Equal(connector.Proven, s.entry("A").State)
		s.same(later(time.Second), s.entry("A").SettledAt) // when it was confirmed, not when it was seen
		s.Equal("r-1", s.entry("A").Ref)
		s.settle(e, connector.Outcome{State: connector.Done, At: later(2 * time.Hour), Note: "too late"})
		s.Equal(connector.Proven, s.entry("A").State)
		s.Equal([]string{"confirmed", "seen"}, s.notes("A"))
	}},
	{"a create ties the mirror and may bring its first snapshot", func(s *story) {
		w := s.working("A")["A"]
		e := s.intend(nil, w, command("k"), noon)
		o := read(connector.Shop, "A", noon, noon, "created")
		o.Shop = mirror("gid/1")
		s.settle(e, connector.Outcome{State: connector.Done, At: noon, Shop: mirror("gid/1"), Observed: &o})
		r := s.load("A")
		s.Equal(mirror("gid/1"), r.Shop)
		s.Equal("created", string(r.Store.Body))
		s.Greater(r.Revision, w.Revision, "what the answer told is news")
		s.settle(e, connector.Outcome{State: connector.Done, At: noon, Shop: mirror("gid/2")})
		s.Equal(mirror("gid/1"), s.load("A").Shop)
	}},
	{"entries are loaded oldest first", func(s *story) {
		w := s.working("A")["A"]
		for _, k := range []string{"k3", "k1", "k2"} {
			s.intend(nil, w, command(k), noon)
		}
		var keys []string
		for _, e := range s.load("A").Entries {
			keys = append(keys, e.Key)
		}
		s.Equal([]string{"k3", "k1", "k2"}, keys)
	}},
}

// deadline is that of every intent made at noon.
var deadline = later(10 * time.Second)

func command(key string) connector.Command {
	return connector.Command{Key: key, Verb: "confirm-shipment", Side: connector.Market, About: "F81",
		Body: json.RawMessage(`{"n":1}`), Why: "the store shipped it"}
}

// works is claimed work by order.
type works map[string]connector.Work

// working makes orders due and claims them.
func (s *story) working(ids ...string) works {
	s.Helper()
	s.touch(noon, ids...)
	out := works{}
	for _, w := range s.claim(noon, len(ids)) {
		out[w.Subject.ID] = w
	}
	s.Len(out, len(ids))
	return out
}

func (s *story) intend(want error, w connector.Work, c connector.Command, at time.Time) connector.Entry {
	s.Helper()
	e, err := s.store.Intend(s.ctx, w, c, at, at.Add(10*time.Second), "")
	if want == nil {
		s.NoError(err)
	} else {
		s.ErrorIs(err, want)
	}
	return e
}

func (s *story) settle(e connector.Entry, o connector.Outcome) {
	s.Helper()
	s.NoError(s.store.Settle(s.ctx, e.ID, o))
}

// entry is the only one of an order.
func (s *story) entry(id string) connector.Entry {
	s.Helper()
	all := s.load(id).Entries
	s.Len(all, 1)
	return all[0]
}
