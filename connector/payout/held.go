package payout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// Held is money of an order that the channel holds back.
type Held struct {
	Amount money.Money
	Until  time.Time // the latest date the channel has named; zero: it has named none
	Reason string    // in the channel's own words
}

// deferral is one transaction's money as it is kept.
type deferral struct {
	marketplace.Deferral
}

// KeepDeferrals keeps what a channel says of money it holds back, and of its release. What was said
// before is joined with it, in whatever order the two came.
func (k Keeper) KeepDeferrals(ctx context.Context, account connector.ConnectionID, told []marketplace.Deferral, now time.Time) (int, error) {
	if len(told) == 0 {
		return 0, nil
	}
	known, err := k.deferrals(ctx, account, told)
	if err != nil {
		return 0, err
	}
	var facts []connector.PayoutFacts
	for _, d := range told {
		if old, there := known[d.ID]; there {
			d = old.With(d)
		}
		known[d.ID] = d
		body, err := json.Marshal(deferral{d})
		if err != nil {
			return 0, fmt.Errorf("money held back under %s: %w", d.ID, err)
		}
		facts = append(facts, connector.PayoutFacts{Account: account, Kind: connector.DeferralFacts, Order: d.ID, KnownAt: now, Body: body})
	}
	added, err := k.Store.KeepFacts(ctx, facts)
	if err != nil {
		return added, fmt.Errorf("keeping what %s holds back: %w", account, err)
	}
	return added, nil
}

// errEnough ends the reading of facts once all are found.
var errEnough = errors.New("all are found")

// deferrals reads what was told before of the same transactions.
func (k Keeper) deferrals(ctx context.Context, account connector.ConnectionID, told []marketplace.Deferral) (map[string]marketplace.Deferral, error) {
	wanted := map[string]bool{}
	for _, d := range told {
		wanted[d.ID] = true
	}
	out := map[string]marketplace.Deferral{}
	err := k.Store.Facts(ctx, account, connector.DeferralFacts, time.Time{}, func(f connector.PayoutFacts) error {
		if !wanted[f.Order] {
			return nil
		}
		var d deferral
		if err := json.Unmarshal(f.Body, &d); err != nil {
			return fmt.Errorf("money held back under %s: %w", f.Order, err)
		}
		if out[f.Order] = d.Deferral; len(out) == len(wanted) {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, fmt.Errorf("reading what %s holds back: %w", account, err)
	}
	return out, nil
}

// held reads what is held back of each order, as it was known. Two currencies of one order are not
// added; the later transaction's is shown.
func (b *Books) held(ctx context.Context, store connector.Payouts) (map[string]Held, error) {
	out := map[string]Held{}
	err := store.Facts(ctx, b.Account.ID, connector.DeferralFacts, b.AsOf, func(f connector.PayoutFacts) error {
		var d deferral
		if err := json.Unmarshal(f.Body, &d); err != nil {
			return fmt.Errorf("money held back under %s: %w", f.Order, err)
		}
		if d.Released || d.Order == "" {
			return nil
		}
		h, there := out[string(d.Order)]
		if sum, err := h.Amount.Add(d.Amount); there && err == nil {
			h.Amount = sum
		} else {
			h.Amount = d.Amount
		}
		if d.Until.After(h.Until) {
			h.Until = d.Until
		}
		if d.Reason != "" {
			h.Reason = d.Reason
		}
		out[string(d.Order)] = h
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading what is held back: %w", err)
	}
	return out, nil
}

// waits reports that the channel still holds an order's money back: it has named no date, or one
// that is to come.
func (h *Held) waits(now time.Time) bool {
	return h != nil && (h.Until.IsZero() || now.Before(h.Until))
}

// explains reports that what is held back is what an order lacks: the greater part of it at least.
// The channel tells what it holds with its fees taken off, and no tariff may cover these, so that
// just the amount that is missing cannot be asked for. A refund that is held back is below zero, as
// is what an order lacks of it.
func (h *Held) explains(missing int64, currency string) bool {
	held := h.Amount.Minor
	if held < 0 {
		held, missing = -held, -missing
	}
	return h.Amount.Currency == currency && missing > 0 && held >= missing-missing/2
}
