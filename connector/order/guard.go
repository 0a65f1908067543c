package order

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/fault"
	"channelbridge/marketplace"
)

// ListFunc lists one page of a sweep; see connector.Sweep.
type ListFunc = func(ctx context.Context, cursor []byte, since time.Time) (connector.SweepPage, error)

// Guard is a brake: when one listing would turn an unlikely share of a channel's open orders into
// cancelled ones, its page is not kept and the channel is paused. A person looks and resumes it;
// the listing is then let through once.
type Guard struct {
	Store interface {
		Load(ctx context.Context, s connector.Subject) (connector.Record, error)
		Orders(ctx context.Context, f connector.OrderFilter) ([]connector.OrderRow, error)
		connector.Connections
		connector.Switches
	}
	Clock   connector.Clock
	Percent func(channel connector.ConnectionID) int // of the open orders; 0: never
	Braked  func(channel connector.ConnectionID, reason string)
}

const (
	brakeMark = "brake: "
	brakeFrom = 20            // cancellations in one listing that nobody wonders about
	brakeAck  = 2 * time.Hour // how long a person's consent lasts
	guardPage = 500
)

// Unlikely reports that so many new cancellations among so many open orders, these included, are
// more than one listing should bring.
func Unlikely(cancelled, open, percent int) bool {
	return percent > 0 && cancelled > brakeFrom && cancelled*100 > open*percent
}

// Braked reports a channel that was paused by its guard.
func Braked(c connector.Connection) bool {
	return c.State == connector.Paused && strings.HasPrefix(c.Reason, brakeMark)
}

// BrakeSwitch names the switch that holds a person's consent for a channel.
func BrakeSwitch(channel connector.ConnectionID) string { return "brake/" + string(channel) }

// Watch guards one sweep. What it counts lasts for one pass.
func (g *Guard) Watch(list ListFunc) ListFunc {
	turned, through := map[connector.ConnectionID]map[string]bool{}, map[connector.ConnectionID]bool{}
	return func(ctx context.Context, cursor []byte, since time.Time) (connector.SweepPage, error) {
		page, err := list(ctx, cursor, since)
		if err != nil {
			return page, err
		}
		if len(cursor) == 0 {
			clear(turned)
			clear(through)
		}
		if err := g.count(ctx, page, turned); err != nil {
			return connector.SweepPage{}, err
		}
		for channel, orders := range turned {
			agreed, err := g.check(ctx, channel, orders)
			if err != nil {
				return connector.SweepPage{}, err
			}
			through[channel] = through[channel] || agreed
		}
		if page.More {
			return page, nil
		}
		return page, g.spend(ctx, through)
	}
}

// count notes the open orders that a page shows as cancelled.
func (g *Guard) count(ctx context.Context, page connector.SweepPage, turned map[connector.ConnectionID]map[string]bool) error {
	for _, o := range page.Observations {
		if !showsCancelled(o) || o.Subject.ID == "" || g.Percent(o.Subject.Channel) == 0 {
			continue
		}
		rec, err := g.Store.Load(ctx, o.Subject)
		if errors.Is(err, connector.ErrNotFound) {
			continue
		}
		if err != nil {
			return fault.Wrap(err, "order %s: comparing a cancellation", o.Subject)
		}
		if !keptOpen(rec) {
			continue
		}
		if turned[o.Subject.Channel] == nil {
			turned[o.Subject.Channel] = map[string]bool{}
		}
		turned[o.Subject.Channel][o.Subject.ID] = true
	}
	return nil
}

// cancellation is what of either side's order says that it is cancelled.
type cancellation struct {
	Lifecycle   marketplace.Lifecycle `json:"lifecycle"`
	CancelledAt time.Time             `json:"cancelled_at"`
}

func showsCancelled(o connector.Observation) bool {
	return o.Side != connector.Money && o.Fault == "" && cancelledIn(&o.Snapshot)
}

func cancelledIn(s *connector.Snapshot) bool {
	var c cancellation
	return s != nil && json.Unmarshal(s.Body, &c) == nil && (c.Lifecycle == marketplace.Cancelled || !c.CancelledAt.IsZero())
}

// keptOpen reports an order that is still to be shipped as far as is known: released or waiting at
// the channel, and cancelled on neither side.
func keptOpen(rec connector.Record) bool {
	var m cancellation
	if rec.Market == nil || json.Unmarshal(rec.Market.Body, &m) != nil {
		return false
	}
	return (m.Lifecycle == marketplace.Open || m.Lifecycle == marketplace.Pending) && !cancelledIn(rec.Store)
}

// check brakes when a channel's cancellations are unlikely. agreed reports that a person has let
// them through.
func (g *Guard) check(ctx context.Context, channel connector.ConnectionID, turned map[string]bool) (agreed bool, err error) {
	percent := g.Percent(channel)
	if len(turned) <= brakeFrom {
		return false, nil
	}
	c, err := g.connection(ctx, channel)
	if err != nil || c.State == connector.Reconnecting {
		return false, err
	}
	open, err := g.open(ctx, channel, turned, percent)
	if err != nil || !Unlikely(len(turned), open, percent) {
		return false, err
	}
	sw, err := g.Store.Switch(ctx, BrakeSwitch(channel))
	if err != nil || sw.On && g.Clock().Sub(sw.At) < brakeAck {
		return sw.On, err
	}
	reason := fmt.Sprintf("one listing cancels %d of %d open orders, more than %d percent; look at both sides, then resume the channel", len(turned), open, percent)
	if c.State == connector.Active {
		if err := g.Store.SetState(ctx, channel, connector.Paused, brakeMark+reason, g.Clock()); err != nil {
			return false, fault.Wrap(err, "pausing channel %s", channel)
		}
		if g.Braked != nil {
			g.Braked(channel, reason)
		}
	}
	return false, fault.New(fault.Refused, "channel %s: %s", channel, brakeMark+reason)
}

func (g *Guard) connection(ctx context.Context, id connector.ConnectionID) (connector.Connection, error) {
	all, err := g.Store.Connections(ctx)
	for _, c := range all {
		if c.ID == id {
			return c, nil
		}
	}
	return connector.Connection{ID: id}, fault.Wrap(err, "reading the state of channel %s", id)
}

// open counts a channel's open orders, the cancelled ones of this pass included. It stops when
// there are so many that the cancellations are not unlikely.
func (g *Guard) open(ctx context.Context, channel connector.ConnectionID, turned map[string]bool, percent int) (int, error) {
	n, f := len(turned), connector.OrderFilter{Channel: channel, Open: true, Limit: guardPage}
	for {
		rows, err := g.Store.Orders(ctx, f)
		if err != nil {
			return n, fault.Wrap(err, "counting open orders of %s", channel)
		}
		for _, r := range rows {
			l := marketplace.Lifecycle(r.Summary.Lifecycle)
			if !turned[r.Subject.ID] && (l == marketplace.Open || l == marketplace.Pending) {
				n++
			}
			f.After = r.Subject.String()
		}
		if len(rows) < guardPage || !Unlikely(len(turned), n, percent) {
			return n, nil
		}
	}
}

// spend ends a person's consent with the pass it was given for.
func (g *Guard) spend(ctx context.Context, through map[connector.ConnectionID]bool) error {
	for channel, agreed := range through {
		if !agreed {
			continue
		}
		off := connector.Switch{Name: BrakeSwitch(channel), Reason: "the listing was let through", Actor: "system", At: g.Clock()}
		if err := g.Store.SetSwitch(ctx, off); err != nil {
			return fault.Wrap(err, "channel %s: keeping that its listing was let through", channel)
		}
		delete(through, channel)
	}
	return nil
}
