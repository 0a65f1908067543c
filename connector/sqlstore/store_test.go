package sqlstore_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/sqlstore"
	"channelbridge/connector/storetest"
	"channelbridge/internal/pgtest"
)

// engines opens an empty store of each kind.
var engines = map[string]func(t testing.TB) *sqlstore.Store{
	"sqlite":   func(t testing.TB) *sqlstore.Store { return open(t, "sqlite:"+fresh(t)) },
	"postgres": func(t testing.TB) *sqlstore.Store { return open(t, pgtest.URL(t)) },
}

// migrated is an SQLite file as the migrations left it: copying it is faster than migrating anew.
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "channelbridge-schema-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "bridge.db")
	s, err := sqlstore.Open(context.Background(), "sqlite:"+path, sqlstore.Options{})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// fresh is the path of an empty, migrated SQLite file.
func fresh(t testing.TB) string {
	t.Helper()
	b, err := migrated()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "bridge.db")
	require.NoError(t, os.WriteFile(path, b, 0o600))
	return path
}

func open(t testing.TB, url string) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(context.Background(), url, sqlstore.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func each(t *testing.T, run func(t *testing.T, s *sqlstore.Store)) {
	for name, engine := range engines {
		t.Run(name, func(t *testing.T) { run(t, engine(t)) })
	}
}

func TestExercise(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		storetest.Exercise(t, func(t *testing.T) connector.Store { return engines["sqlite"](t) })
	})
	t.Run("postgres", func(t *testing.T) {
		s := engines["postgres"](t)
		storetest.Exercise(t, func(t *testing.T) connector.Store { return emptied(t, s) })
	})
}

// emptied is the store as the migrations left it: that is faster than a new database.
func emptied(t *testing.T, s *sqlstore.Store) *sqlstore.Store {
	t.Helper()
	var tables string
	require.NoError(t, s.DB().Get(&tables, `
		select string_agg(quote_ident(table_name), ', ') from information_schema.tables
		where table_schema = current_schema() and table_name <> 'schema_steps'`))
	_, err := s.DB().Exec(`truncate ` + tables + ` restart identity;
		insert into switches (name, turned) values ('stop_writes', false);
		insert into audit_head (id, place, hash) values (1, 0, '')`)
	require.NoError(t, err)
	return s
}
