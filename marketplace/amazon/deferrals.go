package amazon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// shownLate is how long after the time it is posted under a transaction may first be shown.
//
// Source: listTransactions of Finances v2024-06-19, "might not include orders from the last 48
// hours".
const shownLate = 48 * time.Hour

// Deferrals lists one page of the money Amazon holds back and lets go, by the time the
// transactions were posted. A deferred transaction becomes DEFERRED_RELEASED when its money is let
// go, and a second transaction is posted then; whichever is seen, the number is the first one's.
// The next listing reaches back the two days Amazon may be late.
func (a *Adapter) Deferrals(ctx context.Context, after marketplace.Cursor) (marketplace.DeferralPage, error) {
	p, err := a.posted(ctx, after, shownLate)
	if err != nil {
		return marketplace.DeferralPage{}, err
	}
	all, bad := deferrals(p.all)
	a.unread(opListTransactions, bad)
	return marketplace.DeferralPage{Deferrals: all, Next: p.next, More: p.more}, nil
}

// deferrals makes deferrals of transactions, each number once, in the order they are first seen.
// The errors name what is left out.
func deferrals(all []transaction) (out []marketplace.Deferral, bad []error) {
	releasedBy, at := releases(all), map[string]int{}
	for _, t := range all {
		origin := t.heldAs(releasedBy)
		if origin == "" && !t.deferred() {
			continue
		}
		d, err := t.deferral(origin)
		if err != nil {
			bad = append(bad, fmt.Errorf("transaction %.80s: %w", t.TransactionID, err))
		}
		if d.ID == "" {
			continue
		}
		if i, seen := at[d.ID]; seen {
			out[i] = out[i].With(d)
			continue
		}
		at[d.ID] = len(out)
		out = append(out, d)
	}
	return out, bad
}

// heldAs is the number of the transaction whose money was held back: of this one, or of the one it
// releases. "" when nothing was, or when there is no number.
func (t transaction) heldAs(releasedBy map[string]string) string {
	origin := or(t.related("DEFERRED_TRANSACTION_ID"), releasedBy[t.TransactionID])
	release := t.related("RELEASE_TRANSACTION_ID")
	if origin == "" && (t.deferred() || letters(t.TransactionStatus) == "deferredreleased" || release != "" && release != t.TransactionID) {
		origin = t.TransactionID
	}
	return origin
}

// deferral is what one transaction tells of the money held back under a number. An error that
// comes with a deferral is about why and until when alone.
func (t transaction) deferral(origin string) (marketplace.Deferral, error) {
	if origin == "" {
		return marketplace.Deferral{}, errors.New("it is deferred and has no id")
	}
	amount, err := t.TotalAmount.money()
	if err == nil && amount == (money.Money{}) {
		err = errors.New("it is deferred and has no total")
	}
	if err != nil {
		return marketplace.Deferral{}, err
	}
	d := marketplace.Deferral{ID: origin, Order: marketplace.OrderID(t.related("ORDER_ID")), Amount: amount, Released: !t.deferred()}
	if d.Released && origin != t.TransactionID { // it lets go of another's money
		d.ReleasedAt = t.PostedDate.Time
		return d, nil
	}
	d.PostedAt = t.PostedDate.Time
	d.Reason, d.Until, err = t.terms()
	return d, err
}

// terms are why and until when the money is held, from the contexts of the whole or of an item.
func (t transaction) terms() (reason string, until time.Time, err error) {
	places := []json.RawMessage{t.Contexts}
	for _, i := range t.Items {
		places = append(places, i.Contexts)
	}
	for _, raw := range places {
		var all list[deferredContext]
		if len(raw) == 0 {
			continue
		}
		if bad := json.Unmarshal(raw, &all); bad != nil {
			err = fmt.Errorf("its contexts: %w", bad)
			continue
		}
		for _, c := range all {
			reason = or(reason, c.DeferralReason)
			if c.MaturityDate == "" || !until.IsZero() {
				continue
			}
			var bad error
			if until, bad = parseTime(c.MaturityDate); bad != nil {
				err = fmt.Errorf("its maturity date: %w", bad)
			}
		}
	}
	return reason, until, err
}
