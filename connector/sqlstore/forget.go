package sqlstore

import (
	"context"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// ForgetBodies empties kept bodies of deliveries; see connector.Redactor. Deliveries do not
// remember which orders they touched, so the bodies are read, some at a time.
func (s *Store) ForgetBodies(ctx context.Context, conn connector.ConnectionID, orders []string, at time.Time) (int, error) {
	const page = 200
	total, last := 0, int64(0)
	for {
		var rows []struct {
			ID   int64  `db:"id"`
			Body []byte `db:"body"`
		}
		if err := s.reader.SelectContext(ctx, &rows, s.reader.Rebind(`
			select id, body from deliveries where connection = ? and id > ? and length(body) > 0 order by id limit ?`),
			string(conn), last, page); err != nil {
			return total, err
		}
		var ids []int64
		for _, r := range rows {
			last = r.ID
			if len(orders) == 0 || slices.ContainsFunc(orders, func(o string) bool { return connector.Mentions(r.Body, o) }) {
				ids = append(ids, r.ID)
			}
		}
		if err := s.emptyBodies(ctx, ids); err != nil {
			return total, err
		}
		total += len(ids)
		if len(rows) < page {
			break
		}
	}
	return total, s.Audit(ctx, connector.ForgetLine(connector.ActorOf(ctx, "system"), conn, len(orders), total, at))
}

func (s *Store) emptyBodies(ctx context.Context, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	args := []any{[]byte{}}
	for _, id := range ids {
		args = append(args, id)
	}
	return s.write(ctx, func(tx *sqlx.Tx) error {
		return exec(ctx, tx, `update deliveries set body = ? where id in `+list(len(ids)), args...)
	})
}
