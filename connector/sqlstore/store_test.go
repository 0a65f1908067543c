package sqlstore_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/sqlstore"
	"channelbridge/connector/storetest"
	"channelbridge/internal/pgtest"
)

// engines opens an empty store of each kind.
var engines = map[string]func(t testing.TB) *sqlstore.Store{
	"sqlite":   func(t testing.TB) *sqlstore.Store { return open(t, "sqlite:"+filepath.Join(t.TempDir(), "bridge.db")) },
	"postgres": func(t testing.TB) *sqlstore.Store { return open(t, pgtest.URL(t)) },
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
