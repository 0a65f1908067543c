package sqlstore

import (
	"context"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// wake makes locked subjects due.
func wake(ctx context.Context, tx *sqlx.Tx, at time.Time, ids ...int64) error {
	for part := range slices.Chunk(ids, 500) {
		args := []any{false, stamped(at), stamped(at)}
		for _, id := range part {
			args = append(args, id)
		}
		if err := exec(ctx, tx, `
			update subjects set revision = revision + 1, final = ?,
				next_at = case when next_at is null or next_at > ? then ? else next_at end
			where id in `+list(len(part)), args...); err != nil {
			return err
		}
	}
	return nil
}

// wakeLane makes a lane due, and its row if there is none.
func wakeLane(ctx context.Context, tx *sqlx.Tx, channel connector.ConnectionID, lane string, at time.Time) error {
	return exec(ctx, tx, `
		insert into subjects (kind, channel, ref, revision, first_seen, next_at) values (?, ?, ?, 1, ?, ?)
		on conflict (kind, channel, ref) do update set
			revision = subjects.revision + 1, final = false,
			next_at = case when subjects.next_at <= excluded.next_at then subjects.next_at else excluded.next_at end`,
		string(connector.KindLane), string(channel), lane, stamped(at), stamped(at))
}
