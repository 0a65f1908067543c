package order

import (
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"channelbridge/connector"
	"channelbridge/marketplace"
)

// turn plans and carries out what the plan says, as the loop and the lanes do.
func (w *moneyWorld) turn(rough bool) (did bool) {
	w.lanes(rough)
	d := w.plan()
	for _, p := range d.Proven {
		w.entry(p.Entry).State = connector.Proven
		did = true
	}
	for _, p := range d.Withdrawn {
		e := w.entry(p.Entry)
		e.State, e.Class = connector.Refused, Withdrawn
		did = true
	}
	for _, c := range d.Commands {
		w.intend(c, rough)
		did = true
	}
	return did
}

func (w *moneyWorld) plan() Decision {
	s := w.snapshot()
	d := Plan(s)
	require.Equal(w.T, d, Plan(s), "planning twice gives the same")
	require.False(w.T, d.Look, "everything was read just now")
	open := 0
	for _, c := range d.Commands {
		if instructs(c.Verb) {
			open++
		}
	}
	require.LessOrEqual(w.T, open, 1, "two money commands in one plan")
	return d
}

func (w *moneyWorld) entry(id int64) *connector.Entry {
	for i := range w.ledger {
		if w.ledger[i].ID == id {
			return &w.ledger[i]
		}
	}
	w.Fatalf("no entry %d", id)
	return nil
}

// intend writes a command down, as the ledger would allow it, and sends it.
func (w *moneyWorld) intend(c connector.Command, rough bool) {
	w.allowed(c)
	var e *connector.Entry
	doubted := false
	if c.Again != 0 {
		e = w.entry(c.Again)
		doubted = instructs(c.Verb) && (e.State == connector.Sent || e.State == connector.Unknown)
		e.Command, e.Attempts = c, e.Attempts+1
	} else {
		w.ledger = append(w.ledger, connector.Entry{ID: int64(w.next()), Command: c, Attempts: 1})
		e = &w.ledger[len(w.ledger)-1]
	}
	e.IntendedAt, e.Deadline = w.now, w.now.Add(30*time.Second)
	if e.State = connector.Sent; c.Lane != "" {
		e.State = connector.Queued
		return // it waits in its lane
	}
	w.send(e, rough, doubted)
}

// allowed checks what may be written into the ledger.
func (w *moneyWorld) allowed(c connector.Command) {
	for _, e := range w.ledger {
		if e.Key == c.Key {
			require.Equal(w.T, c.Again, e.ID, "the key %s is spent", c.Key)
		}
		require.False(w.T, c.Again == e.ID && (e.State == connector.Done || e.State == connector.Proven), "%s is done and sent again", c.Key)
		if c.Again == e.ID && instructs(c.Verb) && w.policy.Repeat[instructionOf(c).Op] != marketplace.RepeatNative {
			require.Equal(w.T, connector.Retry, e.State, "%s is sent again", c.Key)
		}
		if instructs(c.Verb) && instructs(e.Verb) && e.ID != c.Again {
			require.False(w.T, e.State.Open(), "%s while %s is %s", c.Key, e.Key, e.State)
		}
	}
	if !instructs(c.Verb) {
		return
	}
	in := instructionOf(c)
	require.Equal(w.T, c.Amount, in.Amount)
	if c.Verb != CancelMarket { // it takes the whole order, charges that belong to no line included
		require.Equal(w.T, c.Amount.Minor, partsOf(in), "%s: its parts", c.Key)
	}
	if c.Verb == RefundMarket {
		require.Positive(w.T, c.Amount.Minor, c.Key)
	}
	spent, sum := map[part]int64{}, w.foreign+c.Amount.Minor
	add := func(in marketplace.Instruction) {
		for _, l := range in.Lines {
			for _, p := range l.Parts {
				spent[part{l.Line, p.Kind}] += p.Amount.Minor + p.Tax.Minor
			}
		}
	}
	add(in)
	for _, e := range w.ledger {
		if instructs(e.Verb) && e.State.Spent() && e.ID != c.Again {
			add(instructionOf(e.Command))
			sum += e.Amount.Minor
		}
	}
	require.LessOrEqual(w.T, sum, w.paid(), "%s: more than the buyer paid\n%s", c.Key, w.story())
	for k, v := range spent {
		if k.kind == marketplace.Restocking {
			require.LessOrEqual(w.T, v, int64(0), "more is given back than was kept")
			continue
		}
		require.LessOrEqual(w.T, v, w.worth()[k], "%s: more than the buyer paid for %v", c.Key, k)
	}
}

// lanes sends what waits, after a last look at the order.
func (w *moneyWorld) lanes(rough bool) {
	for i := range w.ledger {
		e := &w.ledger[i]
		if e.State != connector.Queued || rough && w.chance(30, "the lane is slow") {
			continue
		}
		d := Plan(without(w.snapshot(), e.ID))
		if !slices.ContainsFunc(d.Commands, func(c connector.Command) bool { return sameInstruction(c, e.Command) }) {
			e.State, e.Class = connector.Refused, Withdrawn
			continue
		}
		e.IntendedAt, e.Deadline, e.Batch = w.now, w.now.Add(30*time.Second), 1
		w.send(e, rough, false)
	}
}

// send calls the other side; its answer may be lost. doubted: an earlier attempt may have worked.
func (w *moneyWorld) send(e *connector.Entry, rough, doubted bool) {
	how := "answered"
	if rough {
		how = rapid.SampledFrom([]string{"answered", "answered", "answered", "busy", "refused", "lost", "nothing came of it", "crash before", "crash after"}).Draw(w.T, "outcome of "+string(e.Verb))
	}
	if how == "refused" && w.worked[e.Key] {
		how = "answered" // whoever drops repeated keys does not refuse them
	}
	switch how {
	case "busy":
		if doubted {
			e.State = connector.Unknown // that says nothing of the attempt before
			break
		}
		e.State, e.RetryAt = connector.Retry, w.now.Add(time.Minute)
	case "refused":
		e.State, e.Class, e.Reason = connector.Refused, "odd", "no reason given"
	case "nothing came of it":
		e.State = connector.Unknown
	case "crash before":
		e.State = connector.Sent
	default:
		err := w.effect(e.Command)
		switch {
		case how == "lost":
			e.State = connector.Unknown
		case how == "crash after":
			e.State = connector.Sent
		case err != nil:
			e.State, e.Reason = connector.Refused, err.Error()
		default:
			e.State = connector.Done
		}
	}
	e.SettledAt = w.now
}

// calm lets everything come to its end: answers come, doubts are settled by a person who looks,
// announced money moves, holds are released.
func (w *moneyWorld) calm() {
	if w.m.Lifecycle == marketplace.Pending {
		w.m.Lifecycle = marketplace.Open
	}
	for range w.s.Refunds {
		w.pendingEnds(true)
	}
	w.wish(connector.WishRelease, "", nil)
	for range 60 {
		w.now = w.now.Add(3 * time.Hour)
		w.shown, w.late = append(w.shown, w.late...), nil
		did := w.turn(false)
		for i := range w.ledger {
			e := &w.ledger[i]
			lane := e.Batch != 0 && (e.State == connector.Sent || e.State == connector.Taken) // it finds out
			if instructs(e.Verb) && (lane || e.Doubtful(w.now)) {
				if e.State = connector.Refused; w.worked[e.Key] {
					e.State = connector.Done
				}
				e.Class, did = "resolved", true
			}
			did = did || e.State == connector.Queued
		}
		if !did {
			return
		}
	}
	w.Fatalf("it does not come to rest: %+v", w.plan().Commands)
}
