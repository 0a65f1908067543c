package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/jmoiron/sqlx"
)

// lineWriter writes lines in large pieces. An error may belong to an earlier line. close writes
// what is left and may be called twice.
type lineWriter interface {
	put(args []any) error
	close() error
}

// lineWriter differs because PostgreSQL takes rows as a stream and SQLite knows inserts only.
func (d dialect) lineWriter(ctx context.Context, tx *sqlx.Tx) (lineWriter, error) {
	if d.arrays {
		st, err := tx.PrepareContext(context.WithoutCancel(ctx), `copy payout_lines (`+strings.Join(lineColumns, ", ")+`) from stdin`)
		if err != nil {
			return nil, err
		}
		return &copiedLines{statement: st}, nil
	}
	if err := exec(ctx, tx, largeCache); err != nil {
		return nil, err
	}
	st, err := tx.PrepareContext(ctx, insertLines(linesAtOnce))
	if err != nil {
		return nil, err
	}
	return &insertedLines{
		full: func(args []any) error { _, err := st.ExecContext(ctx, args...); return err },
		rest: func(n int, args []any) error { return exec(ctx, tx, insertLines(n), args...) },
		over: func() error { return exec(context.WithoutCancel(ctx), tx, usualCache) },
		args: make([]any, 0, linesAtOnce*len(lineColumns)),
	}, nil
}

// copiedLines is a COPY under way.
type copiedLines struct {
	statement *sql.Stmt
	closed    bool
}

func (c *copiedLines) put(args []any) error {
	_, err := c.statement.Exec(args...)
	return err
}

func (c *copiedLines) close() error {
	if c.closed {
		return nil
	}
	c.closed = true
	_, err := c.statement.Exec() // ends the stream and hears what became of it
	return errors.Join(err, c.statement.Close())
}

// linesAtOnce is how many lines one insert of SQLite takes. The driver looks each parameter up among
// all, so more at once are slower.
const linesAtOnce = 16

// While lines come in, SQLite keeps 32 MB of its pages in memory: their keys fall anywhere in the
// index, and in its usual 2 MB the same pages would be written again and again.
const (
	largeCache = `pragma cache_size = -32000`
	usualCache = `pragma cache_size = -2000`
)

func insertLines(n int) string {
	return `insert into payout_lines (` + strings.Join(lineColumns, ", ") + `) values ` + values(n, len(lineColumns))
}

// insertedLines are lines that wait for their insert.
type insertedLines struct {
	full func(args []any) error
	rest func(n int, args []any) error
	over func() error
	args []any
}

func (i *insertedLines) put(args []any) error {
	i.args = append(i.args, args...)
	if len(i.args) < cap(i.args) {
		return nil
	}
	full := i.args
	i.args = i.args[:0]
	return i.full(full)
}

func (i *insertedLines) close() (err error) {
	if len(i.args) > 0 {
		rest := i.args
		i.args = i.args[:0]
		err = i.rest(len(rest)/len(lineColumns), rest)
	}
	return errors.Join(err, i.over())
}
