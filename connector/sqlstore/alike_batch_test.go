package sqlstore_test

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
)

// person is somebody who wants something.
func (l *living) person() {
	ctx := l.t.Context()
	switch l.r.IntN(6) {
	case 0:
		on := l.r.IntN(3) == 0
		l.say("switch %v", l.s.SetSwitch(ctx, connector.Switch{Name: connector.StopWrites, On: on, At: l.now}))
	case 1:
		if len(l.entries) > 0 {
			e := l.entries[l.r.IntN(len(l.entries))]
			l.say("resolve %v", l.s.Resolve(ctx, e.ID, connector.Outcome{State: connector.Done, At: l.now}, "anna", "seen"))
		}
	case 2:
		n, err := l.s.Reopen(ctx, l.order(l.r.IntN(5)), l.now, "again")
		l.say("reopen %d %v", n, err)
	case 3:
		sub := l.order(l.r.IntN(5))
		err := l.s.Redact(ctx, connector.Redaction{Subject: sub, At: l.some().Add(10 * time.Minute), Bodies: map[connector.Side][]byte{connector.Market: []byte("-")}})
		l.say("redact %v", err)
	default:
		w, fresh, err := l.s.Wish(ctx, connector.Wish{Subject: l.order(l.r.IntN(5)), Kind: connector.WishHold, At: l.now, Key: fmt.Sprint(l.channel, "w", l.r.IntN(9))})
		l.say("wish %v %v %v", w.At, fresh, err)
	}
}

// feed does something with the lane's batch.
func (l *living) feed() {
	ctx := l.t.Context()
	lane := connector.Subject{Kind: connector.KindLane, Channel: l.channel, ID: "feed"}
	var w connector.Work
	for _, x := range l.work {
		if x.Subject == lane {
			w = x // the newest
		}
	}
	waiting, err := l.s.Waiting(ctx, l.channel, "feed", 3)
	require.NoError(l.t, err)
	under, err := l.s.Under(ctx, l.channel, "feed")
	l.say("lane %d %v %s", len(waiting), err, under.State)
	if err != nil {
		var ids []int64
		for _, e := range waiting {
			ids = append(ids, e.ID)
		}
		b, err := l.s.Form(ctx, w, connector.Batch{}, ids, l.now)
		l.say("form %s %d %v", b.State, len(b.Entries), err)
		return
	}
	st := connector.BatchStep{At: l.now, Deadline: l.now.Add(time.Minute), Ticket: fmt.Sprint("t", l.r.IntN(3)), Outcomes: map[int64]connector.Outcome{},
		State: []connector.BatchState{connector.BatchPrepared, connector.BatchSending, connector.BatchSent, connector.BatchDone, connector.BatchLost, connector.BatchDropped}[l.r.IntN(6)]}
	for _, e := range under.Entries {
		if l.r.IntN(2) == 0 {
			state := []connector.EntryState{connector.Done, connector.Refused, connector.Retry, connector.Unknown}[l.r.IntN(4)]
			st.Outcomes[e.ID] = connector.Outcome{State: state, At: l.now, Note: "told"}
		}
	}
	b, err := l.s.Step(ctx, w, under.ID, st)
	l.say("step %s %s %d %v", st.State, b.State, len(b.Entries), err == nil)
}

// batched says what became of all batches, and of the record.
func (l *living) batched() {
	ctx := l.t.Context()
	all, err := l.s.Batches(ctx, l.channel, 100)
	for _, b := range all {
		l.say("batch %v %s %s %v", err, b.State, b.Ticket, b.ChangedAt)
		for _, e := range b.Entries {
			l.say("entry %d %s %s %s", e.Message, e.Key, e.State, e.Ref)
		}
	}
	st, err := l.s.Stats(ctx, l.now)
	l.say("stats %v %+v", err, st)
	_, err = l.s.SealAudit(ctx, 10_000)
	require.NoError(l.t, err)
	n, broken, err := l.s.VerifyAudit(ctx, nil)
	l.say("record %d %v %v", n, broken, err)
}
