package connector

import (
	"errors"
	"time"
)

// PayoutAct is something that was said or done about payouts: what became of a finding, a claim, a
// line that a person gave to an order, a deposit, a month that was closed. Body is written and read
// by package payout. Acts are only ever added; what holds follows from all of them.
type PayoutAct struct {
	ID      int64
	Account ConnectionID
	Kind    string // finding, claim, match, deposit, close, …
	About   string // what it is about, within its kind
	At      time.Time
	Actor   string // system, operator, or a token's name
	// Key makes repeating harmless: an act with the key of an earlier one is that one. "": none.
	Key  string
	Body []byte
}

// Same reports that two acts say the same, whoever kept them and when.
func (a PayoutAct) Same(o PayoutAct) bool {
	return a.Account == o.Account && a.Kind == o.Kind && a.About == o.About && string(a.Body) == string(o.Body)
}

// ErrOvertaken says that something else was said meanwhile about the same thing.
var ErrOvertaken = errors.New("something else was said about it meanwhile")
