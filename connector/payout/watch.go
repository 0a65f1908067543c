package payout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"channelbridge/connector"
)

// News is a finding that has opened, changed or gone away since it was last looked at.
type News struct {
	Finding Finding
	Opened  bool
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
		step := Step{Do: DoSeen, Subject: f.Subject, Outcome: f.Outcome, Difference: f.Difference, State: f.State}
		said := act(a.ID, actFinding, f.ID, step, b.Now, By{Name: System})
		_, _, err := d.Payouts.KeepAct(ctx, said, b.People.lastAct(actFinding, f.ID), auditLine(said, n.text()))
		if errors.Is(err, connector.ErrOvertaken) { // somebody is working on it right now: the next look sees both
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("writing down what became of finding %s: %w", f.ID, err)
		}
	}
	return b, found, nil
}

// news says what has changed about a finding since the last look. It is pure.
func (f Finding) news(now time.Time) (News, bool) {
	last, looked := f.Progress.seen()
	if looked && last.Outcome == f.Outcome && last.Difference == f.Difference && last.State == f.State {
		return News{}, false
	}
	if !looked && f.Outcome == "" {
		return News{}, false
	}
	opened := !looked || last.Outcome == "" && f.Outcome != ""
	id := "ev_" + short(f.ID, fmt.Sprint(len(f.Progress.Said)), string(f.Outcome), fmt.Sprint(f.Difference), string(f.State))
	return News{Finding: f, Opened: opened, At: now, ID: id}, true
}

// ClaimOver reports a finding whose claim has its end.
func (f Finding) ClaimOver() bool { return f.Progress.Claim != nil && f.Claim.over() }

// Reconciled are the payouts that are proven and in which every line has its place.
func (b *Books) Reconciled() (out []Paid) {
	for _, row := range b.rows {
		if row.Outcome() == "proven" && row.Unmatched == 0 {
			out = append(out, row.Paid)
		}
	}
	return out
}

// Closings are the months that were closed or opened again since an instant, as acts tell them.
func Closings(acts []connector.PayoutAct, since time.Time) (out []Closing) {
	for _, a := range acts {
		if a.Kind != actClose || a.At.Before(since) {
			continue
		}
		if c, err := bodyOf[Closing](a); err == nil {
			c.Month, c.By, c.At = a.About, a.Actor, a.At
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
	}
	return fmt.Sprintf("it is %s of %s now, and %s", n.Finding.Outcome, n.Finding.Amount(), n.Finding.State)
}
