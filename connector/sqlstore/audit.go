package sqlstore

import (
	"context"
	"database/sql"
	"slices"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// auditRow is a line of the record.
type auditRow struct {
	ID      int64          `db:"id"`
	Place   sql.NullInt64  `db:"place"`
	At      stamp          `db:"at"`
	Actor   string         `db:"actor"`
	Action  string         `db:"action"`
	Subject string         `db:"subject"`
	Reason  string         `db:"reason"`
	Planned string         `db:"planned_on"`
	Detail  string         `db:"detail"`
	Hash    sql.NullString `db:"hash"`
}

const auditColumns = `id, place, at, actor, action, subject, reason, planned_on, detail, hash`

func (r auditRow) entry() connector.AuditEntry {
	a := connector.AuditEntry{ID: r.ID, Place: r.Place.Int64, At: r.At.Time, Actor: r.Actor, Action: r.Action,
		Subject: r.Subject, Reason: r.Reason, Planned: r.Planned, Hash: r.Hash.String}
	if r.Detail != "" {
		a.Detail = []byte(r.Detail)
	}
	return a
}

// writeAudit adds lines to the record. Nothing shared is touched: writers do not wait for each
// other, and the chain is made afterwards.
func writeAudit(ctx context.Context, tx *sqlx.Tx, lines ...connector.AuditEntry) error {
	for part := range slices.Chunk(lines, 200) {
		args := make([]any, 0, 7*len(part))
		for _, a := range part {
			args = append(args, version(a.At), clean(a.Actor), clean(a.Action), clean(a.Subject), clean(a.Reason),
				clean(a.Planned), clean(string(a.Detail)))
		}
		if err := exec(ctx, tx, `
			insert into audit (at, actor, action, subject, reason, planned_on, detail) values `+values(len(part), 7), args...); err != nil {
			return err
		}
	}
	return nil
}

// Audit adds a line about something that has no transaction of its own; see connector.Audits.
func (s *Store) Audit(ctx context.Context, a connector.AuditEntry) error {
	return s.write(ctx, func(tx *sqlx.Tx) error { return writeAudit(ctx, tx, a) })
}

// AuditEntries lists lines by id; see connector.Audits.
func (s *Store) AuditEntries(ctx context.Context, after int64, n int) ([]connector.AuditEntry, error) {
	var rows []auditRow
	err := s.reader.SelectContext(ctx, &rows, s.reader.Rebind(`
		select `+auditColumns+` from audit where id > ? order by id limit ?`), after, limit(n))
	var out []connector.AuditEntry
	for _, r := range rows {
		out = append(out, r.entry())
	}
	return out, err
}
