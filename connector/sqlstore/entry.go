package sqlstore

import (
	"context"
	"database/sql"
	"strings"

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
	Money       bool           `db:"money"`
	Lane        string         `db:"lane"`
	Site        string         `db:"site"`
	Batch       sql.NullInt64  `db:"batch"`
	Message     sql.NullInt64  `db:"message"`
}

const entryColumns = `id, subject, key, verb, side, about, amount_minor, currency, due, body, why, state, attempts,
	intended_at, deadline, settled_at, retry_at, ref, class, reason, planned_on, money, lane, site, batch, message`

func (r entryRow) entry(sub connector.Subject) connector.Entry {
	return connector.Entry{
		ID: r.ID, Subject: sub,
		Command: connector.Command{
			Key: r.Key, Verb: connector.Verb(r.Verb), Side: connector.Side(r.Side), About: r.About,
			Amount: money.Money{Minor: r.AmountMinor.Int64, Currency: r.Currency.String},
			Due:    r.Due.Time, Body: r.Body, Why: r.Why, Money: r.Money, Lane: r.Lane, Site: r.Site,
		},
		State: connector.EntryState(r.State), Attempts: r.Attempts, IntendedAt: r.IntendedAt.Time,
		Deadline: r.Deadline.Time, SettledAt: r.SettledAt.Time, RetryAt: r.RetryAt.Time,
		Ref: r.Ref, Class: r.Class, Reason: r.Reason, PlannedOn: r.PlannedOn,
		Batch: r.Batch.Int64, Message: int(r.Message.Int64),
	}
}

// amount is a command's amount as it is kept; none is null.
func amount(c connector.Command) (sql.NullInt64, sql.NullString) {
	some := c.Amount != money.Money{}
	return sql.NullInt64{Int64: c.Amount.Minor, Valid: some}, sql.NullString{String: c.Amount.Currency, Valid: some}
}

// entryOf is a row of effects and whose it is.
type entryOf struct {
	entryRow
	anchorKey
}

// selectEntries begins a statement about effects e and their subjects s.
var selectEntries = `
	select e.` + strings.Join(strings.Fields(entryColumns), " e.") + `,
		s.kind as of_kind, s.channel as of_channel, s.ref as of_ref
	from effects e join subjects s on s.id = e.subject `

// entries reads the entries that the ending of the statement names.
func entries(ctx context.Context, tx *sqlx.Tx, ending string, args ...any) ([]connector.Entry, error) {
	var rows []entryOf
	err := selects(ctx, tx, &rows, selectEntries+ending, args...)
	var out []connector.Entry
	for _, r := range rows {
		out = append(out, r.entry(r.subject()))
	}
	return out, err
}

// Entry reads one entry; see connector.Ledger.
func (s *Store) Entry(ctx context.Context, id int64) (connector.Entry, error) {
	var out connector.Entry
	err := s.read(ctx, func(tx *sqlx.Tx) error {
		found, err := entries(ctx, tx, `where e.id = ?`, id)
		if err == nil && len(found) == 0 {
			return connector.ErrNotFound
		}
		if err == nil {
			out = found[0]
		}
		return err
	})
	return out, err
}
