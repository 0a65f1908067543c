package payout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"channelbridge/connector"
)

// News is a finding that has opened, changed or gone away since it was last looked at.
type News struct {
	Finding Finding
	Opened  bool
	Settled bool // its claim has just been settled
	At      time.Time
	ID      string // names the change: the same when it is told again
}

// Watch looks at an account's findings and writes down what has changed since it last did, so that
// a finding's history also says what nobody did. tell hears of each change before it is written
// down: a crash in between tells it again, under the same name.
func (d Desk) Watch(ctx context.Context, a Account, tell func(News) error) (*Books, []Finding, error) {
	b, found, err := Review(ctx, d.Keep, a, d.Clock())
	if err != nil {
		return nil, nil, err
	}
	for _, f := range found {
		n, changed := f.news(b.Now)
		if !changed {
			continue
		}
		if err := tell(n); err != nil {
			return nil, nil, err
		}
		if err := d.noteSeen(ctx, b, n); err != nil {
			return nil, nil, fmt.Errorf("writing down what became of finding %s: %w", f.ID, err)
		}
	}
	return b, found, nil
}

// mostTries bounds how often somebody may speak of a finding while it is written down what was seen
// of it.
const mostTries = 5

// noteSeen writes down what was told, after what people have said of the finding meanwhile: the next
// look tells what they have changed.
func (d Desk) noteSeen(ctx context.Context, b *Books, n News) error {
	f, p := n.Finding, b.People
	step := Step{Do: DoSeen, Subject: f.Subject, Outcome: f.Outcome, Difference: f.Difference, State: f.State, ClaimState: f.Claim}
	for range mostTries {
		said := act(f.Account, actFinding, f.ID, step, d.Clock(), By{Name: System})
		_, _, err := d.Payouts.KeepAct(ctx, said, p.lastAct(actFinding, f.ID), auditLine(said, n.text()))
		if !errors.Is(err, connector.ErrOvertaken) {
			return err
		}
		if p, err = d.people(ctx, b.Account); err != nil {
			return err
		}
		if p.findings[f.ID].looks() != f.Progress.looks() { // another process has seen it
			return nil
		}
	}
	return nil // the next look tells it again
}

// looks counts how often something new was seen of the finding.
func (p *Progress) looks() (n int) {
	for _, s := range p.Said {
		if s.Do == DoSeen {
			n++
		}
	}
	return n
}

// news says what has changed about a finding since the last look. It is pure. The change's name
// counts looks and not what people say: they may speak between two tellings of it.
func (f Finding) news(now time.Time) (News, bool) {
	last, looked := f.Progress.seen()
	settled := f.settledAnew()
	if looked && !settled && last.Outcome == f.Outcome && last.Difference == f.Difference && last.State == f.State {
		return News{}, false
	}
	if !looked && f.Outcome == "" {
		return News{}, false
	}
	opened := !looked || last.Outcome == "" && f.Outcome != ""
	id := "ev_" + short(f.ID, fmt.Sprint(f.Progress.looks()), string(f.Outcome), fmt.Sprint(f.Difference), string(f.State), string(f.Claim))
	return News{Finding: f, Opened: opened, Settled: settled, At: now, ID: id}, true
}

// settledAnew reports a claim that the channel has settled, by its money or as people say, since the
// last look at it. One that was never sent has expired, and is not settled.
func (f Finding) settledAnew() bool {
	if f.Progress.Claim == nil || f.Claim != ClaimWon && f.Claim != ClaimPartlyWon && f.Claim != ClaimLost {
		return false
	}
	for _, s := range slices.Backward(f.Progress.Said) {
		switch {
		case s.Do == DoClaim: // what was seen before is of an earlier one
			return true
		case s.Do == DoSeen && s.ClaimState != "":
			return s.ClaimState != f.Claim
		}
	}
	return true
}

// Placed parts the payouts: those that are proven and in which every line has its place, and those
// of which that is not so, or not yet.
func (b *Books) Placed() (placed, open []Paid) {
	for _, row := range b.rows {
		if row.Outcome() == "proven" && row.Unmatched == 0 {
			placed = append(placed, row.Paid)
		} else {
			open = append(open, row.Paid)
		}
	}
	return placed, open
}

// Closings are the months that were closed or opened again since an instant, as acts tell them.
func Closings(acts []connector.PayoutAct, since time.Time) (out []Closing) {
	for _, a := range acts {
		if a.Kind != actClose || a.At.Before(since) {
			continue
		}
		if c, err := closingOf(a); err == nil {
			out = append(out, c)
		}
	}
	return out
}

func (n News) text() string {
	switch {
	case n.Opened:
		return fmt.Sprintf("found %s of %s", n.Finding.Outcome, n.Finding.Amount())
	case n.Finding.Outcome == "":
		return "it is not there any more"
	case n.Settled:
		return fmt.Sprintf("it is %s of %s now, and %s; its claim is %s", n.Finding.Outcome, n.Finding.Amount(), n.Finding.State, n.Finding.Claim)
	}
	return fmt.Sprintf("it is %s of %s now, and %s", n.Finding.Outcome, n.Finding.Amount(), n.Finding.State)
}
