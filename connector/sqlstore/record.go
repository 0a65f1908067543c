package sqlstore

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// What one commit may hold. There is no timer: a flusher takes what is there and goes. The next
// group is begun and gathers meanwhile, and is written as soon as nothing is left of this one but
// to wait for the disk.
const (
	batchJobs  = 256
	batchBytes = 4 << 20
)

// job is a delivery that waits for a shared commit.
type job struct {
	d      connector.Delivery
	row    []any // its columns, but for how often it came again
	events []event
	keep   int // of refused ones
	answer chan answer
}

// newJob prepares all it can: the sender does it, and not the flusher for everybody.
func newJob(d connector.Delivery, keep int) *job {
	return &job{d: d, row: deliveryArgs(&d), events: eventsOf(d.ReceivedAt, d.Touch, d.Observed), keep: keep, answer: make(chan answer, 1)}
}

type answer struct {
	verdict connector.Verdict
	err     error
}

// Record keeps a delivery and touches its subjects; see connector.Inbox. A caller that gives up
// does not know whether its delivery was kept; sending it again is safe.
func (s *Store) Record(ctx context.Context, d connector.Delivery) (connector.Verdict, error) {
	if d.Verdict == "" {
		d.Verdict = connector.Accepted
	}
	if d.Verdict != connector.Accepted && d.Verdict != connector.Quarantined {
		return "", fmt.Errorf("a delivery to record is accepted or quarantined, not %q", d.Verdict)
	}
	d.Size = len(d.Body)
	return s.submit(ctx, newJob(d, 0))
}

// maxRejected is how much of a refused body is kept.
const maxRejected = 2 << 10

// Reject counts a refused delivery and keeps it within a bound; see connector.Inbox. The id it
// claims to have stays free for a genuine one.
func (s *Store) Reject(ctx context.Context, d connector.Delivery, keep int) error {
	d.Verdict, d.Size = connector.Rejected, len(d.Body)
	d.Body = append([]byte(nil), d.Body[:min(len(d.Body), maxRejected)]...)
	_, err := s.submit(ctx, newJob(d, max(keep, 0)))
	return err
}

func (s *Store) submit(ctx context.Context, j *job) (connector.Verdict, error) {
	// A database that hangs shall not make callers hang: they can answer "later" themselves.
	if end, bound := ctx.Deadline(); !bound || time.Until(end) > s.timeout {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, s.timeout, errHangs)
		defer cancel()
	}
	select {
	case s.jobs <- j:
	case <-s.done:
		return "", ErrClosed
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	select {
	case a := <-j.answer:
		return a.verdict, a.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// flusher commits what callers hand over until the store is closed.
func (s *Store) flusher() {
	for {
		select {
		case <-s.done:
			return
		case j := <-s.jobs:
			s.commit(j)
		}
	}
}

// gather takes the jobs that wait already.
func (s *Store) gather(first *job) []*job {
	batch, size := []*job{first}, len(first.d.Body)
	for len(batch) < batchJobs && size < batchBytes {
		select {
		case j := <-s.jobs:
			batch = append(batch, j)
			size += len(j.d.Body)
		default:
			return batch
		}
	}
	return batch
}

// commit writes what waits and answers everybody in it.
func (s *Store) commit(first *job) {
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	batch, verdicts, err := s.together(ctx, first)
	if err != nil && len(batch) > 1 && rowFault(err) {
		s.oneByOne(batch)
		return
	}
	tell(batch, verdicts, err)
}

// tell answers those whose deliveries were kept, or could not be.
func tell(batch []*job, verdicts []connector.Verdict, err error) {
	for i, j := range batch {
		if err != nil {
			j.answer <- answer{err: fmt.Errorf("keeping a delivery of %s: %w", j.d.Connection, err)}
		} else {
			j.answer <- answer{verdict: verdicts[i]}
		}
	}
}

// together writes what waits in one transaction. Only one group is written at a time: it is
// gathered when its turn comes, and its turn ends before the commit.
func (s *Store) together(ctx context.Context, first *job) (batch []*job, verdicts []connector.Verdict, err error) {
	ended := func() {}
	err = s.write(ctx, func(tx *sqlx.Tx) (err error) {
		if batch == nil { // else it lost against another transaction and is run again
			select {
			case <-s.turn:
			case <-ctx.Done():
				return ctx.Err()
			}
			ended = sync.OnceFunc(func() { s.turn <- struct{}{} })
			batch = s.gather(first)
		}
		verdicts, err = s.keep(ctx, tx, batch)
		ended()
		return err
	})
	if batch == nil {
		batch = s.gather(first) // no transaction could be begun: that is so for all who wait
	}
	return batch, verdicts, err
}

// oneByOne writes jobs of which one has spoiled it for all.
func (s *Store) oneByOne(batch []*job) {
	for i := range batch {
		alone := batch[i : i+1]
		ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
		var verdicts []connector.Verdict
		err := s.write(ctx, func(tx *sqlx.Tx) (err error) {
			verdicts, err = s.keep(ctx, tx, alone)
			return err
		})
		cancel()
		tell(alone, verdicts, err)
	}
}

// patience is how long Ping may take.
const patience = 5 * time.Second
