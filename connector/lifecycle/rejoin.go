package lifecycle

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/fault"
)

// Mode says what happens once the plan of a reconnection stands.
type Mode string

const (
	Run      Mode = "run"       // it runs by itself
	AskAbove Mode = "ask_above" // it runs, and single amounts above a limit wait for a person
	Ask      Mode = "ask"       // a person lets it run
)

// Store is what a reconnection needs of what is kept.
type Store interface {
	connector.Queue
	connector.Cursors
	connector.Connections
}

// Rejoiner brings reconnecting channels back.
type Rejoiner struct {
	Store Store
	Clock connector.Clock
	Log   *slog.Logger
	// Sweeps are a channel's listings of both sides: orders of the channel, its refunds, and the
	// orders of its store. Their reach is set here.
	Sweeps func(channel connector.ConnectionID) []connector.Sweep
	Mode   func(channel connector.ConnectionID) Mode
	Lease  time.Duration
	Nudge  func()
}

// before is how far behind the removal the listings begin.
const before = 24 * time.Hour

// Step takes a reconnecting channel one step further and says when to come again; zero means that
// nothing is left to do by itself.
func (r *Rejoiner) Step(ctx context.Context, c connector.Connection) (time.Time, error) {
	now := r.Clock()
	sweeper := &connector.Sweeper{Store: r.Store, Clock: r.Clock, Lease: r.Lease}
	for _, sw := range r.Sweeps(c.ID) {
		sw.Name, sw.Wide, sw.Every = "rejoin "+string(c.ID)+" "+sw.Name, true, time.Second
		sw.Reach = now.Sub(c.RemovedAt) + before
		ran, err := r.ran(ctx, sw)
		if err != nil {
			return now.Add(time.Minute), err
		}
		if !ran.Before(c.RejoinedAt) && !c.RejoinedAt.IsZero() {
			continue
		}
		at, err := sweeper.Pass(ctx, sw)
		if err != nil {
			return at, fault.Wrap(err, "reconnecting %s", c.ID)
		}
		if ran, err = r.ran(ctx, sw); err != nil || ran.Before(c.RejoinedAt) {
			return now.Add(time.Minute), err // another process holds it
		}
	}
	if r.Mode(c.ID) == Ask {
		return time.Time{}, r.waits(ctx, c)
	}
	return time.Time{}, r.Activate(ctx, c.ID, "")
}

// ran is when a sweep last finished.
func (r *Rejoiner) ran(ctx context.Context, sw connector.Sweep) (time.Time, error) {
	all, err := r.Store.Cursors(ctx)
	for _, c := range all {
		if c.Connection == sw.Connection && c.Name == sw.Name && len(c.Value) == 0 {
			return c.RanAt, err
		}
	}
	return time.Time{}, fault.Wrap(err, "reading sweeps")
}

const waiting = "both sides have been read; the plan waits for a person: channelbridge channels approve "

// Waits reports a reconnecting channel whose plan waits for a person.
func Waits(c connector.Connection) bool {
	return c.State == connector.Reconnecting && len(c.Reason) > len(waiting) && c.Reason[:len(waiting)] == waiting
}

func (r *Rejoiner) waits(ctx context.Context, c connector.Connection) error {
	if Waits(c) {
		return nil
	}
	r.Log.Warn("reconnected channel waits for its plan to be approved", "channel", string(c.ID))
	return r.Store.SetState(ctx, c.ID, connector.Reconnecting, waiting+string(c.ID), r.Clock())
}

// Activate lets the plan run: the channel is active again and what is due is worked on. It is
// what an approval does.
func (r *Rejoiner) Activate(ctx context.Context, id connector.ConnectionID, reason string) error {
	if err := r.Store.SetState(ctx, id, connector.Active, reason, r.Clock()); err != nil {
		return fmt.Errorf("reconnecting %s: %w", id, err)
	}
	if r.Nudge != nil {
		r.Nudge()
	}
	r.Log.Info("channel is connected again", "channel", string(id))
	return nil
}
