package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// intent is one attempt on its way into the ledger.
type intent struct {
	connector.Command
	at, deadline time.Time
	plannedOn    string
}

// state is that of the entry: what has a lane waits there.
func (i intent) state() string {
	if i.Lane != "" {
		return string(connector.Queued)
	}
	return string(connector.Sent)
}

// Intend commits an attempt before it is made; see connector.Ledger. Rows are locked in the order
// of their keys: the lane before the order.
func (s *Store) Intend(ctx context.Context, w connector.Work, c connector.Command, at, deadline time.Time, plannedOn string) (connector.Entry, error) {
	i := intent{Command: c, at: at, deadline: deadline, plannedOn: plannedOn}
	var out connector.Entry
	err := s.write(ctx, func(tx *sqlx.Tx) error {
		if c.Lane != "" {
			if err := wakeLane(ctx, tx, w.Subject.Channel, c.Lane, at); err != nil {
				return err
			}
		}
		r, err := s.lease(ctx, tx, w, at)
		if err != nil {
			return err
		}
		if err := s.writable(ctx, tx, r.Channel); err != nil {
			return err
		}
		e, err := s.attemptOf(ctx, tx, r.ID, i)
		if err != nil {
			return err
		}
		if err := s.brake(ctx, tx, r.Channel, i); err != nil {
			return err
		}
		out = e.entry(w.Subject)
		return writeAudit(ctx, tx, connector.EntryLine("intend", connector.ActorOf(ctx, "system"), out.Why, out, at))
	})
	if err != nil {
		return connector.Entry{}, err
	}
	return out, nil
}

// lease locks the subject of a claim whose lease must last beyond the instant.
func (s *Store) lease(ctx context.Context, tx *sqlx.Tx, w connector.Work, at time.Time) (*subjectRow, error) {
	r, err := leased(ctx, tx, w, s.dialect.lock)
	if err == nil && !r.LeaseUntil.After(sameMicro(at)) {
		return nil, connector.ErrLeaseLost
	}
	return r, err
}

func (s *Store) attemptOf(ctx context.Context, tx *sqlx.Tx, subject int64, i intent) (entryRow, error) {
	if i.Again == 0 {
		return firstAttempt(ctx, tx, subject, i)
	}
	return s.nextAttempt(ctx, tx, subject, i)
}

// firstAttempt spends the key.
func firstAttempt(ctx context.Context, tx *sqlx.Tx, subject int64, i intent) (entryRow, error) {
	var e entryRow
	minor, currency := amount(i.Command)
	err := get(ctx, tx, &e, `
		insert into effects (subject, key, verb, side, about, amount_minor, currency, due, body, why,
			state, attempts, intended_at, deadline, planned_on, money, lane, site)
		values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?)
		on conflict (key) do nothing
		returning `+entryColumns,
		subject, i.Key, string(i.Verb), string(i.Side), clean(i.About), minor, currency,
		stamped(i.Due), []byte(i.Body), clean(i.Why), i.state(), version(i.at), version(i.deadline), clean(i.plannedOn),
		i.Money, i.Lane, clean(i.Site))
	if errors.Is(err, sql.ErrNoRows) {
		return e, connector.ErrSpent
	}
	return e, err
}

// nextAttempt sends an entry once more if it may be. The contents of an attempt that may have
// happened stay as they are; one that surely did not happen takes the new ones.
func (s *Store) nextAttempt(ctx context.Context, tx *sqlx.Tx, subject int64, i intent) (entryRow, error) {
	var e entryRow
	err := get(ctx, tx, &e, `select `+entryColumns+` from effects where id = ? and subject = ? and key = ?`+s.dialect.lock, i.Again, subject, i.Key)
	if errors.Is(err, sql.ErrNoRows) {
		return e, connector.ErrSpent
	}
	if err != nil {
		return e, err
	}
	if !repeatable(e, i) {
		return e, connector.ErrSpent
	}
	if connector.EntryState(e.State) == connector.Retry {
		e.Body, e.Why, e.Lane, e.Site = i.Body, clean(i.Why), i.Lane, clean(i.Site)
		e.AmountMinor, e.Currency = amount(i.Command)
		e.Batch, e.Message = sql.NullInt64{}, sql.NullInt64{}
	}
	id := e.ID
	err = get(ctx, tx, &e, `
		update effects set state = ?, attempts = attempts + 1, intended_at = ?, deadline = ?, planned_on = ?,
			body = ?, why = ?, amount_minor = ?, currency = ?, lane = ?, site = ?, batch = ?, message = ?,
			settled_at = null, retry_at = null
		where id = ? returning `+entryColumns, i.state(), version(i.at), version(i.deadline), clean(i.plannedOn),
		e.Body, e.Why, e.AmountMinor, e.Currency, e.Lane, e.Site, e.Batch, e.Message, id)
	return e, err
}

// repeatable reports whether an entry may be sent once more. What waits in a lane has no deadline
// of its own to run past: it may only when it surely did not happen.
func repeatable(e entryRow, i intent) bool {
	switch state := connector.EntryState(e.State); {
	case state == connector.Retry:
		return true
	case e.Lane != "" || i.Lane != "":
		return false
	case state == connector.Sent:
		return e.Deadline.Before(sameMicro(i.at))
	default:
		return state == connector.Unknown
	}
}
