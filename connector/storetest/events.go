package storetest

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"channelbridge/connector"
)

const (
	erp  = "erp"
	chat = "chat"
)

// happening is an event of payout po_<name>.
func happening(name string, at time.Time) connector.Event {
	return connector.Event{ID: connector.EventID(connector.EventPayoutImported, name), Type: connector.EventPayoutImported, At: at, Account: channel,
		Subject: "po_" + name, Data: json.RawMessage(`{"payout_id": "po_` + name + `"}`)}
}

func (s *story) emit(endpoints []string, events ...connector.Event) int {
	s.Helper()
	n, err := s.store.Emit(s.ctx, endpoints, events...)
	s.NoError(err)
	return n
}

func (s *story) claimEvents(now time.Time, n int, endpoint string) []connector.EventWork {
	s.Helper()
	work, _, err := s.store.ClaimEvents(s.ctx, now, n, time.Minute, endpoint)
	s.NoError(err)
	return work
}

// claimEvent expects exactly one delivery to be due.
func (s *story) claimEvent(now time.Time, endpoint string) connector.EventWork {
	s.Helper()
	work := s.claimEvents(now, 10, endpoint)
	s.Len(work, 1)
	return work[0]
}

func (s *story) nextEvent(endpoint string) time.Time {
	s.Helper()
	_, next, err := s.store.ClaimEvents(s.ctx, noon, 0, time.Minute, endpoint)
	s.NoError(err)
	return next
}

func (s *story) settleEvent(w connector.EventWork, at time.Time, o connector.EventOutcome) {
	s.Helper()
	s.NoError(s.store.SettleEvent(s.ctx, w, at, o))
}

var done = connector.EventOutcome{State: connector.EventDelivered, Status: 204}

func givenUp(reason string) connector.EventOutcome {
	return connector.EventOutcome{State: connector.EventGivenUp, Status: 500, Reason: reason}
}

// told are the subjects of a list of events.
func (s *story) told(f connector.EventFilter) (subjects []string) {
	s.Helper()
	all, err := s.store.EventList(s.ctx, f)
	s.NoError(err)
	s.NotNil(all)
	for _, r := range all {
		subjects = append(subjects, strings.TrimPrefix(r.Subject, "po_"))
	}
	return subjects
}

// delivery is how an event's delivery to an endpoint stands.
func (s *story) delivery(id, endpoint string) connector.EventDelivery {
	s.Helper()
	all, err := s.store.EventList(s.ctx, connector.EventFilter{ID: id})
	s.NoError(err)
	s.Len(all, 1)
	for _, d := range all[0].Deliveries {
		if d.Endpoint == endpoint {
			return d
		}
	}
	s.Fail("no delivery to " + endpoint)
	return connector.EventDelivery{}
}

func subjectsOf(work []connector.EventWork) (out []string) {
	for _, w := range work {
		out = append(out, strings.TrimPrefix(w.Event.Subject, "po_"))
	}
	return out
}

var events = []chapter{
	{"an event is kept as it was told, with a delivery to each endpoint", func(s *story) {
		e := happening("a", noon)
		s.Equal(1, s.emit([]string{erp, chat, erp}, e))
		all, err := s.store.EventList(s.ctx, connector.EventFilter{})
		s.NoError(err)
		s.Len(all, 1)
		s.Positive(all[0].Row)
		s.Equal(e, all[0].Event)
		waits := connector.EventDelivery{State: connector.EventWaiting, NextAt: noon}
		toChat, toERP := waits, waits
		toChat.Endpoint, toERP.Endpoint = chat, erp
		s.Equal([]connector.EventDelivery{toChat, toERP}, all[0].Deliveries)
	}},
	{"a known id changes nothing, whatever else is said", func(s *story) {
		e := happening("a", noon)
		s.Equal(1, s.emit([]string{erp}, e, e))
		other := e
		other.Type, other.Data, other.At = connector.EventPayoutNotProven, json.RawMessage(`{"payout_id": "po_b"}`), later(time.Hour)
		s.Equal(1, s.emit([]string{erp, chat}, other, happening("b", noon)))
		all, err := s.store.EventList(s.ctx, connector.EventFilter{ID: e.ID})
		s.NoError(err)
		s.Equal(e, all[0].Event)
		s.Len(all[0].Deliveries, 1, "a new endpoint is not told of what was told before")
		w := s.claimEvents(later(time.Minute), 10, erp)
		for _, x := range w {
			s.settleEvent(x, later(time.Minute), done)
		}
		s.Zero(s.emit([]string{erp}, e))
		s.Empty(s.claimEvents(later(time.Hour), 10, erp), "what was delivered is not sent again")
	}},
	{"an event without endpoints is kept for people", func(s *story) {
		s.Equal(1, s.emit(nil, happening("a", noon)))
		all, err := s.store.EventList(s.ctx, connector.EventFilter{})
		s.NoError(err)
		s.Len(all, 1)
		s.NotNil(all[0].Deliveries)
		s.Empty(all[0].Deliveries)
	}},
	{"what could not be told is refused, and nothing of the same call is kept", func(s *story) {
		for what, spoil := range map[string]func(*connector.Event){
			"no id":            func(e *connector.Event) { e.ID = "" },
			"a point in it":    func(e *connector.Event) { e.ID = "evt.1" },
			"a long id":        func(e *connector.Event) { e.ID = strings.Repeat("e", 101) },
			"no type":          func(e *connector.Event) { e.Type = "" },
			"no time":          func(e *connector.Event) { e.At = time.Time{} },
			"no data":          func(e *connector.Event) { e.Data = nil },
			"data that is not": func(e *connector.Event) { e.Data = json.RawMessage(`{"a":`) },
			"a list":           func(e *connector.Event) { e.Data = json.RawMessage(`[1]`) },
			"null":             func(e *connector.Event) { e.Data = json.RawMessage(`null`) },
		} {
			bad := happening("bad", noon)
			spoil(&bad)
			_, err := s.store.Emit(s.ctx, []string{erp}, happening("good", noon), bad)
			s.Error(err, what)
		}
		_, err := s.store.Emit(s.ctx, []string{""}, happening("good", noon))
		s.Error(err)
		s.Empty(s.told(connector.EventFilter{}))
	}},
	{"emitting the same from many at once makes one event", func(s *story) {
		var all sync.WaitGroup
		var lock sync.Mutex
		news := 0
		for range 6 {
			all.Go(func() {
				n, err := s.store.Emit(s.ctx, []string{erp, chat}, happening("a", noon), happening("b", noon))
				s.check(err == nil, err)
				lock.Lock()
				defer lock.Unlock()
				news += n
			})
		}
		all.Wait()
		s.Equal(2, news)
		s.Len(s.claimEvents(noon, 10, erp), 2)
	}},
	{"a delivery is due when its event happened, the longest due first", func(s *story) {
		s.emit([]string{erp}, happening("c", later(2*time.Second)), happening("a", noon), happening("b", later(time.Second)), happening("b2", later(time.Second)))
		s.Empty(s.claimEvents(noon.Add(-time.Second), 10, erp))
		s.Empty(s.claimEvents(later(time.Hour), 10, chat))
		s.same(noon, s.nextEvent(erp))
		w, next, err := s.store.ClaimEvents(s.ctx, later(time.Second), 2, time.Minute, erp)
		s.NoError(err)
		s.Equal([]string{"a", "b"}, subjectsOf(w))
		s.same(later(time.Second), next)
		s.Equal([]string{"b2"}, subjectsOf(s.claimEvents(later(time.Second), 10, erp)))
		s.same(later(2*time.Second), s.nextEvent(erp))
		s.Equal(happening("a", noon), w[0].Event)
		s.Equal(1, w[0].Attempt)
		s.Equal(erp, w[0].Endpoint)
	}},
	{"what is being sent is left alone until its lease is over", func(s *story) {
		s.emit([]string{erp}, happening("a", noon))
		first := s.claimEvent(noon, erp)
		s.Empty(s.claimEvents(later(59*time.Second), 10, erp))
		s.same(later(time.Minute), s.nextEvent(erp))
		second := s.claimEvent(later(time.Minute), erp)
		s.Equal(2, second.Attempt, "an attempt that was begun counts")
		s.Equal(first.Event, second.Event)
		s.ErrorIs(s.store.SettleEvent(s.ctx, first, later(time.Minute), done), connector.ErrLeaseLost)
		s.settleEvent(second, later(2*time.Minute), done)
		s.ErrorIs(s.store.SettleEvent(s.ctx, second, later(2*time.Minute), done), connector.ErrLeaseLost, "a claim ends once")
		got := s.delivery(first.Event.ID, erp)
		s.Equal(connector.EventDelivery{Endpoint: erp, State: connector.EventDelivered, Attempts: 2, TriedAt: later(2 * time.Minute), Status: 204}, got)
		s.True(s.nextEvent(erp).IsZero())
	}},
	{"a late claimer may still settle while nobody else has taken it", func(s *story) {
		s.emit([]string{erp}, happening("a", noon))
		w := s.claimEvent(noon, erp)
		s.settleEvent(w, later(time.Hour), done)
		s.Equal(connector.EventDelivered, s.delivery(w.Event.ID, erp).State)
	}},
	{"many claimers share what is due, and nobody gets the same", func(s *story) {
		var names []string
		for i := range 12 {
			names = append(names, string(rune('a'+i)))
			s.emit([]string{erp}, happening(names[i], noon))
		}
		var all sync.WaitGroup
		var lock sync.Mutex
		var got []string
		for range 6 {
			all.Go(func() {
				for {
					w, _, err := s.store.ClaimEvents(s.ctx, noon, 2, time.Minute, erp)
					s.check(err == nil, err)
					if len(w) == 0 {
						return
					}
					lock.Lock()
					got = append(got, subjectsOf(w)...)
					lock.Unlock()
				}
			})
		}
		all.Wait()
		slices.Sort(got)
		got = append(got, subjectsOf(s.claimEvents(noon, 20, erp))...) // rows passed over by all at the end
		slices.Sort(got)
		s.Equal(names, got)
	}},
	{"a failed attempt waits for its time, and what became of it is told", func(s *story) {
		s.emit([]string{erp, chat}, happening("a", noon))
		w := s.claimEvent(noon, erp)
		s.settleEvent(w, later(time.Second), connector.EventOutcome{State: connector.EventWaiting, NextAt: later(5 * time.Second), Status: 503, Reason: "answered 503\x00"})
		got := s.delivery(w.Event.ID, erp)
		s.same(later(5*time.Second), got.NextAt)
		s.same(later(time.Second), got.TriedAt)
		s.Equal(503, got.Status)
		s.True(strings.HasPrefix(got.Reason, "answered 503"))
		s.Empty(s.claimEvents(later(4*time.Second), 10, erp))
		s.Equal(connector.EventWaiting, s.delivery(w.Event.ID, chat).State)
		s.Zero(s.delivery(w.Event.ID, chat).Attempts, "the other endpoint has nothing to do with it")
		w = s.claimEvent(later(5*time.Second), erp)
		s.Equal(2, w.Attempt)
		s.settleEvent(w, later(6*time.Second), givenUp("answered 500"))
		got = s.delivery(w.Event.ID, erp)
		s.Equal(connector.EventGivenUp, got.State)
		s.True(got.NextAt.IsZero())
		s.Empty(s.claimEvents(later(1000*time.Hour), 10, erp))
	}},
	{"everything that waits for an endpoint is given up at once, but for what is being sent", func(s *story) {
		s.emit([]string{erp, chat}, happening("a", noon), happening("b", later(time.Hour)), happening("c", later(time.Hour)))
		sent := s.claimEvent(noon, erp)
		n, err := s.store.GiveUpEvents(s.ctx, erp, later(time.Second), "it is gone")
		s.NoError(err)
		s.Equal(2, n)
		s.Equal([]string{"c", "b"}, s.told(connector.EventFilter{Endpoint: erp, State: connector.EventGivenUp}))
		got := s.delivery(happening("b", noon).ID, erp)
		s.Equal(connector.EventDelivery{Endpoint: erp, State: connector.EventGivenUp, Reason: "it is gone"}, got)
		s.settleEvent(sent, later(time.Second), done)
		s.Len(s.claimEvents(later(time.Hour), 10, chat), 3)
	}},
	{"an event is sent again when somebody asks, whatever became of it", func(s *story) {
		s.emit([]string{erp, chat}, happening("a", noon), happening("b", noon))
		id := happening("a", noon).ID
		for _, w := range s.claimEvents(noon, 10, erp) {
			s.settleEvent(w, noon, done)
		}
		n, err := s.store.ReplayEvents(s.ctx, id, erp, later(time.Hour))
		s.NoError(err)
		s.Equal(1, n)
		s.same(noon, s.delivery(id, chat).NextAt)
		w := s.claimEvent(later(time.Hour), erp)
		s.Equal(id, w.Event.ID, "under the same id")
		s.Equal(1, w.Attempt, "as if it had never been tried")
		n, err = s.store.ReplayEvents(s.ctx, id, erp, later(time.Hour))
		s.NoError(err)
		s.Zero(n, "it is being sent")
		s.settleEvent(w, later(time.Hour), done)
		n, err = s.store.ReplayEvents(s.ctx, id, "", later(2*time.Hour))
		s.NoError(err)
		s.Equal(2, n)
		for _, missing := range [][2]string{{"evt_none", ""}, {"evt_none", erp}, {id, "nowhere"}} {
			_, err = s.store.ReplayEvents(s.ctx, missing[0], missing[1], noon)
			s.ErrorIs(err, connector.ErrNotFound)
		}
	}},
	{"what an endpoint was not told is sent again all at once", func(s *story) {
		s.emit([]string{erp, chat}, happening("a", noon), happening("b", noon), happening("c", noon))
		for _, endpoint := range []string{erp, chat} {
			for _, w := range s.claimEvents(noon, 2, endpoint) {
				s.settleEvent(w, noon, givenUp("answered 500"))
			}
		}
		n, err := s.store.ReplayEvents(s.ctx, "", erp, later(time.Hour))
		s.NoError(err)
		s.Equal(2, n)
		s.Equal([]string{"c", "a", "b"}, subjectsOf(s.claimEvents(later(time.Hour), 10, erp)))
		s.Equal([]string{"b", "a"}, s.told(connector.EventFilter{State: connector.EventGivenUp}))
		n, err = s.store.ReplayEvents(s.ctx, "", "nowhere", later(time.Hour))
		s.NoError(err)
		s.Zero(n)
	}},
	{"events are listed newest first and narrowed down", func(s *story) {
		odd := happening("odd", noon)
		odd.Type, odd.Account = connector.EventCloseCreated, "amazon-fr"
		s.emit([]string{erp}, happening("a", later(time.Hour)), happening("b", noon))
		s.emit([]string{chat}, odd, happening("d", noon))
		s.Equal([]string{"d", "odd", "b", "a"}, s.told(connector.EventFilter{}))
		s.Equal([]string{"d", "odd"}, s.told(connector.EventFilter{Limit: 2}))
		all, err := s.store.EventList(s.ctx, connector.EventFilter{Limit: 2})
		s.NoError(err)
		s.Equal([]string{"b"}, s.told(connector.EventFilter{Limit: 1, Before: all[1].Row}))
		s.Equal([]string{"odd"}, s.told(connector.EventFilter{Type: connector.EventCloseCreated}))
		s.Equal([]string{"odd"}, s.told(connector.EventFilter{Accounts: []connector.ConnectionID{"amazon-fr"}}))
		s.Equal([]string{"d", "odd", "b", "a"}, s.told(connector.EventFilter{Accounts: []connector.ConnectionID{"amazon-fr", channel}}))
		s.Equal([]string{"b", "a"}, s.told(connector.EventFilter{Endpoint: erp}))
		s.settleEvent(s.claimEvents(noon, 1, erp)[0], noon, givenUp("no"))
		s.Equal([]string{"b"}, s.told(connector.EventFilter{State: connector.EventGivenUp}))
		s.Empty(s.told(connector.EventFilter{Endpoint: chat, State: connector.EventGivenUp}), "endpoint and state are of one delivery")
		s.Empty(s.told(connector.EventFilter{ID: "evt_none"}))
	}},
	{"events that have reached everybody are deleted when they are old", func(s *story) {
		s.emit([]string{erp, chat}, happening("half", noon))
		s.emit([]string{erp}, happening("a", noon), happening("b", later(time.Minute)), happening("lost", noon), happening("young", later(time.Hour)))
		s.emit(nil, happening("nobody", later(time.Second)))
		for _, w := range s.claimEvents(later(time.Hour), 10, erp) {
			o := done
			if w.Event.Subject == "po_lost" {
				o = givenUp("no")
			}
			s.settleEvent(w, later(time.Hour), o)
		}
		purge := func(limit int) int {
			n, err := s.store.PurgeEvents(s.ctx, later(time.Hour), limit)
			s.NoError(err)
			return n
		}
		s.Equal(1, purge(1))
		s.NotContains(s.told(connector.EventFilter{}), "a", "the oldest first")
		s.Equal(2, purge(10))
		s.Equal([]string{"young", "lost", "half"}, s.told(connector.EventFilter{}))
		s.Zero(purge(10))
		s.Equal(1, s.emit([]string{erp}, happening("a", noon)), "what was deleted is not known any more")
	}},
	{"how endpoints stand is counted", func(s *story) {
		count := func(now time.Time) map[string]connector.EventCount {
			st, err := s.store.Stats(s.ctx, now)
			s.NoError(err)
			return st.Events
		}
		s.Empty(count(noon))
		s.emit([]string{erp, chat}, happening("a", noon), happening("b", later(time.Minute)))
		s.Equal(map[string]connector.EventCount{erp: {Waiting: 2, Oldest: time.Hour}, chat: {Waiting: 2, Oldest: time.Hour}}, count(later(time.Hour)))
		w := s.claimEvents(later(time.Minute), 10, erp)
		s.settleEvent(w[0], later(time.Minute), givenUp("no"))
		s.settleEvent(w[1], later(time.Minute), done)
		for _, x := range s.claimEvents(later(time.Minute), 10, chat) {
			s.settleEvent(x, later(time.Minute), done)
		}
		s.Equal(map[string]connector.EventCount{erp: {GivenUp: 1}}, count(later(time.Hour)))
	}},
}
