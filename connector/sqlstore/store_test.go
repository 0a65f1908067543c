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
	for name, engine := range engines {
		t.Run(name, func(t *testing.T) {
			storetest.Exercise(t, func(t *testing.T) connector.Store { return engine(t) })
		})
	}
}
