package fake

import (
	"context"
	"slices"
	"strconv"
	"time"

	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

const (
	toBank   = 6 * time.Hour       // from the start of a transfer until the bank has it
	atBank   = 2 * 24 * time.Hour  // from its start until the bank has taken or refused it
	heldFor  = 7 * 24 * time.Hour  // money that is held back
	reTold   = 14 * 24 * time.Hour // a finished listing of transfers reaches back by this
	bankSays = "account closed"
)

// transfer is money on its way to the bank.
type transfer struct {
	marketplace.Transfer // as it was at its start
	refused              bool
}

// deferral is money held back: told as held, and again by its release.
type deferral struct {
	marketplace.Deferral // as it was at first
	shows                time.Duration
}

// PayOut sends money of a statement to the bank, which takes it or refuses it two days later. It
// returns the statement's number.
func (m *Market) PayOut(statement string, amount money.Money, refused bool) string {
	at := m.now()
	m.transfers = append(m.transfers, transfer{marketplace.Transfer{ID: "B" + strconv.Itoa(len(m.transfers)+1), Statement: statement,
		Status: marketplace.TransferStarted, Word: "started", Amount: amount, CreatedAt: at, ChangedAt: at}, refused})
	return statement
}

// HoldBack holds money of an order back for a week. It shows some time later, within RefundLag.
func (m *Market) HoldBack(id marketplace.OrderID, amount money.Money, reason string) {
	d := deferral{Deferral: marketplace.Deferral{ID: "H" + strconv.Itoa(len(m.deferrals)+1), Order: id, Amount: amount,
		PostedAt: m.now(), Until: m.now().Add(heldFor), Reason: reason}}
	if m.RefundLag > 0 {
		d.shows = time.Duration(m.Rand.Int64N(int64(m.RefundLag))).Truncate(time.Microsecond)
	}
	m.deferrals = append(m.deferrals, d)
}

// at is a transfer as it stands at an instant.
func (t transfer) at(now time.Time) marketplace.Transfer {
	out := t.Transfer
	become := func(s marketplace.TransferStatus, after time.Duration) {
		if at := t.CreatedAt.Add(after); !now.Before(at) {
			out.Status, out.Word, out.ChangedAt, out.BankRef = s, string(s), at, "BANK-"+t.ID
		}
	}
	become(marketplace.TransferInTransit, toBank)
	if !t.refused {
		become(marketplace.TransferPaid, atBank)
		return out
	}
	if become(marketplace.TransferFailed, atBank); out.Status == marketplace.TransferFailed {
		out.Reason = bankSays
	}
	return out
}

// Transfers lists transfers as they stand, oldest first.
func (m *Market) Transfers(ctx context.Context, after marketplace.Cursor) (marketplace.TransferPage, error) {
	defer m.Hook("transfers-end")
	if err := m.call(ctx, "transfers"); err != nil {
		return marketplace.TransferPage{}, err
	}
	var all []marketplace.Transfer
	for _, t := range m.transfers {
		if !t.CreatedAt.Before(after.Since) {
			all = append(all, t.at(m.Clock()))
		}
	}
	now, next, more := leaf(all, after, m.Clock().Add(-reTold))
	return marketplace.TransferPage{Transfers: now, Next: next, More: more}, nil
}

// tellings are what shows of a deferral: it as it stands, and its release by itself.
func (d deferral) tellings(now time.Time) []marketplace.Deferral {
	held := d.Deferral
	if now.Before(d.PostedAt.Add(d.shows)) {
		return nil
	}
	if held.Released = !now.Before(d.Until); now.Before(d.Until.Add(d.shows)) {
		return []marketplace.Deferral{held}
	}
	return []marketplace.Deferral{held, {ID: d.ID, Order: d.Order, Amount: d.Amount, Released: true, ReleasedAt: d.Until}}
}

// Deferrals lists what was held back and what was let go, by the time of either.
func (m *Market) Deferrals(ctx context.Context, after marketplace.Cursor) (marketplace.DeferralPage, error) {
	defer m.Hook("deferrals-end")
	if err := m.call(ctx, "deferrals"); err != nil {
		return marketplace.DeferralPage{}, err
	}
	var all []marketplace.Deferral
	for _, d := range m.deferrals {
		for _, x := range d.tellings(m.Clock()) {
			if !x.PostedAt.Before(after.Since) || !x.ReleasedAt.Before(after.Since) {
				all = append(all, x)
			}
		}
	}
	now, next, more := leaf(all, after, m.Clock().Add(-m.RefundLag))
	return marketplace.DeferralPage{Deferrals: once(now), Next: next, More: more}, nil
}

// leaf is the page of a list that a cursor asks for, and where to go on; mark is where the listing
// after this one begins.
func leaf[T any](all []T, after marketplace.Cursor, mark time.Time) ([]T, marketplace.Cursor, bool) {
	from, _ := strconv.Atoi(after.Token)
	from = min(from, len(all))
	to := min(from+pageSize, len(all))
	if to < len(all) {
		return all[from:to], marketplace.Cursor{Since: after.Since, Token: strconv.Itoa(to)}, true
	}
	if mark.Before(after.Since) {
		mark = after.Since
	}
	return all[from:to], marketplace.Cursor{Since: mark}, false
}

// once joins the tellings of one deferral.
func once(all []marketplace.Deferral) (out []marketplace.Deferral) {
	for _, d := range all {
		if i := slices.IndexFunc(out, func(x marketplace.Deferral) bool { return x.ID == d.ID }); i >= 0 {
			out[i] = out[i].With(d)
			continue
		}
		out = append(out, d)
	}
	return out
}
