package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/lifecycle"
	"channelbridge/internal/httpapi"
)

// channels is the life of the sales channels, for the API and the command line.
type channels struct{ b *bridge }

var _ httpapi.Channels = channels{}

// row reads a channel's row as it is now.
func (c channels) row(ctx context.Context, id connector.ConnectionID) (connector.Connection, error) {
	if err := c.b.states.refresh(ctx); err != nil {
		return connector.Connection{}, fmt.Errorf("reading the state of connections: %w", err)
	}
	row, ok := c.b.states.get(id)
	if !ok || row.Role != connector.RoleChannel {
		return connector.Connection{}, fmt.Errorf("channel %s: %w", id, connector.ErrNotFound)
	}
	return row, nil
}

// List shows all channels by id.
func (c channels) List(ctx context.Context) ([]httpapi.Channel, error) {
	if err := c.b.states.refresh(ctx); err != nil {
		return nil, fmt.Errorf("reading the state of connections: %w", err)
	}
	out := []httpapi.Channel{}
	for _, row := range c.b.states.all() {
		if row.Role != connector.RoleChannel {
			continue
		}
		ch, err := c.view(ctx, row)
		if err != nil {
			return nil, err
		}
		out = append(out, ch)
	}
	slices.SortFunc(out, func(x, y httpapi.Channel) int { return compare(x.ID, y.ID) })
	return out, nil
}

// Show shows one channel with what is owed there.
func (c channels) Show(ctx context.Context, id connector.ConnectionID) (httpapi.Channel, error) {
	row, err := c.row(ctx, id)
	if err != nil {
		return httpapi.Channel{}, err
	}
	ch, err := c.view(ctx, row)
	if err != nil {
		return ch, err
	}
	ch.Obligations, err = c.owed(ctx, id)
	return ch, err
}

func (c channels) owed(ctx context.Context, id connector.ConnectionID) ([]httpapi.Obligation, error) {
	list, err := c.b.dues(ctx, id)
	out := []httpapi.Obligation{}
	for _, d := range list {
		out = append(out, httpapi.Obligation(d))
	}
	return out, err
}

func (c channels) view(ctx context.Context, row connector.Connection) (httpapi.Channel, error) {
	ch := httpapi.Channel{ID: row.ID, Platform: row.Platform, Store: row.Store, State: string(row.State), Reason: row.Reason,
		ChangedAt: row.ChangedAt, Since: row.Since, RemovedAt: row.RemovedAt, RejoinedAt: row.RejoinedAt, Warnings: c.b.warnings(row)}
	if row.State == connector.Active && len(ch.Warnings) > 0 {
		ch.State = degraded
	}
	var err error
	ch.Counts, err = c.counts(ctx, row.ID)
	return ch, err
}

// degraded is an active channel with warnings. It is shown, never kept.
const degraded = "degraded"

func (c channels) counts(ctx context.Context, id connector.ConnectionID) (n httpapi.ChannelCounts, err error) {
	days, err := c.b.store.Completeness(ctx, id, time.Time{}, time.UTC)
	if err != nil {
		return n, fmt.Errorf("counting orders of %s: %w", id, err)
	}
	for _, d := range days {
		n.Orders += d.Seen
	}
	count := func(into *int, f connector.OrderFilter) error {
		return c.b.eachOrder(ctx, f, func(connector.OrderRow) error { *into++; return nil })
	}
	if err := count(&n.Open, connector.OrderFilter{Channel: id, Open: true}); err != nil {
		return n, err
	}
	if err := count(&n.Held, connector.OrderFilter{Channel: id, Held: true}); err != nil {
		return n, err
	}
	f := connector.EntryFilter{Channel: id, State: connector.Unknown, Limit: recordsPage}
	for {
		page, err := c.b.store.Entries(ctx, f)
		if err != nil {
			return n, fmt.Errorf("counting doubts of %s: %w", id, err)
		}
		n.Doubts += len(page)
		if len(page) < recordsPage {
			return n, nil
		}
		f.Before = page[len(page)-1].ID
	}
}

// Pause stops what is sent to a channel.
func (c channels) Pause(ctx context.Context, id connector.ConnectionID, by httpapi.By) error {
	row, err := c.row(ctx, id)
	if err != nil {
		return err
	}
	if err := away(row); err != nil {
		return err
	}
	return c.set(ctx, id, connector.Paused, or(by.Reason, "paused by a person"), by)
}

// Resume lets a paused or disconnected channel work again.
func (c channels) Resume(ctx context.Context, id connector.ConnectionID, by httpapi.By) error {
	row, err := c.row(ctx, id)
	if err != nil {
		return err
	}
	if err := away(row); err != nil {
		return err
	}
	if row.State == connector.Active {
		return nil
	}
	if err := c.b.release(ctx, id, by.Actor); err != nil {
		return err
	}
	return c.set(ctx, id, connector.Active, "", by)
}

// away refuses what cannot be done with a channel that is removed or on its way back.
func away(row connector.Connection) error {
	switch row.State {
	case connector.Removed:
		return &httpapi.Refusal{Code: "removed", Reason: "The channel was removed.", Hint: "Reconnect it."}
	case connector.Reconnecting:
		return &httpapi.Refusal{Code: "reconnecting", Reason: "The channel is being connected again.", Hint: "Look at its plan and approve it, or remove it again."}
	}
	return nil
}

func (c channels) set(ctx context.Context, id connector.ConnectionID, to connector.State, reason string, by httpapi.By) error {
	if by.Actor != "" {
		ctx = connector.As(ctx, by.Actor)
	}
	if err := c.b.states.set(ctx, id, to, reason); err != nil {
		return fmt.Errorf("channel %s: %w", id, err)
	}
	c.b.log.Info("channel changed by a person", "channel", string(id), "state", string(to))
	c.b.loop.Nudge()
	return nil
}

// Remove takes a channel away and says what that leaves undone.
func (c channels) Remove(ctx context.Context, id connector.ConnectionID, dry bool, by httpapi.By) ([]httpapi.Obligation, error) {
	row, err := c.row(ctx, id)
	if err != nil {
		return nil, err
	}
	owed, err := c.owed(ctx, id)
	if err != nil || dry || row.State == connector.Removed {
		return owed, err
	}
	if err := c.set(ctx, id, connector.Removed, or(by.Reason, "removed by a person"), by); err != nil {
		return nil, err
	}
	c.b.attend()
	return owed, nil
}

// Reconnect begins to connect a removed channel again.
func (c channels) Reconnect(ctx context.Context, id connector.ConnectionID, by httpapi.By) error {
	row, err := c.row(ctx, id)
	if err != nil {
		return err
	}
	switch row.State {
	case connector.Reconnecting:
		return nil
	case connector.Removed:
	default:
		return &httpapi.Refusal{Code: "not_removed", Reason: "The channel is " + string(row.State) + ".", Hint: "Only a removed channel is reconnected."}
	}
	c.b.attend()
	if _, ok := c.b.link(id); !ok {
		return &httpapi.Refusal{Code: "no_credentials", Reason: "The channel's credentials were destroyed.",
			Hint: "Give them again with `channelbridge connections add`, then reconnect."}
	}
	return c.set(ctx, id, connector.Reconnecting, or(by.Reason, "both sides are being read"), by)
}

// ApprovePlan lets the plan run, or one order of it.
func (c channels) ApprovePlan(ctx context.Context, id connector.ConnectionID, number string, by httpapi.By) error {
	row, err := c.row(ctx, id)
	if err != nil {
		return err
	}
	if number != "" {
		return c.wish(ctx, id, number, connector.WishApprove, by)
	}
	switch {
	case row.State == connector.Active:
		return nil
	case lifecycle.Waits(row):
		return c.set(ctx, id, connector.Active, "", by)
	case row.State == connector.Reconnecting:
		return &httpapi.Refusal{Code: "reading", Reason: "Both sides are still being read, so the plan is not complete.", Hint: "Approve it once its state is waiting."}
	}
	return &httpapi.Refusal{Code: "not_reconnecting", Reason: "The channel is " + string(row.State) + ".", Hint: "Reconnect a removed channel, resume a paused one."}
}

// HoldInPlan keeps one order out of the plan until it is approved.
func (c channels) HoldInPlan(ctx context.Context, id connector.ConnectionID, number string, by httpapi.By) error {
	if _, err := c.row(ctx, id); err != nil {
		return err
	}
	return c.wish(ctx, id, number, connector.WishHold, by)
}

// wish keeps a person's decision about one order, unless it stands already. An approval also ends
// a hold.
func (c channels) wish(ctx context.Context, id connector.ConnectionID, number string, kind connector.WishKind, by httpapi.By) error {
	s := connector.Subject{Kind: connector.KindOrder, Channel: id, ID: number}
	rec, err := c.b.store.Load(ctx, s)
	if err != nil {
		return fmt.Errorf("order %s: %w", s, err)
	}
	for _, k := range missing(rec.Wishes, kind) {
		at := c.b.clock()
		w := connector.Wish{Subject: s, Kind: k, Actor: or(by.Actor, connector.Operator), Reason: by.Reason, At: at,
			Key: fmt.Sprintf("plan/%s/%s/%d/%d", s, k, at.UnixNano(), len(rec.Wishes))}
		if _, _, err := c.b.store.Wish(ctx, w); err != nil {
			return fmt.Errorf("order %s: %w", s, err)
		}
	}
	c.b.loop.Nudge()
	return nil
}

// missing are the wishes that bring about what is wanted: a hold, or its end and an approval.
func missing(have []connector.Wish, want connector.WishKind) (out []connector.WishKind) {
	held, approved := false, false
	for _, w := range have {
		switch {
		case w.Kind == connector.WishHold:
			held = true
		case w.Kind == connector.WishRelease:
			held = false
		case w.Kind == connector.WishApprove && w.About == "":
			approved = true
		}
	}
	if want == connector.WishHold {
		if !held {
			out = append(out, connector.WishHold)
		}
		return out
	}
	if held {
		out = append(out, connector.WishRelease)
	}
	if !approved {
		out = append(out, connector.WishApprove)
	}
	return out
}
