package main

import (
	"context"
	"errors"
	"maps"
	"slices"

	"channelbridge/connector"
	"channelbridge/connector/lifecycle"
)

// ordersTold is after how many orders a long count says how far it is.
const ordersTold = 1000

// dues is what is owed at a channel, order by order from what is kept.
func (b *bridge) dues(ctx context.Context, id connector.ConnectionID) ([]lifecycle.Due, error) {
	var out lifecycle.Dues
	n := 0
	err := b.eachOrder(ctx, connector.OrderFilter{Channel: id, Open: true}, func(r connector.OrderRow) error {
		s, ok, err := b.snapshot(ctx, r.Subject)
		if ok {
			out.Add(s)
		}
		if n++; n%ordersTold == 0 {
			b.log.Info("counting what is owed at the channel", "channel", string(id), "orders", n)
		}
		return err
	})
	return out.List(), err
}

// rows is the plan of a channel's reconnection, by order number: of every order that is not
// finished, and of those with money in the ledger since the removal.
func (b *bridge) rows(ctx context.Context, c connector.Connection) ([]lifecycle.Row, error) {
	subjects := map[connector.Subject]bool{}
	err := b.eachOrder(ctx, connector.OrderFilter{Channel: c.ID, Open: true}, func(r connector.OrderRow) error {
		subjects[r.Subject] = true
		return nil
	})
	if err == nil {
		err = b.movedSince(ctx, c, subjects)
	}
	if err != nil {
		return nil, err
	}
	var out []lifecycle.Row
	n := 0
	for _, s := range slices.SortedFunc(maps.Keys(subjects), func(x, y connector.Subject) int { return compare(x.ID, y.ID) }) {
		snap, ok, err := b.snapshot(ctx, s)
		if errors.Is(err, connector.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if row, planned := lifecycle.Planned(snap); ok && planned {
			out = append(out, row)
		}
		if n++; n%ordersTold == 0 {
			b.log.Info("planning a reconnection", "channel", string(c.ID), "orders", n, "of", len(subjects))
		}
	}
	return out, nil
}

// movedSince adds the orders of which money was meant since the channel's removal.
func (b *bridge) movedSince(ctx context.Context, c connector.Connection, into map[connector.Subject]bool) error {
	f := connector.EntryFilter{Channel: c.ID, Limit: recordsPage}
	for {
		page, err := b.store.Entries(ctx, f)
		if err != nil {
			return err
		}
		for _, e := range page {
			if e.IntendedAt.Before(c.RemovedAt) {
				return nil
			}
			if e.Counts() {
				into[e.Subject] = true
			}
			f.Before = e.ID
		}
		if len(page) < recordsPage {
			return nil
		}
	}
}
