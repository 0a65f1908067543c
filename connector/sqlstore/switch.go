package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// Switch reads a switch; see connector.Switches.
func (s *Store) Switch(ctx context.Context, name string) (connector.Switch, error) {
	var r struct {
		Turned bool   `db:"turned"`
		Reason string `db:"reason"`
		Actor  string `db:"actor"`
		At     stamp  `db:"at"`
	}
	err := s.reader.GetContext(ctx, &r, s.reader.Rebind(`select turned, reason, actor, at from switches where name = ?`), name)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return connector.Switch{}, err
	}
	return connector.Switch{Name: name, On: r.Turned, Reason: r.Reason, Actor: r.Actor, At: r.At.Time}, nil
}

// SetSwitch turns a switch; see connector.Switches. Its row is locked by intents until they are
// committed.
func (s *Store) SetSwitch(ctx context.Context, w connector.Switch) error {
	return s.write(ctx, func(tx *sqlx.Tx) error {
		if err := exec(ctx, tx, `
			insert into switches (name, turned, reason, actor, at) values (?, ?, ?, ?, ?)
			on conflict (name) do update set turned = excluded.turned, reason = excluded.reason, actor = excluded.actor, at = excluded.at`,
			w.Name, w.On, clean(w.Reason), clean(w.Actor), stamped(w.At)); err != nil {
			return err
		}
		return writeAudit(ctx, tx, connector.SwitchLine(w))
	})
}
