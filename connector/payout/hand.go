package payout

import (
	"errors"
	"fmt"
	"time"

	"channelbridge/connector"
)

// Match says that a person gave lines to an order. It holds as long as lines of those keys are in
// the payout, whatever revision counts.
type Match struct {
	ID     string    `json:"-"`
	Payout string    `json:"payout"` // the channel's number
	Keys   []string  `json:"keys"`
	Order  string    `json:"order"` // the channel's number
	Note   string    `json:"note,omitempty"`
	Undone bool      `json:"undone,omitempty"`
	By     string    `json:"-"`
	At     time.Time `json:"-"`
}

const mostMatched = 500

func (m Match) check() error {
	var all []error
	if m.Order == "" || m.Payout == "" {
		all = append(all, errors.New("order: it has to be given"))
	}
	if len(m.Keys) == 0 || len(m.Keys) > mostMatched {
		all = append(all, fmt.Errorf("line_ids: 1 to %d lines are matched at a time", mostMatched))
	}
	if len(m.Note) > mostText {
		all = append(all, fmt.Errorf("note: it is longer than %d characters", mostText))
	}
	return errors.Join(all...)
}

// lineKey names a line whatever revision of its payout counts.
type lineKey struct{ payout, key string }

// byHand is which order each line was given to; of two matches of a line the later one counts.
func (p *People) byHand() map[lineKey]string {
	at, out := map[lineKey]int64{}, map[lineKey]string{}
	for _, m := range p.matches {
		id := p.lastAct(actMatch, m.ID)
		for _, k := range m.Keys {
			name := lineKey{m.Payout, k}
			if id >= at[name] {
				at[name], out[name] = id, m.Order
			}
		}
	}
	return out
}

// hand is the order that a person gave a line to.
func (w *walk) hand(l connector.PayoutLine) (string, bool) {
	if len(w.hands) == 0 {
		return "", false
	}
	to, ok := w.hands[lineKey{w.Of(l.Payout).External, l.Key}]
	return to, ok
}
