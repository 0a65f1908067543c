package httpapi

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxPeers bounds how many peers are remembered. When there are more, an eighth is forgotten, those
// that have been quiet first.
const maxPeers = 4096

// failures bounds how often a peer may try without a valid token.
type failures struct {
	mu        sync.Mutex
	perMinute int
	by        map[string]*rate.Limiter
}

func newFailures(perMinute int) *failures {
	return &failures{perMinute: perMinute, by: map[string]*rate.Limiter{}}
}

// room reports whether the peer may fail once more.
func (f *failures) room(peer string, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.by[peer]
	return l == nil || l.TokensAt(now) >= 1
}

// count remembers a failure.
func (f *failures) count(peer string, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.by[peer]
	if l == nil {
		if len(f.by) >= maxPeers {
			f.forget(now)
		}
		l = rate.NewLimiter(rate.Limit(float64(f.perMinute)/60), f.perMinute)
		f.by[peer] = l
	}
	l.AllowN(now, 1)
}

func (f *failures) forget(now time.Time) {
	for p, l := range f.by {
		if l.TokensAt(now) >= float64(f.perMinute) {
			delete(f.by, p)
		}
	}
	for p := range f.by {
		if len(f.by) <= maxPeers*7/8 {
			return
		}
		delete(f.by, p)
	}
}
