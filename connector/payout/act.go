package payout

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"channelbridge/connector"
)

// Kinds of acts.
const (
	actFinding  = "finding"  // about a finding; Step
	actMatch    = "match"    // about a match by hand; Match
	actDeposit  = "deposit"  // about a deposit; Deposit
	actClose    = "close"    // about a month such as 2026-10; Closing
	actSettings = "settings" // Settings
)

// System is the actor of what nobody did: facts that changed.
const System = "system"

// People is what was said and done about an account's payouts, as known at one time. It is worked
// out from acts alone.
type People struct {
	findings map[string]*Progress           // by the finding's id
	matches  map[string]Match               // by id; those that were undone are not there
	deposits map[string]Deposit             // by id
	closes   map[string]Closing             // by month; those that were undone are not there
	settings *Settings                      // nil: none were kept yet
	books    []dated                        // how payouts were entered, the first first
	decided  map[string]time.Time           // when a month was last closed or opened, by month, and under "" settings kept
	last     map[string]int64               // the newest act by kind and about
	keys     map[string]connector.PayoutAct // acts that were kept under a key, by it
}

// Follow works out what holds after a list of acts, which come in the order they were added.
func Follow(acts []connector.PayoutAct) (*People, error) {
	p := &People{findings: map[string]*Progress{}, decided: map[string]time.Time{}, matches: map[string]Match{}, deposits: map[string]Deposit{}, closes: map[string]Closing{}, last: map[string]int64{}, keys: map[string]connector.PayoutAct{}}
	for _, a := range acts {
		if err := p.take(a); err != nil {
			return nil, fmt.Errorf("what was said of %s %s: %w", a.Kind, a.About, err)
		}
	}
	return p, nil
}

// take adds what one act says.
func (p *People) take(a connector.PayoutAct) error {
	p.last[a.Kind+" "+a.About] = a.ID
	if a.Key != "" {
		p.keys[a.Key] = a
	}
	switch a.Kind {
	case actFinding:
		s, err := bodyOf[Step](a)
		if err != nil {
			return err
		}
		if p.findings[a.About] == nil {
			p.findings[a.About] = &Progress{State: New}
		}
		p.findings[a.About].take(Said{s, a.At, a.Actor})
	case actMatch:
		m, err := bodyOf[Match](a)
		m.ID, m.By, m.At = a.About, a.Actor, a.At
		keepLast(p.matches, a.About, m, m.Undone)
		return err
	case actDeposit:
		d, err := bodyOf[Deposit](a)
		d.ID, d.By, d.At = a.About, a.Actor, a.At
		keepLast(p.deposits, a.About, d, d.Undone)
		return err
	case actClose:
		p.decided[a.About] = a.At
		c, err := closingOf(a)
		if c.From.IsZero() && err == nil { // it was kept before its instants were
			c.From, c.To, err = span(c.Month, c.Settings.on(Account{}).Zone)
		}
		keepLast(p.closes, a.About, c, c.Undone)
		return err
	case actSettings:
		p.decided[""] = a.At
		s, err := bodyOf[Settings](a)
		if p.settings = &s; s.Chart != nil {
			p.books = append(p.books, dated{a.At, *s.Chart, s.Zone})
		}
		return err
	}
	return nil // a later program's
}

// keepLast sets what was said last, or takes it away.
func keepLast[T any](all map[string]T, about string, said T, undone bool) {
	if undone {
		delete(all, about)
		return
	}
	all[about] = said
}

// heard reports that something was done under a key already; whether it is what is asked for now, see
// reused.
func (p *People) heard(by By) bool {
	_, heard := p.keys[by.Key]
	return heard
}

// reused reports a key under which something else was said than what is asked for now:
// connector.ErrKeyReused. A key is known for ever, much longer than the answer that was given.
func reused[T any](p *People, by By, kind, about string, same func(said T) bool) error {
	a, heard := p.keys[by.Key]
	if !heard {
		return nil
	}
	if a.Kind == kind && a.About == about {
		said, err := bodyOf[T](a)
		if err != nil || same(said) {
			return err
		}
	}
	return fmt.Errorf("%s %s: %w", kind, about, connector.ErrKeyReused)
}

// lastAct is the newest act about something; 0: there is none.
func (p *People) lastAct(kind, about string) int64 { return p.last[kind+" "+about] }

func bodyOf[T any](a connector.PayoutAct) (body T, err error) {
	if err = json.Unmarshal(a.Body, &body); err != nil {
		err = fmt.Errorf("act %d: %w", a.ID, err)
	}
	return body, err
}

// act makes an act of a body.
func act(account connector.ConnectionID, kind, about string, body any, now time.Time, by By) connector.PayoutAct {
	b, err := json.Marshal(body)
	if err != nil { // texts, numbers and instants only
		panic(fmt.Sprintf("%s %s: %v", kind, about, err))
	}
	return connector.PayoutAct{Account: account, Kind: kind, About: about, At: now, Actor: by.Name, Key: by.Key, Body: b}
}

// By is who acts. Key makes repeating harmless; "": every call is a further act.
type By struct{ Name, Key string }

// auditLine is the line of the record about an act.
func auditLine(a connector.PayoutAct, reason string) connector.AuditEntry {
	return connector.AuditEntry{At: a.At, Actor: a.Actor, Action: a.Kind, Subject: string(a.Account), Reason: strings.TrimSpace(a.About + ": " + reason), Detail: a.Body}
}
