package order

import (
	"slices"
	"time"

	"channelbridge/connector"
	"channelbridge/marketplace"
)

// course is what follows from a snapshot when everything that is sent succeeds at once.
type course struct {
	commands []connector.Command // in the order in which they would be sent
	first    *planner            // what is decided now
	last     *planner            // and what once all of it has happened
}

// maxCourse bounds the rounds of a course. The longest known one takes five.
const maxCourse = 16

// follow plans, takes every command for done and plans again until nothing more comes. It reads
// what is kept as if it had been read just now.
func follow(s Snapshot) course {
	s.MarketRead, s.ShopRead, s.RefundsRead = s.Now, s.Now, s.Now
	s.Ledger = slices.Clone(s.Ledger)
	var c course
	for range maxCourse {
		c.last = planned(s)
		if c.first == nil {
			c.first = c.last
		}
		c.commands = append(c.commands, c.last.d.Commands...)
		if !s.happen(c.last.d) && !s.cancelShows() {
			break
		}
	}
	return c
}

// happen takes a decision for carried out. It reports whether that changes anything.
func (s *Snapshot) happen(d Decision) bool {
	settle := func(id int64, state connector.EntryState, class string) {
		for i := range s.Ledger {
			if s.Ledger[i].ID == id {
				s.Ledger[i].State, s.Ledger[i].Class = state, class
			}
		}
	}
	for _, pr := range d.Proven {
		settle(pr.Entry, connector.Proven, "")
	}
	for _, w := range d.Withdrawn {
		settle(w.Entry, connector.Refused, Withdrawn)
	}
	at := s.Now.Add(time.Millisecond) // after everything that is known
	for _, c := range d.Commands {
		if c.Again != 0 {
			settle(c.Again, connector.Done, "")
			continue
		}
		s.Ledger = append(s.Ledger, connector.Entry{ID: s.freeEntry(), Subject: s.Subject, Command: c, State: connector.Done,
			Attempts: 1, IntendedAt: at, Deadline: at, SettledAt: at})
	}
	return len(d.Commands)+len(d.Proven)+len(d.Withdrawn) > 0
}

func (s *Snapshot) freeEntry() int64 {
	id := int64(1)
	for _, e := range s.Ledger {
		id = max(id, e.ID+1)
	}
	return id
}

// cancelShows lets the channel show a cancellation of the whole order that it accepted.
func (s *Snapshot) cancelShows() bool {
	if s.Market == nil || s.Market.Lifecycle == marketplace.Cancelled {
		return false
	}
	if !slices.ContainsFunc(s.Ledger, func(e connector.Entry) bool {
		return e.Verb == CancelMarket && e.State == connector.Done && e.IntendedAt.After(s.Now)
	}) {
		return false
	}
	m := *s.Market
	m.Lifecycle = marketplace.Cancelled
	s.Market, s.MarketAt = &m, s.Now.Add(time.Second)
	return true
}

// open reports money at the channel whose outcome is open, or that goes there without the wish.
func (c course) open() bool {
	return slices.ContainsFunc(c.commands, func(x connector.Command) bool { return instructs(x.Verb) }) ||
		slices.ContainsFunc(c.last.Ledger, func(e connector.Entry) bool { return instructs(e.Verb) && e.State.Open() })
}

// without returns the commands that do not follow in another course.
func (c course) without(o course) (out []connector.Command) {
	known := map[string]bool{}
	for _, x := range o.commands {
		known[x.Key] = true
	}
	for _, x := range c.commands {
		if !known[x.Key] {
			out = append(out, x)
		}
	}
	return out
}
