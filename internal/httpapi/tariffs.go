package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/payout"
	"channelbridge/internal/money"
)

// tariffBody is a tariff outside: its amounts are decimal text.
type tariffBody struct {
	payout.Tariff
	Fixed   string `json:"fixed,omitempty"`
	Minimum string `json:"minimum,omitempty"`
	Maximum string `json:"maximum,omitempty"`
}

// tariffView is a tariff that is kept.
type tariffView struct {
	Account connector.ConnectionID `json:"account"`
	Tariff  tariffBody             `json:"tariff"`
	KnownAt time.Time              `json:"known_at"`
	Author  string                 `json:"author,omitempty"`
}

func tariffOf(k connector.Tariff) (tariffView, error) {
	t, err := payout.DecodeTariff(k.Body)
	if err != nil {
		return tariffView{}, fmt.Errorf("tariff %s of %s: %w", k.Key, k.Account, err)
	}
	amount := func(minor int64) string {
		if minor == 0 {
			return ""
		}
		return decimal(minor, t.Currency)
	}
	b := tariffBody{Tariff: t, Fixed: amount(t.Fixed), Minimum: amount(t.Minimum), Maximum: amount(t.Maximum)}
	b.From, b.To = b.From.UTC(), b.To.UTC()
	return tariffView{Account: k.Account, Tariff: b, KnownAt: k.KnownAt.UTC(), Author: k.Author}, nil
}

// read gives the tariff, or every fault it has.
func (b tariffBody) read() (payout.Tariff, []string) {
	t := b.Tariff
	t.From, t.To = t.From.UTC(), t.To.UTC()
	if faults := outside(t); len(faults) > 0 {
		return t, faults
	}
	if b.Fixed+b.Minimum+b.Maximum != "" && !money.ValidCode(t.Currency) {
		return t, append(apart(t.Check()), "currency: an amount needs one, such as USD")
	}
	var faults []string
	for _, a := range []struct {
		name, text string
		into       *int64
	}{{"fixed", b.Fixed, &t.Fixed}, {"minimum", b.Minimum, &t.Minimum}, {"maximum", b.Maximum, &t.Maximum}} {
		if a.text == "" {
			continue
		}
		m, err := money.Parse(a.text, t.Currency)
		if err != nil {
			faults = append(faults, fmt.Sprintf("%s: %q is no amount in %s", a.name, a.text, t.Currency))
		}
		*a.into = m.Minor
	}
	return t, append(faults, apart(t.Check())...)
}

// outside says which of a tariff's instants cannot be written; one that is not given can.
func outside(t payout.Tariff) (faults []string) {
	for name, at := range map[string]time.Time{"valid_from": t.From, "valid_to": t.To} {
		if err := payout.InYears(at); err != nil && !at.IsZero() {
			faults = append(faults, name+": "+err.Error())
		}
	}
	slices.Sort(faults)
	return faults
}

// apart takes joined errors apart.
func apart(err error) []string {
	var joined interface{ Unwrap() []error }
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &joined):
		return []string{err.Error()}
	}
	var out []string
	for _, e := range joined.Unwrap() {
		out = append(out, e.Error())
	}
	return out
}

// faulty makes the problem that names every fault.
func faulty(faults []string) error {
	return refused(views(faults, func(f string) Refusal {
		return Refusal{Code: "invalid_tariff", Reason: f, Hint: "Correct the member the reason begins with."}
	})...)
}

// listTariffs lists the tariffs that count, or counted at an earlier time.
func (s *Server) listTariffs(c *call) (reply, error) {
	q, page, err := c.pages("account", "as_of")
	if err != nil {
		return reply{}, err
	}
	asOf, err := known(q.Get("as_of"), c.now)
	if err != nil {
		return reply{}, err
	}
	return listedOn(c, page, q.Get("account"), func(v tariffView) string { return v.Tariff.Key }, func(a payout.Account) ([]tariffView, error) {
		kept, err := c.paid.Store().Tariffs(c.ctx, a.ID, asOf)
		if err != nil {
			return nil, fmt.Errorf("reading tariffs: %w", err)
		}
		var out []tariffView
		for _, k := range kept {
			v, err := tariffOf(k)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	})
}

// TariffRequest asks to keep a tariff; one with a known key stands in the place of the kept one
// from now on.
type TariffRequest struct {
	Account string     `json:"account"`
	Tariff  tariffBody `json:"tariff"`
}

func (s *Server) setTariff(c *call, r TariffRequest) (reply, error) {
	a, err := c.account("account", r.Account)
	if err != nil {
		return reply{}, err
	}
	t, faults := r.Tariff.read()
	if len(faults) > 0 {
		return reply{}, faulty(faults)
	}
	body, err := t.Encode()
	if err != nil {
		return reply{}, fmt.Errorf("tariff %s of %s: %w", t.Key, a.ID, err)
	}
	kept, err := c.paid.Store().KeepTariff(c.ctx, connector.Tariff{Account: a.ID, Key: t.Key, KnownAt: c.now, Author: c.token.Name, Body: body})
	if err != nil {
		return reply{}, fmt.Errorf("keeping the tariff %s of %s: %w", t.Key, a.ID, err)
	}
	line := connector.AuditEntry{At: c.now, Actor: c.token.Name, Action: "tariff", Subject: string(a.ID), Reason: "the tariff " + t.Key + " was set", Detail: body}
	if err := s.store.Audit(c.ctx, line); err != nil {
		return reply{}, fmt.Errorf("recording the tariff %s of %s: %w", t.Key, a.ID, err)
	}
	view, err := tariffOf(kept)
	return reply{status: http.StatusCreated, body: view}, err
}
