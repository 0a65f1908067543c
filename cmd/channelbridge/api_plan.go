package main

import (
	"context"
	"fmt"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/lifecycle"
	"channelbridge/internal/httpapi"
)

// ReconnectPlan is one page of what reconnecting a channel will do, or did. A channel that is
// still removed has a plan too, made from what is kept.
func (c channels) ReconnectPlan(ctx context.Context, id connector.ConnectionID, after string, limit int) (httpapi.ReconnectPlan, error) {
	row, err := c.row(ctx, id)
	if err != nil {
		return httpapi.ReconnectPlan{}, err
	}
	p := httpapi.ReconnectPlan{Channel: id, RemovedAt: row.RemovedAt, RejoinedAt: row.RejoinedAt, Policy: string(c.b.mode(id)), State: planDone}
	if l, ok := c.b.link(id); ok && p.Policy == string(lifecycle.AskAbove) {
		p.AskAbove = l.cfg.refunds().AskAbove.Money
	}
	if row.RemovedAt.IsZero() {
		return p, nil
	}
	rows, err := c.b.plans.rows(c.b.clock(), id, after != "", func() ([]lifecycle.Row, error) { return c.b.rows(ctx, row) })
	if err != nil {
		return p, fmt.Errorf("planning the reconnection of %s: %w", id, err)
	}
	count(&p, rows)
	for _, r := range rows {
		if r.Order > after && len(p.Orders) < limit {
			p.Orders = append(p.Orders, httpapi.PlanOrder(r))
		}
	}
	stopped, err := c.b.store.Switch(ctx, connector.StopWrites)
	p.State = planState(row, p.Progress, stopped.On)
	return p, err
}

// count adds up the whole plan.
func count(p *httpapi.ReconnectPlan, rows []lifecycle.Row) {
	var sums lifecycle.Sums
	for _, r := range rows {
		p.Totals.Orders++
		sums.Add(r.Amount)
		if r.Fulfilled {
			p.Totals.Fulfilled++
		}
		switch r.State {
		case lifecycle.RowWaiting:
			p.Progress.Waiting++
		case lifecycle.RowHeld:
			p.Progress.Held++
		case lifecycle.RowSent:
			p.Progress.Sent++
		case lifecycle.RowRefused:
			p.Progress.Refused++
		case lifecycle.RowUnknown:
			p.Progress.Doubts++
		default:
			p.Progress.Done++
		}
	}
	p.Totals.Sums = sums.List()
}

// States of a plan.
const (
	planReading = "reading"
	planWaiting = "waiting" // for approval, or for the channel to be reconnected
	planRunning = "running"
	planStopped = "stopped"
	planDone    = "done"
)

// planState is how a plan stands: what is held, refused or in doubt waits for people and does not
// keep it from being done.
func planState(row connector.Connection, n httpapi.PlanProgress, stopped bool) string {
	switch {
	case row.State == connector.Removed, lifecycle.Waits(row):
		return planWaiting
	case row.State == connector.Reconnecting:
		return planReading
	case n.Waiting+n.Sent == 0:
		return planDone
	case stopped, row.State != connector.Active:
		return planStopped
	}
	return planRunning
}

// planKept is how long the pages of one plan are cut from the same rows.
const planKept = 30 * time.Second
