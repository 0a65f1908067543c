package sqlstore

import (
	"context"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// batchRow is a row of batches.
type batchRow struct {
	ID        int64  `db:"id"`
	Channel   string `db:"channel"`
	Lane      string `db:"lane"`
	Site      string `db:"site"`
	State     string `db:"state"`
	Document  string `db:"document"`
	Ticket    string `db:"ticket"`
	Reason    string `db:"reason"`
	FormedAt  stamp  `db:"formed_at"`
	ChangedAt stamp  `db:"changed_at"`
	SendingAt stamp  `db:"sending_at"`
	Deadline  stamp  `db:"deadline"`
}

const batchColumns = `id, channel, lane, site, state, document, ticket, reason, formed_at, changed_at, sending_at, deadline`

func (r batchRow) batch() connector.Batch {
	return connector.Batch{
		ID: r.ID, Channel: connector.ConnectionID(r.Channel), Lane: r.Lane, Site: r.Site, State: connector.BatchState(r.State),
		Document: r.Document, Ticket: r.Ticket, Reason: r.Reason,
		FormedAt: r.FormedAt.Time, ChangedAt: r.ChangedAt.Time, SendingAt: r.SendingAt.Time, Deadline: r.Deadline.Time,
	}
}

// Waiting lists the queued entries of a lane that are in no batch, oldest first; see
// connector.Batches.
func (s *Store) Waiting(ctx context.Context, channel connector.ConnectionID, lane string, n int) ([]connector.Entry, error) {
	var out []connector.Entry
	err := s.read(ctx, func(tx *sqlx.Tx) (err error) {
		out, err = entries(ctx, tx, `
			where e.lane = ? and e.state = 'queued' and e.batch is null and s.channel = ? order by e.id limit ?`,
			lane, string(channel), limit(n))
		return err
	})
	return out, err
}

// Under returns the batch of a lane that is not over; see connector.Batches.
func (s *Store) Under(ctx context.Context, channel connector.ConnectionID, lane string) (connector.Batch, error) {
	found, err := s.batches(ctx, `
		where channel = ? and lane = ? and state not in ('done', 'lost', 'dropped')`, string(channel), lane)
	if err == nil && len(found) == 0 {
		err = connector.ErrNotFound
	}
	if err != nil {
		return connector.Batch{}, err
	}
	return found[0], nil
}

// Batches lists a channel's batches, newest first; see connector.Batches.
func (s *Store) Batches(ctx context.Context, channel connector.ConnectionID, n int) ([]connector.Batch, error) {
	return s.batches(ctx, `where channel = ? order by id desc limit ?`, string(channel), limit(n))
}

// batches reads the batches that the ending of the statement names, with their entries.
func (s *Store) batches(ctx context.Context, ending string, args ...any) ([]connector.Batch, error) {
	var out []connector.Batch
	err := s.read(ctx, func(tx *sqlx.Tx) error {
		var rows []batchRow
		if err := selects(ctx, tx, &rows, `select `+batchColumns+` from batches `+ending, args...); err != nil {
			return err
		}
		for _, r := range rows {
			b := r.batch()
			var err error
			if b.Entries, err = entriesOf(ctx, tx, b.ID); err != nil {
				return err
			}
			out = append(out, b)
		}
		return nil
	})
	return out, err
}

// entriesOf reads the entries of a batch by message number.
func entriesOf(ctx context.Context, tx *sqlx.Tx, batch int64) ([]connector.Entry, error) {
	return entries(ctx, tx, `where e.batch = ? order by e.message`, batch)
}
