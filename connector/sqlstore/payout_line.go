package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

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
