package storetest

import (
	"sync"
	"sync/atomic"
	"time"

	"channelbridge/connector"
)

const site = "A1PA6795UKMFR9"

func (s *story) form(want error, w connector.Work, at time.Time, entries ...connector.Entry) connector.Batch {
	s.Helper()
	b, err := s.store.Form(s.ctx, w, connector.Batch{Site: site}, rows(entries), at)
	s.ErrorIs(err, want)
	return b
}

func (s *story) step(want error, w connector.Work, b connector.Batch, st connector.BatchStep) connector.Batch {
	s.Helper()
	if st.At.IsZero() {
		st.At = later(time.Second)
	}
	got, err := s.store.Step(s.ctx, w, b.ID, st)
	s.ErrorIs(err, want)
	return got
}

// formed is a batch of one entry for each order.
func (s *story) formed(orders ...string) (connector.Work, connector.Batch) {
	s.Helper()
	e := s.queued(orders...)
	w := s.claimLane(noon)
	return w, s.form(nil, w, noon, e...)
}

// sending is a batch that may have left.
func (s *story) sending(orders ...string) (connector.Work, connector.Batch) {
	s.Helper()
	w, b := s.formed(orders...)
	return w, s.step(nil, w, b, connector.BatchStep{State: connector.BatchSending, Deadline: later(time.Minute)})
}

func (s *story) states(b connector.Batch) []connector.EntryState {
	var out []connector.EntryState
	for _, e := range b.Entries {
		out = append(out, e.State)
	}
	return out
}

var batches = []chapter{
	{"a batch is formed of waiting entries, numbered as given", func(s *story) {
		e := s.queued("A", "B", "C")
		w := s.claimLane(noon)
		_, err := s.store.Under(s.ctx, channel, feed.ID)
		s.ErrorIs(err, connector.ErrNotFound)
		b := s.form(nil, w, noon, e[2], e[0])
		s.Equal(connector.BatchFormed, b.State)
		s.Equal(channel, b.Channel)
		s.Equal(feed.ID, b.Lane)
		s.Equal(site, b.Site)
		s.same(noon, b.FormedAt)
		s.Equal([]int64{e[2].ID, e[0].ID}, rows(b.Entries))
		s.Equal([]connector.EntryState{connector.Queued, connector.Queued}, s.states(b))
		s.Equal(2, b.Entries[1].Message)
		s.Equal(b.ID, b.Entries[1].Batch)
		under, err := s.store.Under(s.ctx, channel, feed.ID)
		s.NoError(err)
		s.Equal(b, under)
		s.Equal(rows(e[1:2]), rows(s.waiting()))
	}},
	{"what does not wait, is in a batch, or waits elsewhere, cannot be put into one", func(s *story) {
		e := s.queued("A", "B", "C")
		w := s.claimLane(noon)
		s.settle(e[0], connector.Outcome{State: connector.Refused, At: noon})
		s.form(connector.ErrSpent, w, noon, e[1], e[0])
		s.form(connector.ErrSpent, w, noon)
		s.form(connector.ErrSpent, w, noon, e[1], e[1])
		s.form(connector.ErrSpent, w, noon, connector.Entry{ID: e[2].ID + 1000})
		_, err := s.store.Form(s.ctx, w, connector.Batch{Site: "elsewhere"}, rows(e[1:2]), noon)
		s.ErrorIs(err, connector.ErrSpent)
		s.Equal(rows(e[1:]), rows(s.waiting()), "nothing of it was kept")
		s.form(nil, w, noon, e[1])
		s.form(connector.ErrSpent, w, noon, e[2]) // another is not over
	}},
	{"only the lane's holder forms and steps", func(s *story) {
		e := s.queued("A")
		old := s.claimLane(noon)
		s.form(connector.ErrLeaseLost, old, old.LeaseUntil, e...)
		w := s.claimLane(later(time.Minute))
		s.form(connector.ErrLeaseLost, old, noon, e...)
		b := s.form(nil, w, later(time.Minute), e...)
		s.step(connector.ErrLeaseLost, old, b, connector.BatchStep{State: connector.BatchPrepared})
		s.step(connector.ErrLeaseLost, w, b, connector.BatchStep{State: connector.BatchPrepared, At: w.LeaseUntil})
		s.touch(later(time.Minute), "A")
		orders := s.claimOrder(later(time.Minute), "A")
		_, err := s.store.Form(s.ctx, orders, connector.Batch{Site: site}, rows(e), later(time.Minute))
		s.ErrorIs(err, connector.ErrLeaseLost)
		_, err = s.store.Step(s.ctx, w, b.ID+1000, connector.BatchStep{State: connector.BatchPrepared, At: later(time.Minute)})
		s.ErrorIs(err, connector.ErrNotFound)
		s.step(nil, w, b, connector.BatchStep{State: connector.BatchPrepared, At: later(time.Minute)})
	}},
	{"a batch is handed in step by step, and its entries with it", func(s *story) {
		w, b := s.formed("A", "B")
		b = s.step(nil, w, b, connector.BatchStep{State: connector.BatchPrepared, Document: "doc-1"})
		s.Equal("doc-1", b.Document)
		s.Equal([]connector.EntryState{connector.Queued, connector.Queued}, s.states(b))

		b = s.step(nil, w, b, connector.BatchStep{State: connector.BatchSending, At: later(2 * time.Second), Deadline: later(30 * time.Second)})
		s.same(later(2*time.Second), b.SendingAt)
		s.same(later(30*time.Second), b.Deadline)
		s.Equal([]connector.EntryState{connector.Sent, connector.Sent}, s.states(b))
		s.same(later(30*time.Second), b.Entries[0].Deadline)
		s.same(later(2*time.Second), b.Entries[0].IntendedAt)
		s.Equal(1, b.Entries[0].Attempts)
		s.step(connector.ErrSpent, w, b, connector.BatchStep{State: connector.BatchSending}) // never a second time
		s.step(connector.ErrSpent, w, b, connector.BatchStep{State: connector.BatchPrepared})

		b = s.step(nil, w, b, connector.BatchStep{State: connector.BatchSent, At: later(3 * time.Second), Ticket: "feed-9"})
		s.Equal("feed-9", b.Ticket)
		s.Equal("doc-1", b.Document)
		s.Equal([]connector.EntryState{connector.Taken, connector.Taken}, s.states(b))
		s.Equal("feed-9", b.Entries[1].Ref)
		under, err := s.store.Under(s.ctx, channel, feed.ID)
		s.NoError(err)
		s.Equal(b, under)
		s.step(connector.ErrSpent, w, b, connector.BatchStep{State: connector.BatchSending})
		st, err := s.store.Stats(s.ctx, noon)
		s.NoError(err)
		s.Equal(map[connector.BatchState]int{connector.BatchSent: 1}, st.Batches)
		s.Empty(s.claim(later(4*time.Second), 10), "no order has to look yet")
	}},
	{"outcomes settle single entries, tell the timeline and make their orders due", func(s *story) {
		w, b := s.sending("A", "B")
		a, other := b.Entries[0], b.Entries[1]
		b = s.step(nil, w, b, connector.BatchStep{State: connector.BatchSent, Ticket: "feed-9", At: later(3 * time.Second), Outcomes: map[int64]connector.Outcome{
			a.ID: {State: connector.Refused, At: later(3 * time.Second), Class: "refused", Reason: "no", Note: "refused by the channel"}}})
		s.Equal([]connector.EntryState{connector.Refused, connector.Taken}, s.states(b))
		s.Equal("no", b.Entries[0].Reason)
		s.Equal("feed-9", b.Entries[0].Ref)
		s.Contains(s.notes("A"), "refused by the channel")
		s.same(later(3*time.Second), s.load("A").NextAt)
		s.True(s.load("B").NextAt.IsZero())

		_, err := s.store.Step(s.ctx, w, b.ID, connector.BatchStep{State: connector.BatchDone, At: later(4 * time.Second)})
		s.ErrorContains(err, "no outcome")
		_, err = s.store.Step(s.ctx, w, b.ID, connector.BatchStep{State: connector.BatchDone, At: later(4 * time.Second),
			Outcomes: map[int64]connector.Outcome{other.ID: {State: connector.Taken, At: noon}}})
		s.ErrorContains(err, "no outcome")
		s.step(connector.ErrNotFound, w, b, connector.BatchStep{State: connector.BatchSent,
			Outcomes: map[int64]connector.Outcome{other.ID + 1000: {State: connector.Done, At: noon}}})
		s.Equal(connector.Taken, s.reread(other).State)

		b = s.step(nil, w, b, connector.BatchStep{State: connector.BatchDone, At: later(5 * time.Second), Reason: "all told", Outcomes: map[int64]connector.Outcome{
			other.ID: {State: connector.Done, At: later(5 * time.Second), Note: "refunded"}}})
		s.Equal(connector.BatchDone, b.State)
		s.Equal("all told", b.Reason)
		s.same(later(5*time.Second), b.ChangedAt)
		s.Equal([]connector.EntryState{connector.Refused, connector.Done}, s.states(b))
		s.same(later(5*time.Second), s.load("B").NextAt)
		s.Equal([]string{"refunded"}, s.notes("B"))
		s.step(connector.ErrSpent, w, b, connector.BatchStep{State: connector.BatchDropped})
	}},
	{"an outcome from a batch takes nothing back", func(s *story) {
		w, b := s.sending("A")
		s.settle(b.Entries[0], connector.Outcome{State: connector.Proven, At: noon})
		b = s.step(nil, w, b, connector.BatchStep{State: connector.BatchLost, Outcomes: map[int64]connector.Outcome{
			b.Entries[0].ID: {State: connector.Unknown, At: noon, Note: "nobody knows"}}})
		s.Equal([]connector.EntryState{connector.Proven}, s.states(b))
		s.NotContains(s.notes("A"), "nobody knows")
	}},
	{"a lost batch leaves doubts, not repeats, and makes room for the next", func(s *story) {
		w, b := s.sending("A")
		e := b.Entries[0]
		b = s.step(nil, w, b, connector.BatchStep{State: connector.BatchLost, Reason: "no trace", Outcomes: map[int64]connector.Outcome{
			e.ID: {State: connector.Unknown, At: later(time.Second)}}})
		s.Equal(connector.BatchLost, b.State)
		s.Empty(s.waiting())
		again := refund("A/refund", 1990)
		again.Again = e.ID
		s.intend(connector.ErrSpent, s.claimOrder(later(time.Second), "A"), again, later(2*time.Second))
		next := s.queued("B")
		s.form(nil, w, later(time.Second), next...)
	}},
	{"a dropped batch gives its entries back, and keeps none", func(s *story) {
		w, b := s.sending("A", "B", "C")
		e := b.Entries
		b = s.step(nil, w, b, connector.BatchStep{State: connector.BatchSent, Ticket: "feed-9", Outcomes: map[int64]connector.Outcome{
			e[1].ID: {State: connector.Refused, At: noon}}})
		b = s.step(nil, w, b, connector.BatchStep{State: connector.BatchDropped, Reason: "cancelled there"})
		s.Empty(b.Entries)
		s.Equal(connector.BatchDropped, b.State)
		s.Equal([]int64{e[0].ID, e[2].ID}, rows(s.waiting()))
		back := s.reread(e[0])
		s.Equal(connector.Queued, back.State)
		s.Zero(back.Batch)
		s.Zero(back.Message)
		s.Empty(back.Ref)
		s.True(back.SettledAt.IsZero())
		s.Equal(connector.Refused, s.reread(e[1]).State)
		next := s.form(nil, w, noon, e[2], e[0])
		s.Greater(next.ID, b.ID)
		all, err := s.store.Batches(s.ctx, channel, 0)
		s.NoError(err)
		s.Len(all, 2)
		s.Equal(next, all[0])
		s.Empty(all[1].Entries)
		one, err := s.store.Batches(s.ctx, channel, 1)
		s.NoError(err)
		s.Len(one, 1)
		none, err := s.store.Batches(s.ctx, "ebay", 0)
		s.NoError(err)
		s.Empty(none)
	}},
	{"what was decided while an entry waited does not reach it once it has left", func(s *story) {
		late := connector.Outcome{State: connector.Refused, Class: "withdrawn", Unsent: true, At: later(time.Hour)}
		w, b := s.sending("A")
		s.settle(b.Entries[0], late)
		s.NotEqual([]connector.EntryState{connector.Refused}, s.states(s.step(nil, w, b, connector.BatchStep{State: connector.BatchSent, Ticket: "feed-9"})))
		b = s.step(nil, w, b, connector.BatchStep{State: connector.BatchLost, Reason: "no answer came", Outcomes: map[int64]connector.Outcome{
			b.Entries[0].ID: {State: connector.Unknown, At: noon}}})
		s.settle(b.Entries[0], late)
		rec := s.loadOf(b.Entries[0].Subject)
		s.Equal(connector.Unknown, rec.Entries[len(rec.Entries)-1].State)
	}},
	{"a batch with an entry that was withdrawn is not handed in", func(s *story) {
		w, b := s.formed("A", "B")
		s.settle(b.Entries[0], connector.Outcome{State: connector.Refused, At: noon, Reason: "withdrawn"})
		s.step(connector.ErrSpent, w, b, connector.BatchStep{State: connector.BatchPrepared})
		s.step(connector.ErrSpent, w, b, connector.BatchStep{State: connector.BatchSending})
		s.step(nil, w, b, connector.BatchStep{State: connector.BatchDropped})
		s.Equal(rows(b.Entries[1:]), rows(s.waiting()))
	}},
	{"what surely did not happen leaves its batch when it is meant again", func(s *story) {
		w, b := s.sending("A", "B")
		e := b.Entries[0]
		b = s.step(nil, w, b, connector.BatchStep{State: connector.BatchSent, Outcomes: map[int64]connector.Outcome{
			e.ID: {State: connector.Retry, At: noon, RetryAt: later(time.Second)}}})
		again := refund("A/refund", 1990)
		again.Again = e.ID
		got := s.intend(nil, s.claimOrder(later(time.Second), "A"), again, later(time.Second))
		s.Equal(connector.Queued, got.State)
		s.Zero(got.Batch)
		under, err := s.store.Under(s.ctx, channel, feed.ID)
		s.NoError(err)
		s.Equal(rows(b.Entries[1:]), rows(under.Entries))
	}},
	{"nothing is handed in while a connection is not active or all writes are stopped", func(s *story) {
		w, b := s.formed("A")
		for _, state := range []connector.State{connector.Paused, connector.Removed, connector.Reconnecting} {
			s.NoError(s.store.SetState(s.ctx, channel, state, "", noon))
			s.step(connector.ErrParked, w, b, connector.BatchStep{State: connector.BatchSending})
		}
		s.step(nil, w, b, connector.BatchStep{State: connector.BatchPrepared}) // a document does nothing
		s.NoError(s.store.SetState(s.ctx, channel, connector.Active, "", noon))
		s.NoError(s.store.SetSwitch(s.ctx, connector.Switch{Name: connector.StopWrites, On: true, At: noon}))
		s.step(connector.ErrStopped, w, b, connector.BatchStep{State: connector.BatchSending})
		s.Equal(connector.Queued, s.reread(b.Entries[0]).State)
		s.NoError(s.store.SetSwitch(s.ctx, connector.Switch{Name: connector.StopWrites, At: noon}))
		s.step(nil, w, b, connector.BatchStep{State: connector.BatchSending})
	}},
	{"of many who form at once one does", func(s *story) {
		e := s.queued("A")
		w := s.claimLane(noon)
		var won atomic.Int64
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				_, err := s.store.Form(s.ctx, w, connector.Batch{Site: site}, rows(e), noon)
				s.check(err == nil || err == connector.ErrSpent, err)
				if err == nil {
					won.Add(1)
				}
			})
		}
		wg.Wait()
		s.EqualValues(1, won.Load())
	}},
	{"a lane and its orders may all be written at once", func(s *story) {
		orders := []string{"A", "B", "C", "D"}
		lane, b := s.sending(orders...)
		s.touch(later(time.Second), orders...)
		w := works{}
		for _, x := range s.claim(later(time.Second), 10) {
			w[x.Subject.ID] = x
		}
		var wg sync.WaitGroup
		for i, id := range orders {
			wg.Go(func() {
				_, err := s.store.Intend(s.ctx, w[id], refund(id+"/2", 5), later(time.Second), deadline, "")
				s.check(err == nil, err)
				err = s.store.Settle(s.ctx, b.Entries[i].ID, connector.Outcome{State: connector.Unknown, At: later(time.Second)})
				s.check(err == nil, err)
			})
			wg.Go(func() {
				_, err := s.store.Step(s.ctx, lane, b.ID, connector.BatchStep{State: connector.BatchSent, At: later(time.Second), Ticket: "feed-9",
					Outcomes: map[int64]connector.Outcome{b.Entries[len(orders)-1-i].ID: {State: connector.Done, At: later(time.Second)}}})
				s.check(err == nil, err)
			})
		}
		wg.Wait()
		for _, e := range b.Entries {
			s.Equal(connector.Done, s.reread(e).State)
		}
		s.Len(s.waiting(), 4)
	}},
}
