package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	lite "modernc.org/sqlite"

	"channelbridge/connector"
)

// lineColumns are those of payout_lines, in the order of lineArgs and scanLine.
var lineColumns = []string{"payout", "line_no", "key", "category", "native_type", "native_text", "amount_minor", "currency",
	"order_ref", "order_alias", "item_ref", "refund_ref", "shipment_ref", "sku", "quantity", "posted_at"}

func lineArgs(l connector.PayoutLine) []any {
	var posted any
	if !l.PostedAt.IsZero() {
		posted = fixed(l.PostedAt)
	}
	return []any{l.Payout, int64(l.No), l.Key, l.Category, l.NativeType, l.NativeText, l.Amount.Minor, l.Amount.Currency,
		l.Order, l.Alias, l.Item, l.Refund, l.Shipment, l.SKU, int64(l.Quantity), posted}
}

func scanLine(rows *sql.Rows) (l connector.PayoutLine, err error) {
	var posted stamp
	err = rows.Scan(&l.Payout, &l.No, &l.Key, &l.Category, &l.NativeType, &l.NativeText, &l.Amount.Minor, &l.Amount.Currency,
		&l.Order, &l.Alias, &l.Item, &l.Refund, &l.Shipment, &l.SKU, &l.Quantity, &posted)
	l.PostedAt = posted.Time
	return l, err
}

func cleanLine(l connector.PayoutLine) connector.PayoutLine {
	for _, text := range []*string{&l.Key, &l.Category, &l.NativeType, &l.NativeText, &l.Order, &l.Alias, &l.Item, &l.Refund,
		&l.Shipment, &l.SKU} {
		*text = clean(*text)
	}
	return l
}

// PayoutLines hands over lines; see connector.Payouts. The database sorts, and its rows are read
// as yield takes them.
func (s *Store) PayoutLines(ctx context.Context, f connector.LineFilter, yield func(connector.PayoutLine) error) error {
	if len(f.Payouts) == 0 {
		return nil
	}
	cond, arg, err := s.dialect.among("payout", "bigint", f.Payouts)
	if err != nil {
		return err
	}
	err = s.each(ctx, `select `+strings.Join(lineColumns, ", ")+` from payout_lines where `+cond+`
		order by order_ref, payout, line_no`, []any{arg}, func(rows *sql.Rows) error {
		l, err := scanLine(rows)
		if err != nil {
			return err
		}
		return yield(l)
	})
	if err != nil {
		return fmt.Errorf("lines of payouts: %w", err)
	}
	return nil
}

// each hands over the rows of a query one by one. An error of take's ends the query at the server
// too: the rest would otherwise be sent all the same.
func (s *Store) each(ctx context.Context, query string, args []any, take func(*sql.Rows) error) error {
	ctx, stop := context.WithCancel(ctx)
	rows, err := s.reader.QueryContext(ctx, s.reader.Rebind(query), args...)
	if err != nil {
		stop()
		return err
	}
	defer func() {
		stop()
		_ = rows.Close()
	}()
	for rows.Next() {
		if err := take(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

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
	st, err := tx.PrepareContext(ctx, insertLines(linesAtOnce))
	if err != nil {
		return nil, err
	}
	return &insertedLines{
		full: func(args []any) error { _, err := st.ExecContext(ctx, args...); return err },
		rest: func(n int, args []any) error { return exec(ctx, tx, insertLines(n), args...) },
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

// linesAtOnce is how many lines one insert of SQLite takes.
const linesAtOnce = 100

func insertLines(n int) string {
	return `insert into payout_lines (` + strings.Join(lineColumns, ", ") + `) values ` + values(n, len(lineColumns))
}

// insertedLines are lines that wait for their insert.
type insertedLines struct {
	full func(args []any) error
	rest func(n int, args []any) error
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

func (i *insertedLines) close() error {
	if len(i.args) == 0 {
		return nil
	}
	rest := i.args
	i.args = i.args[:0]
	return i.rest(len(rest)/len(lineColumns), rest)
}

// lineTwice gives the one constraint that lines can break its name.
func lineTwice(err error) error {
	const liteUnique = 2067
	if e, ok := errors.AsType[*pq.Error](err); ok && e.Code == "23505" {
		return fmt.Errorf("%w: %w", connector.ErrLineTwice, err)
	}
	if e, ok := errors.AsType[*lite.Error](err); ok && e.Code() == liteUnique {
		return fmt.Errorf("%w: %w", connector.ErrLineTwice, err)
	}
	return err
}
