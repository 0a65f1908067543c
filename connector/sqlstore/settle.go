package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// Settle records what became of an attempt; see connector.Ledger. What the outcome tells of the
// store's order is kept even when the state stays as it is.
func (s *Store) Settle(ctx context.Context, id int64, o connector.Outcome) error {
	return s.write(ctx, func(tx *sqlx.Tx) error {
		var a anchor
		err := get(ctx, tx, &a, `
			select id, kind, channel, ref, shop_store, shop_id from subjects
			where id = (select subject from effects where id = ?)`+s.dialect.lock, id)
		if errors.Is(err, sql.ErrNoRows) {
			return connector.ErrNotFound
		}
		if err != nil {
			return err
		}
		if err := s.settleEntry(ctx, tx, id, o); err != nil {
			return err
		}
		if _, err := attach(ctx, tx, &a, o.Shop); err != nil {
			return err
		}
		if o.Observed == nil {
			return nil
		}
		_, err = s.take(ctx, tx, observations(o.At, []connector.Observation{*o.Observed}), &a)
		return err
	})
}

// settleEntry writes the new state unless that would take something back.
func (s *Store) settleEntry(ctx context.Context, tx *sqlx.Tx, id int64, o connector.Outcome) error {
	var old entryRow
	if err := get(ctx, tx, &old, `select `+entryColumns+` from effects where id = ?`+s.dialect.lock, id); err != nil {
		return err
	}
	state := connector.EntryState(old.State)
	if state == connector.Proven || state == connector.Done && o.State != connector.Proven || o.Stale(old.Attempts) {
		return nil
	}
	settled, ref := o.At, old.Ref
	if state == connector.Done && !old.SettledAt.IsZero() {
		settled = old.SettledAt.Time // when it was confirmed, not when it was seen
	}
	if o.Ref != "" {
		ref = clean(o.Ref)
	}
	if err := exec(ctx, tx, `
		update effects set state = ?, settled_at = ?, retry_at = ?, ref = ?, class = ?, reason = ? where id = ?`,
		string(o.State), version(settled), stamped(o.RetryAt), ref, clean(o.Class), clean(o.Reason), id); err != nil {
		return err
	}
	if o.Note == "" {
		return nil
	}
	return writeNotes(ctx, tx, []note{{old.Subject, o.At, "system", old.Verb, o.Note}})
}
