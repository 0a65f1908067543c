package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// PutSecret keeps a sealed secret under a name; an empty one removes the name. The store never
// sees what is inside.
func (s *Store) PutSecret(ctx context.Context, name string, sealed []byte) error {
	return s.write(ctx, func(tx *sqlx.Tx) error {
		if len(sealed) == 0 {
			return exec(ctx, tx, `delete from secrets where name = ?`, name)
		}
		return exec(ctx, tx, `
			insert into secrets (name, sealed) values (?, ?)
			on conflict (name) do update set sealed = excluded.sealed`, name, sealed)
	})
}

// forgetSecrets deletes the secrets of a connection: the one of its name, and those below it.
func forgetSecrets(ctx context.Context, tx *sqlx.Tx, id string) error {
	return exec(ctx, tx, `delete from secrets where name = ? or name > ? and name < ?`, id, id+"/", id+"0") // 0 follows /
}

// Secret reads a sealed secret; connector.ErrNotFound if there is none of that name.
func (s *Store) Secret(ctx context.Context, name string) ([]byte, error) {
	var sealed []byte
	err := s.reader.GetContext(ctx, &sealed, s.reader.Rebind(`select sealed from secrets where name = ?`), name)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, connector.ErrNotFound
	}
	return sealed, err
}
