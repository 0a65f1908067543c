package connector

import "fmt"

// rank is how far a state is; a batch never goes back.
func (s BatchState) rank() int {
	switch s {
	case BatchFormed:
		return 1
	case BatchPrepared:
		return 2
	case BatchSending:
		return 3
	case BatchSent:
		return 4
	}
	return 5
}

// Leads reports whether a batch may go from one state to another. It is about to be handed in
// once: nobody knows what became of a second time. Otherwise the same step may be taken again,
// to add what is known.
func (s BatchState) Leads(to BatchState) bool {
	switch {
	case s.Over() || to == BatchFormed:
		return false
	case to == BatchSending:
		return s == BatchFormed || s == BatchPrepared
	case to == BatchSent:
		return s == BatchSending || s == BatchSent
	}
	return to.rank() >= s.rank()
}

// Take brings a batch to where the step leaves it. What the step does not say stays.
func (b *Batch) Take(s BatchStep) {
	b.State, b.ChangedAt = s.State, s.At
	if s.State == BatchSending {
		b.SendingAt, b.Deadline = s.At, s.Deadline
	}
	if s.Document != "" {
		b.Document = s.Document
	}
	if s.Ticket != "" {
		b.Ticket = s.Ticket
	}
	if s.Reason != "" {
		b.Reason = s.Reason
	}
}

// Waits reports a state in which an entry of a batch has no outcome yet.
func (s EntryState) Waits() bool { return s == Queued || s == Sent || s == Taken }

// Fits insists that the step speaks of the entries of its batch, as they stand before it: that
// outcomes are about them, that none was settled before the batch was handed in (ErrSpent), and
// that all have an outcome when it is done or lost.
func (s BatchStep) Fits(entries []Entry) error {
	known := map[int64]bool{}
	for _, e := range entries {
		known[e.ID] = true
		o, told := s.Outcomes[e.ID]
		switch {
		case (s.State == BatchPrepared || s.State == BatchSending) && e.State != Queued:
			return ErrSpent
		case (s.State == BatchDone || s.State == BatchLost) && e.State.Waits() && (!told || o.State.Waits()):
			return fmt.Errorf("entry %d has no outcome, so its batch cannot be %s", e.ID, s.State)
		}
	}
	for id := range s.Outcomes {
		if !known[id] {
			return fmt.Errorf("entry %d is not of this batch: %w", id, ErrNotFound)
		}
	}
	return nil
}
