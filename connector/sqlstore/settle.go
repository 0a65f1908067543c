package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// anchorKey is a subject's key beside other columns.
type anchorKey struct {
	OfKind    string `db:"of_kind"`
	OfChannel string `db:"of_channel"`
	OfRef     string `db:"of_ref"`
}

func (k anchorKey) subject() connector.Subject {
	return connector.Subject{Kind: connector.Kind(k.OfKind), Channel: connector.ConnectionID(k.OfChannel), ID: k.OfRef}
}

// Settle records what became of an attempt; see connector.Ledger. What the outcome tells of the
// store's order is kept even when the state stays as it is.
func (s *Store) Settle(ctx context.Context, id int64, o connector.Outcome) error {
	return s.write(ctx, func(tx *sqlx.Tx) error {
		var key anchorKey
		err := get(ctx, tx, &key, `
			select s.kind as of_kind, s.channel as of_channel, s.ref as of_ref
			from effects e join subjects s on s.id = e.subject where e.id = ?`, id)
		if errors.Is(err, sql.ErrNoRows) {
			return connector.ErrNotFound
		}
		if err != nil {
			return err
		}
		r, err := subject(ctx, tx, key.subject(), s.dialect.lock)
		if err != nil {
			return err
		}
		if err := s.settleEntry(ctx, tx, id, o); err != nil {
			return err
		}
		if _, err := attach(ctx, tx, &r.anchor, o.Shop); err != nil {
			return err
		}
		if o.Observed == nil {
			return nil
		}
		_, err = s.take(ctx, tx, observations(o.At, []connector.Observation{*o.Observed}))
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
