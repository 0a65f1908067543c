package migrations

import (
	"context"
	"database/sql"
)

// UpTo takes the steps up to one, as a program of that time would have.
func UpTo(ctx context.Context, db *sql.DB, dialect string, version int64) error {
	p, err := provider(db, dialect)
	if err != nil {
		return err
	}
	_, err = p.UpTo(ctx, version)
	return err
}
