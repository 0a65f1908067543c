package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

type cursorRow struct {
	Connection string `db:"connection"`
	Name       string `db:"name"`
	Value      []byte `db:"value"`
	Watermark  stamp  `db:"watermark"`
	RanAt      stamp  `db:"ran_at"`
	Token      int64  `db:"token"`
}

const cursorColumns = `connection, name, value, watermark, ran_at, token`

func (r cursorRow) cursor() connector.Cursor {
	return connector.Cursor{Connection: connector.ConnectionID(r.Connection), Name: r.Name, Value: r.Value,
		Watermark: r.Watermark.Time, RanAt: r.RanAt.Time, Token: r.Token}
}

// TakeCursor leases a sweep's position; see connector.Cursors.
func (s *Store) TakeCursor(ctx context.Context, conn connector.ConnectionID, name string, now time.Time, lease time.Duration) (connector.Cursor, bool, error) {
	var r cursorRow
	err := s.write(ctx, func(tx *sqlx.Tx) error {
		return get(ctx, tx, &r, `
			insert into cursors (connection, name, token, lease_until) values (?, ?, 1, ?)
			on conflict (connection, name) do update set token = cursors.token + 1, lease_until = excluded.lease_until
				where cursors.lease_until is null or cursors.lease_until <= ?
			returning `+cursorColumns, string(conn), name, stamped(now.Add(lease)), stamped(now))
	})
	if errors.Is(err, sql.ErrNoRows) {
		return connector.Cursor{}, false, nil
	}
	if err != nil {
		return connector.Cursor{}, false, err
	}
	return r.cursor(), true, nil
}

// KeepCursor stores a sweep's position; see connector.Cursors.
func (s *Store) KeepCursor(ctx context.Context, c connector.Cursor, at, until time.Time) error {
	return s.write(ctx, func(tx *sqlx.Tx) error {
		var token []int64
		err := selects(ctx, tx, &token, `
			update cursors set value = ?, watermark = ?, ran_at = ?, lease_until = ?
			where connection = ? and name = ? and token = ? returning token`,
			c.Value, stamped(c.Watermark), stamped(at), stamped(until), string(c.Connection), c.Name, c.Token)
		if err == nil && len(token) == 0 {
			return connector.ErrLeaseLost
		}
		return err
	})
}

// Cursors lists all positions.
func (s *Store) Cursors(ctx context.Context) ([]connector.Cursor, error) {
	var rows []cursorRow
	err := s.reader.SelectContext(ctx, &rows, `select `+cursorColumns+` from cursors order by connection, name`)
	var out []connector.Cursor
	for _, r := range rows {
		out = append(out, r.cursor())
	}
	return out, err
}
