package payout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"channelbridge/connector"
	"channelbridge/marketplace"
)

// Match gives lines to an order. Lines are named as they are outside, of the revision that counts.
func (d Desk) Match(ctx context.Context, a Account, orderRef string, lines []string, note string, by By) (Match, error) {
	b, keys, payout, err := d.keysOf(ctx, a, lines)
	if err != nil {
		return Match{}, err
	}
	m := Match{Payout: payout, Keys: keys, Order: orderRef, Note: note}
	if err := wrong(m.check()); err != nil {
		return Match{}, err
	}
	known, err := d.knows(ctx, a, orderRef)
	if err != nil {
		return Match{}, err
	}
	if !known {
		return Match{}, refuse(RefusedOrder, "nothing is known here of the order %s", "Give the channel's number of an order that was mirrored.", orderRef)
	}
	m.ID = "ma_" + short(string(a.ID), payout, orderRef, strings.Join(keys, "\n"))
	kept, _, err := d.keep(ctx, act(a.ID, actMatch, m.ID, m, b.Now, by), b.People, "lines were given to order "+orderRef+" by hand")
	m.At, m.By = kept.At, kept.Actor
	return m, err
}

// keysOf finds lines by the names they have outside. They have to be of one payout.
func (d Desk) keysOf(ctx context.Context, a Account, ids []string) (b *Books, keys []string, payout string, err error) {
	wanted := map[string]bool{}
	for _, id := range ids {
		wanted[id] = true
	}
	var wrongs error
	people, err := d.people(ctx, a)
	if err != nil {
		return nil, nil, "", err
	}
	if b, err = open(ctx, d.Keep, a, people, time.Time{}, d.Clock()); err != nil {
		return nil, nil, "", err
	}
	for _, p := range b.Payouts {
		err := d.Payouts.PayoutLines(ctx, connector.LineFilter{Payouts: []int64{p.ID}}, func(l connector.PayoutLine) error {
			id := LineID(p.Account, p.External, l)
			if !wanted[id] {
				return nil
			}
			delete(wanted, id)
			if payout != "" && payout != p.External {
				wrongs = wrong(errors.New("line_ids: the lines of one match are of one payout"))
			}
			keys, payout = append(keys, l.Key), p.External
			if kind(l.Category).alone {
				wrongs = refuse(RefusedLine, "line %s is %s, which belongs to no order", "Leave it out.", id, l.Category)
			}
			return nil
		})
		if err != nil {
			return nil, nil, "", fmt.Errorf("reading the lines of payout %s: %w", p.External, err)
		}
	}
	for id := range wanted {
		return nil, nil, "", refuse(RefusedLine, "there is no line %s in the payouts that count", "Lines are listed under /v1/payouts/{id}/lines.", id)
	}
	slices.Sort(keys)
	return b, keys, payout, wrongs
}

func (d Desk) knows(ctx context.Context, a Account, orderRef string) (known bool, err error) {
	err = d.Payouts.Facts(ctx, a.ID, connector.OrderFacts, time.Time{}, func(f connector.PayoutFacts) error {
		known = known || f.Order == orderRef
		return nil
	})
	return known, err
}

// people is what was said of an account by now.
func (d Desk) people(ctx context.Context, a Account) (*People, error) {
	return d.said(ctx, a.ID, time.Time{})
}

// Matches lists what was given to orders by hand and was not undone.
func (d Desk) Matches(ctx context.Context, a Account) ([]Match, error) {
	p, err := d.people(ctx, a)
	if err != nil {
		return nil, err
	}
	return sorted(p.matches, func(m Match) string { return m.ID }), nil
}

// sorted are the values of a map by a name.
func sorted[T any](all map[string]T, name func(T) string) []T {
	out := make([]T, 0, len(all))
	for _, v := range all {
		out = append(out, v)
	}
	slices.SortFunc(out, func(x, y T) int { return strings.Compare(name(x), name(y)) })
	return out
}

// Unmatch takes a match back.
func (d Desk) Unmatch(ctx context.Context, a Account, id string, by By) error {
	p, err := d.people(ctx, a)
	if err != nil {
		return err
	}
	if err := reused(p, by, actMatch, id, func(m Match) bool { return m.Undone }); err != nil {
		return err
	}
	m, there := p.matches[id]
	if p.heard(by) {
		return nil
	}
	if !there {
		return fmt.Errorf("match %s: %w", id, connector.ErrNotFound)
	}
	m.Undone = true
	_, _, err = d.keep(ctx, act(a.ID, actMatch, id, m, d.Clock(), by), p, "was taken back")
	return err
}

// Deposit keeps money that was seen at the bank. Entering the same again under the same key, or
// hearing the same of the same transfer, changes nothing; nor does hearing again of one that a person
// has taken back, which is given as undone. ref names it among those of its origin; "": it is named
// by the key.
func (d Desk) Deposit(ctx context.Context, a Account, dep Deposit, ref string, by By) (Deposit, error) {
	if err := wrong(dep.check()); err != nil {
		return Deposit{}, err
	}
	p, err := d.people(ctx, a)
	if err != nil {
		return Deposit{}, err
	}
	if ref == "" {
		ref = by.Key
	}
	id := "dp_" + short(string(a.ID), dep.Origin, ref)
	said := act(a.ID, actDeposit, id, dep, d.Clock(), by)
	switch old, there := p.deposits[id]; {
	case there && said.Same(act(a.ID, actDeposit, id, old, old.At, by)):
		return old, nil
	case !there && dep.Origin == DepositChannel && p.lastAct(actDeposit, id) != 0:
		dep.ID, dep.Undone = id, true
		return dep, nil
	}
	kept, _, err := d.keep(ctx, said, p, dep.Amount.String()+" on "+dep.Day)
	dep.ID, dep.At, dep.By = id, kept.At, kept.Actor
	return dep, err
}

// Deposits lists deposits with what they were held against, by day.
func (d Desk) Deposits(ctx context.Context, a Account) ([]Deposit, error) {
	p, err := d.people(ctx, a)
	if err != nil {
		return nil, err
	}
	b := &Books{Account: a, People: p, places: map[int64]int{}}
	if err := b.payouts(ctx, d.Payouts); err != nil {
		return nil, err
	}
	_, out, err := bank(b.Payouts, p.deposits, a.Zone)
	return out, err
}

// Undeposit takes back a deposit that was entered by mistake.
func (d Desk) Undeposit(ctx context.Context, a Account, id, reason string, by By) error {
	p, err := d.people(ctx, a)
	if err != nil {
		return err
	}
	if err := reused(p, by, actDeposit, id, func(d Deposit) bool { return d.Undone && d.Note == reason }); err != nil {
		return err
	}
	dep, there := p.deposits[id]
	if p.heard(by) {
		return nil
	}
	if !there {
		return fmt.Errorf("deposit %s: %w", id, connector.ErrNotFound)
	}
	dep.Undone, dep.Note = true, reason
	_, _, err = d.keep(ctx, act(a.ID, actDeposit, id, dep, d.Clock(), by), p, "was taken back: "+reason)
	return err
}

// Close closes a month of an account: what is known of it now counts from now on. It is refused
// while the month goes on, and while something of it is unproven or unexplained.
func (d Desk) Close(ctx context.Context, a Account, month string, by By) (Closing, error) {
	q, err := ofMonth(month, a.Zone)
	if err != nil {
		return Closing{}, wrong(fmt.Errorf("month: %w", err))
	}
	now := d.Clock()
	p, err := d.people(ctx, a)
	if err != nil {
		return Closing{}, err
	}
	if err := reused(p, by, actClose, month, func(c Closing) bool { return !c.Undone }); err != nil {
		return Closing{}, err
	}
	known := now.Add(-settling).UTC().Truncate(time.Microsecond)
	switch old, closed := p.closes[month]; {
	case closed && p.heard(by):
		return old, nil
	case closed:
		return Closing{}, refuse(RefusedState, "%s was closed on %s by %s", "Another person can open it again.", month, old.At.Format(time.DateOnly), old.By)
	case known.Before(q.To):
		return Closing{}, refuse(RefusedMonth, "%s is not over in %s", "Close it a minute after its end.", month, a.Zone)
	case p.after(month) != "":
		return Closing{}, refuse(RefusedState, "%s is closed already: what is known of %s now would stand in both", "Open the later month again first, then close both in their order.", p.after(month), month)
	case p.decided[""].After(known) || p.decided[month].After(known):
		return Closing{}, refuse(RefusedMonth, "the settings were changed, or the month was opened again, less than a minute ago", "Close it in a minute.")
	}
	q = p.tiled(q, a)
	q.AsOf = known
	r, err := Make(ctx, d.Keep, []Account{a}, q, now)
	if err != nil {
		return Closing{}, err
	}
	if err := r.closable(ctx, d.Payouts); err != nil {
		return Closing{}, err
	}
	held, err := d.heldThen(ctx, a, known)
	if err != nil {
		return Closing{}, err
	}
	c := Closing{From: q.From, To: q.To, KnownAt: known, Snapshot: r.Snapshot, Settings: &held}
	for _, s := range r.Summary {
		c.Totals = append(c.Totals, s.JSON())
	}
	kept, _, err := d.keep(ctx, act(a.ID, actClose, month, c, now, by), p, "was closed on report "+c.Snapshot)
	c.Month, c.At, c.By = month, kept.At, kept.Actor
	return c, err
}

// heldThen are the settings that a report as of an instant rests on.
func (k Keep) heldThen(ctx context.Context, a Account, asOf time.Time) (Settings, error) {
	p, err := k.said(ctx, a.ID, asOf)
	if err != nil {
		return Settings{}, err
	}
	return p.settings.on(a).settings(), nil
}

// closable refuses a month whose payouts do not add up or hold lines that nobody can explain, also
// those that are news of a month closed before.
func (r *Report) closable(ctx context.Context, store connector.Payouts) error {
	for _, p := range r.PayoutRows() {
		if o := p.Outcome(); o == string(NotProven) || o == string(connector.PayoutOpen) {
			return refuse(RefusedUnproven, "payout %s is %s", "Import what is missing of it, then close the month.", p.External, o)
		}
		err := store.PayoutLines(ctx, connector.LineFilter{Payouts: []int64{p.ID}}, func(l connector.PayoutLine) error {
			if c := marketplace.Category(l.Category); !c.Known() || c == marketplace.Unclassified {
				return refuse(RefusedUnmapped, "line %d of payout %s is of no category", "Have it classified, then close the month.", l.No, p.External)
			}
			return nil
		})
		if refused, ok := errors.AsType[*RefusedError](err); ok {
			return refused
		}
		if err != nil {
			return fmt.Errorf("reading the lines of payout %s: %w", p.External, err)
		}
	}
	return nil
}

// Closes lists the closed months of an account.
func (d Desk) Closes(ctx context.Context, a Account) ([]Closing, error) {
	p, err := d.people(ctx, a)
	if err != nil {
		return nil, err
	}
	return sorted(p.closes, func(c Closing) string { return c.Month }), nil
}

// Unclose opens a closed month again. It takes another person than the one who closed it, and a
// reason.
func (d Desk) Unclose(ctx context.Context, a Account, month, reason string, by By) error {
	p, err := d.people(ctx, a)
	if err != nil {
		return err
	}
	if err := reused(p, by, actClose, month, func(c Closing) bool { return c.Undone && c.Reason == reason }); err != nil {
		return err
	}
	c, closed := p.closes[month]
	switch {
	case p.heard(by):
		return nil
	case !closed:
		return fmt.Errorf("closed month %s: %w", month, connector.ErrNotFound)
	case strings.TrimSpace(reason) == "" || len(reason) > mostText:
		return wrong(fmt.Errorf("reason: it is a text of 1 to %d characters", mostText))
	case p.after(month) != "":
		return refuse(RefusedState, "%s is closed, which rests on it", "Open the later month again first.", p.after(month))
	case c.By == by.Name:
		return refuse(RefusedPerson, "%s has closed the month; opening it again takes another person", "Ask a colleague with a token of their own.", c.By)
	}
	c.Undone, c.Reason = true, reason
	_, _, err = d.keep(ctx, act(a.ID, actClose, month, c, d.Clock(), by), p, "was opened again: "+reason)
	return err
}
