package httpx

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limit is a token bucket: so many per second, and so many at once.
type Limit struct {
	PerSecond float64
	Burst     int
}

// maxPenalty bounds the doubling after repeated refusals.
const maxPenalty = 10 * time.Minute

// pacer keeps one bucket per operation, shared by all workers of the account.
type pacer struct {
	mu      sync.Mutex
	limits  map[string]Limit
	buckets map[string]*bucket
}

type bucket struct {
	limiter *rate.Limiter
	blocked time.Time     // nothing leaves before this, after a refusal
	penalty time.Duration // of the next refusal in a row
}

func newPacer(limits map[string]Limit) *pacer {
	return &pacer{limits: limits, buckets: map[string]*bucket{}}
}

func (p *pacer) bucket(op string) *bucket {
	b := p.buckets[op]
	if b == nil {
		b = &bucket{}
		if l, ok := p.limits[op]; ok {
			b.limiter = rate.NewLimiter(rate.Limit(l.PerSecond), l.Burst)
		}
		p.buckets[op] = b
	}
	return b
}

// reserve returns how long to wait for a turn. When that is more than longest, no turn is taken.
func (p *pacer) reserve(op string, now time.Time, longest time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.bucket(op)
	if d := b.blocked.Sub(now); d > longest {
		return d
	}
	at := now
	if b.blocked.After(now) {
		at = b.blocked
	}
	if b.limiter == nil {
		return at.Sub(now)
	}
	r := b.limiter.ReserveN(at, 1)
	d := r.DelayFrom(now)
	if d > longest {
		r.CancelAt(at)
	}
	return d
}

// penalty empties the bucket after the service refused, and returns the wait.
func (p *pacer) penalty(op string, now time.Time, d time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.bucket(op)
	if d <= 0 {
		d = time.Second
		if b.limiter != nil {
			d = time.Duration(float64(time.Second) / float64(b.limiter.Limit()))
		}
	}
	d = min(max(d, b.penalty), maxPenalty)
	b.penalty = min(2*d, maxPenalty)
	if until := now.Add(d); until.After(b.blocked) {
		b.blocked = until
	}
	if b.limiter != nil {
		if n := int(b.limiter.TokensAt(now)); n > 0 {
			b.limiter.ReserveN(now, n)
		}
	}
	return b.blocked.Sub(now)
}

func (p *pacer) clear(op string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bucket(op).penalty = 0
}
