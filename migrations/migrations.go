// Package migrations holds the schema as numbered SQL files, one folder per engine, and brings
// a database up to it. There is no way back: a step that must be undone is undone by the next.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed postgres/*.sql sqlite/*.sql
var files embed.FS

// The engines.
const (
	Postgres = "postgres"
	SQLite   = "sqlite"
)

// table remembers which steps a database has taken.
const table = "schema_steps"

// ErrNewer says that a newer program has changed the database already.
var ErrNewer = errors.New("the database is newer than this program")

// Result is one step.
type Result struct {
	Version   int64
	Name      string
	Applied   bool
	AppliedAt time.Time     // of Status
	Took      time.Duration // of Up
}

// Up takes the steps that are missing and returns them. Several processes may call it at once:
// on PostgreSQL they wait for each other. It refuses with ErrNewer to touch a database that
// knows steps this program does not.
func Up(ctx context.Context, db *sql.DB, dialect string) ([]Result, error) {
	if err := refuseNewer(ctx, db, dialect); err != nil {
		return nil, err
	}
	p, err := provider(db, dialect)
	if err != nil {
		return nil, err
	}
	done, err := p.Up(ctx)
	for attempt := 0; err != nil && dialect == SQLite && attempt < 5; attempt++ {
		// A neighbour on the same file got in between; its steps count as ours.
		done, err = p.Up(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("migrate the database: %w", err)
	}
	out := make([]Result, 0, len(done))
	for _, r := range done {
		out = append(out, Result{Version: r.Source.Version, Name: path.Base(r.Source.Path), Applied: true, Took: r.Duration})
	}
	return out, refuseNewer(ctx, db, dialect)
}

// Status lists every step and whether the database has taken it. It changes nothing but for
// the table that remembers steps.
func Status(ctx context.Context, db *sql.DB, dialect string) ([]Result, error) {
	if err := refuseNewer(ctx, db, dialect); err != nil {
		return nil, err
	}
	p, err := provider(db, dialect)
	if err != nil {
		return nil, err
	}
	steps, err := p.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the state of the schema: %w", err)
	}
	out := make([]Result, 0, len(steps))
	for _, s := range steps {
		out = append(out, Result{
			Version: s.Source.Version, Name: path.Base(s.Source.Path),
			Applied: s.State == goose.StateApplied, AppliedAt: s.AppliedAt,
		})
	}
	return out, nil
}

// Pending counts the steps the database has not taken.
func Pending(ctx context.Context, db *sql.DB, dialect string) (int, error) {
	steps, err := Status(ctx, db, dialect)
	n := 0
	for _, s := range steps {
		if !s.Applied {
			n++
		}
	}
	return n, err
}

// provider makes a runner of its own for every call: runners share no state.
func provider(db *sql.DB, dialect string) (*goose.Provider, error) {
	steps, err := fs.Sub(files, dialect)
	if err != nil {
		return nil, err
	}
	return providerOf(steps, db, dialect)
}

// providerOf runs the steps given. Steps that were written side by side stand on those before them
// and not on each other, so one that comes late, with a lower number than the newest taken, is taken
// all the same.
func providerOf(steps fs.FS, db *sql.DB, dialect string) (*goose.Provider, error) {
	opts := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true), goose.WithTableName(table), goose.WithAllowOutofOrder(true)}
	switch dialect {
	case Postgres:
		// An advisory lock, tried every second for up to ten minutes.
		l, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 600))
		if err != nil {
			return nil, err
		}
		return goose.NewProvider(goose.DialectPostgres, db, steps, append(opts, goose.WithSessionLocker(l))...)
	case SQLite:
		return goose.NewProvider(goose.DialectSQLite3, db, steps, opts...)
	}
	return nil, fmt.Errorf("no migrations for %q", dialect)
}

// refuseNewer compares the database's newest step with ours. It does not create anything.
func refuseNewer(ctx context.Context, db *sql.DB, dialect string) error {
	exists := `select count(*) from sqlite_master where type = 'table' and name = '` + table + `'`
	if dialect == Postgres {
		exists = `select count(*) from pg_class where oid = to_regclass('` + table + `')`
	}
	var n int
	if err := db.QueryRowContext(ctx, exists).Scan(&n); err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	if n == 0 {
		return nil
	}
	var theirs, ours int64
	newest := `select coalesce(max(version_id), 0) from ` + table
	if err := db.QueryRowContext(ctx, newest).Scan(&theirs); err != nil {
		return fmt.Errorf("read the version of the schema: %w", err)
	}
	p, err := provider(db, dialect)
	if err != nil {
		return err
	}
	for _, s := range p.ListSources() {
		ours = max(ours, s.Version)
	}
	if theirs > ours {
		return fmt.Errorf("%w: it is at step %d, this program knows %d; start the newer program", ErrNewer, theirs, ours)
	}
	return nil
}
