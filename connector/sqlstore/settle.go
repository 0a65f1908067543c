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
		a, e, err := s.lockEntry(ctx, tx, id)
		if err != nil {
			return err
		}
		done, err := settle(ctx, tx, a, e, o)
		if err != nil {
			return err
		}
		if err := done.write(ctx, tx); err != nil {
			return err
		}
		if o.Observed == nil {
			return nil
		}
		_, err = s.take(ctx, tx, observations(o.At, []connector.Observation{*o.Observed}))
		return err
	})
}

// lockEntry locks an entry's subject and then the entry.
func (s *Store) lockEntry(ctx context.Context, tx *sqlx.Tx, id int64) (*anchor, entryRow, error) {
	var a anchor
	var e entryRow
	err := get(ctx, tx, &a, `
		select id, kind, channel, ref, shop_store, shop_id from subjects
		where id = (select subject from effects where id = ?)`+s.dialect.lock, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, e, connector.ErrNotFound
	}
	if err == nil {
		err = get(ctx, tx, &e, `select `+entryColumns+` from effects where id = ?`+s.dialect.lock, id)
	}
	return &a, e, err
}

// written is what is told of a change: lines of timelines and of the record.
type written struct {
	notes []note
	lines []connector.AuditEntry
}

func (w *written) note(n note) {
	if n.text != "" {
		w.notes = append(w.notes, n)
	}
}

func (w *written) write(ctx context.Context, tx *sqlx.Tx) error {
	if err := writeNotes(ctx, tx, w.notes); err != nil {
		return err
	}
	return writeAudit(ctx, tx, w.lines...)
}

// settle writes the new state of a locked entry unless that would take something back, and ties
// the mirror the outcome names.
func settle(ctx context.Context, tx *sqlx.Tx, a *anchor, old entryRow, o connector.Outcome) (done written, err error) {
	if _, err := attach(ctx, tx, a, o.Shop); err != nil {
		return done, err
	}
	state := connector.EntryState(old.State)
	if !o.Changes(state, old.Attempts) {
		return done, nil
	}
	if o.Revives(state) {
		if err := wake(ctx, tx, o.At, a.ID); err != nil {
			return done, err
		}
	}
	settled := o.At
	if state == connector.Done && !old.SettledAt.IsZero() {
		settled = old.SettledAt.Time // when it was confirmed, not when it was seen
	}
	e, err := setOutcome(ctx, tx, old, o, stamped(settled))
	if err != nil {
		return done, err
	}
	done.note(note{old.Subject, o.At, "system", old.Verb, o.Note})
	done.lines = append(done.lines, connector.EntryLine("settle", connector.ActorOf(ctx, "system"), "", e.entry(a.subject()), o.At))
	return done, nil
}

func setOutcome(ctx context.Context, tx *sqlx.Tx, old entryRow, o connector.Outcome, settled stamp) (entryRow, error) {
	ref := old.Ref
	if o.Ref != "" {
		ref = clean(o.Ref)
	}
	var e entryRow
	err := get(ctx, tx, &e, `
		update effects set state = ?, settled_at = ?, retry_at = ?, ref = ?, class = ?, reason = ? where id = ? returning `+entryColumns,
		string(o.State), version(settled.Time), stamped(o.RetryAt), ref, clean(o.Class), clean(o.Reason), old.ID)
	return e, err
}
