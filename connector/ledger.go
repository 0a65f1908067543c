package connector

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"channelbridge/internal/money"
)

// Why the ledger refuses an intent. All of them mean: do not send.
var (
	ErrLeaseLost = errors.New("the lease is not ours any more")
	ErrParked    = errors.New("the connection is not active")
	ErrSpent     = errors.New("the key is spent")
	ErrNotFound  = errors.New("not found")
	ErrBraked    = errors.New("the budget for money commands is spent")
	ErrStopped   = errors.New("all outside writes are stopped by an operator")
	ErrSettled   = errors.New("the entry has an outcome already")
)

// Verb names an outside write.
type Verb string

// Command is one intended outside write. Key follows from what it is about, never from when:
// it is unique for ever, so a command can be meant only once.
type Command struct {
	Key    string          `json:"key"` // channel/order/verb/subject
	Verb   Verb            `json:"verb"`
	Side   Side            `json:"side"` // which outside system is written to
	About  string          `json:"about,omitempty"`
	Amount money.Money     `json:"amount,omitzero"`
	Due    time.Time       `json:"due,omitzero"`
	Body   json.RawMessage `json:"body"`
	Why    string          `json:"why"` // for people: the facts it follows from
	// Again is the entry that is sent once more with the same key and body; 0 for a first send.
	Again int64 `json:"again,omitempty"`
	// Money marks a write that gives money back; it counts against the budget.
	Money bool `json:"money,omitempty"`
	// Lane is the line of the channel it waits in to be sent with others; "" is sent at once.
	// Site is the channel's marketplace: a batch is of one.
	Lane string `json:"lane,omitempty"`
	Site string `json:"site,omitempty"`
	// Budget bounds the channel's money commands; nil bounds nothing. It is not kept.
	Budget *Budget `json:"-"`
}

// Budget bounds what a channel's money commands may come to within Per, this one included.
type Budget struct {
	Per   time.Duration
	Count int         // 0: unbounded
	Sum   money.Money // of the commands in its currency; zero value: unbounded
}

// Exceeded reports whether so many commands, which come to sum in the budget's currency, are more
// than it allows.
func (b Budget) Exceeded(count int, sum int64) bool {
	return b.Count > 0 && count > b.Count || b.Sum != (money.Money{}) && sum > b.Sum.Minor
}

// Counts reports a command that the budget bounds: one that gives money back at the channel.
func (c Command) Counts() bool { return c.Money && c.Side == Market }

// EntryState is what is known of a command's effect.
type EntryState string

const (
	Queued  EntryState = "queued"  // meant, and waiting in its lane; surely not sent
	Sent    EntryState = "sent"    // about to be sent, or sent and no answer recorded
	Unknown EntryState = "unknown" // sent, and the answer does not tell whether it worked
	Taken   EntryState = "pending" // taken on by the remote, verdict follows
	Retry   EntryState = "retry"   // surely did not happen; may be sent again
	Refused EntryState = "refused" // surely did not happen and will not
	Done    EntryState = "done"    // the remote said yes
	Proven  EntryState = "proven"  // a later read shows the effect
)

// Unproven reports a state in which the effect may exist without having been seen.
func (s EntryState) Unproven() bool { return s == Sent || s == Unknown || s == Taken || s == Done }

// Open reports a state in which it is not known yet whether the effect will exist.
func (s EntryState) Open() bool {
	return s == Queued || s == Sent || s == Unknown || s == Taken || s == Retry
}

// Accepted reports that the other side took the effect on: it said so, or the effect was seen.
func (s EntryState) Accepted() bool { return s == Done || s == Proven }

// Happened reports that the effect is known or must be assumed to exist.
func (s EntryState) Happened() bool { return s != Retry && s != Refused && s != Queued }

// Spent reports that the command's money must be counted as given back: it was, it may have been,
// or it is about to be. What surely did not happen is decided about anew.
func (s EntryState) Spent() bool { return s != Refused && s != Retry }

// Entry is a command in the ledger.
type Entry struct {
	ID      int64   `json:"id"`
	Subject Subject `json:"subject"`
	Command
	State      EntryState `json:"state"`
	Attempts   int        `json:"attempts"`
	IntendedAt time.Time  `json:"intended_at"` // of the latest attempt
	Deadline   time.Time  `json:"deadline"`    // after this the attempt cannot leave any more
	SettledAt  time.Time  `json:"settled_at,omitzero"`
	RetryAt    time.Time  `json:"retry_at,omitzero"`
	Ref        string     `json:"ref,omitempty"` // the remote's reference
	Class      string     `json:"class,omitempty"`
	Reason     string     `json:"reason,omitempty"`
	PlannedOn  string     `json:"planned_on,omitempty"` // hash of the snapshot it was planned from
	Batch      int64      `json:"batch,omitempty"`      // the batch it was sent in
	Message    int        `json:"message,omitempty"`    // its number there, from 1
}

// Outcome is what an attempt, or a later look, established.
type Outcome struct {
	State   EntryState
	Attempt int // which attempt it speaks of; 0: of the command as such, as a later look does
	// Unsent: it was decided while the entry waited to be sent, and says nothing of one that has left.
	Unsent   bool
	At       time.Time
	RetryAt  time.Time
	Ref      string
	Class    string
	Reason   string
	Shop     ShopRef      // set by a create: the mirror now exists under this id
	Observed *Observation // when the answer carried the order
	Note     string       // timeline text
}

// Changes reports whether an outcome changes what is known of an entry. It never takes back that
// an effect exists, never reopens what was refused or given up because a late call was not made,
// and one of another attempt than the last only counts when it says that the effect exists. What was
// decided before an entry left its lane does not reach it any more once it has.
func (o Outcome) Changes(state EntryState, attempts int) bool {
	exists := o.State == Done || o.State == Proven
	switch {
	case state == Proven, state == Done && o.State != Proven, state == Refused && o.State == Retry:
		return false
	case o.Unsent && state != Queued:
		return false
	}
	return exists || o.Attempt == 0 || o.Attempt == attempts
}

// Revives reports whether an outcome that changes an entry tells of one at which nobody looks any
// more: its subject is due again.
func (o Outcome) Revives(state EntryState) bool { return state == Refused && o.State != Refused }

// Answer is the line of the timeline about a person's answer.
func (o Outcome) Answer(evidence string) string {
	if o.Note != "" {
		return o.Note
	}
	if o.State == Done {
		return "a person found that it happened: " + evidence
	}
	return "a person found that it did not happen: " + evidence
}

// Doubtful reports that nobody can say by now whether the effect exists, so a person may. What is
// in a batch that is under way is not in doubt: the batch tells.
func (e Entry) Doubtful(now time.Time) bool {
	if e.Batch != 0 {
		return e.State == Unknown
	}
	return e.State == Unknown || e.State == Taken || e.State == Sent && e.Deadline.Before(now)
}

// Ledger holds every intended outside write.
type Ledger interface {
	// Intend commits an attempt in state sent, if the lease is ours, the connections are active,
	// no operator has stopped all writes, the budget allows it and the key is free (or Again names
	// an entry that may be sent once more). Only when it returns nil may the call be made, and not
	// after the deadline. A command with a lane is committed in state queued instead, and the
	// lane's subject becomes due in the same transaction; nothing may be sent then.
	Intend(ctx context.Context, w Work, c Command, at, deadline time.Time, plannedOn string) (Entry, error)
	// Settle records an outcome. A late or repeated settle never takes back done or proven, and
	// one that speaks of an earlier attempt than the last says nothing about the last unless it
	// is done.
	Settle(ctx context.Context, id int64, o Outcome) error
	// Reopen is a person's decision to try what was refused once more: all refused entries of the
	// subject may be sent again, and it is due. It returns how many there were.
	Reopen(ctx context.Context, s Subject, at time.Time, note string) (int, error)
	// Entry reads one entry; ErrNotFound.
	Entry(ctx context.Context, id int64) (Entry, error)
	// Resolve is a person's answer about an entry in doubt (sent past its deadline, unknown or
	// pending): o.State says Done or Refused, reason holds the evidence. Its subject is due
	// afterwards. ErrSettled when the entry is not in doubt.
	Resolve(ctx context.Context, id int64, o Outcome, actor, evidence string) error
}
