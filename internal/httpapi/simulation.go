package httpapi

import (
	"fmt"

	"channelbridge/connector/payout"
)

// TariffSimulation asks what tariffs would change. Nothing is kept.
type TariffSimulation struct {
	Account string       `json:"account"`
	Tariffs []tariffBody `json:"tariffs"`
	Limit   int          `json:"limit,omitempty"` // of the orders that are listed; 0: 100
}

func (TariffSimulation) dry() bool { return true }

const defaultChanges = 100

// simulationView is what tariffs would change. Counts and sums cover every order.
type simulationView struct {
	Account string       `json:"account"`
	Orders  int          `json:"orders_compared"`
	Changed int          `json:"orders_changed"`
	Sums    []shiftView  `json:"sums"`
	Changes []changeView `json:"changes"` // the greatest first, at most as many as asked for
}

type shiftView struct {
	Currency string       `json:"currency"`
	Orders   int          `json:"orders"`
	Before   standingView `json:"before"`
	After    standingView `json:"after"`
}

type changeView struct {
	Order    string       `json:"channel_order_id"`
	Currency string       `json:"currency"`
	Before   standingView `json:"before"`
	After    standingView `json:"after"`
}

type standingView struct {
	Outcome    payout.Outcome `json:"outcome,omitempty"`
	Expected   string         `json:"expected"`
	Difference string         `json:"difference"`
}

func standingOf(s payout.Standing, currency string) standingView {
	return standingView{s.Outcome, decimal(s.Expected, currency), decimal(s.Difference, currency)}
}

func (s *Server) simulateTariffs(c *call, r TariffSimulation) (reply, error) {
	a, err := c.account("account", r.Account)
	if err != nil {
		return reply{}, err
	}
	tariffs, err := readAll(r.Tariffs)
	if err != nil {
		return reply{}, err
	}
	sim, err := payout.Simulate(c.ctx, c.paid.Desk().Keep, a, tariffs, c.now)
	if err != nil {
		return reply{}, fmt.Errorf("simulating tariffs of %s: %w", a.ID, err)
	}
	limit := r.Limit
	def(&limit, defaultChanges)
	return shown(simulationView{Account: r.Account, Orders: sim.Orders, Changed: len(sim.Changes),
		Sums: views(sim.Sums, func(s payout.Shift) shiftView {
			return shiftView{s.Currency, s.Orders, standingOf(s.Before, s.Currency), standingOf(s.After, s.Currency)}
		}),
		Changes: views(sim.Changes[:min(limit, len(sim.Changes))], func(x payout.Change) changeView {
			return changeView{x.Order, x.Currency, standingOf(x.Before, x.Currency), standingOf(x.After, x.Currency)}
		})})
}

// readAll reads tariffs; of two with one key nobody could say which is meant.
func readAll(bodies []tariffBody) ([]payout.Tariff, error) {
	var out []payout.Tariff
	var faults []string
	seen := map[string]bool{}
	for i, b := range bodies {
		t, wrong := b.read()
		if seen[t.Key] {
			wrong = append(wrong, fmt.Sprintf("key: %q is there twice", t.Key))
		}
		seen[t.Key] = true
		for _, f := range wrong {
			faults = append(faults, fmt.Sprintf("tariffs[%d].%s", i, f))
		}
		out = append(out, t)
	}
	if len(faults) > 0 {
		return nil, faulty(faults)
	}
	return out, nil
}
