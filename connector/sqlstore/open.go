package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
	"channelbridge/migrations"
)

// Options of a store. The zero value serves.
type Options struct {
	// NoMigrate refuses a database whose schema is not current instead of bringing it up.
	NoMigrate bool
	// MaxConns bounds the pool of PostgreSQL connections; 0 means 16.
	MaxConns int
	// FlushTimeout bounds one group commit, and with it how long a delivery waits for a database
	// that hangs; 0 means 10 seconds.
	FlushTimeout time.Duration
}

// Store keeps what the bridge knows. It is safe for use by many goroutines.
type Store struct {
	dialect dialect
	db      *sqlx.DB // writes
	reader  *sqlx.DB // reads; the same pool on PostgreSQL
	timeout time.Duration

	jobs  chan *job
	turn  chan struct{} // whoever has taken it writes a group
	done  chan struct{}
	close sync.Once
	flush sync.WaitGroup
}

var _ connector.Store = (*Store)(nil)

// Open opens the database an address names and brings its schema up: "postgres://…" or
// "postgresql://…" is PostgreSQL, "sqlite:path" or "file:path" a file of SQLite.
func Open(ctx context.Context, url string, opts Options) (*Store, error) {
	s := &Store{timeout: opts.FlushTimeout, jobs: make(chan *job), turn: make(chan struct{}, 1), done: make(chan struct{})}
	if s.timeout <= 0 {
		s.timeout = 10 * time.Second
	}
	var err error
	switch {
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		s.dialect = postgres
		s.db, err = openPostgres(url, opts)
		s.reader = s.db
	case strings.HasPrefix(url, "sqlite:"), strings.HasPrefix(url, "file:"):
		s.dialect = sqlite
		s.db, s.reader, err = openSQLite(url)
	default:
		err = errors.New(`a database address begins with "postgres://" or "sqlite:"`)
	}
	if err != nil {
		return nil, err
	}
	if err := s.prepare(ctx, opts); err != nil {
		return nil, errors.Join(err, s.shut())
	}
	s.turn <- struct{}{}
	for range s.dialect.flushers {
		s.flush.Go(s.flusher)
	}
	return s, nil
}

// prepare brings the schema up, or insists that it is.
func (s *Store) prepare(ctx context.Context, opts Options) error {
	if !opts.NoMigrate {
		_, err := migrations.Up(ctx, s.db.DB, s.dialect.name)
		return err
	}
	n, err := migrations.Pending(ctx, s.db.DB, s.dialect.name)
	if err == nil && n > 0 {
		err = fmt.Errorf("the database lacks %d migrations: run the migrate command first", n)
	}
	return err
}

// Dialect names the engine: migrations.Postgres or migrations.SQLite.
func (s *Store) Dialect() string { return s.dialect.name }

// DB is the pool that writes, for tests and for the migrate command.
func (s *Store) DB() *sqlx.DB { return s.db }

// Close lets the group commits under way finish and closes the database. Deliveries that come
// later are answered with ErrClosed. It may be called twice.
func (s *Store) Close() error {
	var err error
	s.close.Do(func() {
		close(s.done)
		s.flush.Wait()
		err = s.shut()
	})
	return err
}

func (s *Store) shut() error {
	err := s.db.Close()
	if s.reader != s.db {
		err = errors.Join(err, s.reader.Close())
	}
	return err
}
