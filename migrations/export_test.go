package migrations

import (
	"context"
	"database/sql"
	"io/fs"
)

// UpFrom takes all steps of another list, and says how many they were.
func UpFrom(ctx context.Context, steps fs.FS, db *sql.DB, dialect string) (int, error) {
	p, err := providerOf(steps, db, dialect)
	if err != nil {
		return 0, err
	}
	done, err := p.Up(ctx)
	return len(done), err
}

// UpTo takes the steps up to one, as a program of that time would have.
func UpTo(ctx context.Context, db *sql.DB, dialect string, version int64) error {
	p, err := provider(db, dialect)
	if err != nil {
		return err
	}
	_, err = p.UpTo(ctx, version)
	return err
}
