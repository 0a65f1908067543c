package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// Form makes a batch of queued entries; see connector.Batches.
func (s *Store) Form(ctx context.Context, w connector.Work, b connector.Batch, ids []int64, at time.Time) (connector.Batch, error) {
	if w.Subject.Kind != connector.KindLane {
		return connector.Batch{}, connector.ErrLeaseLost
	}
	var out connector.Batch
	err := s.write(ctx, func(tx *sqlx.Tx) error {
		if _, err := s.lease(ctx, tx, w, at); err != nil {
			return err
		}
		var r batchRow
		err := get(ctx, tx, &r, `
			insert into batches (channel, lane, site, state, formed_at, changed_at) values (?, ?, ?, ?, ?, ?)
			on conflict do nothing returning `+batchColumns,
			string(w.Subject.Channel), w.Subject.ID, clean(b.Site), string(connector.BatchFormed), version(at), version(at))
		if errors.Is(err, sql.ErrNoRows) {
			return connector.ErrSpent // the one before is not over
		}
		if err != nil {
			return err
		}
		if err := s.enlist(ctx, tx, r, ids); err != nil {
			return err
		}
		out = r.batch()
		if out.Entries, err = entriesOf(ctx, tx, r.ID); err != nil {
			return err
		}
		return writeAudit(ctx, tx, connector.BatchLine(connector.ActorOf(ctx, "system"), out, len(ids), at))
	})
	if err != nil {
		return connector.Batch{}, err
	}
	return out, nil
}

// enlist numbers the entries in the order given. They are locked in the order of their ids.
func (s *Store) enlist(ctx context.Context, tx *sqlx.Tx, b batchRow, ids []int64) error {
	sorted := slices.Sorted(slices.Values(ids))
	if len(ids) == 0 || len(slices.Compact(slices.Clone(sorted))) != len(ids) {
		return connector.ErrSpent
	}
	number := map[int64]int{}
	for i, id := range ids {
		number[id] = i + 1
	}
	for part := range slices.Chunk(sorted, 300) {
		args := []any{b.Lane, b.Channel, b.Site}
		for _, id := range part {
			args = append(args, id)
		}
		var free []int64
		if err := selects(ctx, tx, &free, `
			select id from effects
			where lane = ? and state = 'queued' and batch is null
				and subject in (select id from subjects where channel = ?) and site = ? and id in `+list(len(part))+`
			order by id`+s.dialect.lock, args...); err != nil {
			return err
		}
		if len(free) != len(part) {
			return connector.ErrSpent
		}
		if err := setMessages(ctx, tx, b.ID, free, number); err != nil {
			return err
		}
	}
	return nil
}

func setMessages(ctx context.Context, tx *sqlx.Tx, batch int64, ids []int64, number map[int64]int) error {
	args := []any{batch}
	for _, id := range ids {
		args = append(args, id, number[id])
	}
	for _, id := range ids {
		args = append(args, id)
	}
	return exec(ctx, tx, `update effects set batch = ?, message = case id`+strings.Repeat(` when ? then cast(? as bigint)`, len(ids))+` end
		where id in `+list(len(ids)), args...)
}
