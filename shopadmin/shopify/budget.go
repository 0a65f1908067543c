package shopify

import (
	"sync"
	"time"
)

// budget estimates the store's leaky bucket of query cost. The store tells its level with every
// answer; in between the level rises by rate points a second and falls by what is in flight.
type budget struct {
	mu       sync.Mutex
	known    bool
	max      float64
	level    float64 // at the instant at, less what is in flight
	rate     float64 // points per second
	at       time.Time
	blocked  time.Time // nothing leaves before this
	inFlight float64
	costs    map[string]float64 // last requested cost by operation
}

// throttleStatus is what an answer says about the bucket.
type throttleStatus struct {
	MaximumAvailable   float64 `json:"maximumAvailable"`
	CurrentlyAvailable float64 `json:"currentlyAvailable"`
	RestoreRate        float64 `json:"restoreRate"`
}

// take reserves the operation's cost and returns 0, or returns how long to wait before asking again.
func (b *budget) take(d document, now time.Time) (cost float64, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	cost = d.cost
	if c, ok := b.costs[d.name]; ok {
		cost = c
	}
	if now.Before(b.blocked) {
		return 0, b.blocked.Sub(now)
	}
	if b.known && b.rate > 0 {
		b.refill(now)
		want := min(cost, b.max)
		if b.level < want {
			return 0, seconds((want - b.level) / b.rate)
		}
		b.level -= cost
	}
	b.inFlight += cost
	return cost, 0
}

func (b *budget) refill(now time.Time) {
	if d := now.Sub(b.at); d > 0 {
		b.level = min(b.max-b.inFlight, b.level+b.rate*d.Seconds())
		b.at = now
	}
}

// give ends a reservation whose answer said nothing about the bucket.
func (b *budget) give(cost float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inFlight = max(0, b.inFlight-cost)
}

// learn ends a reservation and takes over what the answer said.
func (b *budget) learn(op string, cost float64, said costInfo, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inFlight = max(0, b.inFlight-cost)
	if said.Requested > 0 {
		if b.costs == nil {
			b.costs = map[string]float64{}
		}
		b.costs[op] = said.Requested
	}
	if said.Status.MaximumAvailable > 0 {
		b.known, b.at = true, now
		b.max, b.rate = said.Status.MaximumAvailable, said.Status.RestoreRate
		b.level = said.Status.CurrentlyAvailable - b.inFlight
	}
}

// block lets nothing leave for d.
func (b *budget) block(now time.Time, d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if until := now.Add(d); until.After(b.blocked) {
		b.blocked = until
	}
}

// seconds turns a number of seconds into a duration, rounded up to whole milliseconds.
func seconds(s float64) time.Duration {
	return time.Duration(s*1000+0.999) * time.Millisecond
}
