package payout

import (
	"context"
	"maps"
	"time"
)

// Settings are what an operator has chosen for an account that a report depends on. They are kept
// when they change, so that a report about the past rests on those that held then.
type Settings struct {
	Zone    string               `json:"zone"`
	Trigger Trigger              `json:"trigger,omitempty"`
	Wait    time.Duration        `json:"wait"`
	Every   time.Duration        `json:"every"`
	Tol     map[string]Tolerance `json:"tolerance,omitempty"`
	Drift   int64                `json:"drift,omitempty"`
	Chart   *Chart               `json:"chart,omitempty"` // null: it was not kept
}

func (a Account) settings() Settings {
	chart := a.chart()
	return Settings{a.Zone, a.Terms.Trigger, a.Terms.Wait, a.Terms.Every, a.Tol, a.Drift, &chart}
}

// on is the account with these settings in the place of its own.
func (s *Settings) on(a Account) Account {
	if s == nil {
		return a
	}
	a.Zone, a.Terms, a.Tol, a.Drift = s.Zone, Terms{s.Trigger, s.Wait, s.Every}, s.Tol, s.Drift
	if s.Chart != nil {
		a.Chart = *s.Chart
	}
	return a
}

func (s Settings) same(o Settings) bool {
	tol := maps.Equal(s.Tol, o.Tol)
	s.Tol, o.Tol = nil, nil
	chart := s.Chart == nil && o.Chart == nil || s.Chart != nil && o.Chart != nil && s.Chart.same(*o.Chart)
	return tol && chart && s.Zone == o.Zone && s.Trigger == o.Trigger && s.Wait == o.Wait && s.Every == o.Every && s.Drift == o.Drift
}

// aboutSettings is what acts about settings are about.
const aboutSettings = "account"

// KeepSettings keeps an account's settings if they are others than those kept last.
func (d Desk) KeepSettings(ctx context.Context, a Account) error {
	p, err := d.people(ctx, a)
	if err != nil || p.settings != nil && p.settings.same(a.settings()) {
		return err
	}
	said := act(a.ID, actSettings, aboutSettings, a.settings(), d.Clock(), By{Name: System})
	_, _, err = d.keep(ctx, said, p, "as the configuration says")
	return err
}
