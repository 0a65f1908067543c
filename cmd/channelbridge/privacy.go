package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/order"
	"channelbridge/shopadmin"
	"channelbridge/webhooks"
)

const (
	complyEvery = time.Hour
	complyPage  = 200
)

// demand is a store's demand about personal data. Its delivery is kept, and a switch named after
// its row says what became of it: one without is still to be acted on, also after a crash.
type demand struct {
	connector.Delivery
	shopadmin.Privacy
	Done   connector.Switch
	Unread error // its body cannot be understood any more
}

func demandSwitch(row int64) string { return fmt.Sprintf("privacy/%d", row) }

// demanded lets a demand be acted on at once.
func (b *bridge) demanded() {
	select {
	case b.demand <- struct{}{}:
	default:
	}
}

// comply acts on demands about personal data: at the start, when one comes in, and hourly.
func (b *bridge) comply(ctx context.Context) {
	for {
		for _, l := range b.all() {
			if len(l.privacy) == 0 {
				continue
			}
			if err := b.complyOnce(ctx, l); err != nil && ctx.Err() == nil {
				b.failed("privacy", l.id)
				b.log.Error("demands about personal data not all acted on; it goes on within the hour", "connection", string(l.id), "error", err)
			}
		}
		t := time.NewTimer(complyEvery)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-b.demand:
			t.Stop()
		case <-t.C:
		}
	}
}

// complyOnce acts on all demands of a store that are open. Orders are redacted first: emptying
// bodies of deliveries may empty those of other demands.
func (b *bridge) complyOnce(ctx context.Context, l *link) error {
	all, err := b.demands(ctx, l)
	if err != nil {
		return err
	}
	b.showDemands(l.id, all)
	var open []demand
	for _, d := range all {
		switch {
		case !d.Done.At.IsZero():
		case d.Unread != nil:
			return fmt.Errorf("delivery %d: %w", d.Row, d.Unread) // no body is emptied that may still be needed
		default:
			if err := b.redactDemanded(ctx, l, d); err != nil {
				return fmt.Errorf("delivery %d: %w", d.Row, err)
			}
			open = append(open, d)
		}
	}
	for _, d := range open {
		if err := b.settleDemand(ctx, l, d); err != nil {
			return fmt.Errorf("delivery %d: %w", d.Row, err)
		}
	}
	if len(open) > 0 {
		if all, err = b.demands(ctx, l); err != nil {
			return err
		}
		b.showDemands(l.id, all)
	}
	return nil
}

// demands are all that are kept of a store, oldest first; what is demanded of the whole shop goes
// last. Those whose body is gone tell only what became of them.
func (b *bridge) demands(ctx context.Context, l *link) ([]demand, error) {
	f := connector.DeliveryFilter{Connection: l.id, Verdict: connector.Accepted, Topics: l.privacy, Limit: complyPage}
	var out []demand
	for {
		page, err := b.store.Deliveries(ctx, f)
		if err != nil {
			return nil, fmt.Errorf("listing demands about personal data: %w", err)
		}
		for _, x := range page {
			d, err := b.readDemand(ctx, l, x.Row)
			if err != nil {
				return nil, err
			}
			out = append(out, d)
			f.Before = x.Row
		}
		if len(page) < complyPage {
			break
		}
	}
	slices.Reverse(out)
	slices.SortStableFunc(out, func(x, y demand) int { return compare(last(x), last(y)) })
	return out, nil
}

func last(d demand) int {
	if d.Kind == shopadmin.ShopRedact {
		return 1
	}
	return 0
}

func (b *bridge) readDemand(ctx context.Context, l *link, row int64) (d demand, err error) {
	if d.Delivery, err = b.store.Delivery(ctx, row); err != nil {
		return d, fmt.Errorf("delivery %d: %w", row, err)
	}
	if d.Done, err = b.store.Switch(ctx, demandSwitch(row)); err != nil {
		return d, fmt.Errorf("delivery %d: %w", row, err)
	}
	u, ok := l.shop.(webhooks.StoreUnwrapper)
	if !ok || len(d.Body) == 0 {
		return d, nil
	}
	header := map[string][]string{}
	for k, v := range d.Header {
		header[k] = v
	}
	h, err := u.Unwrap(shopadmin.Inbound{Header: header, Body: d.Body})
	switch {
	case err != nil:
		d.Unread = err
	case h.Privacy == nil:
		d.Unread = errors.New("it is no demand about personal data")
	default:
		d.Privacy = *h.Privacy
	}
	return d, nil
}

// subjects are the orders behind the store orders a demand names, or all of the shop's channels.
func (b *bridge) subjects(ctx context.Context, l *link, d demand) (out []connector.Subject, err error) {
	if d.Kind == shopadmin.ShopRedact {
		for _, c := range b.states.all() {
			if c.Role == connector.RoleChannel && c.Store == l.id {
				err = errors.Join(err, b.eachOrder(ctx, connector.OrderFilter{Channel: c.ID}, func(r connector.OrderRow) error {
					out = append(out, r.Subject)
					return nil
				}))
			}
		}
		return out, err
	}
	for _, id := range d.Orders {
		s, err := b.store.MirrorOf(ctx, connector.ShopRef{Store: l.id, ID: string(id)})
		switch {
		case errors.Is(err, connector.ErrNotFound): // the store's own order: nothing of it is kept
		case err != nil:
			return nil, fmt.Errorf("finding order %s: %w", id, err)
		default:
			out = append(out, s)
		}
	}
	return out, nil
}

// redactDemanded redacts the orders a demand is about.
func (b *bridge) redactDemanded(ctx context.Context, l *link, d demand) error {
	if d.Kind != shopadmin.CustomerRedact && d.Kind != shopadmin.ShopRedact {
		return nil
	}
	list, err := b.subjects(ctx, l, d)
	if err != nil {
		return err
	}
	for _, s := range list {
		if err := b.redactOrder(ctx, s, "demanded by the store: "+string(d.Kind)); err != nil {
			return err
		}
	}
	return nil
}

// settleDemand empties the bodies that hold the same data and writes down what became of a demand.
func (b *bridge) settleDemand(ctx context.Context, l *link, d demand) error {
	var text string
	switch d.Kind {
	case shopadmin.DataRequest:
		var err error
		if text, err = b.tell(ctx, l, d); err != nil {
			return err
		}
		b.log.Warn("a customer asks what is kept of him: answer him", "connection", string(l.id), "delivery", d.Row, "ref", d.Ref, "due", d.Due, "kept", text,
			"hint", "see channelbridge privacy list")
	case shopadmin.CustomerRedact, shopadmin.ShopRedact:
		n, err := b.forgetBodies(ctx, l, d)
		if err != nil {
			return err
		}
		text = fmt.Sprintf("%s: personal data was taken out of %s and of %d deliveries", d.Kind, scopeOf(d), n)
		b.log.Info("personal data taken out as the store demanded", "connection", string(l.id), "delivery", d.Row, "demand", string(d.Kind), "deliveries", n)
	default:
		text = "its body was emptied together with others"
	}
	return b.store.SetSwitch(ctx, connector.Switch{Name: demandSwitch(d.Row), On: d.Kind == shopadmin.DataRequest, Reason: text, Actor: "system", At: b.clock()})
}

func scopeOf(d demand) string {
	if d.Kind == shopadmin.ShopRedact {
		return "all orders of the store"
	}
	return "orders " + strings.Join(names(d.Orders), ", ")
}

func names(ids []shopadmin.OrderID) (out []string) {
	for _, id := range ids {
		out = append(out, string(id))
	}
	return out
}

// forgetBodies empties bodies of the store's deliveries, and of the channels' about the same orders.
func (b *bridge) forgetBodies(ctx context.Context, l *link, d demand) (int, error) {
	if d.Kind == shopadmin.ShopRedact {
		return b.store.ForgetBodies(ctx, l.id, nil, b.clock())
	}
	if len(d.Orders) == 0 { // without any, all would be meant
		return 0, nil
	}
	list, err := b.subjects(ctx, l, d)
	if err != nil {
		return 0, err
	}
	total := 0
	for _, s := range list {
		n, err := b.store.ForgetBodies(ctx, s.Channel, []string{s.ID}, b.clock())
		if total += n; err != nil {
			return total, err
		}
	}
	n, err := b.store.ForgetBodies(ctx, l.id, names(d.Orders), b.clock())
	return total + n, err
}

// tell says what is kept of the orders a customer asks about, and until when.
func (b *bridge) tell(ctx context.Context, l *link, d demand) (string, error) {
	list, err := b.subjects(ctx, l, d)
	if err != nil {
		return "", err
	}
	parts := []string{fmt.Sprintf("request %s, to be answered by %s", or(d.Ref, "without a number"), d.Due.UTC().Format(time.DateOnly))}
	for _, s := range list {
		rec, err := b.store.Load(ctx, s)
		if err != nil {
			return "", fmt.Errorf("order %s: %w", s, err)
		}
		m, shop, err := order.Decode(rec)
		if err != nil {
			return "", fmt.Errorf("order %s: %w", s, err)
		}
		until := order.RedactAt(rec, m, shop, time.Duration(b.cfg.Retention.Personal))
		kept := "name and address until " + until.UTC().Format(time.DateOnly)
		if !rec.RedactedAt.IsZero() {
			kept = "no personal data"
		}
		parts = append(parts, fmt.Sprintf("%s: %s", s, kept))
	}
	if len(list) == 0 {
		parts = append(parts, "nothing is kept of these orders")
	}
	return strings.Join(append(parts, fmt.Sprintf("pushes about them until %s after they came", b.cfg.Retention.Deliveries)), "; "), nil
}

// showDemands counts demands that are to be acted on or to be answered, by kind.
func (b *bridge) showDemands(id connector.ConnectionID, all []demand) {
	if b.metrics == nil {
		return
	}
	count := map[shopadmin.PrivacyKind]int{}
	for _, d := range all {
		if d.Done.At.IsZero() || d.Done.On {
			count[d.Kind]++
		}
	}
	for _, k := range []shopadmin.PrivacyKind{shopadmin.DataRequest, shopadmin.CustomerRedact, shopadmin.ShopRedact} {
		b.metrics.Demands(id, string(k), count[k])
	}
}
