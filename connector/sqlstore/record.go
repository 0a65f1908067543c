package sqlstore

import (
	"context"
	"fmt"
	"time"

	"channelbridge/connector"
)

// What one commit may hold. There is no timer: the flusher takes what is there and goes, and the
// next group gathers while it waits for the disk.
const (
	batchJobs  = 256
	batchBytes = 4 << 20
)

// job is a delivery that waits for a shared commit.
type job struct {
	d      connector.Delivery
	keep   int // of refused ones
	answer chan answer
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
	return s.submit(ctx, &job{d: d, answer: make(chan answer, 1)})
}

// maxRejected is how much of a refused body is kept.
const maxRejected = 2 << 10

// Reject counts a refused delivery and keeps it within a bound; see connector.Inbox. The id it
// claims to have stays free for a genuine one.
func (s *Store) Reject(ctx context.Context, d connector.Delivery, keep int) error {
	d.Verdict, d.Size = connector.Rejected, len(d.Body)
	d.Body = append([]byte(nil), d.Body[:min(len(d.Body), maxRejected)]...)
	_, err := s.submit(ctx, &job{d: d, keep: max(keep, 0), answer: make(chan answer, 1)})
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
			s.commit(s.gather(j))
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

// commit writes a batch and answers everybody in it.
func (s *Store) commit(batch []*job) {
	var kept, refused []*job
	for _, j := range batch {
		if j.d.Verdict == connector.Rejected {
			refused = append(refused, j)
		} else {
			kept = append(kept, j)
		}
	}
	s.attempt(kept, s.keepDeliveries)
	s.attempt(refused, s.keepRefused)
}

// attempt writes jobs together, or one by one if one of them spoils it for all.
func (s *Store) attempt(jobs []*job, write func(context.Context, []*job) ([]connector.Verdict, error)) {
	if len(jobs) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	verdicts, err := write(ctx, jobs)
	cancel()
	if err != nil && len(jobs) > 1 && rowFault(err) {
		for _, j := range jobs {
			s.attempt([]*job{j}, write)
		}
		return
	}
	for i, j := range jobs {
		if err != nil {
			j.answer <- answer{err: fmt.Errorf("keeping a delivery of %s: %w", j.d.Connection, err)}
		} else {
			j.answer <- answer{verdict: verdicts[i]}
		}
	}
}

// patience is how long Ping may take.
const patience = 5 * time.Second
