package sqlstore

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// write runs f in one transaction and commits. A transaction that lost against another one is
// run again, so f must not keep anything from a run that failed.
func (s *Store) write(ctx context.Context, f func(tx *sqlx.Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := s.once(ctx, f)
		if err == nil || attempt == 6 || !again(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Duration(attempt) * time.Duration(1+rand.IntN(8)) * time.Millisecond):
		}
	}
}

func (s *Store) once(ctx context.Context, f func(tx *sqlx.Tx) error) error {
	tx, err := s.db.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// read runs f in a transaction that sees one moment.
func (s *Store) read(ctx context.Context, f func(tx *sqlx.Tx) error) error {
	tx, err := s.reader.BeginTxx(ctx, s.dialect.snapshot)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// exec runs one statement of a transaction.
func exec(ctx context.Context, tx *sqlx.Tx, query string, args ...any) error {
	_, err := tx.ExecContext(ctx, tx.Rebind(query), args...)
	return err
}

// get reads one row, selects reads many; both take statements that return rows of any kind.
func get(ctx context.Context, tx *sqlx.Tx, dest any, query string, args ...any) error {
	return tx.GetContext(ctx, dest, tx.Rebind(query), args...)
}

func selects(ctx context.Context, tx *sqlx.Tx, dest any, query string, args ...any) error {
	return tx.SelectContext(ctx, dest, tx.Rebind(query), args...)
}

// alone makes the transaction the only one that holds the locks of these names.
func (s *Store) alone(ctx context.Context, tx *sqlx.Tx, names ...string) error {
	if s.dialect.alone == "" {
		return nil
	}
	slices.Sort(names) // whoever wants several waits for them in the same order
	return exec(ctx, tx, s.dialect.alone, pq.Array(names))
}
