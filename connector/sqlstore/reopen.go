package sqlstore

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// Reopen lets refused entries be sent again; see connector.Ledger.
func (s *Store) Reopen(ctx context.Context, sub connector.Subject, at time.Time, text string) (reopened int, err error) {
	err = s.write(ctx, func(tx *sqlx.Tx) error {
		r, err := subject(ctx, tx, sub, s.dialect.lock)
		if err != nil {
			return err
		}
		var ids []int64
		if err := selects(ctx, tx, &ids, `
			update effects set state = ?, retry_at = ? where subject = ? and state = ? returning id`,
			string(connector.Retry), stamped(at), r.ID, string(connector.Refused)); err != nil {
			return err
		}
		reopened = len(ids)
		if err := exec(ctx, tx, `
			update subjects set revision = revision + 1, final = ?,
				next_at = case when next_at is null or next_at > ? then ? else next_at end
			where id = ?`, false, stamped(at), stamped(at), r.ID); err != nil {
			return err
		}
		return writeNotes(ctx, tx, []note{{r.ID, at, "operator", "reopen", clean(text)}})
	})
	return reopened, err
}
