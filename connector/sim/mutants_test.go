package sim

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/memstore"
	"channelbridge/connector/order"
)

// mutant is a known mistake planted into the machinery. The judge must notice it.
type mutant struct {
	name   string
	seeds  int // how many seeds may be played before it must have been noticed
	config func(*Config)
}

// twisted is a store with one method replaced.
type twisted struct {
	connector.Store
	record  func(context.Context, connector.Delivery) (connector.Verdict, error)
	intend  func(context.Context, connector.Work, connector.Command, time.Time, time.Time, string) (connector.Entry, error)
	settle  func(context.Context, int64, connector.Outcome) error
	seen    func(context.Context, time.Time, ...connector.Observation) (int, error)
	claim   func(context.Context, time.Time, int, time.Duration, []connector.ConnectionID) ([]connector.Work, error)
	release func(context.Context, connector.Work, time.Time, connector.Next) error
	load    func(context.Context, connector.Subject) (connector.Record, error)
	under   func(context.Context, connector.ConnectionID, string) (connector.Batch, error)
	step    func(context.Context, connector.Work, int64, connector.BatchStep) (connector.Batch, error)
}

func (t *twisted) Record(ctx context.Context, d connector.Delivery) (connector.Verdict, error) {
	if t.record != nil {
		return t.record(ctx, d)
	}
	return t.Store.Record(ctx, d)
}

func (t *twisted) Intend(ctx context.Context, w connector.Work, c connector.Command, at, dl time.Time, on string) (connector.Entry, error) {
	if t.intend != nil {
		return t.intend(ctx, w, c, at, dl, on)
	}
	return t.Store.Intend(ctx, w, c, at, dl, on)
}

func (t *twisted) Settle(ctx context.Context, id int64, o connector.Outcome) error {
	if t.settle != nil {
		return t.settle(ctx, id, o)
	}
	return t.Store.Settle(ctx, id, o)
}

func (t *twisted) Seen(ctx context.Context, at time.Time, o ...connector.Observation) (int, error) {
	if t.seen != nil {
		return t.seen(ctx, at, o...)
	}
	return t.Store.Seen(ctx, at, o...)
}

func (t *twisted) Claim(ctx context.Context, now time.Time, n int, l time.Duration, ch []connector.ConnectionID) ([]connector.Work, error) {
	if t.claim != nil {
		return t.claim(ctx, now, n, l, ch)
	}
	return t.Store.Claim(ctx, now, n, l, ch)
}

func (t *twisted) Release(ctx context.Context, w connector.Work, at time.Time, n connector.Next) error {
	if t.release != nil {
		return t.release(ctx, w, at, n)
	}
	return t.Store.Release(ctx, w, at, n)
}

// plant makes a config change that wraps the store.
func plant(twist func(w *World, t *twisted, s connector.Store)) func(*Config) {
	return func(c *Config) {
		c.Wrap = func(w *World, s connector.Store) connector.Store {
			t := &twisted{Store: s}
			twist(w, t, s)
			return t
		}
	}
}

// rewrite changes outcomes on their way into the ledger.
func rewrite(change func(w *World, o *connector.Outcome)) func(*Config) {
	return plant(func(w *World, t *twisted, s connector.Store) {
		t.settle = func(ctx context.Context, id int64, o connector.Outcome) error {
			change(w, &o)
			return s.Settle(ctx, id, o)
		}
	})
}

var mutants = []mutant{
	{"unknown is retried at once", 60, rewrite(func(w *World, o *connector.Outcome) {
		if o.State == connector.Unknown {
			o.State, o.RetryAt = connector.Retry, w.now
		}
	})},
	{"unknown is taken for failure", 60, rewrite(func(_ *World, o *connector.Outcome) {
		if o.State == connector.Unknown {
			o.State = connector.Refused
		}
	})},
	{"sent before the ledger", 60, plant(sendFirst)},
	{"no settle window", 200, func(c *Config) {
		c.Policy = func(p *order.Policy) { p.SettleShop, p.SettleMarket = 0, 0 }
	}},
	{"sweeps without overlap", 200, func(c *Config) {
		c.Sweep = func(s *connector.Sweep) {
			s.Overlap = 0
			if s.Wide { // it would heal what the missing overlap loses
				s.Every = 365 * 24 * time.Hour
			}
		}
	}},
	{"an old read replaces a new one", 200, plant(func(w *World, t *twisted, s connector.Store) {
		t.seen = func(ctx context.Context, at time.Time, all ...connector.Observation) (int, error) {
			for i := range all {
				all[i].Version = at
			}
			return s.Seen(ctx, at, all...)
		}
	})},
	{"no fencing", 400, plant(noFencing)},
	{"the connection's state is not asked", 200, plant(func(w *World, t *twisted, s connector.Store) {
		w.stateless = true
		t.intend = func(ctx context.Context, x connector.Work, c connector.Command, at, dl time.Time, on string) (connector.Entry, error) {
			e, err := s.Intend(ctx, x, c, at, dl, on)
			if errors.Is(err, connector.ErrParked) {
				must(w.base.SetState(ctx, Channel, connector.Active, "", at))
				e, err = s.Intend(ctx, x, c, at, dl, on)
				must(w.base.SetState(ctx, Channel, connector.Paused, "", at))
			}
			return e, err
		}
	})},
	{"a wake is forgotten", 60, plant(func(w *World, t *twisted, s connector.Store) {
		t.release = func(ctx context.Context, x connector.Work, at time.Time, n connector.Next) error {
			n.Wake = time.Time{}
			return s.Release(ctx, x, at, n)
		}
	})},
	{"the ship date is the time of sending", 60, plant(func(w *World, t *twisted, s connector.Store) { w.Market.StampNow = true })},
	{"every confirmation takes a new reference", 60, plant(func(w *World, t *twisted, s connector.Store) { w.Market.NewRefs = true })},
}

// sendFirst keeps new intents in memory until they are settled, as code would that calls before
// it writes down.
func sendFirst(_ *World, t *twisted, s connector.Store) {
	type pending struct {
		w     connector.Work
		c     connector.Command
		at, d time.Time
		on    string
	}
	held, next := map[int64]pending{}, int64(1<<40)
	t.intend = func(ctx context.Context, x connector.Work, c connector.Command, at, dl time.Time, on string) (connector.Entry, error) {
		next++
		held[next] = pending{x, c, at, dl, on}
		return connector.Entry{ID: next, Subject: x.Subject, Command: c, Attempts: 1, State: connector.Sent, IntendedAt: at, Deadline: dl}, nil
	}
	t.settle = func(ctx context.Context, id int64, o connector.Outcome) error {
		p, ok := held[id]
		if !ok {
			return s.Settle(ctx, id, o)
		}
		delete(held, id)
		e, err := s.Intend(ctx, p.w, p.c, p.at, p.d, p.on)
		if err != nil {
			return err
		}
		return s.Settle(ctx, e.ID, o)
	}
}

// noFencing lets an old holder write with the newest holder's token.
func noFencing(w *World, t *twisted, s connector.Store) {
	newest := map[connector.Subject]connector.Work{}
	t.claim = func(ctx context.Context, now time.Time, n int, l time.Duration, ch []connector.ConnectionID) ([]connector.Work, error) {
		work, err := s.Claim(ctx, now, n, l, ch)
		for i := range work {
			work[i].LeaseUntil = work[i].LeaseUntil.Add(time.Hour)
			newest[work[i].Subject] = work[i]
		}
		return work, err
	}
	t.intend = func(ctx context.Context, x connector.Work, c connector.Command, at, dl time.Time, on string) (connector.Entry, error) {
		x.Token = newest[x.Subject].Token
		e, err := s.Intend(ctx, x, c, at, dl, on)
		if errors.Is(err, connector.ErrLeaseLost) || errors.Is(err, connector.ErrSpent) && strings.Contains(c.Key, "create-mirror") {
			e = connector.Entry{ID: 1, Subject: x.Subject, Command: c, Deadline: dl, IntendedAt: at, Attempts: 1}
			err = nil
		}
		return e, err
	}
}

func TestPlantedMistakesAreCaught(t *testing.T) {
	for _, m := range slices.Concat(mutants, moneyMutants) {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			for seed := 1; seed <= m.seeds; seed++ {
				cfg := Config{Seed: uint64(seed), Store: memstore.New()}
				m.config(&cfg)
				if w := Run(cfg); len(w.Broken) > 0 {
					t.Logf("noticed at seed %d: %s", seed, w.Broken[0])
					return
				}
			}
			t.Errorf("survived %d seeds: a person or a fault is missing from the world", m.seeds)
		})
	}
}

func TestTheMachineryItselfIsNotAMutant(t *testing.T) {
	require.Empty(t, Run(Config{Seed: 1, Store: memstore.New()}).Broken)
}
