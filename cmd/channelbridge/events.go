package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/payout"
	"channelbridge/internal/notify"
	"channelbridge/marketplace"
)

const (
	// Payouts of so long ago are told of again, at the start and daily: where a process died between
	// the import and the telling, it is told then. Events are known by their ids, so nobody hears twice.
	retellFor   = 7 * 24 * time.Hour
	retellEvery = 24 * time.Hour
)

// newSender makes what tells the operator's own systems; without endpoints it tells nobody.
func newSender(p parts, h hooks) *notify.Sender {
	cfg := notify.Config{Store: p.store, Clock: p.clock, Log: p.log, Transport: h.transport, UserAgent: "channelbridge/" + version, Called: h.observe}
	for _, e := range p.cfg.Events {
		cfg.Endpoints = append(cfg.Endpoints, e.endpoint())
	}
	if p.metrics != nil {
		cfg.Observe = func(t notify.Told) { p.metrics.Told(t.Endpoint, t.Outcome, t.N) }
		cfg.Failed = func(error) { p.metrics.Failed("events", "") }
	}
	return notify.New(cfg)
}

// emit emits events to the endpoints whose types they are, and has them sent. Telling the same
// again changes nothing.
func (b *bridge) emit(ctx context.Context, events ...connector.Event) error {
	if len(b.cfg.Events) == 0 {
		return nil
	}
	return b.sender.Tell(ctx, events...)
}

// tellImported tells of a payout that came into the books. What fails here is told by retell.
func (b *bridge) tellImported(ctx context.Context, p connector.Payout, unclassified int) {
	events, err := importedEvents(p, unclassified)
	if err == nil {
		err = b.emit(context.WithoutCancel(ctx), events...)
	}
	if err != nil {
		b.failed("events", p.Account)
		b.log.Error("an imported payout is told later", "account", string(p.Account), "payout", p.External, "error", err)
	}
}

// importedData is what events about an imported payout say. Amounts are decimal text.
type importedData struct {
	Payout       string                 `json:"payout_id"`
	Account      connector.ConnectionID `json:"account"`
	External     string                 `json:"external_id"`
	Revision     int                    `json:"revision"`
	State        connector.PayoutState  `json:"state"`
	Currency     string                 `json:"currency"`
	Paid         string                 `json:"paid"`
	PaidAt       time.Time              `json:"paid_at,omitzero"`
	Outcome      string                 `json:"outcome"`             // proven, not_proven
	Gap          string                 `json:"proof_gap,omitempty"` // absent where it cannot be worked out
	Lines        int                    `json:"lines"`
	Declared     int                    `json:"declared_line_count,omitempty"`
	Unclassified int                    `json:"unclassified_lines"`
}

// importedEvents are what is to be told of a payout that came into the books.
func importedEvents(p connector.Payout, unclassified int) ([]connector.Event, error) {
	id := payout.ID(p)
	d := importedData{Payout: id, Account: p.Account, External: p.External, Revision: p.Revision, State: p.State, Currency: p.Currency, Paid: p.Paid.Decimal(),
		PaidAt: p.PaidAt.UTC(), Outcome: "proven", Lines: p.Lines, Declared: p.Declared, Unclassified: unclassified}
	if gap, err := p.Gap(); err == nil {
		d.Gap = gap.Decimal()
	}
	types := []string{connector.EventPayoutImported}
	if !p.Proven() {
		d.Outcome = "not_proven"
		types = append(types, connector.EventPayoutNotProven)
	}
	if unclassified > 0 {
		types = append(types, connector.EventLinesUnclassified)
	}
	data, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("writing the events of payout %s: %w", p.External, err)
	}
	var out []connector.Event
	for _, t := range types {
		out = append(out, connector.Event{ID: connector.EventID(t, id), Type: t, At: p.ImportedAt, Account: p.Account, Subject: id, Data: data})
	}
	return out, nil
}

// retell tells of the payouts of the last days that were not told of, until ctx ends.
func (b *bridge) retell(ctx context.Context) {
	if len(b.cfg.Events) == 0 {
		return
	}
	for {
		if err := b.retellOnce(ctx); err != nil && ctx.Err() == nil {
			b.failed("events", "")
			b.log.Warn("imported payouts not looked through for what was not told", "error", err)
		}
		if !pause(ctx, retellEvery) {
			return
		}
	}
}

func (b *bridge) retellOnce(ctx context.Context) error {
	list, err := b.store.PayoutList(ctx, connector.PayoutFilter{All: true})
	if err != nil {
		return fmt.Errorf("listing payouts: %w", err)
	}
	for _, p := range list {
		if p.ImportedAt.Before(b.clock().Add(-retellFor)) {
			continue
		}
		unclassified := 0
		err := b.store.PayoutLines(ctx, connector.LineFilter{Payouts: []int64{p.ID}}, func(l connector.PayoutLine) error {
			if l.Category == string(marketplace.Unclassified) {
				unclassified++
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("lines of payout %s: %w", p.External, err)
		}
		b.tellImported(ctx, p, unclassified)
	}
	return nil
}

// purgeEvents deletes events that have reached everybody, when they are as old as pushes that are
// deleted, and never while they might be told again.
func (b *bridge) purgeEvents(ctx context.Context) (total int, err error) {
	before := b.clock().Add(-max(time.Duration(b.cfg.Retention.Deliveries), 2*retellFor))
	for {
		n, err := b.store.PurgeEvents(ctx, before, purgeBatch)
		total += n
		if err != nil || n < purgeBatch || !pause(ctx, purgeRest) {
			return total, err
		}
	}
}

// eventFindings tells of endpoints that were not told something.
func eventFindings(ctx context.Context, b *bridge) []finding {
	if len(b.cfg.Events) == 0 {
		return nil
	}
	st, err := b.store.Stats(ctx, b.clock())
	if err != nil {
		return []finding{{"events", "fail", err.Error(), ""}}
	}
	var out []finding
	for _, e := range b.cfg.Events {
		c := st.Events[e.ID]
		details := fmt.Sprintf("%d events wait", c.Waiting)
		if c.GivenUp == 0 {
			out = append(out, finding{"events " + e.ID, "ok", details, ""})
			continue
		}
		out = append(out, finding{"events " + e.ID, "warn", fmt.Sprintf("%d events were given up, %s", c.GivenUp, details),
			"see channelbridge events list --failed; then channelbridge events replay --endpoint " + e.ID})
	}
	return out
}

// eventDesk shows events and sends them again, for the API.
type eventDesk struct{ b *bridge }

// List lists events.
func (d eventDesk) List(ctx context.Context, f connector.EventFilter) ([]connector.EventRecord, error) {
	return d.b.store.EventList(ctx, f)
}

// Replay sends an event again.
func (d eventDesk) Replay(ctx context.Context, id, endpoint string) (int, error) {
	return d.b.sender.Replay(ctx, id, endpoint)
}
