package sqlstore

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// Connections lists all connections by id.
func (s *Store) Connections(ctx context.Context) ([]connector.Connection, error) {
	var rows []struct {
		ID        string `db:"id"`
		Platform  string `db:"platform"`
		Role      string `db:"role"`
		Store     string `db:"store"`
		State     string `db:"state"`
		Reason    string `db:"reason"`
		ChangedAt stamp  `db:"changed_at"`
		Since     stamp  `db:"since"`
		Settings  []byte `db:"settings"`
		Removed   stamp  `db:"removed_at"`
		Rejoined  stamp  `db:"rejoined_at"`
	}
	err := s.reader.SelectContext(ctx, &rows, `
		select id, platform, role, store, state, reason, changed_at, since, settings, removed_at, rejoined_at
		from connections order by id`)
	var out []connector.Connection
	for _, r := range rows {
		out = append(out, connector.Connection{
			ID: connector.ConnectionID(r.ID), Platform: r.Platform, Role: connector.Role(r.Role),
			Store: connector.ConnectionID(r.Store), State: connector.State(r.State), Reason: r.Reason,
			ChangedAt: r.ChangedAt.Time, Since: r.Since.Time, Settings: r.Settings,
			RemovedAt: r.Removed.Time, RejoinedAt: r.Rejoined.Time,
		})
	}
	return out, err
}

// PutConnection adds or replaces a connection; see connector.Connections. A new one without a
// state is active. When one was removed and came back is SetState's alone.
func (s *Store) PutConnection(ctx context.Context, c connector.Connection) error {
	keep := c.State == ""
	if keep {
		c.State = connector.Active
	}
	state := `state = excluded.state, reason = excluded.reason, changed_at = excluded.changed_at, `
	if keep {
		state = ``
	}
	return s.write(ctx, func(tx *sqlx.Tx) error {
		return exec(ctx, tx, `
			insert into connections (id, platform, role, store, state, reason, changed_at, since, settings, removed_at, rejoined_at)
			values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			on conflict (id) do update set `+state+`
				since = coalesce(connections.since, excluded.since), platform = excluded.platform, role = excluded.role, store = excluded.store, settings = excluded.settings`,
			string(c.ID), c.Platform, string(c.Role), string(c.Store), string(c.State), clean(c.Reason), stamped(c.ChangedAt), stamped(c.Since), c.Settings,
			stamped(c.RemovedAt), stamped(c.RejoinedAt))
	})
}

// SetState changes a connection's state; see connector.Connections. It waits for intents that
// are being committed, so nothing is intended after it has returned.
func (s *Store) SetState(ctx context.Context, id connector.ConnectionID, st connector.State, reason string, at time.Time) error {
	return s.write(ctx, func(tx *sqlx.Tx) error {
		gone, back := st == connector.Removed, st == connector.Reconnecting
		var ids []string
		err := selects(ctx, tx, &ids, `
			update connections set state = ?, reason = ?, changed_at = ?,
				removed_at = case when ? and state <> 'removed' then ? else removed_at end,
				rejoined_at = case when ? and state <> 'removed' then null when ? and state <> 'reconnecting' then ? else rejoined_at end,
				settings = case when ? then null else settings end
			where id = ? returning id`,
			string(st), clean(reason), stamped(at), gone, version(at), gone, back, version(at), gone, string(id))
		if err == nil && len(ids) == 0 {
			return connector.ErrNotFound
		}
		if err == nil && st == connector.Removed {
			err = forgetSecrets(ctx, tx, string(id))
		}
		if err != nil {
			return err
		}
		return writeAudit(ctx, tx, connector.StateLine(connector.ActorOf(ctx, "system"), id, st, reason, at))
	})
}
