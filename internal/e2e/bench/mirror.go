package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"channelbridge/internal/e2e/load"
	"channelbridge/internal/e2e/rig"
	"channelbridge/marketplace/generic/genericfake"
)

// stopwatch measures from the push of an order to its existence in the store.
type stopwatch struct {
	mu     sync.Mutex
	pushed map[string]time.Time
	took   []time.Duration
}

func (s *stopwatch) start(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pushed[id] = time.Now()
}

// created is told of every order the store has just made.
func (s *stopwatch) created(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.pushed[id]; ok {
		s.took = append(s.took, time.Since(at))
		delete(s.pushed, id)
	}
}

// mirror pushes whole orders at a steady rate to a bridge whose store takes 50 ms for each call.
func mirror(ctx context.Context, s settings, r *report) error {
	watch := &stopwatch{pushed: map[string]time.Time{}}
	w, err := rig.Open(ctx, rig.Options{Program: s.program, Dir: s.dir, Seed: 1, Senders: 64, ShopLatency: 50 * time.Millisecond,
		Sweep: 2 * time.Minute, Created: watch.created, Database: server.Settings})
	if err != nil {
		return err
	}
	defer w.Close()
	if err := w.Start(ctx); err != nil {
		return err
	}
	total := int(s.orders.Seconds() * float64(s.rate))
	ids := make([]string, 0, total)
	began, gap := time.Now(), time.Second/time.Duration(s.rate)
	for n := range total {
		time.Sleep(time.Until(began.Add(time.Duration(n) * gap)))
		id := w.Market.Place(genericfake.Order{})
		m, err := w.Market.Message(id)
		if err != nil {
			return err
		}
		watch.start(id)
		w.Out.Put(m)
		ids = append(ids, id)
	}
	wrong, err := w.Calm(ctx, ids, time.Minute)
	if err != nil || len(wrong) > 0 {
		return fmt.Errorf("after the run: %w\n%s", err, wrong)
	}
	lost, err := w.Lost(ctx)
	if err != nil || len(lost) > 0 {
		return fmt.Errorf("after the run: %w\n%s", err, lost)
	}
	_, r.rssMirror = rig.RSS(w.Bridges[0].Pid())
	r.mirrored, r.mirrorRate = len(watch.took), s.rate
	r.mirrorP50, r.mirrorP99 = load.Quantile(watch.took, .5), load.Quantile(watch.took, .99)
	r.mirrorMax = load.Quantile(watch.took, 1)
	return nil
}
