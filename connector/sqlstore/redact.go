package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// Redactable lists orders whose personal data is still kept; see connector.Redactor.
func (s *Store) Redactable(ctx context.Context, placedBefore time.Time, after string, n int) ([]connector.Subject, error) {
	const placed = `coalesce(placed_at, first_seen)`
	where, args := `kind = 'order' and (`+placed+` < ? or redacted_at is not null)`, []any{version(placedBefore)}
	var out []connector.Subject
	err := s.read(ctx, func(tx *sqlx.Tx) error {
		if after != "" {
			last, err := subject(ctx, tx, named(after), "")
			if err != nil {
				return err
			}
			at := last.PlacedAt
			if at.IsZero() {
				at = last.FirstSeen
			}
			where += ` and (` + placed + `, channel, ref) > (?, ?, ?)`
			args = append(args, at, last.Channel, last.Ref)
		}
		var rows []anchor
		err := selects(ctx, tx, &rows, `
			select id, kind, channel, ref, shop_store, shop_id from subjects
			where `+where+` and exists (select 1 from snapshots x where x.subject = subjects.id
				and (subjects.redacted_at is null or coalesce(x.kept_at, x.observed_at) > subjects.redacted_at))
			order by `+placed+`, channel, ref limit ?`, append(args, limit(n))...)
		for _, r := range rows {
			out = append(out, r.subject())
		}
		return err
	})
	return out, err
}

// Redact replaces bodies by those without personal data; see connector.Redactor.
func (s *Store) Redact(ctx context.Context, d connector.Redaction) error {
	return s.write(ctx, func(tx *sqlx.Tx) error {
		r, err := subject(ctx, tx, d.Subject, s.dialect.lock)
		if err != nil {
			return err
		}
		if err := unchanged(ctx, tx, r, d); err != nil {
			return err
		}
		for _, side := range sortedKeys(d.Bodies) {
			if err := exec(ctx, tx, `update snapshots set body = ? where subject = ? and side = ?`, bytesOf(d.Bodies[side]), r.ID, string(side)); err != nil {
				return err
			}
		}
		for _, id := range sortedKeys(d.Entries) {
			if err := exec(ctx, tx, `update effects set body = ? where id = ? and subject = ?`, d.Entries[id], id, r.ID); err != nil {
				return err
			}
		}
		if err := exec(ctx, tx, `update subjects set redacted_at = ? where id = ?`, stamped(d.At), r.ID); err != nil {
			return err
		}
		done := written{notes: []note{{r.ID, d.At, d.Actor, "redact", "personal data was taken out"}}, lines: []connector.AuditEntry{connector.RedactLine(d)}}
		return done.write(ctx, tx)
	})
}

// unchanged insists that nothing was kept of the order since its new bodies were made.
func unchanged(ctx context.Context, tx *sqlx.Tx, r *subjectRow, d connector.Redaction) error {
	var later int
	err := get(ctx, tx, &later, `
		select (select count(*) from snapshots where subject = ? and coalesce(kept_at, observed_at) > ?)
			+ (select count(*) from effects where subject = ? and intended_at > ?)`,
		r.ID, version(d.At), r.ID, version(d.At))
	if err == nil && (later > 0 || d.Revision != 0 && d.Revision != r.Revision) {
		return connector.ErrChanged
	}
	return err
}

// MirrorOf finds the order whose mirror a store order is; see connector.Redactor.
func (s *Store) MirrorOf(ctx context.Context, ref connector.ShopRef) (connector.Subject, error) {
	var a anchor
	err := s.reader.GetContext(ctx, &a, s.reader.Rebind(`
		select id, kind, channel, ref, shop_store, shop_id from subjects where shop_id is not null and shop_store = ? and shop_id = ?`),
		clean(string(ref.Store)), clean(ref.ID))
	if errors.Is(err, sql.ErrNoRows) {
		return connector.Subject{}, connector.ErrNotFound
	}
	return a.subject(), err
}
