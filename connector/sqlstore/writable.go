package sqlstore

import (
	"context"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// writable insists that nobody stopped all writes, and that the channel and the store it is
// mirrored in are active. The rows are locked against change until the commit, so a connection
// that was stopped, or the switch, gets nothing that was intended later.
func (s *Store) writable(ctx context.Context, tx *sqlx.Tx, channel string) error {
	var rows []struct {
		ID      string `db:"id"`
		State   string `db:"state"`
		Store   string `db:"store"`
		Stopped bool   `db:"turned"`
	}
	if err := selects(ctx, tx, &rows, `
		select c.id, c.state, c.store, w.turned from connections c join switches w on w.name = ?
		where c.id = ? or c.id = (select k.store from connections k where k.id = ?)`+s.dialect.share,
		connector.StopWrites, channel, channel); err != nil {
		return err
	}
	active := map[string]bool{"": true}
	store, known := "", false
	for _, r := range rows {
		if r.Stopped {
			return connector.ErrStopped
		}
		active[r.ID] = connector.State(r.State) == connector.Active
		if r.ID == channel {
			store, known = r.Store, true
		}
	}
	if !known || !active[channel] || !active[store] {
		return connector.ErrParked
	}
	return nil
}

// brake insists that the channel's money commands, the one just written included, are within the
// budget. Those of a channel are counted one after the other, so that two cannot both be the last.
func (s *Store) brake(ctx context.Context, tx *sqlx.Tx, channel string, i intent) error {
	if i.Budget == nil || !i.Counts() {
		return nil
	}
	if err := s.alone(ctx, tx, "budget/"+channel); err != nil {
		return err
	}
	var spent struct {
		Count int   `db:"n"`
		Sum   int64 `db:"total"`
	}
	if err := get(ctx, tx, &spent, `
		select count(*) as n, cast(coalesce(sum(case when e.currency = ? then e.amount_minor end), 0) as bigint) as total
		from effects e join subjects s on s.id = e.subject
		where e.money and e.side = 'market' and e.state <> 'refused' and e.intended_at > ? and s.channel = ?`,
		i.Budget.Sum.Currency, version(i.at.Add(-i.Budget.Per)), channel); err != nil {
		return err
	}
	if i.Budget.Exceeded(spent.Count, spent.Sum) {
		return connector.ErrBraked
	}
	return nil
}
