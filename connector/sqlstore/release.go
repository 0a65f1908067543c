package sqlstore

import (
	"context"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// Release ends a claim; see connector.Queue. What was touched meanwhile is due at once, keeps
// the earlier deadline and is not final.
func (s *Store) Release(ctx context.Context, w connector.Work, at time.Time, n connector.Next) error {
	return s.write(ctx, func(tx *sqlx.Tx) error {
		r, err := leased(ctx, tx, w, s.dialect.lock)
		if err != nil {
			return err
		}
		next, due, final, failures := n.Wake, n.Due, n.Final, 0
		if r.Revision != w.Revision {
			next, due, final = at, earlier(r.DueAt.Time, n.Due), false
		}
		if n.Failed {
			failures = r.Failures + 1
		}
		sum := n.Summary
		market := newer(n.Market, r.LookedMarket, r.TroubleMarket)
		shop := newer(n.Shop, r.LookedShop, r.TroubleShop)
		money := newer(n.Money, r.LookedMoney, r.TroubleMoney)
		if err := exec(ctx, tx, `
			update subjects set lease_until = null, next_at = ?, due_at = ?, final = ?, failures = ?,
				lifecycle = ?, fulfillment = ?, fulfilled_by = ?, number = ?, placed_at = ?, ship_by = ?,
				mirrored = ?, expected = ?,
				looked_market = ?, trouble_market = ?, looked_shop = ?, trouble_shop = ?,
				looked_money = ?, trouble_money = ?
			where id = ?`,
			stamped(next), stamped(due), final, failures,
			clean(sum.Lifecycle), clean(sum.Fulfillment), clean(sum.FulfilledBy), clean(sum.Number),
			stamped(sum.PlacedAt), stamped(sum.ShipBy), sum.Mirrored, sum.Expected,
			stamped(market.At), clean(market.Trouble), stamped(shop.At), clean(shop.Trouble),
			stamped(money.At), clean(money.Trouble), r.ID); err != nil {
			return err
		}
		return changeHolds(ctx, tx, r.ID, at, n.Holds)
	})
}

// newer is the look that was made this time, or the one before when none was.
func newer(now connector.Look, at stamp, trouble string) connector.Look {
	if now.At.IsZero() {
		return connector.Look{At: at.Time, Trouble: trouble}
	}
	return now
}

// leased locks the subject of a claim and insists that the claim is the newest and not over.
func leased(ctx context.Context, tx *sqlx.Tx, w connector.Work, lock string) (*subjectRow, error) {
	r, err := subject(ctx, tx, w.Subject, lock)
	if errors.Is(err, connector.ErrNotFound) {
		return nil, connector.ErrLeaseLost
	}
	if err != nil {
		return nil, err
	}
	if r.Token != w.Token || r.LeaseUntil.IsZero() {
		return nil, connector.ErrLeaseLost
	}
	return r, nil
}
