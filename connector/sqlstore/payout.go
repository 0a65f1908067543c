package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/lib/pq"

	"channelbridge/connector"
	"channelbridge/internal/money"
)

type payoutRow struct {
	ID         int64         `db:"id"`
	Account    string        `db:"account"`
	External   string        `db:"external"`
	Revision   int           `db:"revision"`
	Currency   string        `db:"currency"`
	Start      stamp         `db:"period_start"`
	End        stamp         `db:"period_end"`
	State      string        `db:"state"`
	PaidAt     stamp         `db:"paid_at"`
	Opening    sql.NullInt64 `db:"opening_minor"`
	Closing    sql.NullInt64 `db:"closing_minor"`
	Paid       sql.NullInt64 `db:"paid_minor"`
	Declared   int           `db:"declared"`
	Lines      int           `db:"lines"`
	Sum        int64         `db:"sum_minor"`
	Digest     string        `db:"digest"`
	Source     string        `db:"source"`
	ImportedAt stamp         `db:"imported_at"`
	Superseded stamp         `db:"superseded_at"`
	BankRef    string        `db:"bank_ref"`
}

const payoutColumns = `id, account, external, revision, currency, period_start, period_end, state, paid_at,
	opening_minor, closing_minor, paid_minor, declared, lines, sum_minor, digest, source, imported_at, superseded_at, bank_ref`

func (r payoutRow) payout() connector.Payout {
	return connector.Payout{ID: r.ID, Account: connector.ConnectionID(r.Account), External: r.External, Revision: r.Revision,
		Currency: r.Currency, Start: r.Start.Time, End: r.End.Time, State: connector.PayoutState(r.State), PaidAt: r.PaidAt.Time,
		Opening: r.amount(r.Opening), Closing: r.amount(r.Closing), Paid: r.amount(r.Paid), Declared: r.Declared, Lines: r.Lines,
		Sum: money.New(r.Sum, r.Currency), Digest: r.Digest, Source: r.Source, ImportedAt: r.ImportedAt.Time,
		SupersededAt: r.Superseded.Time, BankRef: r.BankRef}
}

// amount is one the channel named, or none.
func (r payoutRow) amount(minor sql.NullInt64) money.Money {
	if !minor.Valid {
		return money.Money{}
	}
	return money.New(minor.Int64, r.Currency)
}

// minorOf is null for an amount that the channel does not name.
func minorOf(m money.Money) sql.NullInt64 {
	return sql.NullInt64{Int64: m.Minor, Valid: m.Currency != ""}
}

// PayoutList lists payouts; see connector.Payouts.
func (s *Store) PayoutList(ctx context.Context, f connector.PayoutFilter) ([]connector.Payout, error) {
	where, args, err := s.dialect.payoutsOf(f)
	if err != nil {
		return nil, err
	}
	var rows []payoutRow
	if err := s.reader.SelectContext(ctx, &rows, s.reader.Rebind(`
		select `+payoutColumns+` from payouts`+where+` order by imported_at, id`), args...); err != nil {
		return nil, fmt.Errorf("list payouts: %w", err)
	}
	out := make([]connector.Payout, 0, len(rows))
	for _, r := range rows {
		out = append(out, f.Seen(r.payout()))
	}
	return out, nil
}

// payoutsOf is the condition of a filter.
func (d dialect) payoutsOf(f connector.PayoutFilter) (where string, args []any, err error) {
	var all []string
	and := func(cond string, arg ...any) {
		all, args = append(all, cond), append(args, arg...)
	}
	in := func(column, kind string, n int, values any) {
		if n == 0 || err != nil {
			return
		}
		var cond string
		var arg any
		if cond, arg, err = d.among(column, kind, values); err == nil {
			and(cond, arg)
		}
	}
	in("account", "text", len(f.Accounts), f.Accounts)
	in("id", "bigint", len(f.IDs), f.IDs)
	in("external", "text", len(f.External), f.External)
	if !f.AsOf.IsZero() {
		and("imported_at <= ?", stamped(f.AsOf))
	}
	switch {
	case f.All:
	case f.AsOf.IsZero():
		and("superseded_at is null")
	default:
		and("(superseded_at is null or superseded_at > ?)", stamped(f.AsOf))
	}
	if len(all) == 0 {
		return "", nil, err
	}
	return " where " + strings.Join(all, " and "), args, err
}

// among is the condition that a column has one of the values, any number of them: one argument,
// an array for PostgreSQL and JSON for SQLite, which has no arrays.
func (d dialect) among(column, kind string, values any) (cond string, arg any, err error) {
	if d.arrays {
		return column + " = any(?::" + kind + "[])", pq.Array(values), nil
	}
	text, err := json.Marshal(values)
	if err != nil {
		return "", nil, fmt.Errorf("list of %s: %w", column, err)
	}
	return column + " in (select value from json_each(?))", string(text), nil
}
