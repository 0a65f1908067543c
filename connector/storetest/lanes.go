package storetest

import (
	"encoding/json"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/money"
)

// feed is the lane of the stories.
var feed = connector.Subject{Kind: connector.KindLane, Channel: channel, ID: "refunds"}

// refund is a command that waits in the lane.
func refund(key string, minor int64) connector.Command {
	return connector.Command{Key: key, Verb: "refund", Side: connector.Market, About: "S1", Amount: money.New(minor, "EUR"),
		Body: json.RawMessage(`{"n":1}`), Why: "the store refunded it", Money: true, Lane: feed.ID, Site: "A1PA6795UKMFR9"}
}

// queued puts one command for each order into the lane.
func (s *story) queued(orders ...string) []connector.Entry {
	s.Helper()
	w := s.working(orders...)
	var out []connector.Entry
	for _, id := range orders {
		out = append(out, s.intend(nil, w[id], refund(id+"/refund", 1990), noon))
		s.release(w[id], noon, connector.Next{})
	}
	return out
}

// claimLane claims the lane, which must be all that is due.
func (s *story) claimLane(now time.Time) connector.Work {
	s.Helper()
	w := s.claimOne(now)
	s.Equal(feed, w.Subject)
	return w
}

func (s *story) waiting() []connector.Entry {
	s.Helper()
	all, err := s.store.Waiting(s.ctx, channel, feed.ID, 0)
	s.NoError(err)
	return all
}

func rows(entries []connector.Entry) []int64 {
	out := []int64{}
	for _, e := range entries {
		out = append(out, e.ID)
	}
	return out
}

func (s *story) reread(e connector.Entry) connector.Entry {
	s.Helper()
	got, err := s.store.Entry(s.ctx, e.ID)
	s.NoError(err)
	return got
}

var lanes = []chapter{
	{"a command with a lane waits there, and the lane is due", func(s *story) {
		w := s.working("A")["A"]
		e, err := s.store.Intend(s.ctx, w, refund("k", 1990), noon, later(10*time.Second), "hash")
		s.NoError(err)
		s.Equal(connector.Queued, e.State)
		s.Equal(1, e.Attempts)
		kept := s.entry("A")
		s.Equal(connector.Queued, kept.State)
		s.True(kept.Money)
		s.Equal(feed.ID, kept.Lane)
		s.Equal("A1PA6795UKMFR9", kept.Site)
		s.Equal("hash", kept.PlannedOn)
		s.same(later(10*time.Second), kept.Deadline)
		s.Zero(kept.Batch)
		s.Equal(kept, s.reread(e))

		lane := s.claimLane(noon)
		s.release(lane, noon, connector.Next{})
		s.intend(nil, w, refund("k2", 5), later(time.Second))
		s.same(later(time.Second), s.claimLane(later(time.Second)).LeaseUntil.Add(-time.Minute))
		s.Equal(rows(s.load("A").Entries), rows(s.waiting()))
	}},
	{"what is not intended makes no lane", func(s *story) {
		w := s.working("A")["A"]
		s.intend(connector.ErrLeaseLost, w, refund("k", 1), w.LeaseUntil)
		s.NoError(s.store.SetState(s.ctx, channel, connector.Paused, "", noon))
		s.intend(connector.ErrParked, w, refund("k", 1), noon)
		_, err := s.store.Load(s.ctx, feed)
		s.ErrorIs(err, connector.ErrNotFound)
	}},
	{"a lane is no order: lists and counts leave it out", func(s *story) {
		s.queued("A")
		w := s.claimLane(noon)
		s.release(w, noon, connector.Next{Wake: noon, Due: later(-time.Hour), Holds: []connector.Hold{{Kind: "feed", Level: connector.Blocks, Reason: "r"}},
			Summary: connector.Summary{PlacedAt: noon}})
		s.Equal([]string{"A"}, s.orders(connector.OrderFilter{}))
		s.Empty(s.orders(connector.OrderFilter{Held: true}))
		st, err := s.store.Stats(s.ctx, later(time.Hour))
		s.NoError(err)
		s.Equal(1, st.Subjects)
		s.Zero(st.Due)
		s.Zero(st.Deadlines)
		s.Equal(time.Hour, st.OldestQueued)
		s.Equal(1, st.Entries[connector.Queued])
		s.Equal(1, st.Holds["feed"], "but a person must see what holds it")
		days, err := s.store.Completeness(s.ctx, channel, noon, time.UTC)
		s.NoError(err)
		s.Empty(days)
		s.Equal("r", s.loadOf(feed).Holds[0].Reason)
	}},
	{"what waits can be withdrawn", func(s *story) {
		e := s.queued("A", "B")
		s.settle(e[0], connector.Outcome{State: connector.Refused, At: noon, Reason: "withdrawn"})
		s.Equal(rows(e[1:]), rows(s.waiting()))
	}},
	{"what surely did not happen waits again when it is meant again", func(s *story) {
		e := s.queued("A")[0]
		again := refund("A/refund", 2000)
		again.Again, again.Body = e.ID, json.RawMessage(`{"n":2}`)
		s.touch(later(time.Second), "A")
		w := s.claimOrder(later(time.Second), "A")
		s.intend(connector.ErrSpent, w, again, later(30*time.Second)) // it waits already, though its deadline has passed
		for _, st := range []connector.EntryState{connector.Refused, connector.Unknown, connector.Taken} {
			s.settle(e, connector.Outcome{State: st, At: noon})
			s.intend(connector.ErrSpent, w, again, later(30*time.Second))
		}
		s.settle(e, connector.Outcome{State: connector.Retry, At: noon})
		s.Empty(s.waiting())
		got := s.intend(nil, w, again, later(30*time.Second))
		s.Equal(connector.Queued, got.State)
		s.Equal(2, got.Attempts)
		s.Equal(money.New(2000, "EUR"), got.Amount)
		s.JSONEq(`{"n":2}`, string(got.Body))
		s.True(got.SettledAt.IsZero())
		s.Equal([]int64{e.ID}, rows(s.waiting()))
	}},
	{"entries wait in the order they were meant, a few at a time, per lane and channel", func(s *story) {
		e := s.queued("C", "A", "B")
		first, err := s.store.Waiting(s.ctx, channel, feed.ID, 2)
		s.NoError(err)
		s.Equal(rows(e[:2]), rows(first))
		s.Equal(order("C"), first[0].Subject)
		none, err := s.store.Waiting(s.ctx, channel, "other", 0)
		s.NoError(err)
		s.Empty(none)
		none, err = s.store.Waiting(s.ctx, "ebay", feed.ID, 0)
		s.NoError(err)
		s.Empty(none)
		_, err = s.store.Entry(s.ctx, e[2].ID+1000)
		s.ErrorIs(err, connector.ErrNotFound)
	}},
}

// claimOrder claims everything due and returns one order's claim.
func (s *story) claimOrder(now time.Time, id string) connector.Work {
	s.Helper()
	for _, w := range s.claim(now, 20) {
		if w.Subject == order(id) {
			return w
		}
	}
	s.Fail(id + " is not due")
	return connector.Work{}
}

func (s *story) loadOf(sub connector.Subject) connector.Record {
	s.Helper()
	r, err := s.store.Load(s.ctx, sub)
	s.NoError(err)
	return r
}
