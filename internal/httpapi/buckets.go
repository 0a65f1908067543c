package httpapi

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// mostBuckets bounds how many names are remembered. When there are more, an eighth is forgotten,
// those that have been quiet first.
const mostBuckets = 4096

// buckets count what is done under a name, such as a peer's or a token's: so many times a minute,
// all at once or spread out.
type buckets struct {
	mu        sync.Mutex
	perMinute int
	by        map[string]*rate.Limiter
}

func newBuckets(perMinute int) *buckets {
	return &buckets{perMinute: perMinute, by: map[string]*rate.Limiter{}}
}

// level is how a bucket stands after something was taken out of it, or could not be.
type level struct {
	taken bool
	left  int           // times that are left at once
	full  time.Duration // until all of them are there again
	next  time.Duration // until there is one; 0 while some are left
}

// room reports whether there is one more time for a name.
func (b *buckets) room(name string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.by[name]
	return l == nil || l.TokensAt(now) >= 1
}

// take takes one time out of a name's bucket, if there is one.
func (b *buckets) take(name string, now time.Time) level {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.by[name]
	if l == nil {
		if len(b.by) >= mostBuckets {
			b.forget(now)
		}
		l = rate.NewLimiter(rate.Limit(float64(b.perMinute)/60), b.perMinute)
		b.by[name] = l
	}
	out := level{taken: l.AllowN(now, 1)}
	there := l.TokensAt(now)
	out.left = max(0, int(there))
	out.full = b.until(float64(b.perMinute) - there)
	if out.left == 0 {
		out.next = b.until(1 - there)
	}
	return out
}

// until is how long it takes for so many times to come.
func (b *buckets) until(times float64) time.Duration {
	return time.Duration(math.Ceil(max(0, times) * float64(time.Minute) / float64(b.perMinute)))
}

func (b *buckets) forget(now time.Time) {
	for name, l := range b.by {
		if l.TokensAt(now) >= float64(b.perMinute) {
			delete(b.by, name)
		}
	}
	for name := range b.by {
		if len(b.by) <= mostBuckets*7/8 {
			return
		}
		delete(b.by, name)
	}
}
