package main

import (
	"sync"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/lifecycle"
)

// plans remembers the plan that was made last of each channel, for its further pages. The zero
// value is empty.
type plans struct {
	mu   sync.Mutex
	made map[connector.ConnectionID]madePlan
}

type madePlan struct {
	at   time.Time
	rows []lifecycle.Row
}

// rows is a channel's plan: the one made a moment ago for a further page, otherwise a new one.
func (p *plans) rows(now time.Time, id connector.ConnectionID, further bool, plan func() ([]lifecycle.Row, error)) ([]lifecycle.Row, error) {
	p.mu.Lock()
	last, ok := p.made[id]
	p.mu.Unlock()
	if ok && further && now.Sub(last.at) < planKept {
		return last.rows, nil
	}
	rows, err := plan()
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.made == nil {
		p.made = map[connector.ConnectionID]madePlan{}
	}
	p.made[id] = madePlan{now, rows}
	return rows, nil
}
