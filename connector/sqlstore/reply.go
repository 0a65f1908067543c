package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

type replyRow struct {
	Token  string `db:"token"`
	Key    string `db:"key"`
	Hash   []byte `db:"hash"`
	At     stamp  `db:"at"`
	Status int    `db:"status"`
	Body   []byte `db:"body"`
}

const replyColumns = `token, key, hash, at, status, body`

// Reserve keeps a reply without status; see connector.Replies.
func (s *Store) Reserve(ctx context.Context, r connector.Reply) (kept connector.Reply, fresh bool, err error) {
	err = s.write(ctx, func(tx *sqlx.Tx) error {
		var row replyRow
		err := get(ctx, tx, &row, `
			insert into replies (token, key, hash, at) values (?, ?, ?, ?) on conflict (token, key) do nothing
			returning `+replyColumns, r.Token, r.Key, bytesOf(r.Hash), version(r.At))
		fresh = err == nil
		if errors.Is(err, sql.ErrNoRows) {
			err = get(ctx, tx, &row, `select `+replyColumns+` from replies where token = ? and key = ?`, r.Token, r.Key)
		}
		kept = connector.Reply{Token: row.Token, Key: row.Key, Hash: row.Hash, At: row.At.Time, Status: row.Status, Body: row.Body}
		return err
	})
	return kept, fresh, err
}

// Answer completes a reserved reply; see connector.Replies.
func (s *Store) Answer(ctx context.Context, r connector.Reply) error {
	return s.write(ctx, func(tx *sqlx.Tx) error {
		var keys []string
		err := selects(ctx, tx, &keys, `update replies set status = ?, body = ? where token = ? and key = ? returning key`,
			r.Status, bytesOf(r.Body), r.Token, r.Key)
		if err == nil && len(keys) == 0 {
			return connector.ErrNotFound
		}
		return err
	})
}

// ForgetReplies deletes old replies; see connector.Replies.
func (s *Store) ForgetReplies(ctx context.Context, before time.Time) (int, error) {
	var n int64
	err := s.write(ctx, func(tx *sqlx.Tx) error {
		res, err := tx.ExecContext(ctx, tx.Rebind(`delete from replies where at < ?`), version(before))
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return int(n), err
}
