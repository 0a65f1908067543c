package order

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/fault"
	"channelbridge/marketplace"
)

// LaneStore is what lanes are kept in.
type LaneStore interface {
	Store
	connector.Batches
	connector.Switches
}

// Lanes hands queued commands to channels that take them in batches and answer later. A lane has
// one batch under way; each step is committed before the next is taken, so that a crash anywhere
// is found out about and nothing is handed in twice.
//
//	formed → prepared → sending → sent → done
//	                       │        └──→ lost (fatal, stuck)
//	                       └─ answer lost: looked for, adopted, or lost
type Lanes struct {
	Orders *Reconciler // looks at an order once more before its command is handed in
	Store  LaneStore
	Clock  connector.Clock
	Log    *slog.Logger
	// Size bounds a batch; 0: 50. Gather is how long the oldest command waits for others; 0: 5 s.
	// FindFor is how long a batch whose answer was lost is looked for; 0: 30 min.
	Size            int
	Gather, FindFor time.Duration
	// NoRecheck hands in without that look: a mistake, planted to see that it is noticed.
	NoRecheck bool
}

const (
	findEvery  = 2 * time.Minute // between two looks for a batch whose answer was lost
	stuckAfter = 24 * time.Hour  // a batch without verdicts is given up
	staleBatch = 5 * time.Minute // one that was formed but not handed in is formed anew
)

// Reconcile takes a lane as far as it goes.
func (l *Lanes) Reconcile(ctx context.Context, w connector.Work) (connector.Next, error) {
	s, ok := l.Orders.Sides(w.Subject.Channel)
	if !ok {
		return connector.Next{}, fault.New(fault.Refused, "lane %s: the connection is not configured", w.Subject)
	}
	sub, ok := s.Channel.(marketplace.Submitter)
	if !ok {
		return connector.Next{Holds: []connector.Hold{{Kind: "no_capability", Level: connector.Blocks,
			Reason: "the channel takes no batches any more", Hint: "settle the queued commands by hand"}}}, nil
	}
	t := &laneTurn{Lanes: l, w: w, sub: sub, channel: w.Subject.Channel, lane: w.Subject.ID}
	for range 8 {
		more, err := t.step(ctx)
		if err != nil {
			l.deny(ctx, w, err)
		}
		if err != nil || !more {
			return t.next, err
		}
	}
	t.wake(l.Clock().Add(time.Second))
	return t.next, nil
}

func (l *Lanes) deny(ctx context.Context, w connector.Work, err error) {
	if fault.Is(err, fault.Denied) && l.Orders.Denied != nil {
		l.Orders.Denied(ctx, w.Subject.Channel, err)
	}
}

// laneTurn is one look at one lane.
type laneTurn struct {
	*Lanes
	w       connector.Work
	sub     marketplace.Submitter
	channel connector.ConnectionID
	lane    string
	next    connector.Next
}

func (t *laneTurn) wake(at time.Time) {
	if t.next.Wake.IsZero() || at.Before(t.next.Wake) {
		t.next.Wake = at
	}
}

// step takes one step; more is false when there is nothing to do now.
func (t *laneTurn) step(ctx context.Context) (more bool, err error) {
	b, err := t.Store.Under(ctx, t.channel, t.lane)
	switch {
	case errors.Is(err, connector.ErrNotFound):
		return t.form(ctx)
	case err != nil:
		return false, fault.Wrap(err, "lane %s: reading its batch", t.w.Subject)
	}
	switch b.State {
	case connector.BatchFormed, connector.BatchPrepared:
		if t.Clock().Sub(b.FormedAt) > staleBatch {
			return true, t.commit(ctx, b, connector.BatchStep{State: connector.BatchDropped, Reason: "it was not handed in for too long"})
		}
		if b.State == connector.BatchFormed {
			return t.prepare(ctx, b)
		}
		return t.submit(ctx, b)
	case connector.BatchSending:
		return t.find(ctx, b)
	}
	return t.results(ctx, b)
}

// commit writes a step down.
func (t *laneTurn) commit(ctx context.Context, b connector.Batch, s connector.BatchStep) error {
	s.At = t.Clock()
	_, err := t.Store.Step(context.WithoutCancel(ctx), t.w, b.ID, s)
	if err == nil {
		t.Log.Info("batch", "lane", t.w.Subject.String(), "batch", b.ID, "state", string(s.State), "entries", len(b.Entries), "reason", s.Reason)
	}
	return fault.Wrap(err, "lane %s: batch %d to %s", t.w.Subject, b.ID, s.State)
}

// form makes a batch of what waits, after a last look at each order. What is no longer right is
// withdrawn, and its order decides anew.
func (t *laneTurn) form(ctx context.Context) (bool, error) {
	waiting, err := t.Store.Waiting(ctx, t.channel, t.lane, 4*t.size())
	if err != nil || len(waiting) == 0 {
		return false, fault.Wrap(err, "lane %s: reading what waits", t.w.Subject)
	}
	if sw, err := t.Store.Switch(ctx, connector.StopWrites); err != nil || sw.On {
		t.wake(t.Clock().Add(time.Minute))
		return false, fault.Wrap(err, "lane %s: reading the switch", t.w.Subject)
	}
	gather := t.Gather
	if gather == 0 {
		gather = 5 * time.Second
	}
	if at := waiting[0].IntendedAt.Add(gather); t.Clock().Before(at) && len(waiting) < t.size() {
		t.wake(at)
		return false, nil
	}
	var ids []int64
	site, half := "", t.Clock().Add(t.w.LeaseUntil.Sub(t.Clock())/2) // looking takes time, and the lease is needed for more
	for _, e := range waiting {
		if len(ids) == t.size() || len(ids) > 0 && (e.Site != site || t.Clock().After(half)) {
			continue // the rest comes with the next batch
		}
		right, err := t.fits(ctx, e)
		if right && err == nil {
			right, err = t.recheck(ctx, e)
		}
		if err != nil {
			t.wake(t.Clock().Add(max(fault.After(err), time.Minute)))
			t.Log.Warn("looking once more before money moves", "order", e.Subject.String(), "error", err)
			if fault.Is(err, fault.Denied) {
				return false, err
			}
			continue
		}
		if right {
			ids, site = append(ids, e.ID), e.Site
		}
	}
	if len(ids) == 0 {
		if t.next.Wake.IsZero() {
			t.wake(t.Clock().Add(30 * time.Second))
		}
		return false, nil
	}
	_, err = t.Store.Form(ctx, t.w, connector.Batch{Channel: t.channel, Lane: t.lane, Site: site, State: connector.BatchFormed}, ids, t.Clock())
	return err == nil, fault.Wrap(err, "lane %s: forming a batch", t.w.Subject)
}

func (t *laneTurn) findFor() time.Duration {
	if t.FindFor > 0 {
		return t.FindFor
	}
	return 30 * time.Minute
}

// fits asks the adapter whether it can write the instruction; one that it cannot is refused alone.
func (t *laneTurn) fits(ctx context.Context, e connector.Entry) (bool, error) {
	err := t.sub.Writable(t.lane, marketplace.Message{Number: 1, Key: e.Key, Instruction: instructionOf(e.Command)})
	if err == nil {
		return true, nil
	}
	o := connector.Outcome{State: connector.Refused, Class: "unwritable", Unsent: true, At: t.Clock(), Reason: err.Error(),
		Note: fmt.Sprintf("%s over %s cannot be put into the channel's form: %v", e.Verb, e.Amount, err)}
	if err := t.Store.Settle(ctx, e.ID, o); err != nil {
		return false, fault.Wrap(err, "order %s: refusing %s", e.Subject, e.Key)
	}
	return false, t.Store.Touch(ctx, t.Clock(), connector.Touch{Subject: e.Subject, Side: connector.Market})
}

func (t *laneTurn) size() int {
	if t.Size > 0 {
		return t.Size
	}
	return 50
}

// recheck reads the order's sides afresh and asks the plan whether it would still mean the
// command. If not, the command is withdrawn before it is sent.
func (t *laneTurn) recheck(ctx context.Context, e connector.Entry) (bool, error) {
	if t.NoRecheck {
		return true, nil
	}
	s, ok := t.Orders.Sides(t.channel)
	if !ok {
		return false, fault.New(fault.Refused, "the connection %q is not configured", t.channel)
	}
	turn := &turn{Reconciler: t.Orders, w: connector.Work{Subject: e.Subject}, s: s}
	if err := turn.load(ctx); err != nil {
		return false, err
	}
	if err := turn.lookAfresh(ctx); err != nil {
		return false, err
	}
	d := Plan(without(turn.snapshot(), e.ID))
	if d.Look {
		return false, fault.New(fault.Temporary, "order %s: a side does not answer as it should", e.Subject)
	}
	if slices.ContainsFunc(d.Commands, func(c connector.Command) bool { return sameInstruction(c, e.Command) }) {
		return true, nil
	}
	o := connector.Outcome{State: connector.Refused, Class: Withdrawn, Unsent: true, At: t.Clock(), Reason: "the order has changed since",
		Note: fmt.Sprintf("%s over %s was withdrawn before it was sent: the order has changed since", e.Verb, e.Amount)}
	if err := t.Store.Settle(ctx, e.ID, o); err != nil {
		return false, fault.Wrap(err, "order %s: withdrawing %s", e.Subject, e.Key)
	}
	return false, t.Store.Touch(ctx, t.Clock(), connector.Touch{Subject: e.Subject, Side: connector.Market})
}

// without is a snapshot as it would be had an entry never been written.
func without(s Snapshot, id int64) Snapshot {
	s.Ledger = slices.DeleteFunc(slices.Clone(s.Ledger), func(e connector.Entry) bool { return e.ID == id })
	return s
}

// sameInstruction compares what a command does; the words of its reason may differ.
func sameInstruction(a, b connector.Command) bool {
	if a.Key != b.Key || a.Amount != b.Amount {
		return false
	}
	x, y := instructionOf(a), instructionOf(b)
	return x.Op == y.Op && slices.EqualFunc(x.Lines, y.Lines, func(m, n marketplace.InstructionLine) bool {
		return m.Line == n.Line && m.Quantity == n.Quantity && m.Left == n.Left && slices.Equal(m.Parts, n.Parts)
	})
}

func messages(b connector.Batch) (out []marketplace.Message, numbers []int) {
	for _, e := range b.Entries {
		out = append(out, marketplace.Message{Number: e.Message, Key: e.Key, Instruction: instructionOf(e.Command)})
		numbers = append(numbers, e.Message)
	}
	return out, numbers
}

// prepare uploads the batch. Nothing happens by that.
func (t *laneTurn) prepare(ctx context.Context, b connector.Batch) (bool, error) {
	list, _ := messages(b)
	doc, err := t.sub.Prepare(ctx, t.lane, list)
	switch {
	case fault.Is(err, fault.Refused):
		return true, t.commit(ctx, b, connector.BatchStep{State: connector.BatchDone, Reason: err.Error(),
			Outcomes: t.all(b, connector.Refused, err.Error())})
	case err != nil:
		t.wake(t.Clock().Add(max(fault.After(err), 5*time.Second)))
		return false, fault.Wrap(err, "lane %s: preparing batch %d", t.w.Subject, b.ID)
	}
	return true, t.dropSpent(ctx, b, t.commit(ctx, b, connector.BatchStep{State: connector.BatchPrepared, Document: doc}))
}

// dropSpent gives a batch up of which an entry was withdrawn meanwhile; the others wait again.
func (t *laneTurn) dropSpent(ctx context.Context, b connector.Batch, err error) error {
	if !errors.Is(err, connector.ErrSpent) {
		return err
	}
	return t.commit(ctx, b, connector.BatchStep{State: connector.BatchDropped, Reason: "an entry of it was withdrawn"})
}

// submit hands the batch in: the point of no return.
func (t *laneTurn) submit(ctx context.Context, b connector.Batch) (bool, error) {
	limit := t.Orders.CallTime
	if limit == 0 {
		limit = 30 * time.Second
	}
	deadline := t.Clock().Add(limit)
	if deadline.After(t.w.LeaseUntil) {
		t.wake(t.Clock().Add(time.Second))
		return false, nil
	}
	err := t.commit(ctx, b, connector.BatchStep{State: connector.BatchSending, Deadline: deadline})
	if err != nil {
		if errors.Is(err, connector.ErrParked) || errors.Is(err, connector.ErrStopped) {
			t.wake(t.Clock().Add(time.Minute))
			return false, nil
		}
		err = t.dropSpent(ctx, b, err)
		return err == nil, err
	}
	now := t.Clock()
	if !now.Before(deadline) { // the process slept: too late to hand it in
		return true, t.commit(ctx, b, connector.BatchStep{State: connector.BatchDropped, Reason: "the deadline passed before the call"})
	}
	cctx, cancel := context.WithTimeout(ctx, deadline.Sub(now))
	ticket, err := t.sub.Submit(cctx, t.lane, b.Site, b.Document)
	cancel()
	switch fault.Of(err) {
	case fault.Temporary, fault.Denied:
		t.wake(t.Clock().Add(max(fault.After(err), 30*time.Second)))
		if cerr := t.commit(ctx, b, connector.BatchStep{State: connector.BatchDropped, Reason: err.Error()}); cerr != nil {
			return false, cerr
		}
		return false, fault.Wrap(err, "lane %s: handing in batch %d", t.w.Subject, b.ID)
	case fault.Refused, fault.NotFound:
		return true, t.commit(ctx, b, connector.BatchStep{State: connector.BatchDone, Reason: err.Error(), Outcomes: t.all(b, connector.Refused, err.Error())})
	}
	if err != nil { // no answer: what became of it is looked for
		t.Log.Warn("no clear answer to a batch; it is looked for and not handed in again", "lane", t.w.Subject.String(), "batch", b.ID, "error", err)
		t.wake(deadline.Add(time.Second))
		return false, nil
	}
	return true, t.commit(ctx, b, connector.BatchStep{State: connector.BatchSent, Ticket: ticket})
}

// find looks for a batch whose answer was lost. One candidate that belongs to no other batch is
// it; more than one tell nothing, and none for as long as it is looked for means that nobody knows.
func (t *laneTurn) find(ctx context.Context, b connector.Batch) (bool, error) {
	if !t.Clock().After(b.Deadline) {
		t.wake(b.Deadline.Add(time.Second))
		return false, nil
	}
	tickets, err := t.sub.Find(ctx, t.lane, b.Site, b.SendingAt.Add(-time.Minute))
	if err != nil && t.Clock().Sub(b.SendingAt) > stuckAfter {
		return true, t.lost(ctx, b, "the answer was lost and the channel cannot be asked: "+err.Error())
	}
	if err != nil {
		t.trouble(err, time.Minute)
		return false, fault.Wrap(err, "lane %s: looking for batch %d", t.w.Subject, b.ID)
	}
	known, err := t.Store.Batches(ctx, t.channel, 200)
	if err != nil {
		return false, fault.Wrap(err, "lane %s: reading earlier batches", t.w.Subject)
	}
	tickets = slices.DeleteFunc(slices.Clone(tickets), func(ticket string) bool {
		return slices.ContainsFunc(known, func(o connector.Batch) bool { return o.ID != b.ID && o.Ticket == ticket })
	})
	switch {
	case len(tickets) == 1:
		return true, t.commit(ctx, b, connector.BatchStep{State: connector.BatchSent, Ticket: tickets[0], Reason: "its answer was lost; the channel lists it"})
	case t.Clock().Before(b.SendingAt.Add(t.findFor())):
		t.wake(t.Clock().Add(findEvery))
		t.wake(b.SendingAt.Add(t.findFor()))
		return false, nil
	}
	reason := "the answer was lost and the channel lists no such submission"
	if len(tickets) > 1 {
		reason = fmt.Sprintf("the answer was lost and the channel lists %d submissions that it may be", len(tickets))
	}
	return true, t.lost(ctx, b, reason)
}

// lost gives a batch up: nobody knows what became of its entries.
func (t *laneTurn) lost(ctx context.Context, b connector.Batch, reason string) error {
	return t.commit(ctx, b, connector.BatchStep{State: connector.BatchLost, Reason: reason, Outcomes: t.all(b, connector.Unknown, reason)})
}

// trouble comes again later and shows what keeps the lane from going on.
func (t *laneTurn) trouble(err error, wait time.Duration) {
	t.wake(t.Clock().Add(max(fault.After(err), wait)))
	t.next.Holds = append(t.next.Holds, connector.Hold{Kind: "lane_waits", Level: connector.Warns,
		Reason: "what became of a batch cannot be read: " + err.Error(), Hint: "it is asked again; after a day without an answer its entries are in doubt and a person decides"})
}

// results settles every entry by the channel's verdict about it.
func (t *laneTurn) results(ctx context.Context, b connector.Batch) (bool, error) {
	_, numbers := messages(b)
	res, err := t.sub.Results(ctx, t.lane, b.Ticket, numbers)
	if gone := fault.Is(err, fault.NotFound) || fault.Is(err, fault.Refused); err != nil && (gone || t.Clock().Sub(b.SendingAt) > stuckAfter) {
		return true, t.lost(ctx, b, "the channel does not tell what became of the batch: "+err.Error())
	}
	if err != nil {
		t.trouble(err, time.Minute)
		return false, fault.Wrap(err, "lane %s: reading the verdicts on batch %d", t.w.Subject, b.ID)
	}
	switch res.State {
	case marketplace.BatchDone:
		return true, t.commit(ctx, b, connector.BatchStep{State: connector.BatchDone, Reason: res.Text, Outcomes: t.verdicts(b, res)})
	case marketplace.BatchCancelled:
		return true, t.commit(ctx, b, connector.BatchStep{State: connector.BatchDropped, Reason: or(res.Text, "the channel cancelled it before anything happened")})
	case marketplace.BatchFatal:
		return true, t.lost(ctx, b, "the channel gave up on the batch: some, none or all of it may have happened. "+res.Text)
	}
	age := t.Clock().Sub(b.SendingAt)
	if age > stuckAfter {
		return true, t.lost(ctx, b, "the channel has given no verdict for a day")
	}
	t.wake(t.Clock().Add(min(max((age/4).Truncate(time.Second), 20*time.Second), 10*time.Minute)))
	return false, nil
}

// all is one outcome for every entry.
func (t *laneTurn) all(b connector.Batch, state connector.EntryState, reason string) map[int64]connector.Outcome {
	out := map[int64]connector.Outcome{}
	for _, e := range b.Entries {
		o := connector.Outcome{State: state, At: t.Clock(), Class: "batch", Reason: reason}
		o.Note = fmt.Sprintf("%s over %s: %s", e.Verb, e.Amount, reason)
		out[e.ID] = o
	}
	return out
}

// verdicts turns the channel's answers into outcomes. A message it says nothing of is unknown.
func (t *laneTurn) verdicts(b connector.Batch, res marketplace.Results) map[int64]connector.Outcome {
	out := t.all(b, connector.Unknown, or(res.Text, "the channel's report does not tell"))
	for _, e := range b.Entries {
		for _, v := range res.Verdicts {
			if v.Number != e.Message {
				continue
			}
			o := connector.Outcome{At: t.Clock(), Ref: b.Ticket, Class: v.Code, Reason: v.Text}
			switch v.State {
			case marketplace.VerdictAccepted:
				o.State, o.Note = connector.Done, fmt.Sprintf("the channel accepted %s over %s", e.Verb, e.Amount)
			case marketplace.VerdictRejected:
				o.State, o.Note = connector.Refused, fmt.Sprintf("the channel refused %s over %s: %s", e.Verb, e.Amount, v.Text)
			default:
				o.State, o.Note = connector.Unknown, fmt.Sprintf("%s over %s: the channel's report does not tell what became of it", e.Verb, e.Amount)
			}
			out[e.ID] = o
		}
	}
	return out
}
