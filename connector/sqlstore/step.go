package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// Step commits a step of a batch together with its entries; see connector.Batches. Locked are the
// lane, the batch, the orders in the order of their keys, and then the entries.
func (s *Store) Step(ctx context.Context, w connector.Work, id int64, st connector.BatchStep) (connector.Batch, error) {
	var out connector.Batch
	err := s.write(ctx, func(tx *sqlx.Tx) error {
		if _, err := s.lease(ctx, tx, w, st.At); err != nil {
			return err
		}
		b, err := s.lockBatch(ctx, tx, w.Subject, id)
		if err != nil {
			return err
		}
		if err := s.stepAllowed(ctx, tx, b, st); err != nil {
			return err
		}
		m, err := s.members(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := st.Fits(m.entries()); err != nil {
			return err
		}
		b.Take(st)
		if err := keepBatch(ctx, tx, b); err != nil {
			return err
		}
		if err := s.stepEntries(ctx, tx, m, b, st); err != nil {
			return err
		}
		out = b
		out.Entries, err = entriesOf(ctx, tx, id)
		return err
	})
	if err != nil {
		return connector.Batch{}, err
	}
	return out, nil
}

func (s *Store) lockBatch(ctx context.Context, tx *sqlx.Tx, lane connector.Subject, id int64) (connector.Batch, error) {
	var r batchRow
	err := get(ctx, tx, &r, `select `+batchColumns+` from batches where id = ? and channel = ? and lane = ?`+s.dialect.lock,
		id, string(lane.Channel), lane.ID)
	if errors.Is(err, sql.ErrNoRows) || err == nil && lane.Kind != connector.KindLane {
		return connector.Batch{}, connector.ErrNotFound
	}
	return r.batch(), err
}

// stepAllowed says whether the step may be taken from where the batch stands.
func (s *Store) stepAllowed(ctx context.Context, tx *sqlx.Tx, b connector.Batch, st connector.BatchStep) error {
	if !b.State.Leads(st.State) {
		return connector.ErrSpent
	}
	if st.State != connector.BatchSending {
		return nil
	}
	return s.writable(ctx, tx, string(b.Channel))
}

func keepBatch(ctx context.Context, tx *sqlx.Tx, b connector.Batch) error {
	return exec(ctx, tx, `
		update batches set state = ?, document = ?, ticket = ?, reason = ?, changed_at = ?, sending_at = ?, deadline = ? where id = ?`,
		string(b.State), clean(b.Document), clean(b.Ticket), clean(b.Reason), version(b.ChangedAt), stamped(b.SendingAt), stamped(b.Deadline), b.ID)
}

// stepEntries brings the entries along, settles those with an outcome and makes their orders due.
func (s *Store) stepEntries(ctx context.Context, tx *sqlx.Tx, m members, b connector.Batch, st connector.BatchStep) error {
	if err := m.move(ctx, tx, b.ID, st); err != nil {
		return err
	}
	done, err := s.settleMembers(ctx, tx, m, st)
	if err != nil {
		return err
	}
	if st.State == connector.BatchDropped {
		if err := dropEntries(ctx, tx, b.ID); err != nil {
			return err
		}
	}
	done.lines = append(done.lines, connector.BatchLine(connector.ActorOf(ctx, "system"), b, len(m.rows), st.At))
	return done.write(ctx, tx)
}

// move brings the entries to where their batch is.
func (m members) move(ctx context.Context, tx *sqlx.Tx, batch int64, st connector.BatchStep) error {
	var moved []entryRow
	var err error
	switch st.State {
	case connector.BatchSending:
		err = selects(ctx, tx, &moved, `
			update effects set state = 'sent', intended_at = ?, deadline = ? where batch = ? and state = 'queued' returning `+entryColumns,
			version(st.At), version(st.Deadline), batch)
	case connector.BatchSent:
		err = selects(ctx, tx, &moved, `
			update effects set state = 'pending', settled_at = ?, ref = ? where batch = ? and state = 'sent' returning `+entryColumns,
			version(st.At), clean(st.Ticket), batch)
	}
	for _, r := range moved {
		m.rows[slices.IndexFunc(m.rows, func(old entryRow) bool { return old.ID == r.ID })] = r
	}
	return err
}

// dropEntries takes the entries out of a batch; those without outcome wait again.
func dropEntries(ctx context.Context, tx *sqlx.Tx, batch int64) error {
	if err := exec(ctx, tx, `
		update effects set state = 'queued', settled_at = null, ref = ''
		where batch = ? and state in ('queued', 'sent', 'pending')`, batch); err != nil {
		return err
	}
	return exec(ctx, tx, `update effects set batch = null, message = null where batch = ?`, batch)
}
