package connector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"channelbridge/internal/fault"
)

// Reconciler brings one subject into agreement. It must be safe to run at any moment, twice.
// On error the subject is looked at again after a back-off; Next is honoured either way.
type Reconciler interface {
	Reconcile(ctx context.Context, w Work) (Next, error)
}

// Looked is told of every finished look, for metrics and traces.
type Looked struct {
	Work Work
	Next Next
	Err  error
	Took time.Duration
}

// Loop claims due subjects, reconciles and releases them.
type Loop struct {
	Queue       Queue
	Clock       Clock
	Reconcilers map[Kind]Reconciler
	Runnable    func() []ConnectionID // channels that may be worked on now
	Workers     int                   // 0: 32
	Lease       time.Duration         // 0: 2 min; longer than any look may take
	Idle        time.Duration         // 0: 500 ms; how often to ask when nobody nudges
	Recover     bool                  // a look that panics is a failed look, not the end of the process
	Log         *slog.Logger
	Observe     func(Looked)

	nudge chan struct{}
	once  sync.Once
}

func (l *Loop) init() {
	l.once.Do(func() {
		l.nudge = make(chan struct{}, 1)
		if l.Workers == 0 {
			l.Workers = 32
		}
		if l.Lease == 0 {
			l.Lease = 2 * time.Minute
		}
		if l.Idle == 0 {
			l.Idle = 500 * time.Millisecond
		}
		if l.Log == nil {
			l.Log = slog.New(slog.DiscardHandler)
		}
		if l.Observe == nil {
			l.Observe = func(Looked) {}
		}
	})
}

// Nudge asks the loop to look for due subjects now. It never blocks.
func (l *Loop) Nudge() {
	l.init()
	select {
	case l.nudge <- struct{}{}:
	default:
	}
}

// Step claims up to n subjects and works on them one after the other, in the caller's
// goroutine. It returns how many it claimed.
func (l *Loop) Step(ctx context.Context, n int) (int, error) {
	l.init()
	work, err := l.Queue.Claim(ctx, l.Clock(), n, l.Lease, l.Runnable())
	for _, w := range work {
		l.turn(ctx, w)
	}
	return len(work), fault.Wrap(err, "claiming due subjects")
}

// Run works until ctx ends, then waits for the looks under way.
func (l *Loop) Run(ctx context.Context) error {
	l.init()
	var wg sync.WaitGroup
	defer wg.Wait()
	free := make(chan struct{}, l.Workers)
	for range l.Workers {
		free <- struct{}{}
	}
	for {
		n, err := l.fill(ctx, &wg, free)
		if err != nil && ctx.Err() == nil {
			l.Log.Error("claiming due subjects", "error", err)
		}
		if n > 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-l.nudge:
			l.gather(ctx)
		case <-time.After(l.Idle):
		}
	}
}

// gather waits a moment after a nudge that followed an empty claim: where many pushes come in
// that concern nothing of ours, each would cost a claim.
func (l *Loop) gather(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(gatherFor):
	}
}

const gatherFor = 15 * time.Millisecond

// fill waits for one free worker, takes all others that are free too, and gives them work.
func (l *Loop) fill(ctx context.Context, wg *sync.WaitGroup, free chan struct{}) (int, error) {
	select {
	case <-ctx.Done():
		return 0, nil
	case <-free:
	}
	n := 1
	for len(free) > 0 {
		<-free
		n++
	}
	work, err := l.Queue.Claim(ctx, l.Clock(), n, l.Lease, l.Runnable())
	for range n - len(work) {
		free <- struct{}{}
	}
	for _, w := range work {
		wg.Go(func() {
			l.turn(context.WithoutCancel(ctx), w)
			free <- struct{}{}
		})
	}
	return len(work), err
}

// turn is one look at one subject.
func (l *Loop) turn(ctx context.Context, w Work) {
	began := l.Clock()
	ctx, cancel := context.WithTimeout(ctx, max(w.LeaseUntil.Sub(began), time.Second))
	defer cancel()
	r := l.Reconcilers[w.Subject.Kind]
	if r == nil {
		l.Log.Error("no reconciler", "kind", string(w.Subject.Kind), "subject", w.Subject.String())
		return
	}
	next, err := l.reconcile(ctx, r, w)
	now := l.Clock()
	if err != nil {
		next.Failed = true
		next.Wake = Backoff(now, w.Failures+1, fault.After(err), next.Due, next.Wake)
		l.Log.Warn("look ended early", "subject", w.Subject.String(), "class", fault.Of(err).String(),
			"error", err, "again", next.Wake)
	}
	rerr := l.Queue.Release(ctx, w, now, next)
	if rerr != nil && !errors.Is(rerr, ErrLeaseLost) {
		l.Log.Error("release", "subject", w.Subject.String(), "error", rerr)
	}
	l.Observe(Looked{Work: w, Next: next, Err: err, Took: now.Sub(began)})
}

// reconcile looks at one subject; a panic of one poisoned subject does not stop the others.
func (l *Loop) reconcile(ctx context.Context, r Reconciler, w Work) (n Next, err error) {
	if l.Recover {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
				n.Holds = []Hold{{Kind: "defect", Level: Blocks, Reason: "the bridge failed while looking at this order",
					Hint: "report this with the log; it is tried again with growing pauses, other orders are not affected"}}
			}
		}()
	}
	return r.Reconcile(ctx, w)
}

// Backoff says when to look again after a failure: the wait doubles from 2 s to 15 min, is never
// shorter than the other side asked for, never later than an earlier wake, and never longer
// than a tenth of the time left to the deadline (but at least a second).
func Backoff(now time.Time, failures int, asked time.Duration, due, wake time.Time) time.Time {
	d := min(time.Second<<min(failures, 12), 15*time.Minute)
	if left := due.Sub(now); !due.IsZero() && left > 0 {
		d = min(d, max(left/10, time.Second))
	}
	at := now.Add(max(d, asked))
	if !wake.IsZero() && wake.After(now) && wake.Before(at) && asked == 0 {
		return wake
	}
	return at
}
