package connector

import (
	"context"
	"time"
)

// BatchState is how far a batch is. Each state is committed before the step that follows it.
type BatchState string

const (
	BatchFormed   BatchState = "formed"   // its entries are chosen; nothing has left
	BatchPrepared BatchState = "prepared" // its document lies at the channel; nothing has happened by that
	BatchSending  BatchState = "sending"  // about to be handed in, or handed in and no answer recorded
	BatchSent     BatchState = "sent"     // handed in under its ticket; verdicts follow
	BatchDone     BatchState = "done"     // every entry has its outcome
	BatchLost     BatchState = "lost"     // what became of it cannot be found out by machine
	BatchDropped  BatchState = "dropped"  // surely nothing of it happened; its entries wait again
)

// Over reports that the lane is free for the next batch.
func (s BatchState) Over() bool { return s == BatchDone || s == BatchLost || s == BatchDropped }

// Batch is a number of entries of one lane and site that are handed to a channel together.
type Batch struct {
	ID        int64        `json:"id"`
	Channel   ConnectionID `json:"channel"`
	Lane      string       `json:"lane"`
	Site      string       `json:"site"`
	State     BatchState   `json:"state"`
	Document  string       `json:"document,omitempty"`
	Ticket    string       `json:"ticket,omitempty"`
	Reason    string       `json:"reason,omitempty"`
	FormedAt  time.Time    `json:"formed_at"`
	ChangedAt time.Time    `json:"changed_at"`
	SendingAt time.Time    `json:"sending_at,omitzero"` // when it was about to be handed in
	Deadline  time.Time    `json:"deadline,omitzero"`   // after this it cannot be handed in any more
	Entries   []Entry      `json:"entries"`             // by message number
}

// BatchStep is what is committed about a batch, together with its entries:
// sending turns queued entries into sent ones with the deadline, sent into pending ones with
// the ticket as reference, dropped puts those without outcome back into the queue. Outcomes
// settles single entries by id in the same transaction; done and lost insist that every entry
// has one or had one.
type BatchStep struct {
	State    BatchState
	At       time.Time
	Deadline time.Time
	Document string
	Ticket   string
	Reason   string
	Outcomes map[int64]Outcome
}

// Batches keeps what is sent together. Work is the claim of the lane's subject; every write needs
// its lease.
type Batches interface {
	// Waiting lists the queued entries of a lane that are in no batch, oldest first.
	Waiting(ctx context.Context, channel ConnectionID, lane string, limit int) ([]Entry, error)
	// Under returns the batch of a lane that is not over; ErrNotFound when there is none.
	Under(ctx context.Context, channel ConnectionID, lane string) (Batch, error)
	// Form makes a batch of queued entries, which keep their state, numbered in the order given.
	// ErrSpent when one of them is not queued any more or in a batch, or another batch of the
	// lane is not over.
	Form(ctx context.Context, w Work, b Batch, entries []int64, at time.Time) (Batch, error)
	// Step commits a step. To sending it fails with ErrParked or ErrStopped like Intend, and with
	// ErrSpent unless the batch is formed or prepared and every entry still waits. A batch goes
	// forward only: ErrSpent when it is over, or further than the step. The orders of entries
	// with an outcome are due afterwards.
	Step(ctx context.Context, w Work, batch int64, s BatchStep) (Batch, error)
	// Batches lists a channel's batches, newest first.
	Batches(ctx context.Context, channel ConnectionID, limit int) ([]Batch, error)
}
