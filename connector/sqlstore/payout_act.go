package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

type actRow struct {
	ID      int64          `db:"id"`
	Account string         `db:"account"`
	Kind    string         `db:"kind"`
	About   string         `db:"about"`
	At      stamp          `db:"at"`
	Actor   string         `db:"actor"`
	Key     sql.NullString `db:"key"`
	Body    []byte         `db:"body"`
}

const actColumns = `id, account, kind, about, at, actor, key, body`

func (r actRow) act() connector.PayoutAct {
	return connector.PayoutAct{ID: r.ID, Account: connector.ConnectionID(r.Account), Kind: r.Kind, About: r.About, At: r.At.Time,
		Actor: r.Actor, Key: r.Key.String, Body: r.Body}
}

// KeepAct adds an act; see connector.Payouts. Acts of one account wait for each other, so that
// their ids grow as they are committed.
func (s *Store) KeepAct(ctx context.Context, a connector.PayoutAct, after int64, line connector.AuditEntry) (kept connector.PayoutAct, fresh bool, err error) {
	a.About, a.Actor, a.Key, a.At = clean(a.About), clean(a.Actor), clean(a.Key), sameMicro(a.At)
	err = s.write(ctx, func(tx *sqlx.Tx) error {
		if err := s.alone(ctx, tx, "payout acts/"+string(a.Account)); err != nil {
			return err
		}
		var row actRow
		row, fresh, err = keepAct(ctx, tx, a, after)
		if kept = row.act(); err != nil || !fresh {
			return err
		}
		return writeAudit(ctx, tx, line)
	})
	if err != nil {
		return connector.PayoutAct{}, false, fmt.Errorf("keep %s %s of %s: %w", a.Kind, a.About, a.Account, err)
	}
	return kept, fresh, nil
}

func keepAct(ctx context.Context, tx *sqlx.Tx, a connector.PayoutAct, after int64) (row actRow, fresh bool, err error) {
	if a.Key != "" {
		err := get(ctx, tx, &row, `select `+actColumns+` from payout_acts where key = ?`, a.Key)
		switch {
		case err == nil && !row.act().Same(a):
			return row, false, connector.ErrKeyReused
		case !errors.Is(err, sql.ErrNoRows):
			return row, false, err
		}
	}
	var last int64
	if err := get(ctx, tx, &last, `
		select coalesce(max(id), 0) from payout_acts where account = ? and kind = ? and about = ?`, string(a.Account), a.Kind, a.About); err != nil {
		return row, false, err
	}
	if after >= 0 && last != after {
		return row, false, connector.ErrOvertaken
	}
	return row, true, get(ctx, tx, &row, `
		insert into payout_acts (account, kind, about, at, actor, key, body) values (?, ?, ?, ?, ?, ?, ?) returning `+actColumns,
		string(a.Account), a.Kind, a.About, stamped(a.At), a.Actor, sql.NullString{String: a.Key, Valid: a.Key != ""}, bytesOf(a.Body))
}

// PayoutMark tells whether anything was added; see connector.Payouts. Payouts take long to come in,
// so they are counted: their numbers are given out before they can be seen.
func (s *Store) PayoutMark(ctx context.Context) (string, error) {
	var m struct {
		Payouts int64 `db:"payouts"`
		Facts   int64 `db:"facts"`
		Tariffs int64 `db:"tariffs"`
		Acts    int64 `db:"acts"`
	}
	if err := s.reader.GetContext(ctx, &m, `
		select (select count(*) from payouts) as payouts, (select coalesce(max(id), 0) from payout_facts) as facts,
			(select coalesce(max(id), 0) from tariffs) as tariffs, (select coalesce(max(id), 0) from payout_acts) as acts`); err != nil {
		return "", fmt.Errorf("what was added to payouts: %w", err)
	}
	return fmt.Sprint(m.Payouts, m.Facts, m.Tariffs, m.Acts), nil
}

// Acts lists acts; see connector.Payouts.
func (s *Store) Acts(ctx context.Context, account connector.ConnectionID, asOf time.Time) ([]connector.PayoutAct, error) {
	cond, args := "", []any{string(account)}
	if !asOf.IsZero() {
		cond, args = " and at <= ?", append(args, stamped(asOf))
	}
	var rows []actRow
	if err := s.reader.SelectContext(ctx, &rows, s.reader.Rebind(`
		select `+actColumns+` from payout_acts where account = ?`+cond+` order by id`), args...); err != nil {
		return nil, fmt.Errorf("acts about %s: %w", account, err)
	}
	out := make([]connector.PayoutAct, 0, len(rows))
	for _, r := range rows {
		out = append(out, r.act())
	}
	return out, nil
}
