package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
	"channelbridge/internal/money"
)

// entryRow is a row of effects.
type entryRow struct {
	ID          int64          `db:"id"`
	Subject     int64          `db:"subject"`
	Key         string         `db:"key"`
	Verb        string         `db:"verb"`
	Side        string         `db:"side"`
	About       string         `db:"about"`
	AmountMinor sql.NullInt64  `db:"amount_minor"`
	Currency    sql.NullString `db:"currency"`
	Due         stamp          `db:"due"`
	Body        []byte         `db:"body"`
	Why         string         `db:"why"`
	State       string         `db:"state"`
	Attempts    int            `db:"attempts"`
	IntendedAt  stamp          `db:"intended_at"`
	Deadline    stamp          `db:"deadline"`
	SettledAt   stamp          `db:"settled_at"`
	RetryAt     stamp          `db:"retry_at"`
	Ref         string         `db:"ref"`
	Class       string         `db:"class"`
	Reason      string         `db:"reason"`
	PlannedOn   string         `db:"planned_on"`
}

const entryColumns = `id, subject, key, verb, side, about, amount_minor, currency, due, body, why, state, attempts,
	intended_at, deadline, settled_at, retry_at, ref, class, reason, planned_on`

func (r entryRow) entry(sub connector.Subject) connector.Entry {
	return connector.Entry{
		ID: r.ID, Subject: sub,
		Command: connector.Command{
			Key: r.Key, Verb: connector.Verb(r.Verb), Side: connector.Side(r.Side), About: r.About,
			Amount: money.Money{Minor: r.AmountMinor.Int64, Currency: r.Currency.String},
			Due:    r.Due.Time, Body: r.Body, Why: r.Why,
		},
		State: connector.EntryState(r.State), Attempts: r.Attempts, IntendedAt: r.IntendedAt.Time,
		Deadline: r.Deadline.Time, SettledAt: r.SettledAt.Time, RetryAt: r.RetryAt.Time,
		Ref: r.Ref, Class: r.Class, Reason: r.Reason, PlannedOn: r.PlannedOn,
	}
}

// entriesOf reads a subject's ledger, oldest first.
func entriesOf(ctx context.Context, tx *sqlx.Tx, a anchor) ([]connector.Entry, error) {
	var rows []entryRow
	err := selects(ctx, tx, &rows, `select `+entryColumns+` from effects where subject = ? order by id`, a.ID)
	var out []connector.Entry
	for _, r := range rows {
		out = append(out, r.entry(a.subject()))
	}
	return out, err
}

// Intend commits an attempt before it is made; see connector.Ledger.
func (s *Store) Intend(ctx context.Context, w connector.Work, c connector.Command, at, deadline time.Time, plannedOn string) (connector.Entry, error) {
	var out connector.Entry
	err := s.write(ctx, func(tx *sqlx.Tx) error {
		r, err := leased(ctx, tx, w, s.dialect.lock)
		if err != nil {
			return err
		}
		if !r.LeaseUntil.After(sameMicro(at)) {
			return connector.ErrLeaseLost
		}
		if err := s.active(ctx, tx, r.Channel); err != nil {
			return err
		}
		var e entryRow
		if c.Again == 0 {
			e, err = firstAttempt(ctx, tx, r.ID, c, at, deadline, plannedOn)
		} else {
			e, err = s.nextAttempt(ctx, tx, r.ID, c, at, deadline, plannedOn)
		}
		out = e.entry(w.Subject)
		return err
	})
	if err != nil {
		return connector.Entry{}, err
	}
	return out, nil
}

// active insists that the channel and the store it is mirrored in may be written to. The rows
// are locked against change until the intent is committed, so a connection that was stopped
// gets nothing that was intended later.
func (s *Store) active(ctx context.Context, tx *sqlx.Tx, channel string) error {
	var rows []struct {
		ID    string `db:"id"`
		State string `db:"state"`
		Store string `db:"store"`
	}
	if err := selects(ctx, tx, &rows, `
		select id, state, store from connections
		where id = ? or id = (select store from connections where id = ?) order by id`+s.dialect.share, channel, channel); err != nil {
		return err
	}
	missing := map[string]bool{channel: true}
	for _, c := range rows {
		if connector.State(c.State) != connector.Active {
			return connector.ErrParked
		}
		if c.ID == channel && c.Store != "" {
			missing[c.Store] = true
		}
	}
	for _, c := range rows {
		delete(missing, c.ID)
	}
	if len(missing) > 0 {
		return connector.ErrParked
	}
	return nil
}

// firstAttempt spends the key.
func firstAttempt(ctx context.Context, tx *sqlx.Tx, subject int64, c connector.Command, at, deadline time.Time, plannedOn string) (entryRow, error) {
	var e entryRow
	none := c.Amount == money.Money{}
	err := get(ctx, tx, &e, `
		insert into effects (subject, key, verb, side, about, amount_minor, currency, due, body, why,
			state, attempts, intended_at, deadline, planned_on)
		values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'sent', 1, ?, ?, ?)
		on conflict (key) do nothing
		returning `+entryColumns,
		subject, c.Key, string(c.Verb), string(c.Side), clean(c.About),
		sql.NullInt64{Int64: c.Amount.Minor, Valid: !none}, sql.NullString{String: c.Amount.Currency, Valid: !none},
		stamped(c.Due), []byte(c.Body), clean(c.Why), version(at), version(deadline), clean(plannedOn))
	if errors.Is(err, sql.ErrNoRows) {
		return e, connector.ErrSpent
	}
	return e, err
}

// nextAttempt sends an entry once more if it may be. The contents of an attempt that may have
// happened stay as they are; one that surely did not happen takes the new ones.
func (s *Store) nextAttempt(ctx context.Context, tx *sqlx.Tx, subject int64, c connector.Command, at, deadline time.Time, plannedOn string) (entryRow, error) {
	var old entryRow
	err := get(ctx, tx, &old, `select `+entryColumns+` from effects where id = ? and subject = ? and key = ?`+s.dialect.lock, c.Again, subject, c.Key)
	if errors.Is(err, sql.ErrNoRows) {
		return old, connector.ErrSpent
	}
	if err != nil {
		return old, err
	}
	body, why := old.Body, old.Why
	switch connector.EntryState(old.State) {
	case connector.Retry:
		body, why = c.Body, clean(c.Why)
	case connector.Unknown:
	case connector.Sent:
		if !old.Deadline.Before(sameMicro(at)) {
			return old, connector.ErrSpent
		}
	default:
		return old, connector.ErrSpent
	}
	var e entryRow
	err = get(ctx, tx, &e, `
		update effects set state = 'sent', attempts = attempts + 1, intended_at = ?, deadline = ?, planned_on = ?,
			body = ?, why = ?, settled_at = null, retry_at = null
		where id = ? returning `+entryColumns, version(at), version(deadline), clean(plannedOn), body, why, old.ID)
	return e, err
}
