package order

import (
	"encoding/json"
	"sync"
	"time"

	"channelbridge/marketplace"
)

// memo remembers the answers of a pure function of a text. One decision asks for the contents of
// the same ledger entries many times, and what an entry says never changes. Answers are shared:
// nobody writes into them.
type memo[T any] struct {
	of func(text string) T

	mu    sync.Mutex
	known map[string]T
}

// memoSize bounds a memo; when it is full it begins anew.
const memoSize = 1024

func (m *memo[T]) get(text []byte) T {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.known[string(text)]
	if ok {
		return v
	}
	if m.known == nil || len(m.known) >= memoSize {
		m.known = map[string]T{}
	}
	v = m.of(string(text))
	m.known[string(text)] = v
	return v
}

// decoded reads the body of a ledger entry, which this package wrote; a foreign one is empty.
func decoded[T any](body string) (v T) {
	_ = json.Unmarshal([]byte(body), &v)
	return v
}

var (
	shipments    = memo[marketplace.Shipment]{of: decoded[marketplace.Shipment]}
	instructions = memo[marketplace.Instruction]{of: decoded[marketplace.Instruction]}
	zones        = memo[*time.Location]{of: zone}
)

// Zone is a place's time by its IANA name; an unknown one counts as UTC. Loading one reads a file,
// so each is loaded once.
func Zone(name string) *time.Location { return zones.get([]byte(name)) }

func zone(name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return loc
}
