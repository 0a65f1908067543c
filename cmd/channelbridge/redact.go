package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/order"
)

const (
	redactEvery = time.Hour
	redactBatch = 200
	redactRest  = 50 * time.Millisecond // between batches: orders go first
	redactTries = 5                     // an order that changes all the time is left for the next hour
)

// redact takes personal data out of orders whose time has come, hourly.
func (b *bridge) redact(ctx context.Context) {
	for {
		n, err := b.redactOnce(ctx)
		if err != nil && ctx.Err() == nil {
			b.failed("redact", "")
			b.log.Warn("personal data not taken out of every order; it goes on in an hour", "orders", n, "error", err)
		} else if n > 0 {
			b.log.Info("personal data taken out of orders", "orders", n)
		}
		if !pause(ctx, redactEvery) {
			return
		}
	}
}

// redactOnce goes through all orders that may be old enough, in batches.
func (b *bridge) redactOnce(ctx context.Context) (n int, failed error) {
	keep := time.Duration(b.cfg.Retention.Personal)
	after := ""
	for {
		list, err := b.store.Redactable(ctx, b.clock().Add(-keep), after, redactBatch)
		if err != nil {
			return n, errors.Join(failed, fmt.Errorf("listing orders with personal data: %w", err))
		}
		for _, s := range list {
			after = s.String()
			switch done, err := b.redactDue(ctx, s, keep); {
			case ctx.Err() != nil:
				return n, ctx.Err()
			case err != nil:
				failed = errors.Join(failed, err)
			case done:
				n++
			}
		}
		if len(list) < redactBatch {
			return n, failed
		}
		if !pause(ctx, redactRest) {
			return n, ctx.Err()
		}
	}
}

// redactDue redacts an order if its time has come, or if a later read has brought back what was
// taken out before.
func (b *bridge) redactDue(ctx context.Context, s connector.Subject, keep time.Duration) (bool, error) {
	rec, err := b.store.Load(ctx, s)
	if err != nil {
		return false, fmt.Errorf("order %s: %w", s, err)
	}
	m, shop, err := order.Decode(rec)
	if err != nil {
		return false, fmt.Errorf("order %s: %w", s, err)
	}
	if !rec.RedactedAt.IsZero() {
		return true, b.redactOrder(ctx, s, "a later read has brought it back")
	}
	if at := order.RedactAt(rec, m, shop, keep); b.clock().Before(at) {
		return false, nil
	}
	return true, b.redactOrder(ctx, s, fmt.Sprintf("its time is over (retention.personal is %s)", Duration(keep)))
}

// redactOrder takes personal data out of everything that is kept of an order. What changes
// meanwhile is read again.
func (b *bridge) redactOrder(ctx context.Context, s connector.Subject, reason string) error {
	for range redactTries {
		rec, err := b.store.Load(ctx, s)
		if err != nil {
			return fmt.Errorf("order %s: %w", s, err)
		}
		r, err := order.Redact(rec)
		if err != nil {
			return err
		}
		r.At, r.Actor, r.Reason = b.clock(), connector.ActorOf(ctx, "system"), reason
		err = b.store.Redact(ctx, r)
		if err == nil {
			if b.metrics != nil {
				b.metrics.Redacted()
			}
			return nil
		}
		if !errors.Is(err, connector.ErrChanged) {
			return fmt.Errorf("order %s: taking personal data out: %w", s, err)
		}
	}
	return fmt.Errorf("order %s: taking personal data out: %w", s, connector.ErrChanged)
}

// String writes the length as the configuration does.
func (d Duration) String() string {
	text, err := d.MarshalText()
	if err != nil {
		return time.Duration(d).String()
	}
	return string(text)
}
