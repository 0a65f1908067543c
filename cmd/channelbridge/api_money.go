package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/order"
	"channelbridge/internal/fault"
	"channelbridge/internal/httpapi"
)

// readAfresh bounds the look at both sides before a preview. What does not answer within it is
// previewed from what is kept.
const readAfresh = 8 * time.Second

// moneyDesk answers what an order's money looks like and what a request would do to it, for the
// API and for the command line alike.
type moneyDesk struct{ b *bridge }

var _ httpapi.Money = moneyDesk{}

// Sheet is an order's money as it is kept.
func (d moneyDesk) Sheet(ctx context.Context, s connector.Subject) (any, error) {
	return d.sheet(ctx, s)
}

func (d moneyDesk) sheet(ctx context.Context, s connector.Subject) (order.Sheet, error) {
	rec, err := d.b.store.Load(ctx, s)
	if err != nil {
		return order.Sheet{}, err
	}
	sides, _ := d.b.sides(s.Channel) // of a channel that is not configured any more only the amounts are known
	snap, err := d.snapshot(rec, sides.Policy)
	if err != nil {
		return order.Sheet{}, err
	}
	out := order.SheetOf(snap)
	for _, h := range rec.Holds { // what no plan knows: a budget that is spent, writes that are stopped
		known := slices.ContainsFunc(out.Holds, func(x order.SheetHold) bool { return x.Kind == h.Kind })
		if order.MoneyHold(h.Kind) && !known && (h.Kind == "budget_spent" || h.Kind == "writes_stopped") {
			out.Holds = append(out.Holds, order.SheetHold{Kind: h.Kind, About: h.About, Level: h.Level, Reason: h.Reason, Hint: h.Hint})
		}
	}
	return out, nil
}

// Preview says what a refund would do, after a fresh look at both sides.
func (d moneyDesk) Preview(ctx context.Context, s connector.Subject, r httpapi.RefundRequest) (httpapi.Preview, error) {
	return preview(ctx, d, s, r, order.PreviewRefund)
}

// PreviewCancel says what a cancellation would do, after a fresh look at both sides.
func (d moneyDesk) PreviewCancel(ctx context.Context, s connector.Subject, r httpapi.CancelRequest) (httpapi.Preview, error) {
	return preview(ctx, d, s, r, order.PreviewCancel)
}

func preview[Request, Wish any](ctx context.Context, d moneyDesk, s connector.Subject, r Request, of func(order.Snapshot, Wish) order.Preview) (httpapi.Preview, error) {
	var wish Wish
	if err := sameJSON(r, &wish); err != nil {
		return httpapi.Preview{}, err
	}
	if _, err := d.b.store.Load(ctx, s); err != nil {
		return httpapi.Preview{}, err
	}
	if no := d.notActive(s.Channel); no != nil {
		return httpapi.Preview{Refusals: []httpapi.Refusal{*no}}, nil
	}
	warning := d.refresh(ctx, s)
	rec, err := d.b.store.Load(ctx, s)
	if err != nil {
		return httpapi.Preview{}, err
	}
	sides, ok := d.b.sides(s.Channel)
	if !ok {
		return httpapi.Preview{}, fault.New(fault.Refused, "order %s: its connection %q, or the store of it, is not configured", s, s.Channel)
	}
	snap, err := d.snapshot(rec, sides.Policy)
	if err != nil {
		return httpapi.Preview{}, err
	}
	out := previewView(of(snap, wish))
	if warning != "" {
		out.Warnings = append(out.Warnings, warning)
	}
	stop, err := d.b.store.Switch(ctx, connector.StopWrites)
	if err == nil && stop.On {
		out.Warnings = append(out.Warnings, "All outside writes are stopped by an operator; it waits until they go on.")
	}
	return out, err
}

// sameJSON carries a request over to what the rules read: the text that is kept as the wish.
func sameJSON(from, to any) error {
	raw, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, to)
}

func (d moneyDesk) snapshot(rec connector.Record, p order.Policy) (order.Snapshot, error) {
	market, shop, err := order.Decode(rec)
	if err != nil {
		return order.Snapshot{}, fmt.Errorf("order %s: stored snapshot: %w", rec.Subject, err)
	}
	return order.SnapshotOf(rec, p, market, shop, d.b.clock()), nil
}

// notActive refuses while nothing is sent to the channel or to its store.
func (d moneyDesk) notActive(id connector.ConnectionID) *httpapi.Refusal {
	if slices.Contains(d.b.runnable(), id) {
		return nil
	}
	no := &httpapi.Refusal{Code: httpapi.ChannelNotActive, Reason: fmt.Sprintf("The channel %s is not configured.", id)}
	l, ok := d.b.link(id)
	if !ok {
		return no
	}
	for _, c := range []connector.ConnectionID{id, connector.ConnectionID(l.cfg.Store)} {
		if row, ok := d.b.states.get(c); ok && row.State != connector.Active {
			no.Reason = fmt.Sprintf("The connection %s is %s.", c, row.State)
			return no
		}
	}
	return no
}

// refresh reads both sides; the warning says why what is kept has to serve.
func (d moneyDesk) refresh(ctx context.Context, s connector.Subject) (warning string) {
	call, cancel := context.WithTimeout(ctx, readAfresh)
	defer cancel()
	err := d.b.orders.Refresh(call, s)
	if err == nil {
		return ""
	}
	d.b.log.Warn("previewing from what is kept", "order", s.String(), "error", err)
	return fmt.Sprintf("Not all of both sides could be read just now (%s); this is worked out from what was read before.", err)
}

func previewView(p order.Preview) httpapi.Preview {
	out := httpapi.Preview{Amount: p.Amount, Warnings: p.Warnings, Read: p.Read, Commands: []httpapi.PreviewCommand{}, Refusals: []httpapi.Refusal{}}
	for _, c := range p.Commands {
		v := httpapi.PreviewCommand{Side: c.Side, Verb: c.Verb, Amount: c.Amount, Why: c.Why}
		for _, l := range c.Lines {
			v.Lines = append(v.Lines, httpapi.PreviewLine(l))
		}
		out.Commands = append(out.Commands, v)
	}
	for _, r := range p.Refusals {
		out.Refusals = append(out.Refusals, httpapi.Refusal(r))
	}
	return out
}
